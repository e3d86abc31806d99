"""Programs of schools and suppliers that call us: who they are, and how much they may ask."""
