"""Rotating the key behind one supplier's pseudonyms, and converting what it holds."""
