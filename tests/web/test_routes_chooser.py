"""The chooser over HTTP: searching, remembering, forgetting, languages, test and production."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest
from lxml import html

from broker.domain.federation import School, State
from broker.domain.ids import SchoolId
from broker.domain.registry import Registry
from tests.builders import a_school
from tests.web.broker_site import OIDC_REQUEST, Answer, Browser, Site, fields_of

EVERY_TEST_SCHOOL = ["regenboog", "vuurvogel", "kompas"]  # De ..., De ..., Het ...
MARKUP = '<img src=x onerror="alert(1)">'


def with_schools(registry: Registry, *schools: School) -> Registry:
    """Return the registry with more schools, which log in where `kompas` does."""
    idps = registry.idps_of_school[SchoolId("kompas")]
    return replace(
        registry,
        schools={**registry.schools, **{each.id: each for each in schools}},
        idps_of_school={**registry.idps_of_school, **{each.id: idps for each in schools}},
    )


def offered(answer: Answer) -> list[str]:
    """Return the ids of the schools in the list."""
    page = html.fromstring(answer.response.content)
    return [str(each) for each in page.xpath("//*[@id='results']//button[@name='school']/@value")]


def first_offer(answer: Answer) -> list[str]:
    page = html.fromstring(answer.response.content)
    return [str(each) for each in page.xpath("//section//button[@name='school']/@value")]


def test_few_schools_are_all_shown(browser: Browser) -> None:
    assert offered(browser.get("/schools")) == EVERY_TEST_SCHOOL


@pytest.mark.parametrize(("query", "found"), [("22bb", ["kompas"]), ("niets", []), ("", 3)])
def test_a_search_finds_by_name_place_and_brin(
    browser: Browser, query: str, found: list[str] | int
) -> None:
    answer = offered(browser.get("/schools", params={"q": query}))
    assert answer == found or len(answer) == found


class TestManySchools:
    @pytest.fixture
    def _many(self, site: Site) -> Iterator[None]:
        schools = [a_school(id=SchoolId(f"s{n}"), name=f"School {n}") for n in range(30)]
        with site.having(with_schools(site.web.snapshots.registry, *schools)):
            yield

    @pytest.mark.usefixtures("_many")
    def test_they_are_shown_once_something_is_typed(self, browser: Browser) -> None:
        empty = browser.get("/schools")
        assert offered(empty) == []
        assert "33" in empty.response.text
        assert 0 < len(offered(browser.get("/schools?q=school"))) <= 20
        assert "s17" in offered(browser.get("/schools?q=school+17"))


class TestTestAndProduction:
    @pytest.fixture
    def _mixed(self, site: Site) -> Iterator[None]:
        real = a_school(id=SchoolId("echt"), name="Echt", state=State.PRODUCTION)
        with site.having(with_schools(site.web.snapshots.registry, real)):
            yield

    @pytest.mark.usefixtures("_mixed")
    def test_a_test_supplier_sees_test_schools_alone(self, browser: Browser) -> None:
        assert offered(browser.choose()) == EVERY_TEST_SCHOOL

    @pytest.mark.usefixtures("_mixed")
    def test_without_a_login_production_alone_is_shown(self, browser: Browser) -> None:
        assert offered(browser.get("/schools")) == ["echt"]
        assert offered(browser.get("/schools?q=kompas")) == []

    @pytest.mark.usefixtures("_mixed")
    def test_the_other_kind_is_refused_though_it_was_posted(self, browser: Browser) -> None:
        refused = browser.post("/schools", fields_of(browser.choose()) | {"school": "echt"})
        assert refused.refused == ["check_states_equal"]
        assert "school" not in browser.cookies

    @pytest.mark.usefixtures("_mixed")
    def test_a_remembered_school_of_the_other_kind_is_not_offered(self, browser: Browser) -> None:
        browser.cookies.set("school", "echt")
        assert first_offer(browser.get("/schools")) == ["echt"]
        assert first_offer(browser.choose()) == []


class TestRemembering:
    def test_a_choice_is_offered_first_next_time(self, browser: Browser) -> None:
        assert first_offer(browser.choose()) == []
        browser.post("/schools", fields_of(browser.choose()) | {"school": "kompas"})
        again = browser.choose()
        assert first_offer(again) == ["kompas"]
        assert browser.post("/schools", fields_of(again) | {"school": "kompas"}).status == 303

    def test_it_can_be_forgotten_within_a_login(self, browser: Browser) -> None:
        browser.post("/schools", fields_of(browser.choose()) | {"school": "kompas"})
        chooser = browser.choose()
        forgotten = browser.post("/schools/forget", fields_of(chooser, "/schools/forget"))
        assert forgotten.status == 303
        assert "school" not in browser.cookies
        assert first_offer(browser.get(forgotten.response.headers["location"])) == []

    def test_without_a_login_a_choice_is_remembered_and_forgotten(self, browser: Browser) -> None:
        fields = fields_of(browser.get("/schools"))
        remembered = browser.post("/schools", fields | {"school": "kompas"})
        assert remembered.status == 200
        assert browser.cookies["school"] == "kompas"
        chooser = browser.get("/schools")
        assert first_offer(chooser) == ["kompas"]
        forgotten = browser.post("/schools/forget", fields_of(chooser, "/schools/forget"))
        assert forgotten.status == 200
        assert "school" not in browser.cookies

    def test_a_school_that_is_not_there_is_not_remembered(self, browser: Browser) -> None:
        fields = fields_of(browser.get("/schools"))
        assert browser.post("/schools", fields | {"school": "nowhere"}).status == 303
        assert "school" not in browser.cookies

    def test_a_made_up_cookie_offers_nothing(self, browser: Browser) -> None:
        browser.cookies.set("school", MARKUP)
        answer = browser.get("/schools")
        assert answer.status == 200
        assert first_offer(answer) == []
        assert "onerror" not in answer.response.text


class TestLanguages:
    def test_dutch_unless_something_else_is_asked(self, browser: Browser) -> None:
        assert "Kies je school" in browser.get("/schools").response.text
        english = browser.get("/schools", headers={"Accept-Language": "en-GB,en;q=0.9"})
        assert "Choose your school" in english.response.text

    def test_a_choice_of_language_is_remembered(self, browser: Browser) -> None:
        browser.get("/schools?lang=en")
        assert browser.cookies["lang"] == "en"
        assert "Choose your school" in browser.get("/schools").response.text

    def test_a_language_that_we_lack_is_not_remembered(self, browser: Browser) -> None:
        browser.get("/schools?lang=en")
        browser.get("/schools?lang=fr")
        assert browser.cookies["lang"] == "en"

    def test_a_supplier_passes_its_language_on(self, browser: Browser) -> None:
        for locales in ("en", "fr-CA en nl", "EN-gb"):
            assert "Choose your school" in browser.choose(ui_locales=locales).response.text
        assert "lang" not in browser.cookies  # a supplier's wish is nobody's own choice
        for locales in ("fr", ""):
            assert "Kies je school" in browser.choose(ui_locales=locales).response.text

    def test_a_supplier_s_language_holds_for_its_login_and_until_one_is_chosen(
        self, browser: Browser
    ) -> None:
        browser.get("/schools?lang=en")
        chooser = browser.begin(ui_locales="nl").response.headers["location"]
        assert "Kies je school" in browser.get(chooser).response.text
        assert "Choose your school" in browser.get(f"{chooser}&lang=en").response.text
        assert "Choose your school" in browser.get(chooser).response.text
        assert "wished" not in browser.cookies

    def test_a_request_by_post_chooses_the_language_too(self, browser: Browser) -> None:
        begun = browser.post("/oidc/authorize", OIDC_REQUEST | {"ui_locales": "en"})
        page = browser.get(begun.response.headers["location"])
        assert "Choose your school" in page.response.text

    def test_the_other_language_keeps_login_and_search(self, browser: Browser) -> None:
        login = browser.begin().response.headers["location"]
        page = html.fromstring(browser.get(f"{login}&q=kom").response.content)
        links = page.xpath("//nav//a/@href")
        assert links == [f"{login}&q=kom&lang=nl", f"{login}&q=kom&lang=en"]


class TestUntrustedText:
    def test_a_query_with_markup_is_text(self, browser: Browser) -> None:
        answer = browser.get("/schools", params={"q": MARKUP})
        page = html.fromstring(answer.response.content)
        assert page.xpath("//input[@name='q']/@value") == [MARKUP]
        assert not page.xpath("//img")

    def test_a_name_of_the_registry_with_markup_is_text(self, site: Site, browser: Browser) -> None:
        registry = site.web.snapshots.registry
        school = a_school(id=SchoolId("s"), name=MARKUP, place=MARKUP)
        supplier = msgspec.structs.replace(
            registry.suppliers["rekenrijk"],
            display_name=MARKUP,  # type: ignore[index]
        )
        changed = replace(registry, suppliers={**registry.suppliers, supplier.id: supplier})
        with site.having(with_schools(changed, school)):
            pages = [browser.choose(), browser.get("/schools?q=img")]
            browser.post("/schools", fields_of(pages[0]) | {"school": "s"})
            pages.append(browser.choose())
        for each in pages:
            page = html.fromstring(each.response.content)
            assert MARKUP in page.text_content()
            assert not page.xpath("//img")
