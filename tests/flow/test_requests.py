"""A pupil or parent asks something of the school."""

from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256

import msgspec
import pytest

from broker.domain.attributes import GIVEN_NAME, AttributeName, Population
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.shielding import Shield, ShieldedBy, ShieldLevel
from broker.flow.held_state.framing import seal
from broker.flow.persons.person_records import Presented
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.requests.filing import Asked, RequestDesk
from broker.flow.requests.person_requests import (
    MAX_OPEN_REQUESTS,
    RequestChanged,
    RequestId,
    RequestKind,
    RequestMove,
    RequestNotPossible,
    RequestNotThere,
    RequestState,
    TooManyRequests,
)
from broker.flow.shielding.shield_records import derive_shield_keys, places_of
from broker.flow.shielding.shielded_logins import find_shields
from broker.flow.shielding.shields import Shielding
from broker.pseudonyms.derivation import lp
from tests.builders import a_school
from tests.flow.login_parties import every_party, registry_of
from tests.flow.memory_shields import MemoryShields
from tests.flow.port_fakes import ListAudit
from tests.flow.register_world import a_root

REGISTRY = registry_of(every_party())
SCHOOL = a_school(id=SchoolId("vuurvogel"))
REKENRIJK, TAALTUIN = SupplierId("rekenrijk"), SupplierId("taaltuin")
SANNE = Presented(Population.PUPIL, eck_id=a_root("E:sanne"), local=a_root("L:sanne"))
DAAN = Presented(Population.PUPIL, eck_id=None, local=a_root("L:daan"))
KEYS = derive_shield_keys(b"k" * 32)
OBJECTS = Asked(RequestKind.OBJECTION, REKENRIJK)
CORRECTS = Asked(RequestKind.CORRECTION)


class StoredShape(msgspec.Struct):
    """No shield."""

    level: int = 1


class Counting:
    """Random bytes that are never the same twice."""

    def __init__(self) -> None:
        self.drawn = 0

    def __call__(self, count: int) -> bytes:
        self.drawn += 1
        return sha256(b"%d" % self.drawn).digest()[:count]


@pytest.fixture
def book() -> MemoryShields:
    return MemoryShields()


@pytest.fixture
def audit() -> ListAudit:
    return ListAudit(frozenset())


@pytest.fixture
def desk(book: MemoryShields, audit: ListAudit) -> RequestDesk:
    return RequestDesk(
        book=book,
        keys=KEYS,
        clock=lambda: datetime(2026, 9, 1, 22, 30, tzinfo=UTC),
        random=Counting(),
        audit=audit,
        days=28,
    )


async def shields_of(
    book: MemoryShields, presented: Presented = SANNE, school: SchoolId = SCHOOL.id
) -> tuple[Shield, ...]:
    shielding = Shielding(book, KEYS, Counting())
    found = await find_shields(presented, school=school, old_roots={}, shielding=shielding)
    return tuple(found.by_id.values())


async def file(
    desk: RequestDesk, asked: Asked = OBJECTS, presented: Presented = SANNE
) -> RequestId:
    filed = await desk.file(asked, presented=presented, school=SCHOOL, registry=REGISTRY)
    return filed.id


async def grant(book: MemoryShields, of: RequestId) -> None:
    opened, granted = RequestState.OPEN, RequestState.GRANTED
    assert await book.move(RequestMove(of, SCHOOL.id, opened, granted, date(2026, 9, 3)))


async def test_a_request_has_a_deadline_and_its_own_person_sees_it(
    desk: RequestDesk, audit: ListAudit
) -> None:
    asked = Asked(RequestKind.ERASURE, REKENRIJK, by_parent=True)
    filed = await desk.file(asked, presented=SANNE, school=SCHOOL, registry=REGISTRY)
    assert (filed.filed_on, filed.deadline) == (date(2026, 9, 2), date(2026, 9, 30))
    assert (filed.kind, filed.supplier, filed.attribute) == (asked.kind, REKENRIJK, None)
    assert filed.by_parent
    assert not filed.blocks
    assert (filed.state, filed.decided_on, filed.grounds) == (RequestState.OPEN, None, None)
    assert filed.days_left(date(2026, 10, 2)) == -2
    assert await desk.list_own(SANNE, school=SCHOOL) == (filed,)
    assert await desk.list_own(DAAN, school=SCHOOL) == ()
    assert await desk.list_own(SANNE, school=a_school(id=SchoolId("regenboog"))) == ()
    assert [each.action for each in audit.events] == ["request-erasure"]


async def test_an_objection_takes_nothing_away_until_it_is_granted(
    desk: RequestDesk, book: MemoryShields
) -> None:
    filed = await file(desk)
    assert await shields_of(book) == ()
    await grant(book, filed)
    shield = Shield(ShieldedBy.OBJECTION, ShieldLevel.NO_LOGIN, frozenset({REKENRIJK}))
    assert await shields_of(book) == (shield,)
    by_number = Presented(Population.PUPIL, eck_id=None, local=SANNE.local)
    assert await shields_of(book, by_number) == (shield,)
    assert await shields_of(book, DAAN) == ()
    assert await shields_of(book, school=SchoolId("regenboog")) == ()


async def test_one_against_an_attribute_takes_that_alone_away(
    desk: RequestDesk, book: MemoryShields
) -> None:
    await grant(book, await file(desk, Asked(RequestKind.OBJECTION, REKENRIJK, GIVEN_NAME)))
    (shield,) = await shields_of(book)
    assert shield.level is ShieldLevel.NO_ATTRIBUTES
    assert shield.attributes == {GIVEN_NAME}


async def test_it_holds_at_once_where_the_school_says_so(
    desk: RequestDesk, book: MemoryShields
) -> None:
    school = a_school(objection_blocks=True)
    filed = await desk.file(OBJECTS, presented=SANNE, school=school, registry=REGISTRY)
    assert filed.blocks
    assert len(await shields_of(book)) == 1
    asked = Asked(RequestKind.CORRECTION, REKENRIJK)
    assert not (await desk.file(asked, presented=DAAN, school=school, registry=REGISTRY)).blocks
    assert await shields_of(book, DAAN) == ()


async def test_the_same_one_twice_is_one(desk: RequestDesk, audit: ListAudit) -> None:
    assert await file(desk) == await file(desk)
    by_number = Presented(Population.PUPIL, eck_id=None, local=SANNE.local)
    assert await file(desk, presented=by_number) == await file(desk)
    assert await file(desk, Asked(RequestKind.OBJECTION, TAALTUIN)) != await file(desk)
    assert len(audit.events) == 2


async def test_nobody_files_more_than_a_few(desk: RequestDesk) -> None:
    suppliers = sorted(REGISTRY.suppliers)[:3]
    kinds = (RequestKind.CORRECTION, RequestKind.ERASURE)
    many = [Asked(kind, supplier) for supplier in suppliers for kind in kinds]
    for asked in many[:MAX_OPEN_REQUESTS]:
        await file(desk, asked)
    with pytest.raises(TooManyRequests):
        await file(desk, many[MAX_OPEN_REQUESTS])
    first = await file(desk, many[0])
    await desk.withdraw(first, presented=SANNE, school=SCHOOL)
    assert await file(desk, many[MAX_OPEN_REQUESTS])


@pytest.mark.parametrize(
    "asked",
    [
        Asked(RequestKind.OBJECTION),
        Asked(RequestKind.OBJECTION, SupplierId("unknown")),
        Asked(RequestKind.OBJECTION, REKENRIJK, AttributeName("favourite colour")),
    ],
)
async def test_what_no_page_offers_is_not_filed(desk: RequestDesk, asked: Asked) -> None:
    with pytest.raises(RequestNotPossible):
        await file(desk, asked)
    assert await desk.list_own(SANNE, school=SCHOOL) == ()


async def test_a_request_is_taken_back(desk: RequestDesk, book: MemoryShields) -> None:
    filed = await file(desk)
    taken_back = await desk.withdraw(filed, presented=SANNE, school=SCHOOL)
    assert taken_back.state is RequestState.WITHDRAWN
    granted = await file(desk)
    await grant(book, granted)
    await desk.withdraw(granted, presented=SANNE, school=SCHOOL)
    assert await shields_of(book) == ()


async def test_nobody_takes_back_anothers(desk: RequestDesk) -> None:
    filed = await file(desk)
    with pytest.raises(RequestNotThere):
        await desk.withdraw(filed, presented=DAAN, school=SCHOOL)
    elsewhere = a_school(id=SchoolId("regenboog"))
    with pytest.raises(RequestNotThere):
        await desk.withdraw(filed, presented=SANNE, school=elsewhere)


async def test_what_is_decided_is_not_taken_back(desk: RequestDesk, book: MemoryShields) -> None:
    filed = await file(desk, CORRECTS)
    await grant(book, filed)
    with pytest.raises(RequestChanged, match="check_request_can_be_withdrawn"):
        await desk.withdraw(filed, presented=SANNE, school=SCHOOL)


async def test_one_that_is_decided_meanwhile_stays_decided(
    desk: RequestDesk, book: MemoryShields, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed = await file(desk)

    async def is_other_by_now(move: RequestMove) -> bool:
        return False

    monkeypatch.setattr(book, "move", is_other_by_now)
    with pytest.raises(RequestChanged, match="check_request_unchanged"):
        await desk.withdraw(filed, presented=SANNE, school=SCHOOL)


async def test_rows_that_do_not_open_are_a_fault_and_no_shield(
    desk: RequestDesk, book: MemoryShields
) -> None:
    await grant(book, await file(desk))
    (_, stored) = next(iter(book.shields.values()))
    changed = replace(stored, sealed=stored.sealed[:-1] + b"!")
    book.shields = {(stored.tag, stored.id): (SCHOOL.id, changed)}
    with pytest.raises(RegisterUnavailable, match="check_shield_opens"):
        await shields_of(book)
    (place, *_) = places_of(SANNE, school=SCHOOL.id, keys=KEYS)
    other = seal(place.key, StoredShape(), nonce=bytes(12), bound_to=lp(place.tag, stored.id))
    book.shields = {
        (place.tag, stored.id): (SCHOOL.id, replace(stored, tag=place.tag, sealed=other))
    }
    with pytest.raises(RegisterUnavailable, match="check_shield_opens"):
        await shields_of(book)
    (request,) = book.requests.values()
    book.requests[request.id] = replace(request, subject=b"changed")
    with pytest.raises(RegisterUnavailable, match="check_request_opens"):
        await desk.list_own(SANNE, school=SCHOOL)
