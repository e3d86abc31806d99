"""Two schools at once, and what is told of membership: over HTTP, with both protocols."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from lxml import html

from broker.demo.addresses import Party
from tests.journeys.commands import run_broker
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor
from tests.journeys.waiting import until

pytestmark = pytest.mark.servers

Browsers = Callable[[], Visitor]
BOTH = ("11AA", "33CC")
EVERY_SYSTEM = (Party.REKENRIJK, Party.TAALTUIN, Party.BIOSFEER_OIDC, Party.BIOSFEER_SAML)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world in which one login speaks for De Vuurvogel and De Regenboog."""
    serves = {
        "vuurvogel": ("vuurvogel", "regenboog"),
        "kompas": ("kompas",),
        "regenboog": ("regenboog",),
    }
    async with open_world(serves=serves) as opened:
        yield opened


async def arrive(visitor: Visitor, party: Party, pupil: str, **query: str) -> None:
    """Log in with a login that states both schools, up to the next page with a choice."""
    await visitor.open_material(party, **query)
    await visitor.choose("vuurvogel")
    await visitor.log_in_at_school(pupil, nlEduPersonHomeOrganizationId=BOTH)


async def say(visitor: Visitor, school: str) -> None:
    """Say for which school it is, up to the supplier."""
    await visitor.press("school", school)
    await visitor.pass_on()
    await visitor.go_on()


@pytest.mark.parametrize("party", EVERY_SYSTEM)
async def test_a_pupil_chooses_once_and_is_the_same_pupil(
    world: World, browsers: Browsers, party: Party
) -> None:
    alone = await browsers().log_in(party, "vuurvogel", "sanne")
    first = browsers()
    await arrive(first, party, "sanne")
    if party is Party.BIOSFEER_SAML:  # the same supplier's other system asked already
        assert not first.shows("school")
        await first.go_on()
    else:
        assert first.shows("school", "vuurvogel")
        assert first.shows("school", "regenboog")
        await say(first, "regenboog")
    assert first.is_at(party), first.text
    there = await first.received(party)
    assert there["subject"] == alone["subject"]
    if party is Party.REKENRIJK:  # De Vuurvogel approved the first name, De Regenboog did not
        assert "given_name" in alone["claims"]
        assert "given_name" not in there["claims"]
    later = browsers()  # another device: the choice is the person's
    await arrive(later, party, "sanne")
    assert not later.shows("school")
    await later.go_on()
    assert (await later.received(party))["subject"] == alone["subject"]


async def test_a_teacher_is_somebody_at_each_school_and_can_choose_again(
    world: World, browsers: Browsers
) -> None:
    alone = await browsers().log_in(Party.TAALTUIN, "vuurvogel", "els")
    els = browsers()
    await arrive(els, Party.TAALTUIN, "els")
    await say(els, "regenboog")
    there = await els.received(Party.TAALTUIN)
    again = browsers()
    await again.visit(Party.BROKER, "/schools")
    (form,) = (
        each
        for each in html.fromstring(again.page.content).forms
        if each.action == "/schools/again"
    )
    again.page = await again.client.post(
        again.addresses[Party.BROKER] + "/schools/again", data=dict(form.form_values())
    )
    assert again.page.status_code == 200
    await arrive(again, Party.TAALTUIN, "els")
    await say(again, "vuurvogel")
    here = await again.received(Party.TAALTUIN)
    assert here["subject"] == alone["subject"] != there["subject"]


async def test_a_school_that_the_login_did_not_state_cannot_be_said(
    world: World, visitor: Visitor
) -> None:
    await arrive(visitor, Party.REKENRIJK, "daan")
    await visitor.press("school", "regenboog", school="kompas")
    assert "E-LOGIN-3" in visitor.text
    assert "error" in await visitor.received(Party.REKENRIJK)


async def test_membership_goes_out_once_it_is_declared_and_approved(
    world: World, browsers: Browsers, tmp_path: Path
) -> None:
    documents = tmp_path / "member.toml"
    folder = world.folder / "federation"
    supplier = (folder / "suppliers" / "rekenrijk.toml").read_text()
    asks = '[[attribute]]\nname = "schoolMembership"\npurpose = "Je klas vinden."\n\n'
    changed = supplier.replace("[[attribute]]", asks + "[[attribute]]", 1)
    changed = changed.replace("[sheet]\nversion = 1\n", "[sheet]\nversion = 2\n", 1)
    (folder / "suppliers" / "rekenrijk.toml").write_text(changed)
    documents.write_text(
        '[[agreement]]\nschool = "kompas"\nsupplier = "rekenrijk"\nversion = 2\n'
        'from = 2024-08-01\napproved = ["schoolMembership"]\n'
    )
    before = await browsers().log_in(Party.REKENRIJK, "kompas", "noor")
    assert "school_membership" not in before["claims"]
    await run_broker("apply", "--config", world.folder, folder / "suppliers", documents)

    async def told() -> list[str] | None:
        received = await browsers().log_in(Party.REKENRIJK, "kompas", "noor")
        if "error" in received:
            return None  # the school decided anew while this very login was under way
        found: list[str] | None = received["claims"].get("school_membership")
        assert received["subject"] == before["subject"]
        return found

    (membership,) = await until(told)
    assert membership.startswith("student@22BB;since=20")
