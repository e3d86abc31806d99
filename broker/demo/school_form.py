"""The login form that every demo school shows, whatever protocol brought the pupil there.

The school asks each time, also when it knows the browser: so each login can have its own scenario,
and a request for a fresh login (SAML ForceAuthn, OIDC `prompt=login` and `max_age`) is always
honoured. What it remembers serves requests that forbid a form (IsPassive, `prompt=none`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from starlette.datastructures import FormData
from starlette.responses import HTMLResponse

from broker.demo import pages
from broker.demo.people import DemoSchool, people_at
from broker.demo.scenarios import Scenario, Statement

LABELS: Mapping[Scenario, str] = {
    Scenario.FINE: "Alles gaat goed (fine)",
    Scenario.EXPIRED: "Het antwoord is verlopen (expired)",
    Scenario.TAMPERED: "Het antwoord is onderweg veranderd (tampered)",
    Scenario.NO_ECK_ID: "Vandaag geen ECK iD (no ECK iD today)",
    Scenario.MISSING_ATTRIBUTE: "De rol ontbreekt (role missing)",
    Scenario.CANCELLED: "Ik breek het inloggen af (cancelled)",
    Scenario.DOWN: "De school ligt plat (school is down)",
    Scenario.OTHER_SCHOOL: "De login noemt een andere school (states another school)",
}


@dataclass(frozen=True, slots=True)
class RememberedLogin:
    """Who logged in at this school with this browser, for requests that forbid a form."""

    statement: Statement = field(repr=False)
    authenticated_at: datetime


def render_login_form(school: DemoSchool, *, handle: str) -> HTMLResponse:
    """Return the form; `handle` stands for the request that it will answer."""
    return pages.render_page(
        "login.html",
        party=school.name,
        kind="school",
        look=school.id,
        title=f"Inloggen bij {school.name}",
        handle=handle,
        people=list(people_at(school).values()),
        scenarios={scenario.value: LABELS[scenario] for scenario in Scenario},
    )


def render_down(school: DemoSchool) -> HTMLResponse:
    """Return what a school shows when it is down, with status 503."""
    return pages.render_notice(
        party=school.name,
        kind="school",
        look=school.id,
        title="De school ligt even plat",
        text="Wacht even en probeer het daarna opnieuw. The school's login is down for a while.",
        status=503,
    )


def render_refused(school: DemoSchool, *, reason: str) -> HTMLResponse:
    """Return what a school shows for a request that it does not accept."""
    return pages.render_notice(
        party=school.name,
        kind="school",
        look=school.id,
        title="Dit kan de school niet beantwoorden",
        text=reason,
        status=400,
    )


def fields_of(form: FormData) -> list[tuple[str, str]]:
    """Return the text fields of a posted form in their order."""
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
