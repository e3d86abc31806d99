"""Rehearsing a change of login: would this person open the same account by the new one, and why.

Both logins' statements go through the rules by which a login finds its account, and nothing is
stored. What comes out is a finding, which names nobody; of one person it is told to that person
alone, of many they are counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.flow.held_state.framing import mac
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_promises import resolve_with_promise
from broker.flow.persons.person_records import (
    SALT_BYTES,
    FreshAccount,
    Login,
    PersonEvent,
    Presented,
)
from broker.flow.persons.person_rows import look_up
from broker.flow.persons.register import PersonRegister, RegisterKeys, derive_tag
from broker.pseudonyms.derivation import PersonRoot, lp


class Outcome(StrEnum):
    """What a rehearsal counts."""

    SAME = "same"
    CHANGED = "changed"
    UNKNOWN = "unknown"


class Finding(StrEnum):
    """Why the account stays, changes, or cannot be told."""

    SAME = "same"
    ECK_ID_MISSING = "eck-id-missing"
    OTHER_ECK_ID = "other-eck-id"
    NUMBER_MISSING = "number-missing"
    OTHER_NUMBER = "other-number"
    OTHER_ROLE = "other-role"
    KEPT_APART = "kept-apart"
    ANOTHER_ACCOUNT = "another-account"
    ACCOUNT_OF_TWO = "account-of-two"
    WOULD_WAIT = "would-wait"
    NOT_USABLE = "not-usable"
    NOT_USABLE_TODAY = "not-usable-today"
    NOT_KNOWN = "not-known"


_SAME = frozenset({Finding.SAME})
_UNKNOWN = frozenset({Finding.NOT_KNOWN, Finding.NOT_USABLE_TODAY})

DANGEROUS = frozenset({Finding.ANOTHER_ACCOUNT, Finding.ACCOUNT_OF_TWO})
"""Worse than a fresh account: somebody would find another person's work."""

REASONS: Mapping[Finding, str] = MappingProxyType(
    {
        Finding.SAME: "the same account",
        Finding.ECK_ID_MISSING: "the new login states no ECK iD, and its number leads nowhere",
        Finding.OTHER_ECK_ID: "the new login states another ECK iD",
        Finding.NUMBER_MISSING: "the new login states no number, and no ECK iD that is known",
        Finding.OTHER_NUMBER: "the new login states another number",
        Finding.OTHER_ROLE: "pupil by one login and staff by the other",
        Finding.KEPT_APART: "ECK iD and number have accounts of their own, which are kept apart",
        Finding.ANOTHER_ACCOUNT: "what the new login states opens an account that is there already",
        Finding.ACCOUNT_OF_TWO: "two persons would share an account by the new login",
        Finding.WOULD_WAIT: "a protected pupil of another school, who would wait for both schools",
        Finding.NOT_USABLE: "what the new login states would be refused",
        Finding.NOT_USABLE_TODAY: "what the old login states is refused today already",
        Finding.NOT_KNOWN: "nobody logged in by this yet, so there is no work to lose",
    }
)
"""In words for operators."""

NOT_LOOKED_AT = (
    "Not looked at: how many new pupils may come (a day from other schools, and in all), relations "
    "between schools, and the school's enrolment list."
)
"""What a rehearsal does not foresee: logins go by these as well."""

Counts = Mapping[Finding, int]


def outcome_of(finding: Finding) -> Outcome:
    """Return under what a finding is counted.

    >>> outcome_of(Finding.OTHER_NUMBER)
    <Outcome.CHANGED: 'changed'>
    """
    if finding in _SAME:
        return Outcome.SAME
    return Outcome.UNKNOWN if finding in _UNKNOWN else Outcome.CHANGED


def count_outcomes(counts: Counts) -> dict[Outcome, int]:
    """Return how many there are of each outcome."""
    totals = dict.fromkeys(Outcome, 0)
    for finding, count in counts.items():
        totals[outcome_of(finding)] += count
    return totals


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Which account a login would open; nothing was stored.

    Attributes:
        known: somebody logged in before by something of what is presented.
        kept_apart: its ECK iD and its number have accounts of their own.
        waits: a protected pupil, whom another school must confirm first.
    """

    presented: Presented
    account: PersonRoot = field(repr=False)
    known: bool
    kept_apart: bool
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Oracle:
    """What is needed to foresee which account a login of one school opens."""

    school: SchoolId
    eck_id_required: bool
    register: PersonRegister
    keys: RegisterKeys
    rules: JoinRules
    today: date

    async def foresee(self, presented: Presented) -> Foreseen | None:
        """Return which account these roots would open; None when such a login is refused.

        Raises:
            RegisterUnavailable: the register cannot be read.
        """
        local = presented.local
        login = Login(
            school=self.school,
            eck_id_required=self.eck_id_required,
            today=self.today,
            local_tag=b"" if local is None else derive_tag(self.keys, local),
            fresh_salt=bytes(SALT_BYTES),  # kept by nobody
            fresh_account=lambda root: FreshAccount(root, b""),  # nor this: one for each identifier
        )
        found = (await look_up(presented, register=self.register, keys=self.keys)).records
        try:
            resolved = resolve_with_promise(presented, found, login=login, rules=self.rules)
        except Refusal:
            return None
        return Foreseen(
            presented=presented,
            account=resolved.account,
            known=found.eck_id is not None or found.local is not None,
            kept_apart=PersonEvent.ACCOUNTS_KEPT_APART in resolved.events,
            waits=resolved.waits,
        )


def compare(before: Foreseen | None, after: Foreseen | None) -> Finding:
    """Return what becomes of one person who logs in by the new login instead of the old one.

    Args:
        before, after: by the old and by the new login; None where it would be refused.
    """
    if before is None:
        return Finding.NOT_USABLE_TODAY
    if after is None:
        return Finding.NOT_USABLE
    old, new = before.presented, after.presented
    if old.population is not new.population:
        return Finding.OTHER_ROLE
    if after.waits and not before.waits:
        return Finding.WOULD_WAIT
    if before.account == after.account:
        return Finding.SAME if before.known or after.known else Finding.NOT_KNOWN
    if after.kept_apart:
        return Finding.KEPT_APART
    if after.known:
        return Finding.ANOTHER_ACCOUNT
    if not before.known:
        return Finding.NOT_KNOWN
    return _why_fresh(old, new)


def _why_fresh(old: Presented, new: Presented) -> Finding:
    if old.eck_id is not None and new.eck_id is None:
        return Finding.ECK_ID_MISSING
    if old.eck_id is not None and new.eck_id != old.eck_id:
        return Finding.OTHER_ECK_ID
    return Finding.NUMBER_MISSING if new.local is None else Finding.OTHER_NUMBER


def find_shared_accounts(pairs: Iterable[tuple[PersonRoot, PersonRoot]]) -> set[PersonRoot]:
    """Return the accounts that two different persons would open by the new login.

    Args:
        pairs: of each person, the account by the old login and by the new one.
    """
    first: dict[PersonRoot, PersonRoot] = {}
    return {new for old, new in pairs if first.setdefault(new, old) != old}


VOLUNTEER_LABEL = b"schuilnaam/rehearsal/v1"


def derive_volunteer(
    keys: RegisterKeys, before: Foreseen, *, school: SchoolId, from_idp: str, to_idp: str
) -> bytes:
    """Return by what a volunteer counts once in one rehearsal: 32 bytes that tell nothing else."""
    return mac(keys.tag, VOLUNTEER_LABEL, lp(school, from_idp, to_idp, before.account))
