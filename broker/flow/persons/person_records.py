"""What a row of the person register holds once it is opened, and what a login presents.

The layout of `PersonRecord` is what rests on disk (`tests/vectors/register.json`): a new field
needs a default, and a field never changes its meaning.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import msgspec

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, SupplierId
from broker.pseudonyms.derivation import PersonRoot
from broker.pseudonyms.group import Element

SALT_BYTES = 16
SCHOOL_YEAR_FIRST_MONTH = 8  # school years run from 1 August to 31 July


class Stored(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Base of what a row holds. Its repr shows no value, and what is a default takes no room."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return []


class SeenAt(Stored, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an identifier is at one school.

    Attributes:
        account: root that it opens there.
        aliases: tags of the rows of that school's own numbers that are bound to this ECK iD;
            with a number, of the same number at the schools that this one went on for.
        since_year, last_year: school years of the first and of the last login there; None in
            rows of before these were kept.
        held_since: day on which a pupil who is known elsewhere arrived; None when nothing waits.
        confirmed: whether the arrival was confirmed.
        objected: whether the arrival is shut out; `account` is a fresh one then.
        objected_by: the school of before that objected last; stays when it takes that back, for
            the fresh account was used. None in rows of before this was kept, and where nobody said
            anything.
        in_vain: whether a protected pupil waited here until a list opened a fresh account, and no
            school of before said anything; stays when one confirms after all.
        before: root that it opened here before it was shut out; None when it is not, or when the
            pupil began anew since.
        apart: tags of the rows of that school's own numbers that two persons split from this
            ECK iD.
        ways: tags of rows that lead to this ECK iD from an account whose number was issued anew at
            that school (`broker.flow.persons.register.way_root`).
        begun_anew: whether two persons let the pupil begin anew here, for another school is not
            believed.
    """

    account: bytes
    aliases: tuple[bytes, ...] = ()
    since_year: int | None = None
    last_year: int | None = None
    held_since: date | None = None
    confirmed: bool = False
    objected: bool = False
    apart: tuple[bytes, ...] = ()
    begun_anew: bool = False
    objected_by: SchoolId | None = None
    in_vain: bool = False
    before: bytes | None = None
    ways: tuple[bytes, ...] = ()


class Announcement(Stored, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another account that a supplier is to be told of; the attributes are those of
    `SupplierSeen`."""

    previous: bytes
    until: date | None = None
    beside: bytes | None = None
    told_at: SchoolId | None = None


class SupplierSeen(Stored, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one supplier knows of a person: where it stands says
    `broker.flow.persons.person_suppliers`.

    Attributes:
        epoch: letter of the pseudonym that it got last.
        school: which of several schools the person chose for this supplier.
        previous: root of another account by which it knew the person, to be told as
            `previous_sub`.
        until: last day on which it is told; None while it has not been told yet.
        beside: root of the account beside which it is told, and no other: an ECK iD may open
            another one at another school. None in rows of before this was kept: beside any.
        told_at: school on whose word the two are one, and at which alone it is told; None: of a
            transfer, anywhere.
        later: what waits until it is told of `previous` no more
            (`broker.flow.persons.announcements`).
    """

    epoch: str
    school: SchoolId | None = None
    previous: bytes | None = None
    until: date | None = None
    beside: bytes | None = None
    told_at: SchoolId | None = None
    later: tuple[Announcement, ...] = ()


class Join(Stored, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An ECK iD that came to an account of the school's own number (rule 9).

    Attributes:
        login_days: on how many days it was stated there, counted as far as maturity needs.
    """

    school: SchoolId
    account: bytes
    first_day: date
    last_day: date
    login_days: int
    mature: bool = False


class FormerAccount(Stored, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account that a join left behind (rule 11), with what its receipts need: for an undo."""

    root: bytes
    salt: bytes


class PersonRecord(Stored, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a row holds once opened.

    Attributes:
        account: root that this identifier opens at a school that is new to it.
        salt: 16 random bytes for receipts; rows bound to one ECK iD share it.
        seen: every school that stated this identifier.
        bound_to: on a school's own number: root of the ECK iD it is bound to.
        school_year: of the last login, by the year in which it began.
        notices: newest version seen, by `notice_key`.
        suppliers: those that got a pseudonym of this person.
        held_by: on a school's own number: root of the ECK iD whose account this number's root
            is (rule 9); stays when the number is bound to another one.
        protected: whether an arrival at another school waits for both sides.
        promised: schools at which this ECK iD opens its own account, because a supplier was told so
            before its first login there (`broker.flow.takeover.takeover_mapping`). Until the first
            login anywhere `seen` is empty, and to the rules the ECK iD is unknown.
        carried_to: on a school's own number: root of the same number at the school that went on
            for this one (`broker.flow.persons.successors`).
        own: root of the account that this identifier opens when nothing else says, in place of its
            own root: that one served somebody who was erased (`broker.flow.persons.person_fresh`).
    """

    population: Population
    account: bytes
    salt: bytes
    seen: dict[SchoolId, SeenAt]
    school_year: int
    bound_to: bytes | None = None
    join: Join | None = None
    former: tuple[FormerAccount, ...] = ()
    notices: dict[str, int] = {}
    suppliers: dict[SupplierId, SupplierSeen] = {}
    held_by: bytes | None = None
    protected: bool = False
    promised: tuple[SchoolId, ...] = ()
    carried_to: bytes | None = None
    own: bytes | None = None


@dataclass(frozen=True, slots=True)
class Presented:
    """The roots that a login presents: `eck_id`, `local` or both; staff `local` alone.

    Raises:
        ValueError: neither, or an ECK iD's root for staff. Ours to prevent, so no refusal.
    """

    population: Population
    eck_id: PersonRoot | None = field(repr=False)
    local: PersonRoot | None = field(repr=False)

    def __post_init__(self) -> None:
        if self.eck_id is None and self.local is None:
            raise ValueError("a login presents at least one root")
        if self.population is Population.STAFF and self.eck_id is not None:
            raise ValueError("staff never present an ECK iD")

    @property
    def roots(self) -> tuple[PersonRoot, ...]:
        """Those that are presented, the ECK iD's first."""
        return tuple(each for each in (self.eck_id, self.local) if each is not None)


class PersonEvent(StrEnum):
    """What happened to a person's rows; for the audit and the metrics, naming nobody."""

    FIRST_SEEN = "first-seen"
    NEW_SCHOOL = "new-school"
    ARRIVAL_CONFIRMED = "arrival-confirmed"
    LOCAL_BOUND = "local-bound"
    LOCAL_REBOUND = "local-rebound"
    JOINED_HERE = "joined-here"
    JOIN_MATURED = "join-matured"
    MATURE_JOIN_APPLIED = "mature-join-applied"
    ACCOUNTS_JOINED = "accounts-joined"
    ACCOUNTS_KEPT_APART = "accounts-kept-apart"
    PIN_CARRIED = "pin-carried"
    NUMBER_CARRIED = "number-carried"
    NUMBER_COLLIDES = "number-collides"
    FRESH_ACCOUNT = "fresh-account"
    ECK_ID_PUT_OFF = "eck-id-put-off"


@dataclass(frozen=True, slots=True)
class FoundWay:
    """Where it stands to whom a number's account leads once the number is issued anew.

    Attributes:
        root: of `broker.flow.persons.register.way_root`; `tag` finds its row.
        record: None when nothing stands there yet.
    """

    root: PersonRoot = field(repr=False)
    tag: bytes = field(repr=False)
    record: PersonRecord | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class FoundRecords:
    """What the register holds; None where it holds nothing.

    Attributes:
        bound: of the ECK iD to which `local` is bound when that is not the presented one; looked
            up only then.
        closed: presented roots that are unknown, and whose own account is not to be opened.
        reissued: whether `local`, stated alone, went on to another school and is another person's
            there by now.
        onward: of the number at the school that went on for this one, when `local` was carried
            there and comes with an ECK iD that it is not bound to; looked up only then.
        onward_tag: of that number's row.
        way: of the account of `local`, when it is bound to another ECK iD than it comes with;
            looked up only then.
    """

    eck_id: PersonRecord | None = field(default=None, repr=False)
    local: PersonRecord | None = field(default=None, repr=False)
    bound: PersonRecord | None = field(default=None, repr=False)
    closed: frozenset[PersonRoot] = field(default=frozenset(), repr=False)
    reissued: bool = False
    onward: PersonRecord | None = field(default=None, repr=False)
    onward_tag: bytes = field(default=b"", repr=False)
    way: FoundWay | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FreshAccount:
    """An account that nobody opened before.

    Attributes:
        tag: under which its row is found.
    """

    root: PersonRoot = field(repr=False)
    tag: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """A record to store under its root, in place of what was found there."""

    root: PersonRoot = field(repr=False)
    record: PersonRecord = field(repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """The circumstances of one login.

    Attributes:
        local_tag: tag of the row of the school's own number; any bytes when none is presented.
        fresh_salt: 16 random bytes, used when the person is new.
        fresh_account: makes one for an identifier, the same within one login.
        confirms: the school whose page about a pupil's arrival there led to this login.
        settled_after_days: without objection an arrival is settled then.
        predecessors: schools that this one goes on for, and that count as this one.
    """

    school: SchoolId
    eck_id_required: bool
    today: date
    local_tag: bytes = field(repr=False)
    fresh_salt: bytes = field(repr=False)
    fresh_account: Callable[[PersonRoot], FreshAccount] = field(repr=False)
    confirms: SchoolId | None = None
    settled_after_days: int = 14
    predecessors: frozenset[SchoolId] = frozenset()

    @property
    def here(self) -> frozenset[SchoolId]:
        """Return this school, under all names that count as its own."""
        return self.predecessors | {self.school}

    @property
    def school_year(self) -> int:
        return school_year_of(self.today)


@dataclass(frozen=True, slots=True)
class Resolved:
    """Which account opens, what must be stored first, and what happened.

    Attributes:
        waits: a protected pupil whose arrival is not confirmed: nothing opens once it is stored.
        arrived_from: other schools of a known pupil for whom this school is new; empty otherwise.
    """

    account: PersonRoot = field(repr=False)
    salt: bytes = field(repr=False)
    changes: tuple[Change, ...] = ()
    events: tuple[PersonEvent, ...] = ()
    waits: bool = False
    arrived_from: frozenset[SchoolId] = field(default=frozenset(), repr=False)


def school_year_of(day: date) -> int:
    """Return the year in which the school year of `day` began.

    >>> school_year_of(date(2027, 7, 31)), school_year_of(date(2027, 8, 1))
    (2026, 2027)
    """
    return day.year if day.month >= SCHOOL_YEAR_FIRST_MONTH else day.year - 1


def notice_key(school: SchoolId, supplier: SupplierId) -> str:
    """Return the key of `PersonRecord.notices`; a slug has no slash."""
    return f"{school}/{supplier}"


def as_root(stored: bytes) -> PersonRoot:
    """Return a root that a row holds; sealing has vouched that it is what was stored."""
    return PersonRoot(Element(stored))
