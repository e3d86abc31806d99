"""Pages about single pupils: shields, requests, pseudonyms."""

from dataclasses import replace
from datetime import date

from broker.flow.own_pupils.pseudonym_finder import FoundState
from broker.flow.requests.person_requests import Grounds, RequestKind, RequestState
from broker.flow.shielding.shield_desk import NoSuchPupil
from broker.web.console.pupils_pages import (
    ANSWER_WORDS,
    ASKED_WORDS,
    EFFECT_WORDS,
    FOUND_WORDS,
    LEVEL_HINTS,
    LEVEL_WORDS,
    POPULATION_WORDS,
    REASON_WORDS,
    STANDING_TAGS,
    STANDING_WORDS,
    ChooseSchoolPage,
    FoundLine,
    PseudonymsPage,
    PupilsPlace,
    RequestLine,
    RequestPage,
    RequestsPage,
    ShieldedRow,
    ShieldPage,
)
from broker.web.console.pupils_places import PSEUDONYMS, REQUESTS, SHIELDS, trouble_of
from broker.web.console.pupils_shield_routes import DONE
from broker.web.pages import Page


def place(here: str) -> PupilsPlace:
    return PupilsPlace(url=f"{here}/vuurvogel", school_name="De Vuurvogel")


SUPPLIERS = (("rekenrijk", "RekenRijk"), ("taaltuin", "Taaltuin"))
NOBODY_YET = ShieldPage(
    place=place(SHIELDS),
    may_change=True,
    populations=tuple((each.value, words) for each, words in POPULATION_WORDS.items()),
    levels=tuple((each.value, words, LEVEL_HINTS[each]) for each, words in LEVEL_WORDS.items()),
    suppliers=SUPPLIERS,
)
LEVELS = tuple(LEVEL_WORDS.values())
SHIELDED = replace(
    NOBODY_YET,
    identifier="1100417",
    has_been_here=True,
    shields=(
        ShieldedRow(level=LEVELS[0], by="by the school", suppliers=()),
        ShieldedRow(
            level=LEVELS[1],
            by="by an objection",
            suppliers=("RekenRijk",),
            attributes=("givenName",),
        ),
    ),
)
OPEN = RequestLine(
    id="befoheko-mulisato",
    kind=ASKED_WORDS[RequestKind.OBJECTION],
    supplier_name="RekenRijk",
    attribute="givenName",
    filed_on=date(2026, 11, 2),
    deadline=date(2026, 11, 30),
    days_left=3,
    standing=STANDING_WORDS[RequestState.OPEN],
    tag=STANDING_TAGS[RequestState.OPEN],
    by_parent=False,
    blocks=True,
)
LATE = replace(OPEN, id="kolimaso-befohela", days_left=-2, supplier_name="", attribute="")
GRANTED = replace(
    OPEN,
    id="solakime-hetofalo",
    days_left=None,
    standing=STANDING_WORDS[RequestState.GRANTED],
    tag=STANDING_TAGS[RequestState.GRANTED],
    by_parent=True,
    blocks=False,
)
REQUESTS_PAGE = RequestsPage(
    place=place(REQUESTS), requests=(LATE, OPEN, GRANTED), overdue=1, soon=1, total=3
)
ANSWERS = tuple(
    (f"{'grant' if granted else 'refuse'}:{grounds}", words)
    for (granted, grounds), words in ANSWER_WORDS.items()
)
REQUEST = RequestPage(
    place=place(REQUESTS),
    request=OPEN,
    effect=EFFECT_WORDS[RequestKind.OBJECTION],
    answers=ANSWERS,
    may_end=False,
)
ASK = PseudonymsPage(
    place=place(PSEUDONYMS),
    suppliers=SUPPLIERS,
    reasons=tuple((each.value, words) for each, words in REASON_WORDS.items()),
)
LINES = (
    FoundLine(
        shown="1100417",
        pseudonym="a" * 53,
        previous="b" * 53,
        state=FOUND_WORDS[FoundState.FOUND],
        is_known=True,
    ),
    FoundLine(
        shown="999",
        pseudonym="",
        previous="",
        state=FOUND_WORDS[FoundState.NOT_SEEN],
        is_known=False,
    ),
)
SCHOOLS = ChooseSchoolPage(
    title="Shield a pupil",
    here=SHIELDS,
    schools=((f"{SHIELDS}/vuurvogel", "De Vuurvogel"), (f"{SHIELDS}/kompas", "Het Kompas")),
    total=2,
)

EXAMPLES: dict[str, Page] = {
    "at which school": SCHOOLS,
    "no school found": replace(SCHOOLS, schools=(), query="x", total=0),
    "which pupil": replace(NOBODY_YET, done=DONE["shielded"]),
    "no such pupil": replace(NOBODY_YET, trouble=trouble_of(NoSuchPupil())),
    "a shielded pupil": SHIELDED,
    "a pupil who was never here": replace(SHIELDED, has_been_here=False, shields=()),
    "a shielded pupil, to read": replace(SHIELDED, may_change=False),
    "shielded ones of a list": replace(NOBODY_YET, listed=("1100417", "1100418")),
    "nobody of a list": replace(NOBODY_YET, listed=()),
    "requests": REQUESTS_PAGE,
    "requests of a list": replace(
        REQUESTS_PAGE, requests=(replace(OPEN, whose="1100417"),), overdue=0, is_matched=True
    ),
    "no requests": replace(REQUESTS_PAGE, requests=(), overdue=0, soon=0, total=0),
    "a request": REQUEST,
    "a request, to read": replace(REQUEST, answers=(), request=LATE),
    "a granted request": replace(
        REQUEST,
        request=GRANTED,
        answers=(),
        may_end=True,
        grounds=ANSWER_WORDS[(True, Grounds.AS_ASKED)],
        decided_on=date(2026, 11, 20),
    ),
    "pseudonyms": ASK,
    "pseudonyms, no suppliers": replace(ASK, suppliers=()),
    "pseudonyms, of a teacher": replace(ASK, is_teacher=True, groups=("7B", "8A")),
    "pseudonyms, found": replace(ASK, found=LINES, asked=2, supplier="rekenrijk"),
    "pseudonyms, of nobody": replace(ASK, found=(), asked=2, trouble=trouble_of(NoSuchPupil())),
}
