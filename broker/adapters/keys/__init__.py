"""The folder of keys: read, made, followed while we serve, and kept from being lost."""
