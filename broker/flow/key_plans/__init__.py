"""Which keys there are, and when each is published, used and retired."""
