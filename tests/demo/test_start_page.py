"""The start page: every card in a group, what was changed, and everything put back."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.demo import actions, start_page
from broker.demo.actions import ACTIONS, Stage
from broker.demo.addresses import DEMO_PORTS, Party
from broker.demo.run import prepare_world
from broker.demo.start_groups import ACTION_GROUPS, SCENARIO_GROUPS
from broker.demo.start_page import start_app
from broker.demo.start_scenarios import SCENARIOS
from broker.domain.console_roles import Role

ADDRESSES = {party: f"http://localhost:{port}" for party, port in DEMO_PORTS.items()}


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A world without a broker: nobody follows what is changed, so nobody waits for it."""
    for module in (actions, start_page):
        monkeypatch.setattr(module, "FOLLOW_SECONDS", 0)
    prepared = prepare_world(tmp_path / "world", ADDRESSES)
    upgrade_database(prepared.loaded.data_folder / "register.db", "register")
    return prepared.stage


def browser_of(stage: Stage) -> httpx2.AsyncClient:
    app = start_app(ADDRESSES, stage)
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url=ADDRESSES[Party.START_PAGE],
        follow_redirects=True,
        headers={"accept-language": "nl"},
    )


def test_every_card_is_in_one_group() -> None:
    scenarios = Counter(card for each in SCENARIO_GROUPS for card in each.cards)
    assert scenarios == Counter(each.id for each in SCENARIOS)
    buttons = Counter(card for each in ACTION_GROUPS for card in each.cards)
    assert buttons == Counter(each.id for each in ACTIONS)


def rows_of(stage: Stage, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(stage.loaded.data_folder / "registry.db")) as registry:
        return registry.execute(query).fetchall()


async def test_what_was_changed_is_told_until_it_is_put_back(stage: Stage) -> None:
    documents = "select kind, id, last_version from documents order by number"
    first = rows_of(stage, documents)
    files = read_all(stage.loaded.config_folder / "federation")
    async with browser_of(stage) as browser:
        assert "nog niets veranderd" in (await browser.get("/")).text
        changed = await browser.post("/actions/schools-merge")
        assert '<a href="#schools-merge">De Vuurvogel en De Regenboog zijn' in changed.text
        assert 'id="merging" open' in changed.text
        assert rows_of(stage, documents) != first
        assert rows_of(stage, "select max(version) from versions") == [(2,)]
        back = await browser.post("/put-back")
        assert "Alles staat weer zoals bij het begin" in back.text
        assert 'id="merging" open' not in back.text
    assert rows_of(stage, documents) == first
    assert read_all(stage.loaded.config_folder / "federation") == files
    assert rows_of(stage, "select max(version) from versions") == [(3,)]


def read_all(folder: Path) -> dict[Path, bytes]:
    return {each: each.read_bytes() for each in folder.rglob("*.*")}


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("nl", ("Niet gedaan:", "Er loopt geen rotatie van rekenrijk", "(E-ROTATION-3)")),
        ("en", ("Not done:", "No rotation of rekenrijk is under way", "(E-ROTATION-3)")),
    ],
)
async def test_what_cannot_be_done_says_why_and_is_no_change(
    stage: Stage, language: str, told: tuple[str, ...]
) -> None:
    async with browser_of(stage) as browser:
        page = await browser.post(f"/actions/turn-back?lang={language}")
    assert all(each in page.text for each in told)
    assert {"nl": "nog niets veranderd", "en": "Nothing is changed yet"}[language] in page.text


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("nl", ("van “nog niet begonnen” naar “voorbereiden”", "aan -&gt; aan")),
        ("en", ("from “not begun” to “prepare”", "on -&gt; on")),
    ],
)
async def test_states_of_a_take_over_are_told_in_words(
    stage: Stage, language: str, told: tuple[str, str]
) -> None:
    async with browser_of(stage) as browser:
        pages = [
            (await browser.post(f"/actions/takeover-{step}?lang={language}")).text
            for step in ("prepare", "on", "on")
        ]
    assert told[0] in pages[0]
    assert told[1] in pages[2]


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("nl", "De sleutel pairwise/a.hex van de demo is niet te gebruiken."),
        ("en", "key pairwise/a.hex cannot be used: it "),
    ],
)
async def test_a_key_that_cannot_be_used_is_told_in_the_page_s_language(
    stage: Stage, language: str, told: str
) -> None:
    (stage.loaded.keys_folder / "pairwise/a.hex").write_text("x")
    async with browser_of(stage) as browser:
        assert told in (await browser.post(f"/actions/rotate-key?lang={language}")).text


async def test_a_merge_that_is_not_there_cannot_be_taken_back(stage: Stage) -> None:
    async with browser_of(stage) as browser:
        page = await browser.post("/actions/schools-apart")
    assert "Er is geen fusie om terug te draaien" in page.text
    assert "nog niets veranderd" in page.text


async def test_other_sites_cannot_put_back(stage: Stage) -> None:
    async with browser_of(stage) as browser:
        answer = await browser.post("/put-back", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 404


async def test_suppliers_forget_the_work_when_all_is_put_back(stage: Stage) -> None:
    asked: list[bool] = []
    app = start_app(ADDRESSES, stage, forget_work=lambda: asked.append(True))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as browser:
        assert (await browser.post("/put-back")).status_code == 303
    assert asked == [True]


async def test_a_click_leads_to_the_login_of_somebody_of_the_console(stage: Stage) -> None:
    async with browser_of(stage) as browser:
        browser.follow_redirects = False
        assert 'href="/console/els"' in (await browser.get("/")).text
        answer = await browser.get("/console/els")
        assert answer.headers["location"] == (
            "http://localhost:8000/console/sign-in?login=school%2Fvuurvogel%2Fvuurvogel"
        )
        assert browser.cookies["demo-person"] == "els"
        assert (await browser.get("/console/nobody")).status_code == 404


def test_everybody_of_the_console_has_a_role_of_every_kind(stage: Stage) -> None:
    roles = {role for (role,) in rows_of(stage, "select distinct role from console_roles")}
    assert roles == {each.value for each in Role} - {Role.TEACHER.value}
