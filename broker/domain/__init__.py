"""The agreement between school, supplier and pupil. Pure: no I/O, clock or framework."""
