"""`/start`: one address for every supplier's system, and no way to anywhere else."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from lxml import html
from msgspec import structs

from broker.demo.addresses import Party
from broker.domain.saml_answer_forms import AnswerForm
from tests.web.broker_site import PLACES, Answer, Browser, Site, query_of

REKENRIJK, TAALTUIN = PLACES[Party.REKENRIJK], PLACES[Party.TAALTUIN]
LESSON = f"{REKENRIJK}/les/3"
LOST_LOGIN = f"login.{'s' * 22}={'A' * 43}.rekenrijk.1"


def start(browser: Browser, **link: str) -> Answer:
    return browser.get(f"/start?{urlencode({'rp': 'rekenrijk', **link})}")


def way_back_of(answer: Answer) -> list[str]:
    (main,) = html.fromstring(answer.response.content).iter("main")
    return [each.get("href") for each in main.iter("a")]


def is_at_school(answer: Answer) -> bool:
    return answer.response.headers.get("location", "").startswith(PLACES[Party.KOMPAS])


def test_a_link_asks_the_supplier_to_begin(browser: Browser) -> None:
    answer = start(browser, school="22BB", target=LESSON)
    assert answer.status == 303
    assert answer.response.headers["location"].startswith(f"{REKENRIJK}/login?")
    assert query_of(answer) == {
        "iss": PLACES[Party.BROKER],
        "target_link_uri": LESSON,
    }
    assert answer.response.headers["cache-control"] == "no-store"
    assert browser.cookies["school"] == "kompas"


def test_a_saml_supplier_is_asked_in_its_own_words(browser: Browser) -> None:
    answer = start(browser, rp="taaltuin", target=f"{TAALTUIN}/les/3")
    assert query_of(answer) == {
        "entityID": f"{PLACES[Party.BROKER]}/saml/idp/metadata",
        "target": f"{TAALTUIN}/les/3",
    }
    assert "school" not in browser.cookies


def test_a_saml_supplier_that_takes_it_gets_a_login_that_it_did_not_ask_for(site: Site) -> None:
    registry = site.web.snapshots.registry
    own = registry.relying_parties["taaltuin"]  # type: ignore[index]
    provider = structs.replace(own.protocol, answers=AnswerForm(unsolicited=True))
    party = structs.replace(own, protocol=provider, initiate_login_uri="")
    parties = {**registry.relying_parties, party.id: party}
    with site.having(replace(registry, relying_parties=parties)):
        browser = site.visit()
        answer = start(browser, rp="taaltuin", school="vuurvogel", target=f"{TAALTUIN}/les/3")
        assert answer.response.headers["location"].startswith(PLACES[Party.VUURVOGEL])
        assert browser.cookies["start"]
        assert "starts" in str(browser.cookies)
        refused = start(browser, rp="taaltuin", target="https://evil.example/")
        assert refused.status == 400
    assert TAALTUIN in start(site.visit(), rp="taaltuin").response.headers["location"]


def test_its_school_skips_the_chooser_of_that_supplier_once(browser: Browser) -> None:
    start(browser, school="kompas")
    assert is_at_school(browser.begin())
    assert not is_at_school(browser.begin())  # the next one may choose


@pytest.mark.parametrize(
    "changes",
    [{"prompt": "none"}, {"prompt": "select_account"}, {"login_hint": "regenboog"}],
)
def test_what_the_supplier_asks_goes_before_the_link(
    browser: Browser, changes: dict[str, str]
) -> None:
    start(browser, school="kompas")
    assert not is_at_school(browser.begin(**changes))


def test_a_link_to_another_system_says_nothing_here(browser: Browser) -> None:
    start(browser, rp="biosfeer-oidc", school="kompas")
    assert not is_at_school(browser.begin())


@pytest.mark.parametrize(
    "link",
    [
        {"rp": "nobody"},
        {"rp": ""},
        {"rp": "rekenrijk\r\nx: y"},
    ],
)
def test_a_link_to_nobody_leads_nowhere(browser: Browser, link: dict[str, str]) -> None:
    answer = start(browser, **link)
    assert (answer.status, answer.refused) == (404, ["check_start_known"])
    assert "E-START-1" in answer.response.text
    assert way_back_of(answer) == []


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        f"{REKENRIJK}/betalen",
        f"{REKENRIJK}/les/../betalen",
        f"{REKENRIJK}@evil.example/les/3",
        f"{TAALTUIN}/les/3",
        "javascript:alert(1)",
    ],
)
def test_a_foreign_page_is_refused_with_a_way_back(browser: Browser, target: str) -> None:
    answer = start(browser, target=target)
    assert (answer.status, answer.refused) == (400, ["check_target_registered"])
    assert "E-START-2" in answer.response.text
    assert way_back_of(answer) == [f"{REKENRIJK}/"]
    assert "evil.example" not in answer.response.text


def test_a_school_without_agreement_is_told_before_its_login(browser: Browser) -> None:
    answer = start(browser, rp="taaltuin", school="kompas")
    assert (answer.status, answer.refused) == (403, ["check_start_agreed"])
    assert "E-RELEASE-1" in answer.response.text
    assert way_back_of(answer) == [f"{TAALTUIN}/"]


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ({}, {"verdict": "ok", "relying_party": "rekenrijk"}),
        (
            {"target": "https://evil.example/"},
            {
                "verdict": "refused",
                "relying_party": "rekenrijk",
                "code": "E-START-2",
                "check": "check_target_registered",
            },
        ),
        (
            {"rp": "evil.example\r\nx: y"},
            {"verdict": "refused", "code": "E-START-1", "check": "check_start_known"},
        ),
    ],
)
def test_a_link_leaves_its_line_and_a_reference_finds_it(
    browser: Browser, link: dict[str, str], told: dict[str, str]
) -> None:
    answer = start(browser, **link)
    (line,) = [each for each in answer.lines if each["event"] == "request"]
    assert line["step"] == "start"
    names = ("verdict", "relying_party", "code", "check")
    assert {name: line[name] for name in names if name in line} == told
    assert ("reference" in line) is ("code" in told)
    assert "evil.example" not in repr(line)


def test_a_parameter_twice_is_refused(browser: Browser) -> None:
    answer = browser.get(f"/start?rp=rekenrijk&target={LESSON}&target={LESSON}")
    assert answer.refused == ["check_parameter_once"]


def test_a_link_is_opened_in_a_tab_and_not_by_a_picture(browser: Browser) -> None:
    framed = browser.get("/start?rp=rekenrijk", headers={"sec-fetch-dest": "iframe"})
    assert framed.status == 200
    assert "location" not in framed.response.headers
    assert browser.get("/start?rp=rekenrijk", headers={"sec-fetch-dest": "image"}).status == 403
    assert browser.send("HEAD", "/start?rp=rekenrijk").status == 405


def test_a_login_that_is_lost_leads_back_to_the_page_of_the_link(site: Site) -> None:
    browser = site.visit()
    start(browser, school="kompas", target=LESSON)
    browser.begin()
    cookies = f"start={browser.cookies['start']}; {LOST_LOGIN}"
    (again,) = way_back_of(site.visit(cookie=cookies).get(f"/schools?login={'s' * 22}"))
    assert again == "/start?" + urlencode({"rp": "rekenrijk", "target": LESSON})
    assert query_of(browser.get(again))["target_link_uri"] == LESSON


@pytest.mark.parametrize(
    "kept",
    [
        "biosfeer-oidc..aHR0cHM6Ly9ldmlsLmV4YW1wbGUv",
        "nobody..aHR0cHM6Ly9ldmlsLmV4YW1wbGUv",
        "rekenrijk..",
        "rekenrijk..w6k",
        "rekenrijk..A",
        "rekenrijk.kompas",
    ],
)
def test_a_kept_link_that_is_none_of_ours_changes_nothing(site: Site, kept: str) -> None:
    answer = site.visit(cookie=f"start={kept}; {LOST_LOGIN}").get(f"/schools?login={'s' * 22}")
    assert way_back_of(answer) == [f"{REKENRIJK}/"]
