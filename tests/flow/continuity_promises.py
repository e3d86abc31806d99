"""What must hold whatever changes: one named function for each promise, over what a machine saw.

Who somebody is is known here and to no broker: which ECK iD and which numbers are whose, what each
account's root is made of, and what each supplier was told before.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from broker.domain.ids import SchoolId, SupplierId
from broker.flow.persons.person_records import PersonRecord, school_year_of
from broker.pseudonyms.derivation import PersonRoot
from tests.flow.continuity_parties import LIAR, SCHOOLS
from tests.flow.continuity_world import Arrived
from tests.flow.login_answers import Received
from tests.flow.watched_logins import Violated, must

MATURE_DAYS, MATURE_LOGIN_DAYS = 30, 5
SETTLED_DAYS = 14
LIAR_NAME = "the liar"

_NOT_OURS = frozenset(
    {"iss", "aud", "nonce", "format", "authn_instant", "audience", "acr", "authn_context"}
)
"""Values that name a party or a level, that the supplier chose itself, or that are coarse times."""

_RELEASED = frozenset({"given_name", "givenName", "eduperson_affiliation", "eduPersonAffiliation"})
_OLD_KEYS = frozenset({"eck_id", "eckId"})


@dataclass
class Joined:
    """An ECK iD that was stated for the first time beside a number that has an account.

    Attributes:
        days: on which it was stated there while no other school had.
    """

    school: SchoolId
    account: PersonRoot
    days: set[date] = field(default_factory=set)
    mature: bool = False

    def ripen(self, today: date) -> None:
        """Take in that it was stated today, and by no other school yet."""
        if not self.mature:
            self.days.add(today)
            old = (today - min(self.days)).days >= MATURE_DAYS
            self.mature = old and len(self.days) >= MATURE_LOGIN_DAYS


@dataclass
class Stated:
    """What was stated of one ECK iD, by school, and what it opened.

    Attributes:
        arrivals: day on which each school stated it first, in order.
        opens: account that it opened at a school at the last login.
        changed: schools at which people decided since that login that it opens another account.
        closed_to: schools that are shut out, and `before`: what those opened (None: not seen).
        shut_by: who objected; nobody where a pupil waited in vain.
        known_at: suppliers that stand with it.
        promised_at: schools for which a mapping answered before anybody logged in with it.
        first_at: the school that stated it before all others, and those that go on for it.
        fresh_at: account that opens since an objection, where it came along from another school.
        used_at: fresh accounts that were left behind.
    """

    pupil: str
    eck_id: str
    arrivals: dict[SchoolId, date] = field(default_factory=dict)
    opens: dict[SchoolId, PersonRoot] = field(default_factory=dict)
    changed: set[SchoolId] = field(default_factory=set)
    closed_to: set[SchoolId] = field(default_factory=set)
    confirmed: set[SchoolId] = field(default_factory=set)
    protected: bool = False
    known_at: set[SupplierId] = field(default_factory=set)
    promised_at: set[SchoolId] = field(default_factory=set)
    joined: Joined | None = None
    first_at: set[SchoolId] = field(default_factory=set)
    fresh_at: dict[SchoolId, PersonRoot] = field(default_factory=dict)
    shut_by: dict[SchoolId, SchoolId] = field(default_factory=dict)
    before: dict[SchoolId, PersonRoot | None] = field(default_factory=dict)
    used_at: dict[SchoolId, set[PersonRoot]] = field(default_factory=dict)


@dataclass
class SignedFor:
    """A take-over that a school signed for.

    Attributes:
        listed: ECK iDs on its list of pupils.
        asked: about how many was asked.
    """

    last_day: date
    state: str = "none"
    listed: set[str] = field(default_factory=set)
    asked: int = 0


@dataclass
class Ledger:
    """All that a machine knows and the broker does not."""

    owners: dict[PersonRoot, str] = field(default_factory=dict)
    stated: dict[str, Stated] = field(default_factory=dict)
    told: dict[SupplierId, set[PersonRoot]] = field(default_factory=lambda: defaultdict(set))
    values: dict[str, SupplierId] = field(default_factory=dict)
    let_in: Counter[date] = field(default_factory=Counter)
    pupils: Counter[int] = field(default_factory=Counter)
    stated_first: Counter[int] = field(default_factory=Counter)
    counted: set[tuple[int, str]] = field(default_factory=set)


def nobody_gets_anothers_account(
    ledger: Ledger, *, pupil: str, account: PersonRoot, stated: Stated | None
) -> None:
    """An honest login opens an account that is this person's, whoever lied before.

    The one exception is the one that the README accepts: a school stated the ECK iD beside a number
    of its own for thirty days and on five of them, before any other school stated it.
    """
    owner = ledger.owners.get(account)
    must(owner is not None, "own account: it is one that somebody has")
    if owner == LIAR_NAME and stated is not None and stated.joined is not None:
        joined = stated.joined
        if joined.school == LIAR and joined.mature and joined.account == account:
            return
    must(owner == pupil, "own account: it is this person's")


def previous_is_own_and_known(
    ledger: Ledger,
    *,
    pupil: str,
    school: SchoolId,
    account: PersonRoot,
    previous: PersonRoot | None,
    supplier: SupplierId,
    window_open: bool,
) -> None:
    """`previous_sub` is another account of the same person, and this supplier had been told it.

    While a rotation is open it is the same account, by the other key, for everybody. The liar's own
    logins may tell of its own numbers' accounts: it says itself that they are one.
    """
    if previous is None:
        must(not window_open, "previous: an open window tells everybody twice")
        return
    if window_open:
        must(previous == account, "previous: while a window is open it is the same account")
        return
    must(previous != account, "previous: it is another account")
    must(previous in ledger.told[supplier], "previous: the supplier knew it")
    may_own = {pupil} if school != LIAR else {pupil, LIAR_NAME}
    lied_into = {
        each.joined.account
        for each in ledger.stated.values()
        if each.pupil == pupil and each.joined is not None and each.joined.mature
    }  # as `nobody_gets_anothers_account` says; it may go along to another sector
    is_own = ledger.owners.get(previous) in may_own or previous in lied_into
    must(is_own, "previous: it is this person's")


def names_come_from_the_pinned_key(
    received: Received, *, epoch: str, previous_epoch: str | None
) -> None:
    """A pseudonym comes from the supplier's pinned key, and `previous_sub` from the one that the
    open window names, or else from the same one."""
    must(received.subject[0] == epoch, "epoch: of the pseudonym")
    previous = previous_of(received)
    if previous is not None:
        must(previous[0] == (previous_epoch or epoch), "epoch: of previous_sub")


def work_is_kept(stated: Stated, *, school: SchoolId, account: PersonRoot, told: bool) -> None:
    """What an ECK iD opened at a school it opens there again, unless people decided otherwise, or
    the supplier is told of the account of before.

    Args:
        told: whether this login names the account of before as `previous_sub`.
    """
    before = stated.opens.get(school)
    if before is None or before == account or school in stated.changed:
        return
    must(told, "kept: what opened here before opens here again")


def one_person_one_pseudonym(
    stated: Stated, *, school: SchoolId, account: PersonRoot, own: PersonRoot, beside_own: bool
) -> None:
    """An ECK iD opens its own account at each school that is new to it; once its account was
    joined with a number's and the join is mature, it opens the joined one.

    Args:
        own: root of the ECK iD.
        beside_own: whether it came with a number that has an account of its own.
    """
    joined = stated.joined
    if joined is not None and joined.mature and not beside_own:
        must(account == joined.account, "one pseudonym: a mature join opens everywhere")
        return
    must(account == own, "one pseudonym: a new school opens the ECK iD's own account")


def nothing_links_two_suppliers(ledger: Ledger, arrived: Arrived, *, supplier: SupplierId) -> None:
    """No value that we make reaches two suppliers."""
    assert arrived.received is not None
    for value in values_made_by_us(arrived.received):
        owner = ledger.values.setdefault(value, supplier)
        must(owner == supplier, "unlinkable: a value reached two suppliers")


def no_school_learns_of_another(arrived: Arrived, *, school: SchoolId) -> None:
    """Nothing that a school's browser or answer shows names another school."""
    shown = repr((arrived.shown, arrived.refusal, str(arrived.refusal)))
    if arrived.received is not None:
        shown += repr(arrived.received.claims)
    for other, at in SCHOOLS.items():
        if other != school:
            names = (at.name, f"'{other}'", f"{at.realm}", f"'{at.brin}'")
            must(not any(each in shown for each in names), "silent: another school is named")


def lies_stay_within_budget(
    ledger: Ledger, *, today: date, a_day: int, in_all: int, counts: bool
) -> None:
    """A school lets in so many pupils of others a day, and one only while all fit in its size.

    Args:
        counts: whether this one is new in the count of the school year.
    """
    must(ledger.let_in[today] < a_day, "budget: of the day")
    year = school_year_of(today)
    must(ledger.pupils[year] + counts <= in_all, "budget: of the school's size")


def made_up_pupils_stay_within_budget(ledger: Ledger, *, today: date, in_all: int) -> None:
    """In a school year a school states as many pupils before all others as it can have."""
    must(ledger.stated_first[school_year_of(today)] < in_all, "first-stated: in the school year")


def refused_for_budget_only_when_spent(
    ledger: Ledger, *, today: date, a_day: int, in_all: int, counts: bool
) -> None:
    """Who is refused for the budget's sake is one too many: the others are let in at once."""
    spent = ledger.let_in[today] >= a_day
    full = ledger.pupils[school_year_of(today)] + counts > in_all
    must(spent or full, "budget: it was not spent")


def objection_shuts_out(
    stated: Stated, *, school: SchoolId, account: PersonRoot, fresh: PersonRoot
) -> None:
    """A school that was objected to opens a fresh account by this ECK iD, and never another one."""
    if school in stated.closed_to:
        must(account == fresh, "shut out: until it is taken back")


def closed_takeovers_stay_closed(is_closed: bool) -> None:
    """After the last day that a school signed for nothing opens a take-over again."""
    must(not is_closed, "closed: for good")


def mapping_answers_for_own_pupils(*, account: bytes | None, expected: bytes | None) -> None:
    """A mapping answers with what a login at that school opens, or will open, and for no pupil of
    whom only other schools said anything."""
    must(account == expected, "mapping: what a login there opens, and nothing else")


def old_keys_stay_in(received: Received) -> None:
    """No ECK iD goes out where a take-over withholds it, or no school approved it."""
    must(not _OLD_KEYS & received.claims.keys(), "old keys: withheld")


def the_register_holds_what_was_stated(
    stated: Stated, record: PersonRecord | None, *, opens: Mapping[SchoolId, PersonRoot | None]
) -> None:
    """What rests of an ECK iD is what schools stated and people decided, and nothing else: where
    it was, what it opens there, who confirmed it, and who was objected to.

    Args:
        opens: what it opens at each school, after what people decided.
    """
    if record is None:
        must(not stated.arrivals, "register: who was stated rests")
        return
    must(record.seen.keys() == stated.arrivals.keys(), "register: where a pupil was")
    must(record.protected == stated.protected, "register: who is protected")
    for school, seen in record.seen.items():
        must(seen.objected == (school in stated.closed_to), "register: who was objected to")
        must(seen.confirmed == (school in stated.confirmed), "register: what is confirmed")
        must(seen.account == opens[school] or opens[school] is None, "register: what opens")


def what_is_undone_leaves_no_trace(
    before: Mapping[Any, str | None], after: Mapping[Any, str | None]
) -> None:
    """After a change was taken back every honest pupil opens by the name of before."""
    must(before == after, "undo: every pupil has the name of before")


def conversion_names_the_same_account(
    account: PersonRoot, converted: PersonRoot | None, *, is_current: bool
) -> None:
    """A name that a supplier has converts to the name of the same account by the other key; one
    that nobody opens any more may be unknown."""
    must(converted in (account, None), "conversion: it names the same account")
    must(converted is not None or not is_current, "conversion: who is known is converted")


def protected_pupils_need_both_sides(stated: Stated, *, school: SchoolId) -> None:
    """Nothing opens for a protected pupil at a new school before a school of before confirmed."""
    if stated.protected and school not in (*stated.first_at, *stated.closed_to):
        must(not stated.arrivals or school in stated.confirmed, "protected: both sides")


def values_made_by_us(received: Received) -> Iterator[str]:
    """Yield what was made up or derived for a supplier, of some length."""
    named = {name: each for name, each in received.protocol_values.items() if name not in _NOT_OURS}
    claims = {
        name: each
        for name, each in received.claims.items()
        if name not in _RELEASED and name not in _OLD_KEYS
    }
    yield from _texts((received.subject, received.code, _without_released(named), claims))


def _without_released(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: each
        for name, each in values.items()
        if name not in _RELEASED and name not in _OLD_KEYS
    }


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= 8:
            yield value
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, Iterable):
        for each in value:
            yield from _texts(each)


def previous_of(received: Received) -> str | None:
    """Return `previous_sub` as a supplier reads it, by either protocol."""
    found = received.claims.get("previous_sub")
    return found[0] if isinstance(found, list) else found


__all__ = ["Violated", "must"]
