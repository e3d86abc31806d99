"""The login store, in the process itself or on Redis."""
