"""The commands of `broker`, one module for each group; `broker.__main__` puts them together."""
