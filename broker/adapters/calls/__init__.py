"""Calls to other parties: bounded in time and size, and never into our own network."""
