"""Schools' lists of who is there."""
