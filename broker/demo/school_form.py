"""The login form that every demo school shows, whatever protocol brought the pupil there.

The school asks each time, also when it knows the browser: so each login can have its own scenario,
and a request for a fresh login (SAML ForceAuthn, OIDC `prompt=login` and `max_age`) is always
honoured. What it remembers serves requests that forbid a form (IsPassive, `prompt=none`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from broker.demo import pages
from broker.demo.people import DemoSchool, Person, people_at
from broker.demo.scenarios import Scenario, Statement
from broker.demo.start_scenarios import Text

LABELS: Mapping[Scenario, Text] = {
    Scenario.FINE: Text("Alles gaat goed", "all is fine"),
    Scenario.EXPIRED: Text("Het antwoord is verlopen", "expired"),
    Scenario.TAMPERED: Text("Het antwoord is onderweg veranderd", "tampered"),
    Scenario.NO_ECK_ID: Text("Vandaag geen ECK iD", "no ECK iD today"),
    Scenario.MISSING_ATTRIBUTE: Text("De rol ontbreekt", "role missing"),
    Scenario.CANCELLED: Text("Ik breek het inloggen af", "cancelled"),
    Scenario.DOWN: Text("De school ligt plat", "school is down"),
    Scenario.OTHER_SCHOOL: Text("De login noemt een andere school", "states another school"),
}


@dataclass(frozen=True, slots=True)
class RememberedLogin:
    """Who logged in at this school with this browser, for requests that forbid a form."""

    statement: Statement = field(repr=False)
    authenticated_at: datetime
    session_index: str = field(default="", repr=False)


USED = Text("Dit inlogscherm is al gebruikt.", "This login form was used already.")
NOBODY_HERE = Text("Die leerling kennen wij hier niet.", "We do not know that pupil here.")
SERVICE_UNKNOWN = Text("Deze dienst kennen wij niet.", "We do not know this service.")
REQUEST_WRONG = Text(
    "Het verzoek om in te loggen klopt niet.", "Something is wrong with the request to log in."
)
_BEGIN_THERE = Text(
    "Begin bij het lesmateriaal: dat brengt je hier naartoe om in te loggen.",
    "Begin at the learning material: it brings you here to log in.",
)


def render_login_form(school: DemoSchool, request: Request, *, handle: str) -> HTMLResponse:
    """Return the form; `handle` stands for the request that it will answer."""
    language = pages.choose_language(request)
    title = Text(f"Inloggen bij {school.name}", f"Log in at {school.name}")
    return pages.render_page(
        "login.html",
        party=school.name,
        kind="school",
        look=school.id,
        lang=language,
        title=title.in_language(language),
        handle=handle,
        people=list(people_at(school).values()),
        scenarios={each.value: LABELS[each].in_language(language) for each in Scenario},
    )


def render_home(school: DemoSchool, request: Request, *, may_log_out: bool = False) -> HTMLResponse:
    """Return the page of a school at which nobody logs in now; with a button for who did."""
    title = Text(f"{school.name}, {school.place}", f"{school.name}, {school.place}")
    return _render_notice(
        school, request, title=title, text=_BEGIN_THERE, status=200, may_log_out=may_log_out
    )


def render_down(school: DemoSchool, request: Request) -> HTMLResponse:
    """Return what a school shows when it is down, with status 503."""
    return _render_notice(
        school,
        request,
        title=Text("De school ligt even plat", "The school is down for a while"),
        text=Text(
            "Wacht even, ga terug en probeer het daarna opnieuw.",
            "Wait a moment, go back and then try again.",
        ),
        status=503,
    )


def render_refused(school: DemoSchool, request: Request, *, reason: Text) -> HTMLResponse:
    """Return what a school shows for a request that it does not accept."""
    return _render_notice(
        school,
        request,
        title=Text("Dit kan de school niet beantwoorden", "The school cannot answer this"),
        text=Text(
            f"{reason.nl} Begin opnieuw bij het lesmateriaal.",
            f"{reason.en} Begin again at the learning material.",
        ),
        status=400,
    )


def _render_notice(
    school: DemoSchool,
    request: Request,
    *,
    title: Text,
    text: Text,
    status: int,
    may_log_out: bool = False,
) -> HTMLResponse:
    language = pages.choose_language(request)
    return pages.render_notice(
        party=school.name,
        kind="school",
        look=school.id,
        title=title.in_language(language),
        text=text.in_language(language),
        status=status,
        lang=language,
        may_log_out=may_log_out,
    )


KNOWN_PERSON_COOKIE = "demo-person"
"""Who is about to log in, as the start page says: its buttons log in by one click."""


def find_known_person(request: Request, people: Mapping[str, Person]) -> Person | None:
    """Return who the start page said is about to log in here; None: the form asks."""
    return people.get(request.cookies.get(KNOWN_PERSON_COOKIE, ""))


def forget_known_person(answer: Response) -> None:
    """Ask again the next time."""
    answer.delete_cookie(KNOWN_PERSON_COOKIE)


def fields_of(form: FormData) -> list[tuple[str, str]]:
    """Return the text fields of a posted form in their order."""
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
