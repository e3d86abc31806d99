"""The record of each release: sealed, chained, signed, and verified."""
