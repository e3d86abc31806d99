"""The tables of decisions in `registry.db`; as `tables_registry`. What is in force is not here: it
is the agreement, a document like any other."""

from sqlalchemy import Column, Index, Integer, Table, Text

from broker.adapters.databases.tables_registry import REGISTRY_METADATA

decision_drafts = Table(
    "decision_drafts",
    REGISTRY_METADATA,
    Column("number", Integer, primary_key=True, comment="plain: of the record"),
    Column("school", Text, nullable=False, comment="plain: slug, or empty"),
    Column("board", Text, nullable=False, comment="plain: slug, or empty"),
    Column("supplier", Text, nullable=False, comment="plain: slug"),
    Column("revision", Integer, nullable=False, comment="plain: counts how often it was prepared"),
    Column("batch", Text, nullable=False, comment="plain: random name of those prepared at once"),
    Column("content", Text, nullable=False, comment="plain: the draft, in JSON; no persons"),
    Column("prepared_by", Text, nullable=False, comment="keyed: of where and as whom they log in"),
    Column("prepared_role", Text, nullable=False, comment="plain: the role by which they might"),
    Column("prepared_at", Text, nullable=False, comment="plain: UTC moment"),
    Index("decision_drafts_of", "board", "school", "supplier", unique=True),
    Index("decision_drafts_by_batch", "batch"),
    comment="What waits to be signed: at most one of each school or board and supplier.",
    sqlite_autoincrement=True,
)

signed_decisions = Table(
    "signed_decisions",
    REGISTRY_METADATA,
    Column("number", Integer, primary_key=True, comment="plain: of the record"),
    Column("school", Text, nullable=False, comment="plain: slug, or empty"),
    Column("board", Text, nullable=False, comment="plain: slug, or empty"),
    Column("supplier", Text, nullable=False, comment="plain: slug"),
    Column("version", Integer, nullable=False, comment="plain: of the agreement"),
    Column("draft", Integer, nullable=False, comment="plain: number of the draft that was signed"),
    Column("signed_at", Text, nullable=False, comment="plain: UTC moment"),
    Column("document", Text, nullable=False, comment="plain: what was signed, in canonical JSON"),
    Column("hash", Text, nullable=False, comment="plain: SHA-256 of it, as in the audit"),
    Index("signed_decisions_of", "board", "school", "supplier", "version"),
    Index("signed_decisions_by_draft", "draft", unique=True),
    comment="What schools and boards signed, to keep and to show.",
)
