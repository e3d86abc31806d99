"""What a supplier's system gets for a code and does with it: access tokens, refresh, their end."""
