"""What waits for somebody, on the first page: one small function for each kind of work."""

from collections.abc import Awaitable, Callable

from broker.domain.console_roles import Permission
from broker.flow.console.actors import boards_of, schools_of
from broker.web.console.doors import Seat
from broker.web.console.home_pages import WaitingLine
from broker.web.texts import N_
from broker.web.wiring import Web

MAX_SCHOOLS = 40
"""Of somebody with more, no school is looked at one by one for the first page."""

Count = Callable[[Web, Seat], Awaitable[int]]


async def count_to_sign(web: Web, seat: Seat) -> int:
    """Decisions that were prepared, for who signs."""
    actor, sign = seat.actor, Permission.SIGN_DECISION
    schools = schools_of(actor, web.snapshots.registry, sign)
    desk, found = web.console.decisions, 0
    for board in boards_of(actor, sign):
        found += len(desk.waiting(actor, unverified_board=board))
    for school in schools if len(schools) <= MAX_SCHOOLS else ():
        found += len(desk.waiting(actor, unverified_school=school.id))
    return found


async def count_requests(web: Web, seat: Seat) -> int:
    """Requests of pupils and parents, for the privacy officer."""
    schools = schools_of(seat.actor, web.snapshots.registry, Permission.DECIDE_REQUEST)
    found = 0
    for school in schools if len(schools) <= MAX_SCHOOLS else ():
        found += (await web.console.officer.count_open(seat.actor, school)).open
    return found


async def count_expiring(web: Web, seat: Seat) -> int:
    """Decisions that end within 60 days, for who prepares them."""
    if not schools_of(seat.actor, web.snapshots.registry, Permission.PREPARE_DECISION):
        return 0
    return len(web.console.decisions.expiring(seat.actor))


WAITING: tuple[tuple[str, str, Count], ...] = (
    (N_("Decisions to sign"), "/console/decide", count_to_sign),
    (N_("Requests to answer"), "/console/requests", count_requests),
    (N_("Decisions that end within 60 days"), "/console/decide", count_expiring),
)
"""Words, page and count, in this order; nothing is shown of what there is none of."""


async def find_waiting(web: Web, seat: Seat) -> tuple[WaitingLine, ...]:
    """Return what waits for somebody."""
    lines = [
        WaitingLine(words=words, path=path, count=await count(web, seat))
        for words, path, count in WAITING
    ]
    return tuple(each for each in lines if each.count)
