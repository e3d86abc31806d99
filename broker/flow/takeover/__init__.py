"""Accounts keyed on the ECK iD go over to pseudonyms."""
