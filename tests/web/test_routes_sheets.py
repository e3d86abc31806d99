"""Service sheets over HTTP: the steps of a draft, its publication, and whom they are refused."""

from collections.abc import Iterator

import pytest
from lxml import html

from broker.domain.console_roles import HeldRole, PlaceKind, Role
from broker.flow.console.role_book import LoginPlace
from tests.web.broker_site import Answer, Site
from tests.web.console_seats import SCHOOL_ADMIN, SeatedBrowser, form_of, seat

AT_TAALTUIN = LoginPlace(PlaceKind.SUPPLIER, "taaltuin")
OF_TAALTUIN = HeldRole(Role.SUPPLIER_ADMIN, PlaceKind.SUPPLIER, "taaltuin")
OF_BIOSFEER = HeldRole(Role.SUPPLIER_ADMIN, PlaceKind.SUPPLIER, "biosfeer")
OPERATOR = HeldRole(Role.OPERATOR, PlaceKind.FEDERATION)
SHEET = "/console/sheets/taaltuin"
MARKUP = "<script>alert(1)</script>\"'</textarea>{{ 7777*7777 }}"
WORDS = {"why-nl": "Om je te begroeten.", "why-en": "To greet you."}
NAME = WORDS | {
    "name": "givenName",
    "without-nl": "Dan zeggen we hallo.",
    "without-en": "Then we say hello.",
    "required": "no",
}


@pytest.fixture
def roos(site: Site) -> Iterator[SeatedBrowser]:
    """Somebody of Taaltuin, which has no draft before and after."""
    seated = seat(site, OF_TAALTUIN, login=AT_TAALTUIN)
    yield seated
    if form_on(seated.get(f"{SHEET}/discard"), f"{SHEET}/discard") is not None:
        seated.post(f"{SHEET}/discard", f"{SHEET}/discard")


def form_on(answer: Answer, action: str) -> dict[str, str] | None:
    page = html.fromstring(answer.response.content) if answer.status == 200 else None
    forms = [] if page is None else [each for each in page.forms if each.action == action]
    return dict(forms[0].form_values()) if forms else None


def ask(roos: SeatedBrowser, **changes: str) -> Answer:
    return roos.post(f"{SHEET}/asks/one", f"{SHEET}/asks/one", **(NAME | changes))


def test_one_supplier_s_people_come_to_their_sheet_at_once(roos: SeatedBrowser) -> None:
    assert roos.get("/console/sheets").response.headers["location"] == SHEET
    page = roos.get(SHEET).response.text
    assert "Version" in page
    assert "Write a new version" in page
    assert "/console/sheets" in roos.get("/console").response.text


def test_who_runs_the_broker_searches_and_changes_nothing(site: Site) -> None:
    ines = seat(site, OPERATOR)
    listed = ines.get("/console/sheets?q=taal").response.text
    assert SHEET in listed
    assert "/console/sheets/biosfeer" not in listed
    assert "No supplier has a name like that" in ines.get("/console/sheets?q=zon").response.text
    assert ines.get("/console/sheets?from=999999").status == 200
    assert "Write a new version" not in ines.get(SHEET).response.text
    assert ines.get(f"{SHEET}/service").status == 404


def test_who_signed_which_version_is_the_supplier_s_to_see(roos: SeatedBrowser) -> None:
    page = roos.get(f"{SHEET}/signed").response.text
    assert "De Vuurvogel" in page
    assert "Het Kompas" not in page  # it has no agreement with Taaltuin
    assert "agreements in force on version 1" in page
    found = roos.get(f"{SHEET}/signed?q=regen").response.text
    assert "De Vuurvogel" not in found
    assert "De Regenboog" in found


def test_each_step_is_shown_and_saved(roos: SeatedBrowser) -> None:
    saved = roos.post(f"{SHEET}/service", f"{SHEET}/service", **{"purpose-1-nl": "Schrijven."})
    assert saved.response.headers["location"] == f"{SHEET}/asks"
    assert "Schrijven." in roos.get(f"{SHEET}/preview").response.text
    assert "not written in both languages" in roos.get(SHEET).response.text
    asked = ask(roos)
    assert asked.response.headers["location"] == f"{SHEET}/asks"
    assert "first name" in roos.get(f"{SHEET}/asks").response.text
    again = roos.post(
        f"{SHEET}/asks/one?name=givenName", f"{SHEET}/asks/one?name=givenName", required="yes"
    )
    assert again.status == 303
    terms = roos.post(f"{SHEET}/terms", f"{SHEET}/terms", **{"dpia-reference": "DPIA 9"})
    assert terms.response.headers["location"] == f"{SHEET}/preview"
    company = {"name": "Wolk & Zoon", "country": "NL", "what-nl": "Servers.", "what-en": "Servers."}
    added = roos.post(f"{SHEET}/terms/company", f"{SHEET}/terms/company", **company)
    assert added.response.headers["location"] == f"{SHEET}/terms"
    changed = f"{SHEET}/terms/company?number=0"
    assert roos.post(changed, changed, name="Wolk B.V.").status == 303
    preview = roos.get(f"{SHEET}/preview").response.text
    assert "Wolk B.V." in preview
    assert "DPIA 9" in preview
    changes = roos.get(f"{SHEET}/publish").response.text
    assert "Now required" in changes
    remove = f"{SHEET}/terms/remove"
    assert roos.post(f"{remove}?number=0", remove).status == 303
    assert "Wolk B.V." not in roos.get(f"{SHEET}/terms").response.text
    remove = f"{SHEET}/asks/remove"
    assert roos.post(f"{remove}?name=givenName", remove).status == 303
    assert "first name" not in roos.get(f"{SHEET}/asks").response.text


def test_what_is_not_there_is_not_removed(roos: SeatedBrowser) -> None:
    for address, back in (
        ("asks/remove?name=mail", "asks"),
        ("terms/remove?number=7", "terms"),
        ("terms/remove?number=x", "terms"),
        ("discard", ""),
    ):
        answer = roos.get(f"{SHEET}/{address}")
        assert answer.response.headers["location"] == f"{SHEET}/{back}".rstrip("/")


@pytest.mark.parametrize(
    ("step", "fields", "told"),
    [
        ("service", {"category": "games"}, "Choose one of the list."),
        ("service", {"languages": "xx"}, "Choose one of the list."),
        ("service", {"purpose-0-nl": "x" * 2001}, "This is too long."),
        ("asks/one", NAME | {"name": "PGN"}, "Choose one of the list."),
        ("asks/one", NAME | {"name": "eckId"}, "Choose one of the list."),
        ("asks/one", NAME | {"name": "eduPersonAffiliation"}, "You ask this already."),
        ("asks/one", NAME | {"why-nl": " "}, "Fill this in."),
        ("asks/one", NAME | {"of": "parent"}, "Choose one of the list."),
        ("terms", {"model-url": "javascript:alert(1)"}, "begins with https://"),
        ("terms", {"privacy-mail": "nobody"}, "Write a mail address"),
        ("terms", {"privacy-phone": "call me"}, "Write a telephone number"),
        ("terms", {"dpia-on": "yesterday", "dpia-reference": "x"}, "Write a day"),
        ("terms", {"dpia-on": "2026-01-01", "dpia-reference": ""}, "Fill this in."),
        ("terms", {"countries": "Mars"}, "Choose one of the list."),
        ("terms/company", {"name": "", "country": "NL"}, "Fill this in."),
        ("terms/company", {"name": "Wolk", "country": "XX"}, "Choose one of the list."),
    ],
)
def test_a_mistake_is_told_beside_its_field_and_nothing_is_saved(
    roos: SeatedBrowser, step: str, fields: dict[str, str], told: str
) -> None:
    answer = roos.post(f"{SHEET}/{step}", f"{SHEET}/{step}", **fields)
    assert answer.status == 400
    assert told in answer.response.text
    assert "Write a new version" in roos.get(SHEET).response.text


def test_a_form_that_a_colleague_overtook_saves_nothing_and_shows_the_difference(
    roos: SeatedBrowser,
) -> None:
    page = roos.get(f"{SHEET}/service")
    stale = form_of(page, f"{SHEET}/service")
    assert ask(roos).status == 303
    typed = stale | {"purpose-0-en": "Iets heel anders."}
    answer = roos.browser.post(f"{SHEET}/service", typed, headers={"accept-language": "en"})
    assert answer.status == 409
    assert "Somebody else changed this draft meanwhile" in answer.response.text
    assert "Iets heel anders." in answer.response.text
    assert "Iets heel anders." not in roos.get(f"{SHEET}/preview").response.text
    fresh = form_of(answer, f"{SHEET}/service")
    assert roos.browser.post(f"{SHEET}/service", fresh).status == 303
    preview = roos.get(f"{SHEET}/preview").response.text
    assert "Iets heel anders." in preview
    assert "first name" in preview  # what the colleague did stays


def test_a_second_press_of_save_does_nothing_twice(roos: SeatedBrowser) -> None:
    form = form_of(roos.get(f"{SHEET}/asks/one"), f"{SHEET}/asks/one") | NAME
    first = roos.browser.post(f"{SHEET}/asks/one", form)
    second = roos.browser.post(f"{SHEET}/asks/one", form)
    assert first.status == 303
    assert second.status in (303, 400, 409)  # asked already: nothing is added
    assert roos.get(f"{SHEET}/asks").response.text.count("asks/one?name=givenName") == 1


def test_markup_in_a_text_is_text(roos: SeatedBrowser) -> None:
    ask(roos, **{"why-nl": MARKUP, "why-en": MARKUP, "without-nl": MARKUP})
    company = {"name": MARKUP, "country": "NL", "what-nl": MARKUP, "what-en": MARKUP}
    roos.post(f"{SHEET}/terms/company", f"{SHEET}/terms/company", **company)
    for page in ("preview", "publish", "asks/one?name=givenName", "terms"):
        text = roos.get(f"{SHEET}/{page}").response.text
        assert "alert(1)" in text
        assert "<script>alert" not in text
        assert "</textarea>{{" not in text
    assert "60481729" not in roos.get(f"{SHEET}/asks/one?name=givenName").response.text


def test_a_draft_that_lacks_something_is_not_published(roos: SeatedBrowser) -> None:
    ask(roos, **{"why-en": ""})
    page = roos.get(f"{SHEET}/publish")
    assert "Not complete yet" in page.response.text
    assert form_on(page, f"{SHEET}/publish") is None
    basis = form_of(roos.get(f"{SHEET}/service"), f"{SHEET}/service")
    answer = roos.browser.post(
        f"{SHEET}/publish", {name: basis[name] for name in ("csrf", "revision", "based_on")}
    )
    assert answer.status == 400
    assert roos.get(f"{SHEET}/history/9").status == 404


@pytest.mark.parametrize("held", [OF_BIOSFEER, SCHOOL_ADMIN])
@pytest.mark.parametrize(
    "page",
    [
        *("", "/service", "/asks", "/asks/one", "/terms", "/terms/company", "/preview"),
        *("/publish", "/history", "/history/1", "/discard", "/asks/remove?name=x", "/signed"),
    ],
)
def test_another_s_sheet_is_not_there(site: Site, held: HeldRole, page: str) -> None:
    answer = seat(site, held).get(SHEET + page)
    assert answer.status == 404
    assert "E-CONSOLE-1" in answer.response.text
    assert seat(site, held).get("/console/sheets/nobody" + page).status == 404


def test_another_s_form_changes_nothing(site: Site, roos: SeatedBrowser) -> None:
    other = seat(site, OF_BIOSFEER)
    own = form_of(other.get("/console/sheets/biosfeer/service"), "/console/sheets/biosfeer/service")
    for page in ("service", "asks/one", "terms", "publish", "discard"):
        assert other.browser.post(f"{SHEET}/{page}", own).status == 404
    theirs = form_of(roos.get(f"{SHEET}/service"), f"{SHEET}/service")
    # Their form, with a token of somebody else's session.
    forged = theirs | {"csrf": own["csrf"], "purpose-0-en": "Van een ander."}
    assert roos.browser.post(f"{SHEET}/service", forged).status == 403
    assert "Van een ander." not in roos.get(f"{SHEET}/preview").response.text


def test_a_published_version_is_in_force_once_and_stands_in_the_history(
    site: Site, roos: SeatedBrowser
) -> None:
    ask(roos, required="yes")
    form = form_of(roos.get(f"{SHEET}/publish"), f"{SHEET}/publish")
    first = roos.browser.post(f"{SHEET}/publish", form)
    second = roos.browser.post(f"{SHEET}/publish", form)
    assert first.response.headers["location"] == f"{SHEET}/history/2?new"
    assert second.response.headers["location"] == f"{SHEET}/history/2?new"
    page = roos.get(f"{SHEET}/history/2?new").response.text
    assert "This version is in force" in page
    assert "Now required" in page
    history = roos.get(f"{SHEET}/history").response.text
    assert history.count(f"{SHEET}/history/") == 2
    assert roos.get(f"{SHEET}/history/1").status == 200
    assert "nothing to publish" in roos.get(f"{SHEET}/publish").response.text
    site.run(site.web.snapshots.refresh())  # type: ignore[attr-defined]
    supplier = next(
        each for each in site.web.snapshots.registry.suppliers.values() if each.id == "taaltuin"
    )
    assert supplier.sheet_version == 2
    entries = site.web.console.audit.look(supplier=supplier.id, action="sheet-published")
    assert entries.found == 1
