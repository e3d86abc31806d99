"""The tables of `register.db`. The kinds in the comments are those of `tables_receipts`."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, LargeBinary, MetaData, Table, Text

REGISTER_METADATA = MetaData()

persons = Table(
    "persons",
    REGISTER_METADATA,
    Column("tag", LargeBinary(32), primary_key=True, comment="keyed: of a presented root"),
    Column("sealed", LargeBinary, nullable=False, comment="sealed: account, schools, salt"),
    Column(
        "school_year", Integer, nullable=False, comment="plain: year in which the last one began"
    ),
    Column("life", LargeBinary(16), comment="keyed: of root and salt; another after an erasure"),
    Index("persons_by_school_year", "school_year"),
    comment="Which account a login opens; opens itself only with that login.",
    sqlite_with_rowid=False,
)

api_quotas = Table(
    "api_quotas",
    REGISTER_METADATA,
    Column("purpose", Text, primary_key=True, comment="plain: what is counted"),
    Column("of", Text, primary_key=True, comment="plain: school, or school and supplier"),
    Column("period", Text, primary_key=True, comment="plain: day or month; empty is for good"),
    Column("used", Integer, nullable=False, comment="plain: a count"),
    comment="How much programs asked for through the API, in the current period.",
    sqlite_with_rowid=False,
)

supplier_counts = Table(
    "supplier_counts",
    REGISTER_METADATA,
    Column("supplier", Text, primary_key=True, comment="plain: slug"),
    Column("epoch", Text, primary_key=True, comment="plain: letter of the pseudonyms' key"),
    Column("persons", Integer, nullable=False, comment="plain: how many got one of that epoch"),
    comment="How many persons each supplier knows, by epoch; moved with the rows.",
    sqlite_with_rowid=False,
)

converted_marks = Table(
    "converted_marks",
    REGISTER_METADATA,
    Column("supplier", Text, primary_key=True, comment="plain: slug"),
    Column("mark", LargeBinary(32), primary_key=True, comment="keyed: of supplier and person"),
    Column("epoch", Text, nullable=False, comment="plain: letter of the one that was handed out"),
    comment="Whose pseudonyms were handed out in bulk while the supplier's window is open.",
    sqlite_with_rowid=False,
)

school_counts = Table(
    "school_counts",
    REGISTER_METADATA,
    Column("school", Text, primary_key=True, comment="plain: slug"),
    Column("day", Text, primary_key=True, comment="plain: a day; 1 August for a school year"),
    Column("kind", Text, primary_key=True, comment="plain: what is counted"),
    Column("count", Integer, nullable=False, comment="plain: a count"),
    comment="How many pupils came, left and logged in: budgets and alarms; nobody in it.",
    sqlite_with_rowid=False,
)

enrolments = Table(
    "enrolments",
    REGISTER_METADATA,
    Column("tag", LargeBinary(32), primary_key=True, comment="keyed: school and login identifier"),
    Column("of", LargeBinary(32), nullable=False, comment="keyed: school"),
    Column("sealed", LargeBinary, nullable=False, comment="sealed: person roots, role, groups"),
    Index("enrolments_of_school", "of"),
    comment="What a school's list says of one login; opens itself only with that login.",
    sqlite_with_rowid=False,
)

enrolment_persons = Table(
    "enrolment_persons",
    REGISTER_METADATA,
    Column("tag", LargeBinary(32), primary_key=True, comment="keyed: of a row of enrolments"),
    Column("person", LargeBinary(32), primary_key=True, comment="keyed: of school and person"),
    Index("enrolment_persons_by_person", "person"),
    comment="Whose each row of a school's list is; tells it only of whom one has before one.",
    sqlite_with_rowid=False,
)

enrolment_feeds = Table(
    "enrolment_feeds",
    REGISTER_METADATA,
    Column("of", LargeBinary(32), primary_key=True, comment="keyed: school"),
    Column("version", Integer, nullable=False, comment="plain: counts the lists of this school"),
    Column("sent_on", Text, nullable=False, comment="plain: day of the last one"),
    comment="When a school last sent its list.",
    sqlite_with_rowid=False,
)

register_mark = Table(
    "register_mark",
    REGISTER_METADATA,
    Column("mark", LargeBinary(16), primary_key=True, comment="plain: random; made with it"),
    comment="One row: which database this is; the registry keeps the same.",
)

takeover_tags = Table(
    "takeover_tags",
    REGISTER_METADATA,
    Column("tag", LargeBinary(32), primary_key=True, comment="keyed: of list and person"),
    Column("list", Text, nullable=False, comment="plain: pupils or pilot"),
    Column("school", Text, nullable=False, comment="plain: slug"),
    Column("supplier", Text, nullable=False, comment="plain: slug"),
    Column("arrived", Boolean, nullable=False, comment="plain: logged in at the supplier since"),
    Index("takeover_tags_by_list", "list", "school", "supplier", "arrived"),
    comment="Who is listed for a take-over; tells it only of whom one has before one.",
    sqlite_with_rowid=False,
)

transfers = Table(
    "transfers",
    REGISTER_METADATA,
    Column("tag", LargeBinary(32), primary_key=True, comment="keyed: of the code"),
    Column(
        "person_tag",
        LargeBinary(32),
        nullable=False,
        unique=True,
        comment="keyed: of the old account and the supplier",
    ),
    Column("sealed", LargeBinary, nullable=False, comment="sealed: the old account; by the code"),
    Column("last_day", Date, nullable=False, comment="plain: until when it can be accepted"),
    Column("stage", Text, nullable=False, comment="plain: prepared, offered or used"),
    Column("accepting", LargeBinary, comment="sealed: the new account, until it is confirmed"),
    comment="Transfers to another education sector; opened by the code that stands nowhere here.",
    sqlite_with_rowid=False,
)

shields = Table(
    "shields",
    REGISTER_METADATA,
    Column("tag", LargeBinary(32), primary_key=True, comment="keyed: of school and person"),
    Column("id", Text, primary_key=True, comment="plain: random; of an objection its request's"),
    Column("by", Text, nullable=False, comment="plain: school or objection"),
    Column("school", Text, nullable=False, comment="plain: slug"),
    Column("sealed", LargeBinary, nullable=False, comment="sealed: at which suppliers, how much"),
    Index("shields_by_id", "id"),
    Index("shields_by_school", "school", "by"),
    comment="Of whom a school lets go less than its agreements; opens itself only with that login.",
    sqlite_with_rowid=False,
)

shielding_schools = Table(
    "shielding_schools",
    REGISTER_METADATA,
    Column("number", Integer, primary_key=True, comment="plain: counts the schools"),
    Column("school", Text, nullable=False, unique=True, comment="plain: slug"),
    comment="At which schools a login looks for shields.",
)

person_requests = Table(
    "person_requests",
    REGISTER_METADATA,
    Column("id", Text, primary_key=True, comment="plain: random; a short code"),
    Column("school", Text, nullable=False, comment="plain: slug"),
    Column("kind", Text, nullable=False, comment="plain: objection, correction or erasure"),
    Column("state", Text, nullable=False, comment="plain: open, granted, refused or withdrawn"),
    Column("filed_on", Date, nullable=False, comment="plain: a day"),
    Column("deadline", Date, nullable=False, comment="plain: until when the school may decide"),
    Column("blocks", Boolean, nullable=False, comment="plain: holds until it is decided"),
    Column("same", LargeBinary(32), nullable=False, comment="keyed: of person and subject"),
    Column("subject", LargeBinary, nullable=False, comment="sealed: supplier, attribute; by us"),
    Column("decided_on", Date, comment="plain: a day"),
    Column("grounds", Text, comment="plain: one of a list"),
    Index("person_requests_by_school", "school", "state", "deadline"),
    Index("person_requests_by_same", "same"),
    comment="What pupils and parents ask of their school; whose one is stands in request_persons.",
    sqlite_with_rowid=False,
)

request_persons = Table(
    "request_persons",
    REGISTER_METADATA,
    Column("tag", LargeBinary(32), primary_key=True, comment="keyed: of school and person"),
    Column("id", Text, primary_key=True, comment="plain: of the request"),
    Index("request_persons_by_id", "id"),
    comment="Whose each request is; tells it only of whom one has before one.",
    sqlite_with_rowid=False,
)

parent_letters = Table(
    "parent_letters",
    REGISTER_METADATA,
    Column("tag", LargeBinary(32), primary_key=True, comment="keyed: of a part of the code"),
    Column("person", LargeBinary(32), nullable=False, comment="keyed: of the pupil's number"),
    Column("sealed", LargeBinary, nullable=False, comment="sealed: the pupil; by the whole code"),
    Column("school", Text, nullable=False, comment="plain: slug"),
    Column("batch", Text, nullable=False, comment="plain: random; what was made together"),
    Column("household", Integer, nullable=False, comment="plain: 1 or 2"),
    Column("issued_on", Text, nullable=False, comment="plain: a day"),
    Column("last_day", Text, nullable=False, comment="plain: a day"),
    Column("once", Boolean, nullable=False, comment="plain: opens once"),
    Column("withdrawn", Boolean, nullable=False, comment="plain: opens nothing any more"),
    Column("uses", Integer, nullable=False, comment="plain: how often it opened"),
    Column("used_on", Text, comment="plain: the last day of these"),
    Column("used_today", Integer, nullable=False, comment="plain: how often on that day"),
    Index("parent_letters_by_person", "person"),
    Index("parent_letters_by_school", "school", "batch"),
    comment="Letters by which parents get in; the code stands in the letter alone.",
    sqlite_with_rowid=False,
)

parent_exclusions = Table(
    "parent_exclusions",
    REGISTER_METADATA,
    Column("person", LargeBinary(32), primary_key=True, comment="keyed: of the pupil's number"),
    Column("household", Integer, primary_key=True, comment="plain: 1 or 2; 0 for all"),
    Column("school", Text, nullable=False, comment="plain: slug"),
    comment="About whom, or for which household, no letters are made.",
    sqlite_with_rowid=False,
)

parent_rules = Table(
    "parent_rules",
    REGISTER_METADATA,
    Column("school", Text, primary_key=True, comment="plain: slug"),
    Column("rules", Text, nullable=False, comment="plain: hidden suppliers, what pupils see"),
    comment="What each school decided about parents; nobody in it.",
    sqlite_with_rowid=False,
)
