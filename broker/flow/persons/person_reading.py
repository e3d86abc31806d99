"""Which account somebody's login opens at a school, read and never written.

For those who look at what was shared: the rules by which a login finds its account decide here too,
and what they would store is dropped. Who was never seen at the school is nobody: looking makes no
row, no account and no pseudonym.

What is read is what went through this school (and those that it goes on for) alone. A school can
state anybody's ECK iD, so its word opens nothing that another school shared.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from broker.domain.federation import School
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_promises import resolve_with_promise
from broker.flow.persons.person_records import (
    SALT_BYTES,
    FoundRecords,
    FreshAccount,
    Login,
    PersonRecord,
    Presented,
    Resolved,
    SeenAt,
    as_root,
    school_year_of,
)
from broker.flow.persons.person_rows import look_up
from broker.flow.persons.register import PersonRegister, RegisterKeys, derive_tag
from broker.flow.persons.successors import NO_SUCCESSION, Succession, carry_over
from broker.pseudonyms.derivation import PersonRoot


@dataclass(frozen=True, slots=True)
class ReadableAccount:
    """An account whose receipts somebody may read, and the salt that they were sealed with."""

    root: PersonRoot = field(repr=False)
    salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReadPerson:
    """What rests of somebody at a school.

    Attributes:
        accounts: the one that a login opens now, then those of before.
        suppliers: that know this person, at whatever school.
        schools: this one, and those that it goes on for.
        years: school years in which the person logged in there, by the year in which each began.
    """

    accounts: tuple[ReadableAccount, ...] = field(repr=False)
    suppliers: frozenset[SupplierId] = field(repr=False)
    schools: tuple[SchoolId, ...]
    years: range


@dataclass(frozen=True, slots=True)
class PersonReader:
    """Where persons rest, and the rules."""

    register: PersonRegister
    keys: RegisterKeys = field(repr=False)
    rules: JoinRules

    async def read(
        self,
        presented: Presented,
        *,
        school: School,
        today: date,
        succession: Succession = NO_SUCCESSION,
    ) -> ReadPerson | None:
        """Return what rests of somebody at a school; None for who was never seen there, and for a
        protected pupil whose arrival there waits: no login opens anything yet.

        Raises:
            RegisterUnavailable: the register cannot be read.
            Refusal: of `resolve_person`, as a login would be refused.
        """
        looked_up = await look_up(
            presented, register=self.register, keys=self.keys, succession=succession
        )
        login = _login_of(presented, school, today, succession, keys=self.keys)
        carried = carry_over(
            presented,
            looked_up.records,
            old_rows=looked_up.old_rows,
            succession=succession,
            login=login,
        )
        found = carried.records
        seen = [each for record in _known(found) for each in _seen_in(record, login)]
        if not seen:
            return None
        resolved = resolve_with_promise(presented, found, login=login, rules=self.rules)
        if resolved.waits:
            return None
        this_year = school_year_of(today)
        first = min((each.since_year for each in seen if each.since_year), default=this_year)
        last = max((each.last_year for each in seen if each.last_year), default=this_year)
        return ReadPerson(
            accounts=_accounts(found, resolved, login),
            suppliers=frozenset(name for each in _known(found) for name in each.suppliers),
            schools=(school.id, *sorted(login.predecessors - {school.id})),
            years=range(first, last + 1),
        )


def _login_of(
    presented: Presented,
    school: School,
    today: date,
    succession: Succession,
    *,
    keys: RegisterKeys,
) -> Login:
    """Return the circumstances of a login that does not take place: nothing fresh is kept."""
    tag: Callable[[PersonRoot], bytes] = partial(derive_tag, keys)
    return Login(
        school=school.id,
        eck_id_required=False,
        today=today,
        local_tag=b"" if presented.local is None else tag(presented.local),
        fresh_salt=bytes(SALT_BYTES),
        fresh_account=lambda root: FreshAccount(root, tag(root)),
        predecessors=succession.predecessors,
    )


def _known(found: FoundRecords) -> list[PersonRecord]:
    return [each for each in (found.eck_id, found.local, found.bound) if each is not None]


def _seen_in(record: PersonRecord, login: Login) -> list[SeenAt]:
    return [each for school, each in record.seen.items() if school in login.here]


def _accounts(found: FoundRecords, resolved: Resolved, login: Login) -> tuple[ReadableAccount, ...]:
    """Return whose receipts may be read: of the account that opens, and of what it grew out of.

    An account that is kept apart from it (rule 12 of `person_rules`) may be another pupil's.
    """
    opened = [ReadableAccount(resolved.account, resolved.salt)]
    for record in _known(found):
        if record is found.local and found.eck_id is not None:
            continue
        opened += [ReadableAccount(as_root(each.root), each.salt) for each in record.former]
        opened += [
            ReadableAccount(as_root(each.before), record.salt)
            for each in _seen_in(record, login)
            if each.before is not None
        ]
    return tuple(dict.fromkeys(opened))
