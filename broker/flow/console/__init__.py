"""The console: who is at work there, what they may, and what is written down of it."""
