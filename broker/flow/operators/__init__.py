"""What operators do, alone and by two."""
