"""One browser's session after a login at school, what goes on with it, and its end."""
