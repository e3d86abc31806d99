"""Documents that are printed and kept."""
