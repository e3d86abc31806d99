"""The pages: their forms are contracts, foreign names stay text, and everybody can use them."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.refusals import WhoseTask
from broker.flow.switching.rehearsal import Finding
from broker.web import texts
from broker.web.logout_pages import LoggedOutPage
from broker.web.pages import (
    Brand,
    Frame,
    Link,
    MessagePage,
    Notice,
    Page,
    Theme,
    build_language_links,
)
from broker.web.templating import isolate, plain
from tests.web.page_examples import (
    EN,
    EXAMPLES,
    NL,
    PAGES,
    a_chooser,
    a_handover,
    a_refusal,
    a_rehearsal,
    a_school,
    a_welcome,
    read,
    render,
)

HOSTILE = '<script>alert("x")</script>\u202e\u2069{{ 7*7 }}\'"&'
HOSTILE_ESCAPED = "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;{{ 7*7 }}&#39;&#34;&amp;"


@pytest.fixture(params=sorted(EXAMPLES))
def example(request: pytest.FixtureRequest) -> Page:
    return EXAMPLES[request.param]


@pytest.mark.parametrize("frame", [NL, EN], ids=["nl", "en"])
class TestEveryPage:
    def test_is_a_document_in_its_language(self, example: Page, frame: Frame) -> None:
        html = render(example, frame)
        assert html.startswith("<!doctype html>\n<html lang=")
        assert read(example, frame).all("html")[0]["lang"] == frame.language

    def test_has_landmarks_one_title_and_headings_in_order(
        self, example: Page, frame: Frame
    ) -> None:
        page = read(example, frame)
        for landmark in ("header", "main", "footer", "nav", "h1", "title"):
            assert len(page.all(landmark)) == 1, landmark
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))

    def test_names_things_once_and_refers_to_what_exists(self, example: Page, frame: Frame) -> None:
        page = read(example, frame)
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        for _, attributes in page.elements:
            for name in ("for", "form", "aria-labelledby", "aria-describedby", "aria-controls"):
                assert set(attributes.get(name, "").split()) <= set(ids)
        labelled = {each["for"] for each in page.all("label")}
        fields = {each["id"] for each in page.all("input") if each["type"] != "hidden"}
        assert fields <= labelled

    def test_begins_with_a_link_to_the_content(self, example: Page, frame: Frame) -> None:
        page = read(example, frame)
        assert page.all("a")[0]["href"] == "#content"
        assert page.all("main")[0]["id"] == "content"

    def test_holds_no_inline_script_or_style_and_nothing_of_others(
        self, example: Page, frame: Frame
    ) -> None:
        page = read(example, frame)
        for tag, attributes in page.elements:
            assert tag not in {"style", "img", "object", "base"}
            assert tag != "iframe" or getattr(example, "frames", ())
            assert not [name for name in attributes if name == "style" or name.startswith("on")]
            if tag in {"script", "link"}:
                url = attributes.get("src") or attributes["href"]
                assert url in PAGES.assets.by_url_path
        assert all("src" in each and "defer" in each for each in page.all("script"))

    def test_hides_drawings_from_screen_readers(self, example: Page, frame: Frame) -> None:
        assert all(each["aria-hidden"] == "true" for each in read(example, frame).all("svg"))

    def test_leaves_no_placeholder_open(self, example: Page, frame: Frame) -> None:
        assert not re.search(r"%\(|\{subject\}|\{\{|\{%", read(example, frame).text)


class TestChooser:
    def test_one_form_holds_every_school(self) -> None:
        form = read(a_chooser()).form_to("/schools")
        assert form.hidden == {"login": "the-login", "csrf": "the-token"}
        assert form.buttons == [("school", "kompas"), ("school", "vuurvogel")]

    def test_searches_by_get_and_keeps_the_login(self) -> None:
        form = read(a_chooser(query="vuur")).form_to("/schools", "get")
        assert form.hidden == {"login": "the-login"}
        assert form.inputs == ["q"]

    def test_without_a_login_states_none(self) -> None:
        page = read(a_chooser(login="", supplier_name=""))
        assert page.form_to("/schools").hidden == {"csrf": "the-token"}
        assert page.form_to("/schools", "get").hidden == {}

    def test_offers_the_remembered_school_first_in_a_form_of_its_own(self) -> None:
        page = read(a_chooser(remembered=a_school()))
        first, *_, whole = [each for each in page.forms if each.attributes["action"] == "/schools"]
        assert first.buttons == [("school", "vuurvogel")]
        assert first.hidden == whole.hidden == {"login": "the-login", "csrf": "the-token"}
        assert ("school", "vuurvogel") in whole.buttons
        assert "Verder met De Vuurvogel" in page.text

    def test_forgets_by_a_form_of_its_own(self) -> None:
        form = read(a_chooser(remembered=a_school())).form_to("/schools/forget")
        assert form.hidden == {"login": "the-login", "csrf": "the-token"}
        assert "Vergeet deze keuze" in read(a_chooser(remembered=a_school())).text

    def test_offers_nothing_to_forget_when_nothing_is_remembered(self) -> None:
        assert "/schools/forget" not in render(a_chooser())

    def test_marks_test_schools_only(self) -> None:
        assert "Testschool" in read(a_chooser(schools=(a_school(is_test=True),))).text
        assert "Testschool" not in read(a_chooser()).text

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({}, "Je kunt kiezen uit 2 scholen."),
            ({"schools": (), "found_count": 7021}, "Er zijn 7021 scholen. Zoek om"),
            ({"query": "de"}, "2 scholen gevonden."),
            ({"query": "de", "schools": (a_school(),), "found_count": 1}, "1 school gevonden."),
            ({"query": "de", "found_count": 412}, "412 scholen gevonden. Je ziet de eerste 2."),
            ({"query": "zz", "schools": (), "found_count": 0}, "Geen school gevonden."),
        ],
    )
    def test_says_how_many_in_a_status_message(self, changes: dict[str, object], said: str) -> None:
        page = read(a_chooser(**changes))
        assert said in page.text
        assert [each["id"] for each in page.all("p") if each.get("role") == "status"] == ["count"]

    def test_helps_when_nothing_is_found(self) -> None:
        assert "Dit kun je proberen" in read(EXAMPLES["chooser with none"]).text
        assert "Dit kun je proberen" not in read(a_chooser()).text

    def test_keeps_what_was_typed_as_text(self) -> None:
        (box,) = (
            each for each in read(a_chooser(query=HOSTILE)).all("input") if each["name"] == "q"
        )
        assert box["value"] == HOSTILE


class TestWelcome:
    def test_goes_on_by_one_button(self) -> None:
        form = read(a_welcome()).form_to("/login/continue")
        assert form.hidden == {"login": "the-login", "csrf": "the-token"}
        assert form.buttons == [("continue", "yes")]

    def test_offers_not_me_on_shared_devices_only(self) -> None:
        form = read(a_welcome(may_switch=True)).form_to("/login/not-me")
        assert form.hidden == {"login": "the-login", "csrf": "the-token"}
        assert form.buttons == [("not-me", "yes")]
        assert "/login/not-me" not in render(a_welcome())

    def test_greets_by_name_when_it_is_known(self) -> None:
        assert "Hoi Sanne!" in read(a_welcome(first_name="Sanne")).text
        assert "Hoi!" in read(a_welcome()).text
        assert "Hi Sanne!" in read(a_welcome(first_name="Sanne"), EN).text

    def test_keeps_the_name_out_of_title_and_repr(self) -> None:
        page = a_welcome(first_name="Sanne")
        assert "Sanne" not in re.search("<title>.*</title>", render(page))[0]  # type: ignore[index]
        assert "Sanne" not in repr(page)

    def test_names_what_is_shared_and_what_is_not(self) -> None:
        said = read(a_welcome(notice=Notice(shared=("givenName", "mail")))).text
        shared, _, kept = said.partition("Dit krijgt Rekenrijk niet")
        assert "een schuilnaam voor jou" in shared
        assert "je voornaam" in shared
        assert "je e-mailadres" in shared
        assert "je achternaam" in kept
        assert "je e-mailadres" not in kept
        assert "De Vuurvogel heeft dit zo gekozen." in kept

    def test_warns_when_suppliers_could_recognise_the_pupil(self) -> None:
        warning = "zien dat jij dezelfde persoon bent"
        assert warning in read(a_welcome(notice=Notice(shared=("eckId",)))).text
        assert warning not in read(a_welcome(notice=Notice(shared=("givenName",)))).text

    @given(st.frozensets(st.sampled_from(("givenName", "sn", "mail", "eckId", "birthDate"))))
    def test_never_says_both_shared_and_not_shared(self, shared: frozenset[str]) -> None:
        notice = Notice(shared=tuple(shared))
        assert not shared & set(notice.not_shared)


class TestRehearsal:
    def test_begins_by_a_form_of_this_browser(self) -> None:
        form = read(a_rehearsal()).form_to("/rehearsal")
        assert form.hidden == {"csrf": "the-token", "school": "vuurvogel"}

    def test_ends_with_a_way_to_the_beginning_that_needs_no_cookie(self) -> None:
        """It may answer another site's post, to which the browser adds no cookie of our forms."""
        form = read(a_rehearsal(finding=Finding.SAME)).form_to("/rehearsal", "get")
        assert (form.hidden, form.buttons) == ({"school": "vuurvogel"}, [("", "")])


class TestHandover:
    def test_has_exactly_one_form_with_every_field_and_a_button(self) -> None:
        (form,) = read(a_handover()).forms
        assert form.attributes["action"] == "https://taaltuin.example/acs?x=1&y=2"
        assert form.attributes["method"] == "post"
        assert form.hidden == {"SAMLResponse": "PD94bWw+", "RelayState": 'a"b<c>'}
        assert form.buttons == [("", "")]

    def test_shows_each_message_to_its_own_pupil(self) -> None:
        first = read(a_handover(fields=(("SAMLResponse", "one"), ("RelayState", "1"))))
        second = read(a_handover(fields=(("SAMLResponse", "two"), ("RelayState", "2"))))
        alone = read(a_handover(fields=(("SAMLResponse", "three"),)))
        elsewhere = read(a_handover(action="https://elsewhere.example/acs"))
        assert first.forms[0].hidden == {"SAMLResponse": "one", "RelayState": "1"}
        assert second.forms[0].hidden == {"SAMLResponse": "two", "RelayState": "2"}
        assert alone.forms[0].hidden == {"SAMLResponse": "three"}
        assert elsewhere.forms[0].attributes["action"] == "https://elsewhere.example/acs"

    def test_keeps_its_fields_when_a_name_holds_what_no_text_should(self) -> None:
        (form,) = read(a_handover(destination_name="Taal\x00tuin")).forms
        assert form.hidden == {"SAMLResponse": "PD94bWw+", "RelayState": 'a"b<c>'}

    def test_keeps_the_message_out_of_its_repr(self) -> None:
        assert "PD94bWw+" not in repr(a_handover())


class TestRefusal:
    def test_names_the_attribute_in_human_words(self) -> None:
        said = read(a_refusal(subject="givenName"), EN).text
        assert "The material needs your first name." in said
        assert "Your school can approve your first name." in said
        assert "je voornaam" in read(a_refusal(subject="givenName")).text

    def test_shows_an_unknown_subject_as_an_isolated_name(self) -> None:
        assert "needs <bdi>shoeSize</bdi>." in render(a_refusal(subject="shoeSize"), EN)

    def test_says_nothing_for_an_empty_message(self) -> None:
        assert "Project-Id-Version" not in render(a_refusal(what="", remedy=""))

    def test_keeps_a_percent_sign(self) -> None:
        assert "100 % (full)" in read(a_refusal(what="100 % (full)"), EN).text

    @pytest.mark.parametrize("task", WhoseTask)
    def test_shows_whose_task_it_is_in_words_and_with_an_icon(self, task: WhoseTask) -> None:
        html = render(a_refusal(whose_task=task))
        assert f"schuilnaam-icon--{task.value}" in html
        assert ("Je school kan dit oplossen" in html) == (task is WhoseTask.SCHOOL)

    def test_shows_code_and_reference_in_groups(self) -> None:
        page = read(a_refusal())
        assert "E-RELEASE-2" in page.text
        assert a_refusal().reference_groups == ("k7mq", "2xpd")
        again = render(a_refusal(reference="befoheko"))
        assert again == render(a_refusal()).replace("k7mq", "befo").replace("2xpd", "heko")
        assert "&lt;b&gt;!" in render(a_refusal(reference="<b>!2xpd"))
        assert [each["data-reference"] for each in page.all("dl")] == ["k7mq2xpd"]

    def test_offers_to_try_again_at_the_same_school(self) -> None:
        page = read(EXAMPLES["refusal with retry"])
        form = page.form_to("/schools")
        assert form.hidden == {"login": "the-login", "csrf": "the-token"}
        assert form.buttons == [("school", "kompas")]
        assert read(a_refusal()).forms == []

    def test_a_way_back_is_shown_to_people_alone(self) -> None:
        """After a logout our signed answer stands in it, and what who asked wants back."""
        link = Link("https://rekenrijk.example/slo?SAMLResponse=x&RelayState=of-sanne", "Rekenrijk")
        page = LoggedOutPage(places=(), way_back=link)
        assert "RelayState=of-sanne" in render(page, EN)
        assert "Rekenrijk" in repr(page)
        assert "of-sanne" not in repr(page)

    def test_shows_the_way_back(self) -> None:
        page = read(EXAMPLES["refusal with way back"])
        assert page.all("a")[-1]["href"] == "https://rekenrijk.example/start"
        assert "Terug naar je lesmateriaal" in page.text
        assert "Terug naar Rekenrijk" in read(EXAMPLES["refusal with retry"]).text


class TestForeignNames:
    @staticmethod
    def pages() -> Iterator[Page]:
        school = a_school(name=HOSTILE, place=HOSTILE, brin=HOSTILE)
        link = Link("https://r.example", HOSTILE)
        yield a_chooser(supplier_name=HOSTILE, schools=(school,), remembered=school)
        yield a_welcome(
            school_name=HOSTILE,
            supplier_name=HOSTILE,
            first_name=HOSTILE,
            notice=Notice(shared=(HOSTILE,)),
        )
        yield a_handover(destination_name=HOSTILE)
        yield a_refusal(subject=HOSTILE, way_back=link)
        yield MessagePage(text=texts.NOTHING_HERE, link=link)

    def test_are_escaped_and_isolated_on_every_page(self) -> None:
        for page in self.pages():
            html = render(page, EN)
            assert HOSTILE_ESCAPED in html
            assert html.count(HOSTILE_ESCAPED) == html.count(f"<bdi>{HOSTILE_ESCAPED}</bdi>")
            assert not re.search("[\u202a-\u202e\u2066-\u2069]", html)
            assert "<script>alert" not in html

    def test_may_be_the_brand(self) -> None:
        html = render(a_chooser(), Frame(brand=Brand(HOSTILE, Theme.OCEAN)))
        assert f"<bdi>{HOSTILE_ESCAPED}</bdi>" in html
        assert f"· {HOSTILE_ESCAPED}</title>" in html
        assert 'class="schuilnaam-theme schuilnaam-theme--ocean"' in html

    @given(st.text())
    def test_never_change_the_reading_direction_around_them(self, name: str) -> None:
        assert not set(plain(name)) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
        inside = isolate(name).removeprefix("<bdi>").removesuffix("</bdi>")
        assert inside.unescape() == plain(name)
        assert not set(inside) & set("<>\"'")


class TestFrame:
    def test_links_to_the_same_page_in_both_languages(self) -> None:
        page = read(a_chooser(), Frame(language_links=build_language_links("/s", [("q", "a&b")])))
        links = [(each["hreflang"], each["href"]) for each in page.all("a") if "hreflang" in each]
        assert links == [("nl", "/s?q=a%26b&lang=nl"), ("en", "/s?q=a%26b&lang=en")]
        (current,) = (each for each in page.all("a") if "aria-current" in each)
        assert current["hreflang"] == "nl"

    def test_shows_no_links_for_a_page_that_cannot_be_asked_for_again(self) -> None:
        assert read(a_chooser(), Frame()).all("nav") == []

    def test_new_tab_opens_without_a_way_to_reach_back(self) -> None:
        link = read(EXAMPLES["new tab"]).all("a")[-1]
        assert link["href"] == "https://broker.example/schools"
        assert (link["target"], link["rel"]) == ("_blank", "noopener")

    def test_handles_stay_out_of_reprs(self) -> None:
        for page in (a_chooser(), a_welcome(), EXAMPLES["refusal with retry"]):
            assert "the-login" not in repr(page)
            assert "the-token" not in repr(page)
