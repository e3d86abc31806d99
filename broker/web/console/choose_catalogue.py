"""The catalogue of services of a school or board: what there is, and how it stands with each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.sheet_documents import ProductCategory
from broker.flow.decisions.decision_types import CatalogueLine, DecidedBy, Standing
from broker.web.console.choose_places import (
    DECIDE,
    PLACE_PATH,
    Pager,
    Place,
    page_through,
    places_of,
    read_place,
    words_for,
)
from broker.web.console.decision_words import DecisionWords
from broker.web.console.doors import Seat, console_route, show_console
from broker.web.console.sheet_words import CATEGORY_WORDS
from broker.web.requests import only, read_query
from broker.web.responses import redirect
from broker.web.texts import N_
from broker.web.wiring import Web

MAX_QUERY_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class State:
    """How it stands with a service, as a page shows it: words and the kind of their tag."""

    words: str
    kind: str


STATES: Mapping[str, State] = MappingProxyType(
    {
        "signature": State(N_("Waits for a signature"), "busy"),
        "new-sheet": State(N_("New version of the sheet"), "look"),
        "ends": State(N_("Ends soon"), "look"),
        "in-force": State(N_("In force"), "good"),
        "later": State(N_("Begins later"), "busy"),
        "stopped": State(N_("Stopped"), "bad"),
        "ended": State(N_("Ended"), "plain"),
        "none": State(N_("No decision"), "plain"),
    }
)
"""By the name that an address uses, in the order of the choice."""


def state_of(line: CatalogueLine) -> str:
    """Return which of `STATES` a line is in: what asks for somebody's attention comes first."""
    if line.draft is not None:
        return "signature"
    if line.standing is not Standing.IN_FORCE:
        return line.standing.value
    if line.waiting:
        return "new-sheet"
    return "ends" if line.ends_soon else "in-force"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """One service: `ends` is a day in words, `decided_by` a message id; "" for none."""

    url: str
    name: str
    category: str
    standing: State
    ends: str
    decided_by: str
    is_linkable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CataloguePage:
    """Which services are there, and how does it stand with each?

    Attributes:
        counts: how many are in each state that asks for attention: words, number, address.
    """

    template: ClassVar[str] = "console/choose_catalogue.html"
    place: Place
    query: str = field(default="", repr=False)
    category: str = ""
    standing: str = ""
    categories: tuple[tuple[str, str], ...] = ()
    states: tuple[tuple[str, str], ...] = ()
    counts: tuple[tuple[str, int, str], ...] = ()
    rows: tuple[ServiceRow, ...]
    pager: Pager


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesPage:
    """For which school or board do you decide?"""

    template: ClassVar[str] = "console/choose_places.html"
    query: str = field(default="", repr=False)
    places: tuple[Place, ...]
    pager: Pager


_DECIDED_BY: Mapping[DecidedBy, str] = MappingProxyType(
    {
        DecidedBy.NOBODY: "",
        DecidedBy.ITSELF: "",
        DecidedBy.BOARD: N_("Decided by the board"),
        DecidedBy.OLD_SCHOOLS: N_("Goes on from the schools of before"),
    }
)

_ASKS = ("signature", "new-sheet", "ends")


def catalogue_routes(web: Web) -> list[Route]:
    """Return the routes of the catalogue, and of the page before it."""

    async def places(request: Request, seat: Seat) -> Response:
        found = places_of(seat.actor, web.snapshots.registry)
        if len(found) == 1:
            return redirect(found[0].path)
        query = read_query(request)
        looked_for = only(query, "q")[:MAX_QUERY_CHARACTERS]
        matching = tuple(
            each for each in found if _is_in(looked_for, each.name, each.id, each.brin)
        )
        shown, pager = page_through(
            len(matching), page=only(query, "page"), path=DECIDE, query={"q": looked_for}
        )
        page = PlacesPage(query=looked_for, places=matching[shown], pager=pager)
        return show_console(web, request, seat, page)

    async def catalogue(request: Request, seat: Seat) -> Response:
        place = read_place(web, request, seat.actor)
        lines = web.console.decisions.catalogue(seat.actor, **place.names)
        page = build_catalogue(
            place,
            lines,
            words_for(web, request),
            query=only(read_query(request), "q")[:MAX_QUERY_CHARACTERS],
            category=only(read_query(request), "category"),
            state=only(read_query(request), "state"),
            page=only(read_query(request), "page"),
        )
        return show_console(web, request, seat, page)

    return [console_route(web, DECIDE, places), console_route(web, PLACE_PATH, catalogue)]


def build_catalogue(
    place: Place,
    lines: tuple[CatalogueLine, ...],
    words: DecisionWords,
    *,
    query: str = "",
    category: str = "",
    state: str = "",
    page: str = "",
) -> CataloguePage:
    """Return the page of a catalogue; unknown choices of an address choose nothing."""
    category = category if category in set(ProductCategory) else ""
    state = state if state in STATES else ""
    states = [state_of(each) for each in lines]
    wanted: Callable[[CatalogueLine, str], bool] = lambda line, its: (  # noqa: E731
        _is_in(query, line.name, line.supplier)
        and category in ("", line.category)
        and state in ("", its)
    )
    found = [pair for pair in zip(lines, states, strict=True) if wanted(*pair)]
    asked = {"q": query, "category": category, "state": state}
    shown, pager = page_through(len(found), page=page, path=place.path, query=asked)
    return CataloguePage(
        place=place,
        query=query,
        category=category,
        standing=state,
        categories=tuple((each.value, words.say(CATEGORY_WORDS[each])) for each in ProductCategory),
        states=tuple((name, words.say(each.words)) for name, each in STATES.items()),
        counts=tuple(
            (STATES[name].words, states.count(name), f"{place.path}?state={name}")
            for name in _ASKS
            if name in states
        ),
        rows=tuple(_row(place, words, *pair) for pair in found[shown]),
        pager=pager,
    )


def _row(place: Place, words: DecisionWords, line: CatalogueLine, state: str) -> ServiceRow:
    category = line.category
    known = category in set(ProductCategory)
    return ServiceRow(
        url=place.service(line.supplier),
        name=line.name,
        category=CATEGORY_WORDS[ProductCategory(category)] if known else "",
        standing=STATES[state],
        ends="" if line.last_day is None else words.day(line.last_day),
        decided_by="" if place.is_board else _DECIDED_BY[line.decided_by],
        is_linkable=line.is_linkable,
    )


def _is_in(query: str, *texts: str) -> bool:
    return not query or any(query.casefold() in each.casefold() for each in texts)
