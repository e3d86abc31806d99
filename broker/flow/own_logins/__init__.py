"""Logins to pages of our own, at a school's, a supplier's or the federation's login."""
