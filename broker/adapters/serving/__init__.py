"""The server under the broker, and the supervisor of its workers."""
