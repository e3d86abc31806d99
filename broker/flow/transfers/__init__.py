"""A pupil goes to another education sector and keeps the work at a named supplier."""
