"""Everything that can go wrong at a school, seen by the pupil: what, whose task, and the way on."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from broker.demo.addresses import Party
from tests.journeys.conftest import World
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

TASKS = {
    "nl": {"pupil": "Hier kun je zelf iets aan doen", "school": "Je school kan dit oplossen"},
    "en": {"pupil": "You can do something about it", "school": "Your school can fix this"},
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a page of ours says.

    Attributes:
        names: text that must stand on the page in each language.
    """

    status: int
    code: str
    task: str
    may_retry: bool
    names: tuple[str, str]


PAGES = {
    "no agreement": (
        (Party.TAALTUIN, "kompas", "noor", "fine"),
        Outcome(403, "E-RELEASE-1", "school", False, ("Taaltuin", "Taaltuin")),
    ),
    "role missing": (
        (Party.BIOSFEER_OIDC, "vuurvogel", "sanne", "missing-attribute"),
        Outcome(403, "E-RELEASE-4", "school", False, ("je rol", "your role")),
    ),
    "role missing, SAML supplier": (
        (Party.BIOSFEER_SAML, "kompas", "noor", "missing-attribute"),
        Outcome(403, "E-RELEASE-4", "school", False, ("je rol", "your role")),
    ),
    "expired, SAML school": (
        (Party.REKENRIJK, "vuurvogel", "sanne", "expired"),
        Outcome(400, "E-SAML-24", "pupil", True, ("te lang", "too long")),
    ),
    "expired, OIDC school": (
        (Party.BIOSFEER_SAML, "kompas", "noor", "expired"),
        Outcome(400, "E-RP-10", "school", True, ("niet bij deze inlog past", "does not fit")),
    ),
    "tampered, SAML school": (
        (Party.TAALTUIN, "vuurvogel", "sanne", "tampered"),
        Outcome(400, "E-XML-3", "school", True, ("niet zeker", "cannot be sure")),
    ),
    "tampered, OIDC school": (
        (Party.REKENRIJK, "kompas", "noor", "tampered"),
        Outcome(400, "E-RP-8", "school", True, ("niet zeker", "cannot be sure")),
    ),
    "states another school": (
        (Party.REKENRIJK, "vuurvogel", "sanne", "other-school"),
        Outcome(400, "E-IDENTITY-2", "school", False, ("niet mag", "may not speak")),
    ),
}


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("name", PAGES)
async def test_a_page_says_what_whose_task_and_the_way_on(
    world: World, browsers: Callable[..., Visitor], name: str, language: str
) -> None:
    (party, school, pupil, scenario), expected = PAGES[name]
    visitor = browsers(language=language)
    await visitor.try_to_log_in(party, school, pupil, scenario=scenario)
    page = visitor.page
    assert visitor.is_at(Party.BROKER)
    assert page.status_code == expected.status
    assert f'<html lang="{language}"' in page.text
    assert expected.code in visitor.text
    assert TASKS[language][expected.task] in visitor.text
    assert expected.names[language == "en"] in visitor.text
    assert f'href="{world.at[party]}/"' in page.text
    assert visitor.shows("school", school) == expected.may_retry
    assert (await visitor.received(party)) == {"error": "nothing_received"}
    assert find_event(world, page.text)["code"] == expected.code


def find_event(world: World, page: str) -> dict[str, str]:
    """Return the one refusal that has the page's reference; its request's line has it too."""
    (reference,) = re.findall(r'data-reference="([a-z]{8})"', page)
    lines = world.witness.logs[0].read_text().splitlines()
    events = [json.loads(each) for each in lines if reference in each]
    (event,) = [each for each in events if each["event"] == "refused"]
    assert [each["reference"] for each in events if each["event"] == "request"] == [reference]
    assert event["check"]
    return dict(event)


@pytest.mark.parametrize(
    ("party", "school", "pupil"),
    [
        (Party.REKENRIJK, "vuurvogel", "sanne"),
        (Party.TAALTUIN, "vuurvogel", "sanne"),
        (Party.REKENRIJK, "kompas", "noor"),
        (Party.BIOSFEER_SAML, "kompas", "noor"),
    ],
)
async def test_the_supplier_is_told_of_a_cancelled_login(
    visitor: Visitor, party: Party, school: str, pupil: str
) -> None:
    await visitor.try_to_log_in(party, school, pupil, scenario="cancelled")
    assert visitor.is_at(party)
    assert visitor.page.status_code == 403
    assert "Opnieuw proberen" in visitor.text
    told = (await visitor.received(party))["error"]
    assert told == ("StatusAuthnFailed" if "/saml/" in visitor.path else "access_denied")


async def test_a_school_that_is_down_is_tried_again_by_the_back_button(visitor: Visitor) -> None:
    await visitor.open_material(Party.REKENRIJK)
    await visitor.choose("vuurvogel")
    form = visitor.page
    await visitor.log_in_at_school("sanne", scenario="down")
    assert visitor.page.status_code == 503
    visitor.page = form
    await visitor.log_in_at_school("sanne")
    await visitor.go_on()
    assert (await visitor.received(Party.REKENRIJK))["claims"]["given_name"] == "Sanne"


async def test_the_chooser_is_there_for_the_back_button(visitor: Visitor) -> None:
    await visitor.open_material(Party.TAALTUIN)
    chooser = visitor.page
    await visitor.choose("kompas")
    visitor.page = chooser
    await visitor.choose("regenboog")
    await visitor.log_in_at_school("sanne")
    await visitor.go_on()
    assert (await visitor.received(Party.TAALTUIN))["protocol"] == "saml"
