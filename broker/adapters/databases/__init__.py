"""The three databases on SQLite: registry, person register and receipts."""
