"""Following one login over its requests, for the helpdesk: which checks it passed, no values."""
