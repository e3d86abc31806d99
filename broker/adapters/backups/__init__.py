"""Backups of what is not a key: copied while the broker serves, one file, put back whole."""
