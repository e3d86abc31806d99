"""The parts of console pages: all are shown on one page, and a form says what goes with what."""

import re

from broker.web.rendering import TEMPLATES_FOLDER
from tests.web.component_examples import PAGES, TEMPLATES, AllComponentsPage
from tests.web.page_examples import EN, Document, render

SHOWN = render(AllComponentsPage(), EN, pages=PAGES)
PAGE = Document(SHOWN)


def test_all_parts_stand_on_the_page_that_shows_them() -> None:
    made = (TEMPLATES_FOLDER / "console/components.html").read_text()
    shown = (TEMPLATES / AllComponentsPage.template).read_text()
    names = re.findall(r"macro ([a-z]\w*)\(", made)
    assert len(names) > 20
    # `hidden` and `mark` stand inside others.
    assert [name for name in names if f"ui.{name}(" not in shown] == ["mark", "hidden"]


def test_every_field_has_a_label_and_refers_to_what_explains_it() -> None:
    ids = {attributes["id"] for _, attributes in PAGE.elements if "id" in attributes}
    labelled = {each["for"] for each in PAGE.all("label")}
    fields = [
        attributes
        for tag, attributes in PAGE.elements
        if tag in ("input", "select", "textarea") and attributes.get("type") != "hidden"
    ]
    assert {each["id"] for each in fields} == labelled
    references = [each.get("aria-describedby", "") for _, each in PAGE.elements]
    assert set(" ".join(references).split()) <= ids


def test_a_field_with_a_mistake_says_so_to_everybody() -> None:
    (mail,) = (each for each in PAGE.all("input") if each.get("name") == "mail")
    assert mail["aria-invalid"] == "true"
    assert mail["aria-describedby"] == "mail-hint mail-error"
    (name,) = (each for each in PAGE.all("input") if each.get("name") == "name")
    assert "aria-invalid" not in name
    assert "aria-describedby" not in name


def test_the_summary_of_mistakes_takes_the_focus_and_leads_to_the_fields() -> None:
    (summary,) = (each for each in PAGE.all("div") if "autofocus" in each)
    assert summary["role"] == "alert"
    ids = {attributes["id"] for _, attributes in PAGE.elements if "id" in attributes}
    links = [each["href"] for each in PAGE.all("a") if each["href"].startswith("#")]
    assert links == ["#content", "#mail", "#until", "#group"]
    assert {each[1:] for each in links} <= ids
    assert "autofocus" not in render(AllComponentsPage(errors=()), EN, pages=PAGES)


def test_forms_carry_their_token_and_what_they_are_based_on() -> None:
    assert PAGE.form_to("/console/save").hidden == {"csrf": "the-token", "version": "3"}
    assert PAGE.form_to("/console/stop").hidden == {"csrf": "the-token", "supplier": "rekenrijk"}
    assert PAGE.form_to("/console/services", "get").hidden == {"school": "vuurvogel"}


def test_a_cell_shows_its_head_on_a_phone_and_says_it_once_to_readers() -> None:
    heads = [each for each in PAGE.all("span") if each.get("class") == "schuilnaam-table__head"]
    assert len(heads) == 4
    assert {each["aria-hidden"] for each in heads} == {"true"}


def test_text_of_others_stays_text() -> None:
    shown = render(AllComponentsPage(long_name='"><script>alert(1)</script>'), EN, pages=PAGES)
    assert "<script>alert" not in shown
    assert Document(shown).all("script") == []
