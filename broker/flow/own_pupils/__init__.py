"""What a school finds of its own pupils, by what it knows of them itself."""
