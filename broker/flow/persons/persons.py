"""Who is this: from what a login states to the account that it opens, over the person register.

One look-up a login and no write for a known person with nothing new. Two workers that meet a
person at once converge: a write names what it expects to replace, all of a login's writes succeed
or none, and the loser looks again. The rules are `broker.flow.persons.person_rules`, the rows
`broker.flow.persons.register`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.identity import Identity
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.persons.arrival_budgets import (
    SMALLEST_BUDGET,
    ArrivalBudget,
    ArrivalsSpent,
    ArrivalWaits,
    counts_of,
    without_eck_id,
)
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_promises import resolve_with_promise
from broker.flow.persons.person_records import (
    SALT_BYTES,
    Change,
    FoundRecords,
    FreshAccount,
    Login,
    PersonEvent,
    PersonRecord,
    Presented,
    Resolved,
    notice_key,
)
from broker.flow.persons.person_rows import look_up, store_changes
from broker.flow.persons.person_suppliers import Visit, note_visit
from broker.flow.persons.register import (
    PersonRegister,
    RegisterKeys,
    RegisterUnavailable,
    derive_tag,
)
from broker.flow.persons.school_counts import CountFull
from broker.flow.persons.successors import NO_SUCCESSION, Succession, carry_over
from broker.flow.refusals import PersonForgotten
from broker.pseudonyms.derivation import (
    PersonRoot,
    RootKey,
    parse_eckid,
    root_from_eckid,
    root_from_local,
    root_from_local_staff,
)

MAX_ATTEMPTS = 8  # races of two workers end at the second; more means something is broken


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Which account this login opens.

    Attributes:
        root: of the account: what pseudonyms and receipts are derived from.
        salt: for the receipts of this account.
        salts: of the row of each presented root, as it rests now.
        notices: newest version of each notice that was seen, by `notice_key`.
        events: what happened, for the audit; names no person.
        previous: root of another account of this person that the supplier of this login knows,
            and is to be told of; None when there is none.
        since_year: school year of the first login at this school; None when nobody knows.
    """

    root: PersonRoot = field(repr=False)
    salt: bytes = field(repr=False)
    salts: Mapping[PersonRoot, bytes] = field(repr=False)
    notices: Mapping[str, int] = field(repr=False)
    events: tuple[PersonEvent, ...]
    previous: PersonRoot | None = field(default=None, repr=False)
    since_year: int | None = field(default=None, repr=False)

    def seen_notice(self, school: SchoolId, supplier: SupplierId) -> int:
        """Return the newest version of a notice that this person saw; 0 when none."""
        return self.notices.get(notice_key(school, supplier), 0)


def present_person(identity: Identity, *, key: RootKey) -> Presented:
    """Return the roots that an identity presents.

    Staff always by the school's own number, in a root of their own kind: a teacher's ECK iD hangs
    on school and mail address. A number is used only when the login says whose it is: a pupil and
    a teacher may share one.

    Raises:
        EckIdUnusable, IdentifierNotDerivable: a stated identifier is none.
        ValueError: nothing is presented, which `read_identity` lets nobody do.
    """
    return present_roots(
        identity.school,
        population=identity.population,
        number=identity.identifier,
        eck_id=identity.eck_id,
        key=key,
    )


def present_roots(
    school: SchoolId,
    *,
    population: Population | None,
    number: str | None,
    eck_id: str | None,
    key: RootKey,
) -> Presented:
    """Return the roots of what a school states of somebody; raises as `present_person`."""
    eck_root = local = None
    if population is Population.STAFF:
        if number is not None:
            local = root_from_local_staff(school, number, key=key)
        return Presented(Population.STAFF, eck_id=None, local=local)
    if eck_id is not None:
        eck_root = root_from_eckid(parse_eckid(eck_id), key=key)
    if population is Population.PUPIL and number is not None:
        local = root_from_local(school, number, key=key)
    return Presented(Population.PUPIL, eck_id=eck_root, local=local)


def no_account_anew(root: PersonRoot, salt: bytes) -> PersonRoot:
    """Stand for `root_anew` where nobody was erased.

    Raises:
        ValueError: somebody was. Ours to prevent, so no refusal.
    """
    raise ValueError("a fresh account needs the root key")


async def identify_person(
    presented: Presented,
    *,
    register: PersonRegister,
    keys: RegisterKeys,
    school: SchoolId,
    eck_id_required: bool,
    today: date,
    random: Callable[[int], bytes],
    rules: JoinRules,
    visit: Visit | None = None,
    budget: ArrivalBudget = SMALLEST_BUDGET,
    confirms: SchoolId | None = None,
    succession: Succession = NO_SUCCESSION,
    anew: Callable[[PersonRoot, bytes], PersonRoot] = no_account_anew,
    known_only: bool = False,
) -> KnownPerson:
    """Return which account a login opens, after storing what the rules say.

    One look-up; a second one only when a number comes with another ECK iD than before, or without
    the one that it is bound to.

    Args:
        eck_id_required: from the school's document.
        random: returns that many unpredictable bytes (`secrets.token_bytes`).
        visit: to whom the login goes; None when no pseudonym will be told.
        budget: of the school, for pupils who are known elsewhere.
        confirms: the school whose page about this pupil's arrival there led to this login.
        succession: what the school goes on for, of `find_succession`.
        anew: `root_anew` with the root key.
        known_only: nobody logged in just now: a session answers in place of the school.

    Raises:
        PersonForgotten: nobody rests here, and `known_only` lets nobody begin.
        EckIdMissing: rule 6 of `person_rules`.
        ArrivalsSpent: a newcomer beyond the budget; nothing was stored.
        ArrivalWaits: a protected pupil's arrival, now stored as held.
        RegisterUnavailable: nothing was stored, or nobody knows.
    """
    salt = random(SALT_BYTES)

    def fresh_account(root: PersonRoot) -> FreshAccount:
        account = anew(root, salt)
        return FreshAccount(account, derive_tag(keys, account))

    login = Login(
        school=school,
        eck_id_required=eck_id_required,
        today=today,
        local_tag=b"" if presented.local is None else derive_tag(keys, presented.local),
        fresh_salt=salt,
        fresh_account=fresh_account,
        confirms=confirms,
        settled_after_days=budget.settled_after_days,
        predecessors=succession.predecessors,
    )
    put_off: tuple[PersonEvent, ...] = ()
    for _ in range(MAX_ATTEMPTS):
        looked_up = await look_up(presented, register=register, keys=keys, succession=succession)
        if known_only and not _by_root(presented, looked_up.records):
            raise PersonForgotten("check_person_still_known")
        carried = carry_over(
            presented,
            looked_up.records,
            old_rows=looked_up.old_rows,
            succession=succession,
            login=login,
        )
        found, previous = carried.records, None
        resolved = carried.complete(
            resolve_with_promise(presented, found, login=login, rules=rules)
        )
        if visit is not None and not resolved.waits:
            resolved, previous = note_visit(
                presented, found, resolved, visit=visit, today=today, here=login.here
            )
        counts = counts_of(presented, found, resolved, login=login, budget=budget)
        try:
            stored = await store_changes(
                resolved.changes,
                looked_up.rows,
                register=register,
                keys=keys,
                random=random,
                counts=counts,
            )
        except CountFull:
            by_number = without_eck_id(presented, found)
            if by_number is not None:
                put_off, presented = (PersonEvent.ECK_ID_PUT_OFF,), by_number
                continue
            spent = ArrivalsSpent("check_arrivals_within_budget")
            spent.schools_of_before = resolved.arrived_from
            raise spent from None
        if stored and resolved.waits:
            waiting = ArrivalWaits("check_protected_arrival_confirmed")
            waiting.school = school
            raise waiting
        if stored:
            return KnownPerson(
                root=resolved.account,
                salt=resolved.salt,
                salts={
                    root: each.salt for root, each in _as_stored(presented, found, resolved).items()
                },
                notices=_newest_notices(found),
                events=(*put_off, *resolved.events),
                previous=previous,
                since_year=_since_year(presented, found, resolved, school=school),
            )
    raise RegisterUnavailable("check_register_converges")


async def note_notice_seen(
    presented: Presented,
    *,
    school: SchoolId,
    supplier: SupplierId,
    version: int,
    register: PersonRegister,
    keys: RegisterKeys,
    random: Callable[[int], bytes],
) -> None:
    """Store that this person saw a notice, in each presented row that is there.

    Raises:
        RegisterUnavailable: nobody knows whether it is stored; the notice then shows again.
    """
    name = notice_key(school, supplier)
    for _ in range(MAX_ATTEMPTS):
        looked_up = await look_up(presented, register=register, keys=keys)
        changes = tuple(
            Change(root, replace(record, notices={**record.notices, name: version}))
            for root, record in _by_root(presented, looked_up.records)
            if record.notices.get(name, 0) < version
        )
        if await store_changes(
            changes, looked_up.rows, register=register, keys=keys, random=random
        ):
            return
    raise RegisterUnavailable("check_register_converges")


def _by_root(presented: Presented, found: FoundRecords) -> list[tuple[PersonRoot, PersonRecord]]:
    """Return the presented roots that have a record, with it."""
    pairs = ((presented.eck_id, found.eck_id), (presented.local, found.local))
    return [(root, record) for root, record in pairs if root is not None and record is not None]


def _as_stored(
    presented: Presented, found: FoundRecords, resolved: Resolved
) -> dict[PersonRoot, PersonRecord]:
    """Return the records of the presented roots, once what changed is stored."""
    return dict(_by_root(presented, found)) | {
        each.root: each.record for each in resolved.changes if each.root in presented.roots
    }


def _since_year(
    presented: Presented, found: FoundRecords, resolved: Resolved, *, school: SchoolId
) -> int | None:
    """Return in which school year the person was first seen at a school, by ECK iD or number."""
    records = _as_stored(presented, found, resolved)
    here = [each.seen[school] for each in records.values() if school in each.seen]
    return min((each.since_year for each in here if each.since_year is not None), default=None)


def _newest_notices(found: FoundRecords) -> dict[str, int]:
    newest: dict[str, int] = {}
    for record in (found.eck_id, found.local):
        for name, version in ({} if record is None else record.notices).items():
            newest[name] = max(version, newest.get(name, 0))
    return newest
