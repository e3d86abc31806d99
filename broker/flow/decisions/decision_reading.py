"""What is shown before one decides: the catalogue, one service, and what ends soon."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from broker.domain.agreements import Agreement
from broker.domain.attributes import VOCABULARY, AttributeName
from broker.domain.console_roles import Permission
from broker.domain.decision_outline import LINKING, NOTHING, Choice, GroupChoice
from broker.domain.documents import AgreementDocument
from broker.domain.dutch_days import day_of
from broker.domain.federation import School, State, Supplier
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.domain.relations import AgreementFound, find_agreement
from broker.flow.console.actors import Actor, boards_of, check_may, find_school, may, schools_of
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.decisions.decision_store import DecisionStore
from broker.flow.decisions.decision_types import (
    CatalogueLine,
    DecidedBy,
    Decider,
    DecisionView,
    Standing,
)
from broker.flow.decisions.many_decisions import ExpiringDecision
from broker.flow.ports import Clock, Snapshots

ENDS_SOON_DAYS = 60


@dataclass(frozen=True, slots=True)
class DecisionReader:
    """Reads what is decided. Every method raises `NotAllowed`, and `RegistryUnreadable`."""

    store: DecisionStore
    snapshots: Snapshots
    clock: Clock

    @property
    def today(self) -> date:
        """Return the day in the Netherlands."""
        return day_of(self.clock())

    def decider(
        self, actor: Actor, permission: Permission, *, school: str = "", board: str = ""
    ) -> Decider:
        """Return who decides, when the actor may do this there.

        Raises:
            NotAllowed: neither or both are named, or not theirs.
        """
        registry = self.snapshots.registry
        if bool(school) is bool(board):
            raise NotAllowed("check_one_decider")
        if school:
            found = find_school(actor, permission, unverified_school=school, registry=registry)
            return Decider(school=found.id)
        named = BoardId(board)
        check_may(actor, permission, board=named, registry=registry)
        if not schools_at(registry, Decider(board=named)):
            raise NotAllowed("check_board_there")
        return Decider(board=named)

    def supplier(self, decider: Decider, unverified_supplier: str) -> Supplier:
        """Return a supplier that this decider may have an agreement with.

        Raises:
            NotAllowed: there is none in its state.
        """
        registry = self.snapshots.registry
        found = registry.suppliers.get(SupplierId(unverified_supplier))
        if found is None or found.state not in _states(registry, decider):
            raise NotAllowed("check_supplier_there")
        return found

    def catalogue(
        self, actor: Actor, *, school: str = "", board: str = ""
    ) -> tuple[CatalogueLine, ...]:
        """Return every service that this school or board could use, by name."""
        decider = self.decider(actor, Permission.SEE_SCHOOL, school=school, board=board)
        registry, today = self.snapshots.registry, self.today
        states, categories = _states(registry, decider), self.store.categories()
        drafts = {each.draft.supplier: each.number for each in self.store.drafts_of(decider)}
        lines = (
            _line(
                decider,
                each,
                find_counting(registry, decider, each.id, today),
                category=categories.get(each.id, ""),
                draft=drafts.get(each.id),
                today=today,
            )
            for each in registry.suppliers.values()
            if each.enabled and each.state in states
        )
        return tuple(sorted(lines, key=lambda each: (each.name.casefold(), each.supplier)))

    def look(
        self, actor: Actor, supplier: str, *, school: str = "", board: str = ""
    ) -> DecisionView:
        """Return all that one needs to decide about one service."""
        decider = self.decider(actor, Permission.SEE_SCHOOL, school=school, board=board)
        record = self.supplier(decider, supplier)
        registry, today = self.snapshots.registry, self.today
        found = find_counting(registry, decider, record.id, today)
        at = None if decider.school is None else registry.schools[decider.school]
        own, of_board = self._own(decider, record.id, at)
        document = self.store.suppliers([record.id]).get(record.id)
        if document is None:
            raise NotAllowed("check_supplier_there")
        by = decided_by(decider, found)
        counting = {DecidedBy.ITSELF: own, DecidedBy.BOARD: of_board}.get(by)
        agreement = None if found is None else found.agreement

        def can(permission: Permission) -> bool:
            return may(actor, permission, school=at, board=decider.board, registry=registry)

        return DecisionView(
            decider=decider,
            school=at,
            supplier=record.id,
            document=document,
            own=own,
            counting=counting,
            standing=standing_of(agreement, today),
            decided_by=by,
            choice=choice_by(agreement),
            version=0 if own is None else own.version,
            signed_on=0 if agreement is None else agreement.sheet,
            waiting=waiting_since(record, agreement),
            draft=self.store.draft_for(decider, record.id),
            exceptions=_exceptions(registry, decider, record.id, today),
            four_eyes=needs_four_eyes(registry, decider),
            may_prepare=can(Permission.PREPARE_DECISION),
            may_sign=can(Permission.SIGN_DECISION),
            may_stop=can(Permission.STOP_DECISION),
            lacks_processor_agreement=bool(lacking_processor_agreement(registry, decider)),
        )

    def expiring(self, actor: Actor, *, days: int = ENDS_SOON_DAYS) -> tuple[ExpiringDecision, ...]:
        """Return what ends within so many days at the actor's schools and boards, soonest first."""
        registry, today = self.snapshots.registry, self.today
        deciders = [
            *(Decider(school=each.id) for each in schools_of(actor, registry)),
            *(Decider(board=each) for each in boards_of(actor, Permission.SEE_SCHOOL)),
        ]
        found = (
            ExpiringDecision(each, supplier, agreement.last_day)
            for each in deciders
            for supplier in registry.suppliers
            if (agreement := _own_record(registry, each, supplier)) is not None
            and agreement.last_day is not None
            and ends_soon(agreement, today, days=days)
        )
        return tuple(sorted(found, key=lambda each: (each.last_day, each.supplier)))

    def _own(
        self, decider: Decider, supplier: SupplierId, school: School | None
    ) -> tuple[AgreementDocument | None, AgreementDocument | None]:
        """Return the own agreement and, of a school, its board's, as stated."""
        own = decider.key(supplier)
        of_board = own if school is None else Decider(board=school.board).key(supplier)
        found = self.store.read_documents([own, of_board])
        stated = [found[key].stated.document if key in found else None for key in (own, of_board)]
        mine, theirs = (each if isinstance(each, AgreementDocument) else None for each in stated)
        return mine, theirs


def schools_at(registry: Registry, decider: Decider) -> tuple[School, ...]:
    """Return the schools for which somebody decides."""
    if decider.school is not None:
        return (registry.schools[decider.school],)
    return tuple(each for each in registry.schools.values() if each.board == decider.board)


def needs_four_eyes(registry: Registry, decider: Decider) -> bool:
    """Tell whether who prepared may not sign: so when one of the schools wants it."""
    return any(each.four_eyes for each in schools_at(registry, decider))


def lacking_processor_agreement(registry: Registry, decider: Decider) -> tuple[School, ...]:
    """Return the schools in production whose board has not signed with the federation."""
    return tuple(
        each
        for each in schools_at(registry, decider)
        if each.state is State.PRODUCTION and each.processor_agreement is None
    )


def find_counting(
    registry: Registry, decider: Decider, supplier: SupplierId, today: date
) -> AgreementFound | None:
    """Return the agreement that counts for a school or board, in force or not."""
    if decider.school is not None:
        return find_agreement(registry, registry.schools[decider.school], supplier, today)
    found = _own_record(registry, decider, supplier)
    return None if found is None else AgreementFound(found)


def decided_by(decider: Decider, found: AgreementFound | None) -> DecidedBy:
    """Return whose agreement counts."""
    if found is None:
        return DecidedBy.NOBODY
    if found.carried_from:
        return DecidedBy.OLD_SCHOOLS
    of_board = found.agreement.school is None and decider.school is not None
    return DecidedBy.BOARD if of_board else DecidedBy.ITSELF


def standing_of(agreement: Agreement | None, today: date) -> Standing:
    """Return how one stands with a supplier by an agreement."""
    checks: tuple[tuple[Standing, Callable[[Agreement], bool]], ...] = (
        (Standing.STOPPED, lambda each: each.is_stopped(today)),
        (Standing.LATER, lambda each: today < each.first_day),
        (Standing.IN_FORCE, lambda each: each.is_in_force(today)),
    )
    if agreement is None:
        return Standing.NONE
    return next((standing for standing, fits in checks if fits(agreement)), Standing.ENDED)


def choice_by(agreement: Agreement | None) -> Choice:
    """Return what an agreement approves, of whom."""
    if agreement is None:
        return NOTHING
    return Choice(
        pupils=agreement.approved,
        staff=agreement.approved_of_staff,
        groups=tuple(GroupChoice(each.groups, each.approved) for each in agreement.group_rules),
    )


def waiting_since(supplier: Supplier, agreement: Agreement | None) -> tuple[AttributeName, ...]:
    """Return what was asked or required only after the sheet that was signed on."""
    if agreement is None:
        return ()
    sheet = agreement.sheet
    return tuple(
        each.name
        for each in supplier.attributes
        if each.required_since > sheet
        or any(each.is_new_since(sheet, population) for population in each.populations)
    )


def ends_soon(agreement: Agreement, today: date, *, days: int = ENDS_SOON_DAYS) -> bool:
    """Tell whether an agreement in force ends within so many days."""
    last_day = agreement.last_day
    return (
        last_day is not None
        and agreement.is_in_force(today)
        and last_day <= today + timedelta(days=days)
    )


def is_linkable(supplier: Supplier, agreement: Agreement | None, today: date) -> bool:
    """Tell whether a supplier gets something by which two suppliers can match a pupil."""
    if agreement is None or not agreement.is_in_force(today):
        return False
    lets_restricted = supplier.eck_id_entitled and agreement.last_day is not None
    return any(
        each.name in LINKING
        and each.name in agreement.approved_of_anybody
        and (lets_restricted or not VOCABULARY[each.name].restricted)
        for each in supplier.attributes
    )


def _line(
    decider: Decider,
    supplier: Supplier,
    found: AgreementFound | None,
    *,
    category: str,
    draft: int | None,
    today: date,
) -> CatalogueLine:
    agreement = None if found is None else found.agreement
    return CatalogueLine(
        supplier=supplier.id,
        name=supplier.display_name,
        category=category,
        sheet=supplier.sheet_version,
        standing=standing_of(agreement, today),
        decided_by=decided_by(decider, found),
        version=0 if agreement is None else agreement.version,
        last_day=None if agreement is None else agreement.last_day,
        waiting=waiting_since(supplier, agreement),
        draft=draft,
        is_linkable=is_linkable(supplier, agreement, today),
        ends_soon=agreement is not None and ends_soon(agreement, today),
    )


def _states(registry: Registry, decider: Decider) -> frozenset[State]:
    return frozenset(each.state for each in schools_at(registry, decider))


def _own_record(registry: Registry, decider: Decider, supplier: SupplierId) -> Agreement | None:
    if decider.school is not None:
        return registry.school_agreements.get((decider.school, supplier))
    board = decider.board
    return None if board is None else registry.board_agreements.get((board, supplier))


def _exceptions(
    registry: Registry, decider: Decider, supplier: SupplierId, today: date
) -> Mapping[SchoolId, Standing]:
    """Return the schools of a board that have an agreement of their own."""
    if decider.board is None:
        return {}
    own = {
        each.id: registry.school_agreements.get((each.id, supplier))
        for each in schools_at(registry, decider)
    }
    return {
        school: standing_of(agreement, today)
        for school, agreement in own.items()
        if agreement is not None
    }
