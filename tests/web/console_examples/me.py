"""Examples of the pages of `/me`."""

from datetime import UTC, date, datetime

from broker.flow.parents.parent_codes import CodeNotOpen
from broker.flow.requests.person_requests import Grounds, RequestKind, RequestState
from broker.web.login_pages import LoginChoice
from broker.web.me.me_pages import (
    ChangeRow,
    DayRow,
    DecisionLink,
    DecisionPage,
    LetterRow,
    MeBeginPage,
    MeClosedPage,
    MeLoginsPage,
    MePage,
    ParentPage,
    RequestRow,
    SupplierCard,
    YearLink,
)
from broker.web.me.me_request_pages import (
    GROUNDS_WORDS,
    KIND_WORDS,
    KINDS,
    STATE_WORDS,
    AskPage,
)
from broker.web.me.me_request_routes import CHOOSE_SUPPLIER
from broker.web.pages import Page
from broker.web.school_choice import SchoolChoice

SCHOOL = SchoolChoice(id="vuurvogel", name="De Vuurvogel", place="Utrecht", brin="11AA")
DAY = date(2026, 11, 3)
NAME = "a" + "b2" * 26


def a_card(**changes: object) -> SupplierCard:
    fields: dict[str, object] = {
        "id": "supplier-1",
        "name": "RekenRijk",
        "shared": ("givenName", "mail"),
        "kept": ("sn", "birthDate"),
        "count": 3,
        "last": datetime(2026, 11, 3, 9, 5, tzinfo=UTC),
        "days": (
            DayRow(day=date(2026, 11, 3), times=("09:05", "10:40")),
            DayRow(day=date(2026, 9, 7), times=("08:10",)),
        ),
        "changes": (
            ChangeRow(day=date(2026, 11, 3), more=("mail", "nlEduPersonUnit"), less=("initials",)),
        ),
        "pseudonyms": (NAME, NAME[::-1]),
        "decisions": (DecisionLink(url="/me/decision?version=3", version=3),),
    }
    return SupplierCard(**{**fields, **changes})  # type: ignore[arg-type]


def a_me_page(**changes: object) -> MePage:
    fields: dict[str, object] = {
        "csrf": "the-token",
        "school": "vuurvogel",
        "school_name": "De Vuurvogel",
        "first_name": "Sanne",
        "is_parent": False,
        "minutes": 15,
        "year": 2026,
        "years": (YearLink(year=2026, is_here=True), YearLink(year=2025, is_here=False)),
        "cards": (a_card(), a_card(id="supplier-2", name="Taaltuin", changes=(), kept=())),
        "unreadable": 0,
    }
    return MePage(**{**fields, **changes})  # type: ignore[arg-type]


def a_request(**changes: object) -> RequestRow:
    fields: dict[str, object] = {
        "id": "befoheko",
        "kind": KIND_WORDS[RequestKind.OBJECTION],
        "supplier_name": "RekenRijk",
        "attribute": "givenName",
        "filed_on": date(2026, 11, 3),
        "deadline": date(2026, 12, 1),
        "days_left": 4,
        "standing": STATE_WORDS[RequestState.OPEN],
        "tag": "busy",
        "grounds": "",
        "blocks": True,
        "by_parent": False,
        "may_withdraw": True,
    }
    return RequestRow(**{**fields, **changes})  # type: ignore[arg-type]


REQUESTS = (
    a_request(),
    a_request(days_left=-1, by_parent=True, blocks=False),
    a_request(
        kind=KIND_WORDS[RequestKind.ERASURE],
        supplier_name="",
        attribute="",
        days_left=None,
        standing=STATE_WORDS[RequestState.REFUSED],
        tag="bad",
        grounds=GROUNDS_WORDS[Grounds.LAW_REQUIRES],
        blocks=False,
        may_withdraw=False,
    ),
)


def an_ask_page(**changes: object) -> AskPage:
    fields: dict[str, object] = {
        "csrf": "the-token",
        "school_name": "De Vuurvogel",
        "is_parent": False,
        "kinds": KINDS,
        "suppliers": (("rekenrijk", "RekenRijk"), ("taaltuin", "Taaltuin")),
        "attributes": ("givenName", "mail"),
        "days": 28,
    }
    return AskPage(**{**fields, **changes})  # type: ignore[arg-type]


EXAMPLES: dict[str, Page] = {
    "begin": MeBeginPage(csrf="the-token", schools=(SCHOOL,), found_count=1),
    "begin, known": MeBeginPage(
        csrf="the-token", schools=(), found_count=25, remembered=SCHOOL, was_open=True
    ),
    "begin, nothing found": MeBeginPage(csrf="the-token", query="zzz", schools=(), found_count=0),
    "begin, some found": MeBeginPage(csrf="the-token", query="v", schools=(SCHOOL,), found_count=1),
    "logins": MeLoginsPage(
        csrf="the-token",
        school="vuurvogel",
        school_name="De Vuurvogel",
        choices=(
            LoginChoice(id="a", name="ParnasSys", place="login.vuurvogel.example"),
            LoginChoice(id="b", name="", place="id.vuurvogel.example"),
        ),
    ),
    "what was shared": a_me_page(),
    "parent": a_me_page(is_parent=True, first_name="", minutes=1),
    "without a name": a_me_page(
        first_name="", cards=(a_card(pseudonyms=(), shared=(), without_name=True),), unreadable=2
    ),
    "a year without anything": a_me_page(cards=()),
    "never seen": a_me_page(cards=(), years=(), unreadable=1),
    "decision": DecisionPage(
        csrf="the-token",
        school_name="De Vuurvogel",
        supplier_name="RekenRijk",
        version=3,
        first_day=date(2026, 8, 1),
        last_day=date(2027, 7, 31),
        approved=(("givenName", "We greet pupils by their first name."), ("mail", "")),
        by_board=False,
    ),
    "decision of a board": DecisionPage(
        csrf="the-token",
        school_name="De Vuurvogel",
        supplier_name="RekenRijk",
        version=1,
        first_day=date(2026, 8, 1),
        last_day=None,
        approved=(),
        by_board=True,
    ),
    "closed": MeClosedPage(),
    "letter of a parent": ParentPage(csrf="the-token"),
    "letter of a parent, wrong code": ParentPage(
        csrf="the-token", what=CodeNotOpen.what, remedy=CodeNotOpen.remedy
    ),
    "with letters of parents": a_me_page(
        letters=(
            LetterRow(issued_on=date(2026, 9, 1), uses=2, used_on=DAY, withdrawn=False),
            LetterRow(issued_on=date(2026, 9, 1), uses=1, used_on=DAY, withdrawn=True),
            LetterRow(issued_on=DAY, uses=0, used_on=None, withdrawn=False),
        )
    ),
    "with requests": a_me_page(requests=REQUESTS),
    "ask": an_ask_page(chosen_supplier="rekenrijk"),
    "ask, of nobody": an_ask_page(
        suppliers=(), attributes=(), is_parent=True, error=CHOOSE_SUPPLIER, days=1
    ),
}
