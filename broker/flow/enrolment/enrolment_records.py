"""How a school's list rests: found by a keyed tag, opened by whoever logs in, and by nobody else.

    tag    = mac(enrolment tag key, "schuilnaam/enrolment-tag/v1", school, login identifier)
    of     = mac(enrolment tag key, "schuilnaam/enrolment-school/v1", school)
    person = mac(enrolment tag key, "schuilnaam/enrolment-person/v1", school, root)
    sealed = seal(derive_key(enrolment seal key, "schuilnaam/enrolment-row/v1", school, login
             identifier), JSON of `EnrolmentRecord`, bound to tag and `of`)

The two keys are derived from the register's with labels of their own: the rows rest in the same
database, live and die with it, and a lost key costs one more sending of each list; a purpose of
its own in `keys/` would be one more thing to keep for nothing more. A record holds person roots
and never an ECK iD or number: who opens one learns that pupil's pseudonyms, and no id of the chain.

By `person` a row is found again when that person is erased, whose login identifier nobody at that
desk knows. It is bound to the school: two schools' rows of one person have nothing in common.

Without keys the table shows how many people how many schools listed, and when. With all keys it
opens rows of those whose login identifier the thief knows or can guess: a `sub` is 21 digits that
nobody guesses, a mail address may follow from a name. So `sub` is the better identifier.
"""

from dataclasses import dataclass, field
from datetime import date

import msgspec

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId
from broker.flow.held_state.framing import UnreadableRecord, derive_key, mac, seal, unseal
from broker.flow.persons.person_records import Stored, as_root
from broker.pseudonyms.derivation import PersonRoot, lp


@dataclass(frozen=True, slots=True)
class EnrolmentKeys:
    """Two keys of 32 bytes: one finds rows, one opens them together with a login identifier."""

    tag: bytes = field(repr=False)
    seal: bytes = field(repr=False)


class EnrolmentRecord(Stored, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a school's list says of one person.

    Attributes:
        eck_root: of the ECK iD; None when none was listed, and for staff.
        local_root: of the school's own number; None when none was listed.
        old_roots: of that number at the schools that this one goes on for
            (`flow.persons.successors`).
        until: last day at this school.
        protected: this pupil's move needs both schools.
    """

    population: Population
    eck_root: bytes | None = None
    local_root: bytes | None = None
    branch: str | None = None
    groups: tuple[str, ...] = ()
    until: date | None = None
    protected: bool = False
    old_roots: dict[SchoolId, bytes] = msgspec.field(default_factory=dict)

    @property
    def roots(self) -> tuple[PersonRoot, ...]:
        """By which this person may be asked for at this school."""
        return tuple(as_root(each) for each in (self.eck_root, self.local_root) if each is not None)


def derive_enrolment_keys(register_key: bytes) -> EnrolmentKeys:
    """Return the two keys from the one of 32 bytes that rests on disk."""
    return EnrolmentKeys(
        tag=derive_key(register_key, b"schuilnaam/enrolment-tag-key/v1"),
        seal=derive_key(register_key, b"schuilnaam/enrolment-seal-key/v1"),
    )


def derive_school_tag(keys: EnrolmentKeys, school: SchoolId) -> bytes:
    """Return what all rows of one school have in common: 32 bytes."""
    return mac(keys.tag, b"schuilnaam/enrolment-school/v1", school)


def derive_login_tag(keys: EnrolmentKeys, school: SchoolId, login: str) -> bytes:
    """Return under which tag the row of a login identifier is found: 32 bytes."""
    return mac(keys.tag, b"schuilnaam/enrolment-tag/v1", school, login)


def derive_person_tag(keys: EnrolmentKeys, school: SchoolId, root: PersonRoot) -> bytes:
    """Return by which a person's row in a school's list is found for erasing: 32 bytes."""
    return mac(keys.tag, b"schuilnaam/enrolment-person/v1", school, root)


def seal_enrolment(
    record: EnrolmentRecord, *, school: SchoolId, login: str, keys: EnrolmentKeys, nonce: bytes
) -> bytes:
    """Return a row as it will rest."""
    return seal(
        _row_key(keys, school, login), record, nonce=nonce, bound_to=_place(keys, school, login)
    )


def open_enrolment(
    sealed: bytes, *, school: SchoolId, login: str, keys: EnrolmentKeys
) -> EnrolmentRecord:
    """Return what a row says.

    Raises:
        UnreadableRecord: another key, another person's row, or changed.
    """
    plain = unseal(_row_key(keys, school, login), sealed, bound_to=_place(keys, school, login))
    try:
        return msgspec.json.decode(plain, type=EnrolmentRecord)
    except msgspec.DecodeError:
        pass  # refused below: a decoder's message may quote the record
    raise UnreadableRecord


def _row_key(keys: EnrolmentKeys, school: SchoolId, login: str) -> bytes:
    return derive_key(keys.seal, b"schuilnaam/enrolment-row/v1", school, login)


def _place(keys: EnrolmentKeys, school: SchoolId, login: str) -> bytes:
    return lp(derive_login_tag(keys, school, login), derive_school_tag(keys, school))
