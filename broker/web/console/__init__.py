"""The console over HTTP: its doors, its pages, and what leads from one to another."""
