"""The three databases on SQLite: registry, person register and receipts.

`tables_<database>.py` declares the tables, `migrations/` makes them, `sql.py` opens them. Then one
module for each port of the flows: `sql_register.py` is what a login reads and writes, `receipts.py`
what each release leaves, `sql_registry.py` what workers load when `registry_versions.py` counts up;
the other `sql_...` belong to the flow of their name.
"""
