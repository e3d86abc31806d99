"""`/me`: what a pupil, a parent or a member of staff reads of what was shared."""
