"""Service sheets: what suppliers say of their services before a school decides.

`sheet_desk` is the one way to a sheet, for pages, commands and programs alike; what it knows of
databases are the ports of `sheet_store`.
"""
