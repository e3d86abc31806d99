"""Benchmarks of the running broker: `make bench`. Figures, not tests: none can fail a build.

Each benchmark ends in one JSON object on a line of its own, with units in its names.
"""
