"""Take-overs at rest: the port, and how an operator changes one.

A school's board signs for a take-over on paper or in a file; what was signed is known here by its
digest. Two operators put it in force, because it opens a mapping from ECK iDs to pseudonyms. Not
the school's own API client: that is a key on a machine of the school's software, which asserts
every day who logs in, and the worst that such a key can do must not include this. One operator
moves the state: each state only withholds from what the agreement lets out, and each can be taken
back.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from broker.domain.agreements import approved_for
from broker.domain.attributes import ECK_ID, Population
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.refusals import Refusal
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement
from broker.domain.release import why_withheld
from broker.domain.takeover import (
    Takeover,
    TakeoverState,
    check_next_state,
    withholds_old_keys,
)
from broker.domain.takeover_refusals import (
    EckIdNotApproved,
    NotEntitled,
    NotNextState,
    NotSignedFor,
    TakeoverEnded,
    TermsUnusable,
)
from broker.flow.audit import AuditEvent, AuditLog, make_reference, note_refusal
from broker.flow.operators.operator_refusals import PreparedUnreadable
from broker.flow.ports import Clock, Random

STATES_THAT_NEED_NOTHING = (TakeoverState.NONE, TakeoverState.ON)
"""They release no old key that the agreement would not; so they can be set whatever it says."""


@dataclass(frozen=True, slots=True)
class StoredTakeover:
    """A take-over with what workers need not know.

    Attributes:
        asked: how many ECK iDs were asked about.
        deleted_on: day from which the supplier says that it holds no ECK iD of this school.
        steps: what was done, oldest first: (`signed`, `deleted` or a state, the UTC hour).
    """

    takeover: Takeover
    asked: int
    deleted_on: date | None
    steps: tuple[tuple[str, str], ...]


class TakeoverStore(Protocol):
    """Where take-overs rest. Every method blocks, and raises `TakeoversUnavailable` when it cannot
    do its work; whatever changes one adds a version of the registry, so all workers follow."""

    def all(self) -> Sequence[StoredTakeover]:
        """Return every take-over, in order of school and supplier."""
        ...

    def sign(self, takeover: Takeover, *, by: str, at: datetime) -> None:
        """Put a take-over in force, or other terms of one that has not ended; its state stays.

        Raises:
            TakeoverEnded: one of these parties was closed.
        """
        ...

    def move(self, takeover: Takeover, *, to: TakeoverState, by: str, at: datetime) -> None:
        """Set another state.

        Raises:
            TakeoverMoved: it is not what `takeover` says any more.
        """
        ...

    def note_deleted(self, takeover: Takeover, *, document: bytes, by: str, at: datetime) -> None:
        """Note that the supplier confirmed to hold no ECK iD of this school."""
        ...

    def reserve(self, takeover: Takeover, *, count: int, per_school: int) -> None:
        """Count ECK iDs that will be asked about, durably and before any is answered.

        Adds no version: no worker needs to know.

        Raises:
            AskedTooMuch: with them it would be more than the take-over's quota, or than
                `per_school` over all its take-overs; nothing was counted.
            NotSignedFor: it is gone.
        """
        ...


@dataclass(frozen=True, slots=True)
class TakeoverBounds:
    """What a school may sign for at most; see the table [takeover] of the settings."""

    longest_days: int
    asked_per_school: int


@dataclass(frozen=True, slots=True)
class TakeoverSigning:
    """Where two operators put in force what a school signed.

    Attributes:
        registry: in force now, at the preparing and once more at the confirming.
    """

    registry: Registry
    store: TakeoverStore
    bounds: TakeoverBounds

    def check(self, terms: Takeover, *, now: datetime) -> None:
        """Hold that these terms can be signed for.

        What the school signed for with other suppliers is theirs: with these terms it must not be
        more than may be asked about the school in all, or one supplier could use up another's.

        Raises:
            Refusal: as `check_terms`; `TermsUnusable` when the quotas are too large together.
        """
        today = day_of(now)
        check_terms(terms, registry=self.registry, bounds=self.bounds, today=today)
        reserved = sum(
            _share_of(each, today=today)
            for each in self.store.all()
            if each.takeover.school == terms.school and each.takeover.supplier != terms.supplier
        )
        if reserved + terms.quota > self.bounds.asked_per_school:
            raise TermsUnusable(
                "check_quotas_of_school", subject="its quota, beside those of other suppliers"
            )

    def carry_out(self, parameters: Mapping[str, str], *, by: Sequence[str], now: datetime) -> None:
        """Put confirmed terms in force.

        Raises:
            Refusal: of `check_terms`, or they are no terms, or could not be written.
        """
        terms = read_terms(parameters, signed_by=" and ".join(by))
        self.check(terms, now=now)
        self.store.sign(terms, by=terms.signed_by, at=now)


def _share_of(stored: StoredTakeover, *, today: date) -> int:
    """Return how many ECK iDs a take-over may ask about, or did when it is closed."""
    closed = stored.takeover.state_on(today) is TakeoverState.CLOSED
    return stored.asked if closed else stored.takeover.quota


@dataclass(frozen=True, slots=True)
class TakeoverDesk:
    """Where one operator moves take-overs.

    Attributes:
        by: system account of the operator.
    """

    registry: Registry
    store: TakeoverStore
    audit: AuditLog
    clock: Clock
    random: Random
    by: str

    def set_state(self, school: SchoolId, supplier: SupplierId, to: TakeoverState) -> TakeoverState:
        """Move a take-over and return the state it was in. One event, also for a refusal.

        Raises:
            Refusal: of `broker.domain.takeover_refusals`; nothing was changed.
        """
        now = self.clock()
        with noting_refusals(self.audit, self.registry, school, supplier, random=self.random):
            takeover = find_takeover(self.registry, school, supplier)
            check_next_state(takeover, to=to, today=day_of(now))
            if to not in STATES_THAT_NEED_NOTHING:
                check_may_release(self.registry, takeover, today=day_of(now))
            self.store.move(takeover, to=to, by=self.by, at=now)
        self.audit.record(
            AuditEvent(
                action="takeover-set",
                school=school,
                supplier=supplier,
                names=(takeover.state.value, to.value),
            )
        )
        return takeover.state

    def confirm_deleted(self, school: SchoolId, supplier: SupplierId, *, document: bytes) -> None:
        """Note that a supplier confirmed to hold no ECK iD of this school any more.

        Raises:
            NotSignedFor, TakeoversUnavailable
            NotNextState: it still gets ECK iDs.
        """
        now = self.clock()
        with noting_refusals(self.audit, self.registry, school, supplier, random=self.random):
            takeover = find_takeover(self.registry, school, supplier)
            check_gets_no_old_keys(takeover, today=day_of(now))
            self.store.note_deleted(takeover, document=document, by=self.by, at=now)
        self.audit.record(
            AuditEvent(action="takeover-deletion-confirmed", school=school, supplier=supplier)
        )


@contextmanager
def noting_refusals(
    audit: AuditLog,
    registry: Registry,
    school: SchoolId,
    supplier: SupplierId,
    *,
    random: Random,
) -> Iterator[None]:
    """Write down a refusal, once; parties that are not known are not named."""
    try:
        yield
    except Refusal as refusal:
        note_refusal(
            audit,
            refusal,
            reference=make_reference(random),
            school=school if school in registry.schools else None,
            supplier=supplier if supplier in registry.suppliers else None,
        )
        raise


def find_takeover(registry: Registry, school: SchoolId, supplier: SupplierId) -> Takeover:
    """Return what a school signed for with a supplier.

    Raises:
        NotSignedFor: nothing, or one of them is not known.
    """
    takeover = registry.takeovers.get((school, supplier))
    if takeover is None or school not in registry.schools or supplier not in registry.suppliers:
        raise NotSignedFor("check_takeover_signed")
    return takeover


def check_may_release(registry: Registry, takeover: Takeover, *, today: date) -> None:
    """Hold that the ECK iD could go out beside the pseudonym: else the supplier attaches nothing.

    Raises:
        NotEntitled: the federation does not let it have ECK iDs.
        EckIdNotApproved: not declared, or no agreement in force approves it with an end date.
    """
    supplier = registry.suppliers[takeover.supplier]
    if not supplier.eck_id_entitled:
        raise NotEntitled("check_supplier_entitled")
    school = registry.schools[takeover.school]
    found = find_agreement(registry, school, takeover.supplier, today)
    declared = {each.name: each for each in supplier.attributes}.get(ECK_ID)
    if (
        found is None
        or not found.agreement.is_in_force(today)
        or why_withheld(
            ECK_ID,
            declared=declared,
            approved=approved_for(found.agreement, Population.PUPIL, ()),
            agreement=found.agreement,
            entitled=True,
            population=Population.PUPIL,
        )
        is not None
    ):
        raise EckIdNotApproved("check_eck_id_approved")


def check_gets_no_old_keys(takeover: Takeover, *, today: date) -> None:
    """Hold that nothing goes out any more of what is said to be deleted.

    Raises:
        NotNextState: the supplier still gets it.
    """
    if not withholds_old_keys(takeover, today=today):
        way = f"{takeover.state_on(today)} -> deleted"
        raise NotNextState("check_gets_no_old_keys", subject=way)


def check_terms(
    terms: Takeover, *, registry: Registry, bounds: TakeoverBounds, today: date
) -> None:
    """Hold that a school can sign for these terms.

    Raises:
        NotSignedFor: the school or the supplier is not known.
        NotEntitled
        TermsUnusable: no last day that is near enough, or a quota that is too large.
        TakeoverEnded: there was one, and it is closed for good.
    """
    supplier = registry.suppliers.get(terms.supplier)
    if terms.school not in registry.schools or supplier is None:
        raise NotSignedFor("check_parties_known")
    if not supplier.eck_id_entitled:
        raise NotEntitled("check_supplier_entitled")
    if not today <= terms.last_day <= today + timedelta(days=bounds.longest_days):
        raise TermsUnusable("check_last_day", subject="its last day")
    if not 0 < terms.quota <= bounds.asked_per_school:
        raise TermsUnusable("check_quota", subject="its quota")
    before = registry.takeovers.get((terms.school, terms.supplier))
    if before is not None and before.state_on(today) is TakeoverState.CLOSED:
        raise TakeoverEnded("check_takeover_not_ended")


def write_terms(terms: Takeover) -> dict[str, str]:
    """Return the terms as the parameters of a prepared action."""
    return {
        "school": terms.school,
        "supplier": terms.supplier,
        "last_day": terms.last_day.isoformat(),
        "quota": str(terms.quota),
        "document": terms.document.hex(),
        "pupils": terms.pupils.hex(),
    }


def read_terms(parameters: Mapping[str, str], *, signed_by: str) -> Takeover:
    """Return the terms that a confirmed action names.

    Raises:
        PreparedUnreadable: it names none.
    """
    try:
        return Takeover(
            school=SchoolId(parameters["school"]),
            supplier=SupplierId(parameters["supplier"]),
            last_day=date.fromisoformat(parameters["last_day"]),
            quota=int(parameters["quota"]),
            document=bytes.fromhex(parameters["document"]),
            pupils=bytes.fromhex(parameters["pupils"]),
            signed_by=signed_by,
        )
    except (KeyError, ValueError):
        raise PreparedUnreadable("check_names_terms") from None
