"""The tables of the console in `registry.db`: roles, invitations, links, and the audit.

Nobody's name stands in them: who it is, is a keyed hash. The kinds in the comments are those of
`tables_receipts`. No login reads them, so a change of theirs adds no version.
"""

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text

from broker.adapters.databases.tables_registry import REGISTRY_METADATA

console_audit = Table(
    "console_audit",
    REGISTRY_METADATA,
    Column("number", Integer, primary_key=True, comment="plain: counts the entries, from 1"),
    Column("at", Text, nullable=False, comment="plain: UTC moment, to the second"),
    Column("actor", Text, nullable=False, comment="keyed: of a person; or a program, an operator"),
    Column("kind", Text, nullable=False, comment="plain: person, program or operator"),
    Column("role", Text, nullable=False, comment="plain: by which they might; empty for none"),
    Column("action", Text, nullable=False, comment="plain: what was done"),
    Column("school", Text, nullable=False, comment="plain: slug, or empty"),
    Column("board", Text, nullable=False, comment="plain: slug, or empty"),
    Column("supplier", Text, nullable=False, comment="plain: slug, or empty"),
    Column("before", Text, nullable=False, comment="plain: settings of before, in JSON"),
    Column("after", Text, nullable=False, comment="plain: settings of after, in JSON"),
    Column("document", Text, nullable=False, comment="plain: digest of what was signed, or empty"),
    Column("link", LargeBinary(32), nullable=False, comment="plain: hash over it and all before"),
    Index("console_audit_by_school", "school", "number"),
    Index("console_audit_by_board", "board", "number"),
    Index("console_audit_by_supplier", "supplier", "number"),
    comment="What people did in the console, as a chain.",
)

console_roles = Table(
    "console_roles",
    REGISTRY_METADATA,
    Column("number", Integer, primary_key=True, comment="plain: of the row"),
    Column("user", Text, nullable=False, comment="keyed: of where and as whom they log in"),
    Column("login_kind", Text, nullable=False, comment="plain: school, supplier or federation"),
    Column("login_place", Text, nullable=False, comment="plain: slug of where they log in"),
    Column("role", Text, nullable=False, comment="plain: which"),
    Column("kind", Text, nullable=False, comment="plain: school, board, supplier, federation"),
    Column("place", Text, nullable=False, comment="plain: slug, empty for the federation"),
    Column("last_day", Text, comment="plain: day in the Netherlands; null is without end"),
    Column("given_at", Text, nullable=False, comment="plain: UTC moment"),
    Column("given_by", Text, nullable=False, comment="keyed: who invited; or two operators"),
    Column("withdrawn_at", Text, comment="plain: UTC moment; null while it is held"),
    Column("withdrawn_by", Text, comment="keyed: who took it away"),
    Index("console_roles_of_user", "user"),
    Index("console_roles_at_place", "kind", "place"),
    comment="Which roles people hold and held.",
)

console_invitations = Table(
    "console_invitations",
    REGISTRY_METADATA,
    Column("number", Integer, primary_key=True, comment="plain: of the row"),
    Column("code", LargeBinary(32), nullable=False, unique=True, comment="keyed: of its code"),
    Column("role", Text, nullable=False, comment="plain: which"),
    Column("kind", Text, nullable=False, comment="plain: school, board, supplier, federation"),
    Column("places", Text, nullable=False, comment="plain: slugs, in JSON"),
    Column("last_day", Text, comment="plain: of the role; null is without end"),
    Column("login_kind", Text, nullable=False, comment="plain: where it is accepted"),
    Column("login_place", Text, nullable=False, comment="plain: slug of that, or empty"),
    Column("invited_at", Text, nullable=False, comment="plain: UTC moment"),
    Column("invited_by", Text, nullable=False, comment="keyed: who invited; or two operators"),
    Column("expires_at", Text, nullable=False, comment="plain: UTC moment"),
    Column("ended_at", Text, comment="plain: UTC moment; null while it waits"),
    Column("outcome", Text, comment="plain: accepted or withdrawn"),
    Index("console_invitations_at_place", "kind", "number"),
    comment="Invitations to roles; each works once.",
)

console_links = Table(
    "console_links",
    REGISTRY_METADATA,
    Column("code", LargeBinary(32), primary_key=True, comment="keyed: of its code"),
    Column("user", Text, nullable=False, comment="keyed: whose login is broken"),
    Column("made_at", Text, nullable=False, comment="plain: UTC moment"),
    Column("made_by", Text, nullable=False, comment="plain: names of the two operators"),
    Column("expires_at", Text, nullable=False, comment="plain: UTC moment"),
    Column("used_at", Text, comment="plain: UTC moment; null until then"),
    comment="Links by which somebody gets in whose login is broken; each works once.",
    sqlite_with_rowid=False,
)
