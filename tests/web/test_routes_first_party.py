"""`/schools/announce` and `/session` over HTTP: what a browser keeps, and where it goes on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest
from msgspec import structs

from broker.demo.addresses import Party
from broker.domain.announcing import Announcing
from broker.domain.registry import Registry
from tests.builders_announcing import KEY, KEY_HASH, seal
from tests.web.broker_site import PLACES, Answer, Browser, Site, fields_of, query_of

HOME = "https://elo.example/vandaag"
ASKED = f"{PLACES[Party.REKENRIJK]}/asked"


def with_announcer(registry: Registry) -> Registry:
    """Return a registry in which Het Kompas's ELO announces, and RekenRijk and TaalTuin ask."""
    kompas = registry.idps["kompas"]  # type: ignore[index]
    announcing = Announcing(key_hashes=(KEY_HASH,), return_to=(HOME,))
    suppliers = {
        name: structs.replace(each, may_ask_session=True)
        for name, each in registry.suppliers.items()
    }
    parties = {
        name: structs.replace(each, session_answer_url=ASKED)
        for name, each in registry.relying_parties.items()
        if name in ("rekenrijk", "taaltuin")
    }
    return replace(
        registry,
        idps={**registry.idps, kompas.id: structs.replace(kompas, announcing=announcing)},
        suppliers=suppliers,
        relying_parties={**registry.relying_parties, **parties},
    )


@pytest.fixture
def announcing(site: Site) -> Iterator[Site]:
    read_keys = site.web.announcements._read_keys
    folder: Path = read_keys.args[0]  # type: ignore[attr-defined]
    file = folder / "schools" / "kompas.announcement"
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(KEY + "\n")
    with site.having(with_announcer(site.web.snapshots.registry)):
        yield site
    file.unlink()


def address(site: Site, *, jti: str, **changes: str) -> str:
    now = int(site.web.clock().timestamp())
    claims = {
        "iss": "kompas",
        "aud": site.issuer,
        "iat": now,
        "exp": now + 60,
        "jti": f"a-test-of-the-routes-{jti}",
        "school": "22BB",
        "return_to": HOME,
    } | changes
    token = seal(msgspec.json.encode(claims))
    return f"/schools/announce?{urlencode({'by': 'kompas', 'announcement': token})}"


def is_at_school(answer: Answer) -> bool:
    return answer.response.headers.get("location", "").startswith(PLACES[Party.KOMPAS])


def ask(browser: Browser, **question: str) -> Answer:
    return browser.get(f"/session?{urlencode({'rp': 'rekenrijk', 'state': 'xyz', **question})}")


def test_an_announced_school_skips_the_chooser_until_another_is_chosen(announcing: Site) -> None:
    browser = announcing.visit()
    assert not is_at_school(browser.begin())
    answer = browser.get(address(announcing, jti="skips"))
    assert (answer.status, answer.response.headers["location"]) == (303, HOME)
    assert answer.response.headers["cache-control"] == "no-store"
    assert browser.cookies["announced"] == "kompas.kompas"
    assert "school" not in browser.cookies  # people chose nothing
    assert is_at_school(browser.begin())
    assert is_at_school(browser.begin())
    page = browser.choose(prompt="select_account")
    browser.post("/schools", fields_of(page) | {"school": "kompas"})
    assert "announced" not in browser.cookies
    assert not is_at_school(browser.begin())


@pytest.mark.parametrize(
    "changes", [{"prompt": "none"}, {"prompt": "select_account"}, {"login_hint": "regenboog"}]
)
def test_what_the_supplier_asks_goes_before_it(announcing: Site, changes: dict[str, str]) -> None:
    browser = announcing.visit(cookie="announced=kompas.kompas")
    assert is_at_school(browser.begin())
    assert not is_at_school(browser.begin(**changes))


def test_it_is_forgotten_with_the_choice(announcing: Site) -> None:
    browser = announcing.visit()
    browser.get(address(announcing, jti="forgotten"))
    page = browser.choose(prompt="select_account")
    browser.post("/schools/forget", {name: fields_of(page)[name] for name in ("login", "csrf")})
    assert "announced" not in browser.cookies


def test_it_counts_once_and_the_log_names_nobody(announcing: Site) -> None:
    link = address(announcing, jti="once")
    first, again = announcing.visit().get(link), announcing.visit().get(link)
    (told,) = [each for each in first.lines if each["event"] == "school-announced"]
    assert (told["idp"], told["school"]) == ("kompas", "kompas")
    (line,) = [each for each in first.lines if each["event"] == "request"]
    assert (line["step"], line["verdict"], line["idp"]) == ("announce", "ok", "kompas")
    assert (again.status, again.refused) == (400, ["check_announcement_once"])
    assert "E-ANNOUNCE-4" in again.response.text
    assert "announced" not in again.response.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"school": "vuurvogel"}, "E-ANNOUNCE-5"),
        ({"return_to": "https://evil.example/"}, "E-ANNOUNCE-6"),
        ({"sub": "sanne"}, "E-ANNOUNCE-2"),
    ],
)
def test_what_is_refused_is_a_page(announcing: Site, changes: dict[str, str], code: str) -> None:
    answer = announcing.visit().get(address(announcing, jti="refused", **changes))
    assert answer.status == 400
    assert code in answer.response.text
    assert "evil.example" not in answer.response.text
    assert "location" not in answer.response.headers


def test_it_is_for_a_tab_and_for_nothing_else(announcing: Site) -> None:
    link, browser = address(announcing, jti="tab"), announcing.visit()
    assert browser.get(link, headers={"sec-fetch-dest": "image"}).status == 403
    assert browser.get(link, headers={"sec-fetch-dest": "iframe"}).status == 200
    assert browser.send("HEAD", link).status == 405
    assert browser.post(link, {}).status == 405
    assert "announced" not in browser.cookies
    assert browser.get(link, headers={"sec-fetch-dest": "document"}).status == 303  # not used up


def test_a_stranger_announces_nothing(announcing: Site) -> None:
    answer = announcing.visit().get(address(announcing, jti="x").replace("by=kompas", "by=nobody"))
    assert (answer.status, answer.refused) == (404, ["check_announcer_registered"])


def test_without_the_key_it_is_our_fault(announcing: Site) -> None:
    vuurvogel = announcing.web.snapshots.registry.idps["vuurvogel"]  # type: ignore[index]
    own = Announcing(key_hashes=(KEY_HASH,), return_to=(HOME,))
    registry = announcing.web.snapshots.registry
    changed = structs.replace(vuurvogel, announcing=own)
    with announcing.having(replace(registry, idps={**registry.idps, vuurvogel.id: changed})):
        link = address(announcing, jti="no-key").replace("by=kompas", "by=vuurvogel")
        answer = announcing.visit().get(link)
    assert (answer.status, answer.refused) == (503, ["check_announcement_key_here"])
    assert "E-ANNOUNCE-7" in answer.response.text


def test_a_supplier_hears_remote_where_the_school_is_known(announcing: Site) -> None:
    browser = announcing.visit()
    asked = ask(browser)
    assert asked.response.headers["location"].startswith(f"{ASKED}?")
    assert query_of(asked) == {"logged_in": "false", "iss": announcing.issuer, "state": "xyz"}
    browser.get(address(announcing, jti="remote"))
    assert query_of(ask(browser))["logged_in"] == "remote"
    assert query_of(ask(browser, rp="taaltuin"))["logged_in"] == "false"  # no agreement there
    (line,) = [each for each in ask(browser).lines if each["event"] == "session-asked"]
    assert {line["supplier"], line["relying_party"]} == {"rekenrijk"}
    assert "kompas" not in repr(line)


def test_who_may_not_ask_gets_a_page(announcing: Site) -> None:
    answer = ask(announcing.visit(), rp="biosfeer-oidc")
    assert (answer.status, answer.refused) == (403, ["check_may_ask"])
    assert "E-ASK-1" in answer.response.text
    assert ask(announcing.visit(), rp="rekenrijk").status == 303


def test_it_is_asked_in_a_tab_and_not_too_often(announcing: Site) -> None:
    browser = announcing.visit()
    for destination in ("iframe", "image"):
        asked = browser.get("/session?rp=rekenrijk", headers={"sec-fetch-dest": destination})
        assert (asked.status, asked.refused) == (403, ["check_destination"])
    answers = [ask(browser).status for _ in range(21)]
    assert (set(answers[:20]), answers[20]) == ({303}, 429)


@pytest.mark.parametrize("kept", ["nobody.nowhere", "kompas", "kompas.kompas.x", "kompas.22BB"])
def test_a_kept_announcement_that_is_none_of_ours_changes_nothing(
    announcing: Site, kept: str
) -> None:
    assert not is_at_school(announcing.visit(cookie=f"announced={kept}").begin())
