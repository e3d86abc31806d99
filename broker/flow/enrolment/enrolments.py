"""Schools' lists of who is there: where they rest, and what one says of a login.

Looked up only for logins of a provider whose document names a `login_identifier`: one more look-up
by its own index, before the register's. It cannot be the same one: what the register is asked for
follows from what this row opens to. A pointer beside the row would spare it, and would tell a
thief without keys which persons of the register are at one school.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol

from broker.domain.enrolment import attributes_of, fill_in
from broker.domain.federation import SchoolIdp
from broker.domain.identity import Identity
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.enrolment.enrolment_records import (
    EnrolmentKeys,
    EnrolmentRecord,
    derive_login_tag,
    open_enrolment,
)
from broker.flow.held_state.framing import UnreadableRecord
from broker.flow.persons.person_records import Presented, as_root
from broker.flow.persons.persons import present_person
from broker.flow.persons.register import RegisterUnavailable
from broker.pseudonyms.derivation import RootKey


class EnrolmentContradicted(Refusal):
    """The login and the list of one school say different things about who somebody is.

    One of the two is wrong, and nobody knows which: a list that slipped by one line is wrong for
    everybody, and opens accounts of others where the login states no ECK iD beside it. So this is
    loud, and a page, and never somebody else's account.
    """

    code = "E-ENROLMENT-5"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login and your school's list of pupils do not agree about who you are."
    remedy = "The school must correct its list or its login. Please tell your school."
    http_status = 403
    oauth_error = "access_denied"


@dataclass(frozen=True, slots=True)
class StoredEnrolment:
    """One row as it rests, with the day on which its school last sent a list."""

    sealed: bytes = field(repr=False)
    sent_on: date


@dataclass(frozen=True, slots=True)
class StoredFeed:
    """All that rests of one school.

    Attributes:
        version: counts the lists that it sent; 0 before the first.
        rows: by tag, as sealed.
    """

    version: int
    rows: Mapping[bytes, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FeedChange:
    """What shall rest of one school instead of what does.

    Attributes:
        of: the school's tag.
        replaces: the version that this was planned on.
        put: tag and sealed row of who is new or changed.
        remove: tags of who is gone.
        persons: tag of a row that will rest, and keyed tag of a person whose it is; of all rows.
    """

    of: bytes = field(repr=False)
    replaces: int
    sent_on: date
    put: Sequence[tuple[bytes, bytes]] = field(repr=False)
    remove: Sequence[bytes] = field(repr=False)
    persons: Sequence[tuple[bytes, bytes]] = field(default=(), repr=False)


class EnrolmentBook(Protocol):
    """Where lists rest. Knows tags and sealed bytes only."""

    async def find(self, tag: bytes) -> StoredEnrolment | None:
        """Return the row of a login identifier, or None.

        Raises:
            RegisterUnavailable: it cannot be read.
        """
        ...

    async def read_feed(self, of: bytes) -> StoredFeed:
        """Return all that rests of one school.

        Raises:
            RegisterUnavailable: it cannot be read.
        """
        ...

    async def replace(self, change: FeedChange) -> bool:
        """Put a list in force, durably, all or nothing; False when another one came between.

        Raises:
            RegisterUnavailable: nobody knows whether it is in force.
        """
        ...


@dataclass(frozen=True, slots=True)
class EnrolmentRules:
    """How far a list is believed.

    Attributes:
        believed_days: since its school last sent one; an older one vouches for nobody.
        vanishing_percent: of who rests; a list that lets more vanish is refused.
    """

    believed_days: int = 400
    vanishing_percent: int = 10


@dataclass(frozen=True, slots=True)
class SchoolLists:
    """Where lists rest, what opens them, and how far they are believed."""

    book: EnrolmentBook
    keys: EnrolmentKeys = field(repr=False)
    rules: EnrolmentRules


async def meet_list(
    identity: Identity, *, idp: SchoolIdp, lists: SchoolLists, root: RootKey, today: date
) -> tuple[Identity, Presented, Mapping[SchoolId, bytes]]:
    """Return who somebody is by login and list together; by the login alone where no list says.

    Besides, the roots of a listed number at the schools that this one goes on for.

    Raises:
        PersonNotStated: neither of both says who this is.
        EnrolmentContradicted: they say different things.
        EckIdUnusable, IdentifierNotDerivable: as `present_person`.
        RegisterUnavailable: the list cannot be read.
    """
    record = await find_enrolment(identity, lists=lists, today=today)
    identity = fill_from_list(identity, record, name=idp.identifier)
    presented = present_listed(identity, record, key=root)
    return identity, presented, {} if record is None else record.old_roots


async def find_enrolment(
    identity: Identity, *, lists: SchoolLists, today: date
) -> EnrolmentRecord | None:
    """Return what the school's list says of a login; None when it says nothing (any more).

    Raises:
        RegisterUnavailable: it cannot be read, or does not open under our key.
    """
    login, school, keys = identity.login_identifier, identity.school, lists.keys
    if login is None:
        return None
    stored = await lists.book.find(derive_login_tag(keys, school, login))
    if stored is None or today - stored.sent_on > timedelta(days=lists.rules.believed_days):
        return None
    try:
        record = open_enrolment(stored.sealed, school=school, login=login, keys=keys)
    except UnreadableRecord:
        raise RegisterUnavailable("check_enrolment_opens") from None
    return None if record.until is not None and record.until < today else record


def fill_from_list(identity: Identity, record: EnrolmentRecord | None, *, name: str) -> Identity:
    """Return the identity with what the list states and the login does not.

    Args:
        name: the attribute that is missing when neither says who this is.

    Raises:
        PersonNotStated: neither of both says who this is.
        EnrolmentContradicted: they state different roles.
    """
    if record is None:
        return fill_in(identity, population=None, attributes={}, name=name)
    if identity.population not in (None, record.population):
        raise EnrolmentContradicted("check_list_states_same_role")
    listed = attributes_of(record.population, branch=record.branch, groups=record.groups)
    return fill_in(identity, population=record.population, attributes=dict(listed))


def present_listed(
    identity: Identity, record: EnrolmentRecord | None, *, key: RootKey
) -> Presented:
    """Return the roots that login and list present together.

    Args:
        identity: from `fill_from_list`.

    Raises:
        EnrolmentContradicted: they name different persons.
        EckIdUnusable, IdentifierNotDerivable: as `present_person`.
    """
    if record is None:
        return present_person(identity, key=key)
    listed = Presented(
        record.population,
        eck_id=None if record.eck_root is None else as_root(record.eck_root),
        local=None if record.local_root is None else as_root(record.local_root),
    )
    if identity.eck_id is None and identity.identifier is None:
        return listed
    presented = present_person(identity, key=key)
    for stated, told in ((presented.eck_id, listed.eck_id), (presented.local, listed.local)):
        if stated is not None and told is not None and stated != told:
            raise EnrolmentContradicted("check_list_names_same_person")
    return Presented(
        record.population,
        eck_id=presented.eck_id or listed.eck_id,
        local=presented.local or listed.local,
    )
