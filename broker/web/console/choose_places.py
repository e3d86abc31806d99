"""Where somebody decides: a school, or a board for all its schools; their names and addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal
from urllib.parse import quote, urlencode

from starlette.requests import Request

from broker.domain.console_roles import Permission
from broker.domain.federation import School
from broker.domain.ids import BoardId
from broker.domain.registry import Registry
from broker.flow.console.actors import Actor, boards_of, check_may, find_school, schools_of
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.decisions.decision_types import Decider
from broker.web.console.decision_words import DecisionWords
from broker.web.responses import read_language
from broker.web.wiring import Web

DECIDE = "/console/decide"
PLACE_PATH = DECIDE + "/{kind}/{place}"
SERVICE_PATH = PLACE_PATH + "/with/{supplier}"

PlaceKindName = Literal["school", "board"]


@dataclass(frozen=True, slots=True)
class Place:
    """A school or board that decides.

    Attributes:
        brin: of a school; "" for a board.
    """

    kind: PlaceKindName
    id: str
    name: str
    brin: str = ""

    @property
    def path(self) -> str:
        """Return the address of its catalogue."""
        return f"{DECIDE}/{self.kind}/{quote(self.id, safe='')}"

    @property
    def is_board(self) -> bool:
        """Tell whether it decides for several schools."""
        return self.kind == "board"

    @property
    def names(self) -> Mapping[str, str]:
        """Return it as flows take it."""
        return {f"unverified_{self.kind}": self.id}

    def service(self, supplier: str, part: str = "") -> str:
        """Return the address of a service here, or of a part of it."""
        return f"{self.path}/with/{quote(supplier, safe='')}{'/' if part else ''}{part}"


def read_place(
    web: Web, request: Request, actor: Actor, permission: Permission = Permission.SEE_SCHOOL
) -> Place:
    """Return the place that an address names, where the actor may look.

    Raises:
        NotAllowed: there is none, or not for this actor.
    """
    kind, unverified = request.path_params["kind"], request.path_params["place"]
    registry = web.snapshots.registry
    if kind == "school":
        return place_of_school(
            find_school(actor, permission, unverified_school=unverified, registry=registry)
        )
    if kind == "board":
        check_may(actor, permission, board=BoardId(unverified), registry=registry)
        return Place("board", unverified, unverified)
    raise NotAllowed("check_place_kind")


def place_of_school(school: School) -> Place:
    """Return a school as a place."""
    return Place("school", school.id, school.name, school.branch or school.brin)


def place_of(decider: Decider, registry: Registry) -> Place:
    """Return who decides as a place; its id for a name when it is not there any more."""
    if decider.school is None:
        return Place("board", str(decider.board), str(decider.board))
    school = registry.schools.get(decider.school)
    if school is None:
        return Place("school", decider.school, decider.school)
    return place_of_school(school)


def places_of(actor: Actor, registry: Registry) -> tuple[Place, ...]:
    """Return where somebody sees decisions: boards first, then schools by name."""
    boards = (Place("board", each, each) for each in boards_of(actor, Permission.SEE_SCHOOL))
    return (*boards, *(place_of_school(each) for each in schools_of(actor, registry)))


def words_for(web: Web, request: Request) -> DecisionWords:
    """Return what puts decisions into words for this answer."""
    language = read_language(web, request)
    return DecisionWords(language, web.pages.texts[language])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pager:
    """Which part of a list is shown: `first` counts from 1; 0 of an empty list."""

    SIZE: ClassVar[int] = 50

    first: int
    last: int
    total: int
    previous_url: str = ""
    next_url: str = ""


def page_through(
    total: int, *, page: str, path: str, query: Mapping[str, str]
) -> tuple[slice, Pager]:
    """Return which part of a list to show for `page` of an address, whatever stands there.

    >>> page_through(120, page="2", path="/x", query={"q": "a"})[1].next_url
    '/x?q=a&page=3'
    """
    size = Pager.SIZE
    pages = max(1, -(-total // size))
    at = min(int(page[:6]), pages) if page.isascii() and page[:6].isdigit() and int(page[:6]) else 1
    begin = (at - 1) * size

    def url(to: int) -> str:
        kept = {name: value for name, value in query.items() if value}
        return f"{path}?{urlencode(kept | {'page': str(to)})}"

    shown = slice(begin, min(begin + size, total))
    return shown, Pager(
        first=begin + 1 if total else 0,
        last=shown.stop,
        total=total,
        previous_url=url(at - 1) if at > 1 else "",
        next_url=url(at + 1) if at < pages else "",
    )
