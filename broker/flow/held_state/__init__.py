"""What lives between two requests of one login: sealed records, and the handles that open them."""
