"""The pages of the console about single pupils: whom a school shields, what they ask, and whose a
pseudonym is. What stands in them of a pupil is what the form that led to them held."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import ClassVar

from broker.domain.attributes import Population
from broker.domain.shielding import ShieldedBy, ShieldLevel
from broker.flow.own_pupils.pseudonym_finder import FoundState, Reason
from broker.flow.requests.person_requests import Grounds, RequestKind, RequestState
from broker.web.texts import N_

LEVEL_WORDS: Mapping[ShieldLevel, str] = MappingProxyType(
    {
        ShieldLevel.NO_ATTRIBUTES: N_("Share nothing but the pseudonym"),
        ShieldLevel.NO_LOGIN: N_("Do not let this pupil log in there"),
    }
)
LEVEL_HINTS: Mapping[ShieldLevel, str] = MappingProxyType(
    {
        ShieldLevel.NO_ATTRIBUTES: N_(
            "No name, no class, no role. The pupil keeps the work done so far. Material that does "
            "not work without more does not open."
        ),
        ShieldLevel.NO_LOGIN: N_("The pupil reads that the school has not opened this material."),
    }
)
BY_WORDS: Mapping[ShieldedBy, str] = MappingProxyType(
    {
        ShieldedBy.SCHOOL: N_("by the school"),
        ShieldedBy.OBJECTION: N_("by an objection"),
    }
)
POPULATION_WORDS: Mapping[Population, str] = MappingProxyType(
    {Population.PUPIL: N_("a pupil"), Population.STAFF: N_("an employee")}
)
ASKED_WORDS: Mapping[RequestKind, str] = MappingProxyType(
    {
        RequestKind.OBJECTION: N_("Objection"),
        RequestKind.CORRECTION: N_("Correction"),
        RequestKind.ERASURE: N_("Erasure"),
    }
)
STANDING_WORDS: Mapping[RequestState, str] = MappingProxyType(
    {
        RequestState.OPEN: N_("Waits for your answer"),
        RequestState.GRANTED: N_("Granted"),
        RequestState.REFUSED: N_("Refused"),
        RequestState.WITHDRAWN: N_("Taken back"),
    }
)
STANDING_TAGS: Mapping[RequestState, str] = MappingProxyType(
    {
        RequestState.OPEN: "busy",
        RequestState.GRANTED: "good",
        RequestState.REFUSED: "bad",
        RequestState.WITHDRAWN: "plain",
    }
)
ANSWER_WORDS: Mapping[tuple[bool, Grounds], str] = MappingProxyType(
    {
        (True, Grounds.AS_ASKED): N_("Grant: as it was asked"),
        (True, Grounds.TALKED_IT_OVER): N_("Grant: we talked it over"),
        (False, Grounds.NEEDED_FOR_LESSONS): N_("Refuse: it is needed for the lessons"),
        (False, Grounds.LAW_REQUIRES): N_("Refuse: the law requires that it is kept"),
        (False, Grounds.IS_CORRECT): N_("Refuse: what stands there is right"),
        (False, Grounds.NOT_OURS): N_("Refuse: the school does not decide this"),
        (False, Grounds.TALKED_IT_OVER): N_("Refuse: we talked it over"),
    }
)
EFFECT_WORDS: Mapping[RequestKind, str] = MappingProxyType(
    {
        RequestKind.OBJECTION: N_(
            "Granting it holds from the next login on. You can end it later, and so can the pupil."
        ),
        RequestKind.CORRECTION: N_(
            "Granting it says that you correct it in your own administration. The next login then "
            "states what is right."
        ),
        RequestKind.ERASURE: N_(
            "Granting it erases nothing yet: tell the federation the pupil's number. Two persons "
            "there erase the pupil, and it cannot be undone."
        ),
    }
)
REASON_WORDS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.RESULTS: N_("To put results of the material to pupils"),
        Reason.HELP: N_("To get help from the supplier"),
        Reason.RIGHTS: N_("A pupil or parent asked for access, correction or erasure"),
        Reason.LEAVING: N_("The school or a pupil leaves this supplier"),
        Reason.INCIDENT: N_("Something went wrong"),
    }
)
FOUND_WORDS: Mapping[FoundState, str] = MappingProxyType(
    {
        FoundState.FOUND: N_("Found"),
        FoundState.NOT_SEEN: N_("Has not logged in here"),
        FoundState.NOT_YOURS: N_("Not in your groups"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilsPlace:
    """At which school a page is, and where its parts are."""

    url: str
    school_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a form was not used: message ids."""

    what: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseSchoolPage:
    """For which school? `title` is a message id; `schools`: address and name."""

    template: ClassVar[str] = "console/pupils_schools.html"
    title: str
    here: str
    schools: tuple[tuple[str, str], ...]
    query: str = field(default="", repr=False)
    first: int = 0
    total: int = 0
    previous_url: str = ""
    next_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShieldedRow:
    """One shield: message ids, and names of suppliers; none of them is all."""

    level: str
    by: str
    suppliers: tuple[str, ...]
    attributes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShieldPage:
    """Which pupil? And, once one was named, how this one stands.

    Attributes:
        identifier: as the form held it; "" when nobody was named.
        populations, levels: value, words, hint, as message ids.
        suppliers: id and name of those that know the school.
        done: a message id of what was just done, or "".
        listed: of an uploaded list those that the school shields; None when none was sent.
    """

    template: ClassVar[str] = "console/pupils_shield.html"
    place: PupilsPlace
    may_change: bool
    populations: tuple[tuple[str, str], ...]
    levels: tuple[tuple[str, str, str], ...]
    suppliers: tuple[tuple[str, str], ...]
    identifier: str = field(default="", repr=False)
    population: str = Population.PUPIL.value
    has_been_here: bool = False
    shields: tuple[ShieldedRow, ...] = ()
    done: str = ""
    listed: tuple[str, ...] | None = field(default=None, repr=False)
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """One request: message ids but `id`, `supplier_name` and days."""

    id: str
    kind: str
    supplier_name: str
    attribute: str
    filed_on: date
    deadline: date
    days_left: int | None
    standing: str
    tag: str
    by_parent: bool
    blocks: bool
    whose: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsPage:
    """What pupils ask of the school.

    Attributes:
        is_matched: an uploaded list was held beside them.
    """

    template: ClassVar[str] = "console/pupils_requests.html"
    place: PupilsPlace
    requests: tuple[RequestLine, ...]
    overdue: int
    soon: int
    total: int
    first: int = 0
    previous_url: str = ""
    next_url: str = ""
    is_matched: bool = False
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPage:
    """One request, with the form that decides it.

    Attributes:
        answers: value and message id; empty when it cannot be decided here.
        may_end: it is an objection that holds, and may be ended.
        grounds: a message id, or "".
        effect: a message id.
    """

    template: ClassVar[str] = "console/pupils_request.html"
    place: PupilsPlace
    request: RequestLine
    effect: str
    answers: tuple[tuple[str, str], ...]
    may_end: bool
    grounds: str = ""
    decided_on: date | None = None
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLine:
    """One line of the answer; `state` is a message id."""

    shown: str = field(repr=False)
    pseudonym: str = field(repr=False)
    previous: str = field(repr=False)
    state: str = field(repr=False)
    is_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudonymsPage:
    """The form, and below it what was found; None before anything was asked.

    Attributes:
        is_teacher: finds pupils of the own groups alone.
        groups: those.
    """

    template: ClassVar[str] = "console/pupils_pseudonyms.html"
    place: PupilsPlace
    suppliers: tuple[tuple[str, str], ...]
    reasons: tuple[tuple[str, str], ...]
    is_teacher: bool = False
    groups: tuple[str, ...] = field(default=(), repr=False)
    supplier: str = ""
    reason: str = ""
    found: tuple[FoundLine, ...] | None = field(default=None, repr=False)
    asked: int = 0
    trouble: Trouble | None = None
