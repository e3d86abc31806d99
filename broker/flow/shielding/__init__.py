"""Pupils whom a school shields: what goes out of them less than its agreements let go."""
