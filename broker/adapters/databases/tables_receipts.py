"""The tables of `receipts.db`. A column's comment says first what kind of value it holds.

plain     -- no person's: counts, numbers, coarse times, public keys' signatures
keyed     -- an HMAC or keyed hash: means nothing without our keys
sealed    -- ciphertext: opens with our keys *and* what only a login brings
personal  -- a person's value in the clear: there is none, and a test keeps it so
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

RECEIPTS_METADATA = MetaData()

receipts = Table(
    "receipts",
    RECEIPTS_METADATA,
    Column("writer", LargeBinary(16), primary_key=True, comment="plain: random id of the process"),
    Column("sequence", Integer, primary_key=True, comment="plain: the writer's lines, from 1"),
    Column("locator", LargeBinary(32), nullable=False, comment="keyed: person, week, supplier"),
    Column("ciphertext", LargeBinary, nullable=False, comment="sealed: what the receipt says"),
    Column("school", Text, nullable=False, comment="plain: slug of the school that released"),
    Column("week", Integer, nullable=False, comment="plain: ISO year and week of the release"),
    Column("link", LargeBinary(32), nullable=False, comment="keyed: of the writer's chain"),
    CheckConstraint("sequence >= 1", name="sequence_from_1"),
    Index("receipts_by_locator", "locator"),
    Index("receipts_by_school", "school"),
    comment="One sealed record of each release; append-only.",
    sqlite_with_rowid=False,
)

receipt_writers = Table(
    "receipt_writers",
    RECEIPTS_METADATA,
    Column("writer", LargeBinary(16), primary_key=True, comment="plain: random id of the process"),
    Column("count", Integer, nullable=False, comment="plain: lines that the writer has written"),
    Column("link", LargeBinary(32), nullable=False, comment="keyed: of its chain, at the end"),
    Column("heads", Integer, nullable=False, comment="plain: heads there were at its last batch"),
    Column("tag", LargeBinary(32), nullable=False, comment="keyed: vouches for this row"),
    Column("headed", Integer, nullable=False, comment="plain: its lines that are under a head"),
    comment="How far each writer's chain goes.",
    sqlite_with_rowid=False,
)

receipt_heads = Table(
    "receipt_heads",
    RECEIPTS_METADATA,
    Column("number", Integer, primary_key=True, comment="plain: heads, from 1"),
    Column("body", LargeBinary, nullable=False, comment="plain: Merkle root, ranges, coarse time"),
    Column("signature", LargeBinary(64), nullable=False, comment="plain: Ed25519 over the body"),
    comment="Signed Merkle heads, for schools to fetch and keep.",
)

receipts_mark = Table(
    "receipts_mark",
    RECEIPTS_METADATA,
    Column("mark", LargeBinary(16), primary_key=True, comment="plain: random; made with it"),
    comment="One row: which database this is; the registry keeps the same.",
)
