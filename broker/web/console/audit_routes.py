"""The console's audit: who did what, and what was before."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.console_roles import ConsoleUserId, Permission, PlaceKind
from broker.domain.dutch_days import NETHERLANDS
from broker.domain.registry import Registry
from broker.flow.console.actors import ActorKind
from broker.flow.console.audit_reading import ENTRIES_A_PAGE
from broker.flow.console.console_audit import KeptEntry
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.console.person_codes import person_code
from broker.web.console.audit_pages import AuditLogPage, AuditRow
from broker.web.console.doors import Seat, console_route, show_console
from broker.web.console.people_pages import PlaceChoice
from broker.web.console.places_shown import find_places, read_place, write_place
from broker.web.console.role_words import ROLE_WORDS, name_place
from broker.web.requests import only, read_query
from broker.web.wiring import Web

AUDIT = "/console/audit"
MAX_PAGE_DIGITS = 6


def audit_routes(web: Web) -> list[Route]:
    """Return the route of the audit."""

    async def audit(request: Request, seat: Seat) -> Response:
        query = read_query(request)
        registry = web.snapshots.registry
        places = find_places(seat.actor, Permission.SEE_AUDIT, registry=registry)
        place = read_place(only(query, "place")) or (places[0] if places else None)
        if place is None:
            raise NotAllowed("check_place_to_look_at")
        number, action = _page_number(only(query, "page")), only(query, "q")
        found = web.console.audit_reading.look(seat.actor, place, action=action, page=number)
        first = (number - 1) * ENTRIES_A_PAGE

        def address(page: int) -> str:
            stated = {"place": write_place(place), "q": action, "page": str(page)}
            return f"{AUDIT}?{urlencode(stated)}"

        page = AuditLogPage(
            place=write_place(place),
            place_name=name_place(place.kind, place.id, registry=registry),
            places=tuple(
                PlaceChoice(
                    value=write_place(each),
                    name=name_place(each.kind, each.id, registry=registry),
                    is_here=each == place,
                )
                for each in places
            ),
            rows=tuple(_row(each, registry) for each in found.entries),
            query=action,
            first=first + 1 if found.entries else 0,
            last=first + len(found.entries),
            total=found.found,
            previous_url=address(number - 1) if number > 1 else "",
            next_url=address(number + 1) if first + len(found.entries) < found.found else "",
        )
        return show_console(web, request, seat, page)

    return [console_route(web, AUDIT, audit)]


def _row(kept: KeptEntry, registry: Registry) -> AuditRow:
    entry = kept.entry
    places = (
        (PlaceKind.SCHOOL, entry.school),
        (PlaceKind.BOARD, entry.board),
        (PlaceKind.SUPPLIER, entry.supplier),
    )
    named = (name_place(kind, each, registry=registry) for kind, each in places if each)
    is_person = entry.kind is ActorKind.PERSON
    return AuditRow(
        number=kept.number,
        at=f"{entry.at.astimezone(NETHERLANDS):%Y-%m-%d %H:%M}",
        who=person_code_of(entry.actor) if is_person else entry.actor,
        role="" if entry.role is None else ROLE_WORDS[entry.role],
        action=entry.action,
        where=", ".join(named),
        before=entry.before,
        after=entry.after,
        document=entry.document_hash,
    )


def person_code_of(actor: str) -> str:
    """Return by what somebody in an entry is known."""
    return person_code(ConsoleUserId(actor))


def _page_number(stated: str) -> int:
    is_number = stated.isascii() and stated.isdigit() and len(stated) <= MAX_PAGE_DIGITS
    return max(1, int(stated)) if is_number else 1
