"""The table of drafts of service sheets in `registry.db`; as `tables_registry`."""

from sqlalchemy import Column, Integer, Table, Text

from broker.adapters.databases.tables_registry import REGISTRY_METADATA

sheet_drafts = Table(
    "sheet_drafts",
    REGISTRY_METADATA,
    Column("supplier", Text, primary_key=True, comment="plain: slug"),
    Column("based_on", Integer, nullable=False, comment="plain: version of the sheet in force"),
    Column("revision", Integer, nullable=False, comment="plain: counts what was saved"),
    Column("changed_in", Text, nullable=False, comment="plain: UTC hour of the last change"),
    Column("content", Text, nullable=False, comment="plain: the sheet, in JSON; no persons"),
    comment="The next service sheet of each supplier whose people are writing one.",
    sqlite_with_rowid=False,
)
