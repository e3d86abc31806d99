"""Logs and metrics: what people see of a running broker, never a value of a pupil."""
