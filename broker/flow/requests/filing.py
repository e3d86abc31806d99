"""A pupil or parent asks something of the school, sees how it stands, and takes it back.

Whoever calls this has let the person log in at that school (or take a parent's code), and hands
over what that login presented: nobody asks in another's name.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from broker.domain.attributes import VOCABULARY, AttributeName
from broker.domain.dutch_days import day_of
from broker.domain.federation import School
from broker.domain.ids import SupplierId
from broker.domain.registry import Registry
from broker.domain.shielding import ShieldLevel
from broker.flow.audit import AuditEvent, AuditLog, make_reference
from broker.flow.held_state.framing import NONCE_BYTES, UnreadableRecord
from broker.flow.persons.person_records import Presented
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.ports import Clock, Random
from broker.flow.requests.person_requests import (
    Filing,
    PersonRequest,
    RequestBook,
    RequestChanged,
    RequestId,
    RequestKind,
    RequestMove,
    RequestNotPossible,
    RequestNotThere,
    RequestState,
    RequestSubject,
    StoredRequest,
    mark_same,
    read_request,
    seal_subject,
)
from broker.flow.shielding.shield_records import (
    ShieldKeys,
    ShieldPlace,
    ShieldRecord,
    places_of,
    seal_shield,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks, as the page's lists gave it.

    Attributes:
        supplier: None: all of them, or the school itself; an objection names one.
        attribute: of an objection, the one that shall stay at school; None: no login there at all.
    """

    kind: RequestKind
    supplier: SupplierId | None = None
    attribute: AttributeName | None = None
    by_parent: bool = False


@dataclass(frozen=True, slots=True)
class RequestDesk:
    """Where requests are filed.

    Attributes:
        days: within which a school decides (GDPR 12.3: a month at most).
    """

    book: RequestBook
    keys: ShieldKeys = field(repr=False)
    clock: Clock
    random: Random
    audit: AuditLog
    days: int

    async def file(
        self, asked: Asked, *, presented: Presented, school: School, registry: Registry
    ) -> PersonRequest:
        """File a request and return it; the same one twice is one.

        Raises:
            RequestNotPossible: the supplier or attribute is unknown, or an objection names none.
            TooManyRequests: this person has as many open as anybody may.
            RegisterUnavailable: nobody knows whether it is filed.
        """
        check_askable(asked, registry=registry)
        places = places_of(presented, school=school.id, keys=self.keys)
        filed_on = day_of(self.clock())
        request_id = make_request_id(self.random)
        is_objection = asked.kind is RequestKind.OBJECTION
        stored = StoredRequest(
            id=request_id,
            school=school.id,
            kind=asked.kind,
            state=RequestState.OPEN,
            filed_on=filed_on,
            deadline=filed_on + timedelta(days=self.days),
            blocks=is_objection and school.objection_blocks,
            subject=seal_subject(
                RequestSubject(
                    supplier=asked.supplier, attribute=asked.attribute, by_parent=asked.by_parent
                ),
                of=request_id,
                school=school.id,
                keys=self.keys,
                nonce=self.random(NONCE_BYTES),
            ),
        )
        filed = await self.book.file(
            Filing(
                request=stored,
                same=mark_same(
                    places[-1].tag, asked.kind, asked.supplier, asked.attribute, keys=self.keys
                ),
                persons=tuple(each.tag for each in places),
                shields=tuple(
                    (each.tag, self._seal(asked, each, request_id))
                    for each in places
                    if is_objection
                ),
            )
        )
        if filed == request_id:
            self.audit.record(AuditEvent(action=f"request-{asked.kind}", school=school.id))
        return await self._find_own(filed, presented=presented, school=school)

    async def list_own(self, presented: Presented, *, school: School) -> tuple[PersonRequest, ...]:
        """Return what somebody asked of a school, newest first.

        Raises:
            RegisterUnavailable: it cannot be read.
        """
        tags = [each.tag for each in places_of(presented, school=school.id, keys=self.keys)]
        stored = await self.book.of_persons(tags)
        return tuple(open_request(each, keys=self.keys) for each in stored)

    async def withdraw(
        self, request_id: RequestId, *, presented: Presented, school: School
    ) -> PersonRequest:
        """Take a request back: one that is open, or an objection that was granted.

        Raises:
            RequestNotThere: this person has no such request at this school.
            RequestChanged: it was decided meanwhile, or there is nothing to take back.
            RegisterUnavailable: nobody knows whether it is taken back.
        """
        found = await self._find_own(request_id, presented=presented, school=school)
        if not may_be_withdrawn(found):
            raise RequestChanged("check_request_can_be_withdrawn")
        today = day_of(self.clock())
        await move_request(found, RequestState.WITHDRAWN, book=self.book, today=today)
        self.audit.record(AuditEvent(action="request-withdrawn", school=school.id))
        return await self._find_own(request_id, presented=presented, school=school)

    async def _find_own(
        self, request_id: RequestId, *, presented: Presented, school: School
    ) -> PersonRequest:
        for each in await self.list_own(presented, school=school):
            if each.id == request_id:
                return each
        raise RequestNotThere("check_request_is_own")

    def _seal(self, asked: Asked, place: ShieldPlace, request_id: RequestId) -> bytes:
        attribute, supplier = asked.attribute, asked.supplier
        record = ShieldRecord(
            level=ShieldLevel.NO_LOGIN if attribute is None else ShieldLevel.NO_ATTRIBUTES,
            suppliers=() if supplier is None else (supplier,),
            attributes=() if attribute is None else (attribute,),
        )
        return seal_shield(record, place=place, of=request_id, nonce=self.random(NONCE_BYTES))


def make_request_id(random: Random) -> RequestId:
    """Return a fresh code; 48 random bits, so that no two are the same.

    >>> make_request_id(lambda count: bytes(range(count)))
    'befoheko-befoheko'
    """
    return RequestId(f"{make_reference(random)}-{make_reference(random)}")


def check_askable(asked: Asked, *, registry: Registry) -> None:
    """Refuse what no page offers: what comes with a form may be anything."""
    if asked.supplier is not None and asked.supplier not in registry.suppliers:
        raise RequestNotPossible("check_supplier_known")
    if asked.attribute is not None and asked.attribute not in VOCABULARY:
        raise RequestNotPossible("check_attribute_known")
    if asked.kind is RequestKind.OBJECTION and asked.supplier is None:
        raise RequestNotPossible("check_objection_names_supplier")


def may_be_withdrawn(request: PersonRequest) -> bool:
    """Tell whether taking a request back changes anything."""
    has_effect = request.kind is RequestKind.OBJECTION and request.state is RequestState.GRANTED
    return request.state is RequestState.OPEN or has_effect


async def move_request(
    found: PersonRequest, after: RequestState, *, book: RequestBook, today: date
) -> None:
    """Put a request in another state than it was found in.

    Raises:
        RequestChanged: somebody else did meanwhile.
        RegisterUnavailable: nobody knows whether it is.
    """
    move = RequestMove(found.id, found.school, before=found.state, after=after, on=today)
    if not await book.move(move):
        raise RequestChanged("check_request_unchanged")


def open_request(stored: StoredRequest, *, keys: ShieldKeys) -> PersonRequest:
    """Return a stored request with what it is about.

    Raises:
        RegisterUnavailable: it does not open under our key.
    """
    try:
        return read_request(stored, keys=keys)
    except UnreadableRecord:
        raise RegisterUnavailable("check_request_opens") from None
