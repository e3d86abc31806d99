"""The tables of `registry.db`. The kinds in the comments are those of `tables_receipts`.

A row of `documents` holds from the version that brought it to the last one before it changed or
went; so every version can be read, and one more version costs what it changes.
"""

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text

REGISTRY_METADATA = MetaData()

versions = Table(
    "versions",
    REGISTRY_METADATA,
    Column("version", Integer, primary_key=True, comment="plain: counts the changes, from 1"),
    Column("applied_in", Text, nullable=False, comment="plain: UTC hour of the change"),
    Column("applied_by", Text, nullable=False, comment="plain: system account of the operator"),
    Column("note", Text, nullable=False, comment="plain: apply, or back to a version"),
    Column("added", Integer, nullable=False, comment="plain: number of documents"),
    Column("changed", Integer, nullable=False, comment="plain: number of documents"),
    Column("removed", Integer, nullable=False, comment="plain: number of documents"),
    comment="Who put which change in force; the highest version is the one in force.",
)

documents = Table(
    "documents",
    REGISTRY_METADATA,
    Column("number", Integer, primary_key=True, comment="plain: of the row"),
    Column("kind", Text, nullable=False, comment="plain: schools, suppliers, ..."),
    Column("id", Text, nullable=False, comment="plain: slug, or the parties of an agreement"),
    Column("first_version", Integer, nullable=False, comment="plain: that brought this form"),
    Column("last_version", Integer, comment="plain: the last with this form; null while in force"),
    # Before `stated`: SQLite reads a row from its beginning, and workers read this alone.
    Column("compiled", LargeBinary, nullable=False, comment="plain: the record, in msgpack"),
    Column("stated", Text, nullable=False, comment="plain: the document, files and all, in JSON"),
    Index("documents_by_id", "kind", "id", "first_version", unique=True),
    # By these a worker finds what changed since the version that it has.
    Index("documents_by_first_version", "first_version"),
    Index("documents_by_last_version", "last_version"),
    comment="Every form that a federation document ever had.",
)
Index(
    "documents_in_force",
    documents.c.kind,
    documents.c.id,
    unique=True,
    sqlite_where=documents.c.last_version.is_(None),
)

pins = Table(
    "pins",
    REGISTRY_METADATA,
    Column("supplier", Text, primary_key=True, comment="plain: slug, also of one that is gone"),
    Column("epoch", Text, nullable=False, comment="plain: letter of its pairwise key"),
    Column("version", Integer, nullable=False, comment="plain: that pinned it"),
    comment="The epoch that each supplier's pseudonyms come from; moved by a rotation alone.",
)

rotations = Table(
    "rotations",
    REGISTRY_METADATA,
    Column("number", Integer, primary_key=True, comment="plain: of the row"),
    Column("supplier", Text, nullable=False, comment="plain: slug"),
    Column("from_epoch", Text, nullable=False, comment="plain: letter of the key of before"),
    Column("to_epoch", Text, nullable=False, comment="plain: letter of the key that it moves to"),
    Column("turned_back", Boolean, nullable=False, comment="plain: from_epoch is pinned again"),
    Column("opened_version", Integer, nullable=False, comment="plain: that opened the window"),
    Column("closed_version", Integer, comment="plain: that closed it; null while it is open"),
    comment="Every window in which a supplier is told two pseudonyms of each person.",
)
Index(
    "rotations_open",
    rotations.c.supplier,
    unique=True,
    sqlite_where=rotations.c.closed_version.is_(None),
)

login_switches = Table(
    "login_switches",
    REGISTRY_METADATA,
    Column("number", Integer, primary_key=True, comment="plain: of the row; the last one counts"),
    Column("school", Text, nullable=False, comment="plain: slug"),
    Column("from_idp", Text, nullable=False, comment="plain: slug of the login of before"),
    Column("to_idp", Text, nullable=False, comment="plain: slug of the new login"),
    Column("stage", Text, nullable=False, comment="plain: rehearsal, classes, all, back or done"),
    Column("classes", Text, nullable=False, comment="plain: names of classes, in JSON"),
    Column("first_day", Text, nullable=False, comment="plain: day from which it holds"),
    Column("since", Text, nullable=False, comment="plain: UTC moment of the command"),
    Column("taken_by", Text, nullable=False, comment="plain: system account of the operator"),
    Column("version", Integer, nullable=False, comment="plain: that put it in force"),
    Index("login_switches_by_school", "school", "number"),
    comment="Every step of a school from one login to another.",
)

rehearsed_lists = Table(
    "rehearsed_lists",
    REGISTRY_METADATA,
    Column("school", Text, primary_key=True, comment="plain: slug"),
    Column("from_idp", Text, primary_key=True, comment="plain: slug"),
    Column("to_idp", Text, primary_key=True, comment="plain: slug"),
    Column("looked_in", Text, nullable=False, comment="plain: UTC hour"),
    Column("counts", Text, nullable=False, comment="plain: how many of each finding, in JSON"),
    comment="What the last list of a school showed of a change of login; nothing of the list.",
)

rehearsed_logins = Table(
    "rehearsed_logins",
    REGISTRY_METADATA,
    Column("volunteer", LargeBinary(32), primary_key=True, comment="keyed: of account and logins"),
    Column("school", Text, nullable=False, comment="plain: slug"),
    Column("from_idp", Text, nullable=False, comment="plain: slug"),
    Column("to_idp", Text, nullable=False, comment="plain: slug"),
    Column("finding", Text, nullable=False, comment="plain: same, other-number, ..."),
    Index("rehearsed_logins_by_school", "school", "from_idp", "to_idp"),
    comment="What volunteers found of a change of login, each once; until it is ended.",
)

login_tests = Table(
    "login_tests",
    REGISTRY_METADATA,
    Column("school", Text, primary_key=True, comment="plain: slug"),
    Column("idp", Text, primary_key=True, comment="plain: slug"),
    Column("day", Text, primary_key=True, comment="plain: day in the Netherlands"),
    Column("outcome", Text, primary_key=True, comment="plain: fine or incomplete"),
    Column("count", Integer, nullable=False, comment="plain: how many"),
    comment="How many tests of a school's login ended how on a day; nobody who tested.",
    sqlite_with_rowid=False,
)

key_checks = Table(
    "key_checks",
    REGISTRY_METADATA,
    Column("key", Text, primary_key=True, comment="plain: file of the key, like root/root.hex"),
    Column("value", LargeBinary(16), nullable=False, comment="keyed: of that name; tells nothing"),
    comment="By what the start knows that a key that lasts is the one in use.",
)

databases = Table(
    "databases",
    REGISTRY_METADATA,
    Column("name", Text, primary_key=True, comment="plain: register or receipts"),
    Column("mark", LargeBinary(16), nullable=False, comment="plain: random mark in that database"),
    comment="By what the start knows that a database is the one in use.",
)

takeovers = Table(
    "takeovers",
    REGISTRY_METADATA,
    Column("school", Text, primary_key=True, comment="plain: slug"),
    Column("supplier", Text, primary_key=True, comment="plain: slug"),
    Column("state", Text, nullable=False, comment="plain: as it was set last"),
    Column("last_day", Text, nullable=False, comment="plain: ISO date; closed for good after it"),
    Column("quota", Integer, nullable=False, comment="plain: ECK iDs that may be asked about"),
    Column("asked", Integer, nullable=False, comment="plain: number of ECK iDs asked about"),
    Column("document", LargeBinary(32), nullable=False, comment="plain: digest of what was signed"),
    Column(
        "pupils", LargeBinary(32), nullable=False, comment="plain: digest of the list, or empty"
    ),
    Column("signed_by", Text, nullable=False, comment="plain: names of the two operators"),
    Column("deleted_on", Text, comment="plain: day from which the supplier says it has none left"),
    Column("deletion", LargeBinary(32), comment="plain: digest of what the supplier signed"),
    comment="Take-overs of accounts that a school signed for, one for each supplier.",
    sqlite_with_rowid=False,
)

metadata_sources = Table(
    "metadata_sources",
    REGISTRY_METADATA,
    Column("source", Text, primary_key=True, comment="plain: slug"),
    Column("document", LargeBinary(32), nullable=False, comment="plain: digest of its document"),
    Column("etag", Text, nullable=False, comment="plain: of what it gave last"),
    Column("last_modified", Text, nullable=False, comment="plain: likewise"),
    Column("valid_until", Text, comment="plain: UTC moment; null where each party has its own"),
    Column("confirmed_at", Text, nullable=False, comment="plain: UTC moment of the last good look"),
    Column("looked_at", Text, nullable=False, comment="plain: UTC moment of the last look"),
    Column("failures", Integer, nullable=False, comment="plain: looks in vain since then"),
    Column("failure", Text, nullable=False, comment="plain: what was wrong last, in words"),
    comment="What is known of each source of metadata; changes without a version.",
)

metadata_entities = Table(
    "metadata_entities",
    REGISTRY_METADATA,
    Column("source", Text, primary_key=True, comment="plain: slug"),
    Column("entity_id", Text, primary_key=True, comment="plain: of a party in a document"),
    Column("valid_until", Text, nullable=False, comment="plain: UTC moment"),
    Column("etag", Text, nullable=False, comment="plain: of what was said of it last"),
    Column("last_modified", Text, nullable=False, comment="plain: likewise"),
    comment="Parties of a source whose metadata end at another moment than all others.",
    sqlite_with_rowid=False,
)

takeover_steps = Table(
    "takeover_steps",
    REGISTRY_METADATA,
    Column("version", Integer, primary_key=True, comment="plain: of `versions`, with who and when"),
    Column("school", Text, nullable=False, comment="plain: slug"),
    Column("supplier", Text, nullable=False, comment="plain: slug"),
    Column(
        "step", Text, nullable=False, comment="plain: signed, deleted, or the state that was set"
    ),
    Index("takeover_steps_of", "school", "supplier"),
    comment="What became of each take-over, in order.",
)
