"""Decisions in sentences: what they say in both languages, for each audience."""

from datetime import date

import pytest

from broker.domain.attributes import AttributeName, Population
from broker.domain.decision_outline import NOTHING, Choice, GroupChoice, outline
from broker.domain.sheet_documents import AttributeDocument, WordsDocument
from broker.web.console.decision_words import DecisionWords, SharedOf
from broker.web.texts import Language, load_texts

NAME, ROLE, ECK_ID, SURNAME = map(
    AttributeName, ("givenName", "eduPersonAffiliation", "eckId", "sn")
)
ASKED = (
    AttributeDocument(name=NAME, purpose="Om te groeten.", purpose_en="To greet."),
    AttributeDocument(
        name=ROLE,
        purpose="Leraren zien antwoorden.",
        required=True,
        works_without=WordsDocument(nl="Zonder rol opent niets."),
    ),
    AttributeDocument(name=ECK_ID, purpose="-", populations=(Population.PUPIL,)),
)
TEXTS = load_texts()
DUTCH, ENGLISH = (DecisionWords(each, TEXTS[each]) for each in (Language.NL, Language.EN))


def a_choice(*pupils: AttributeName, staff: tuple[AttributeName, ...] = ()) -> Choice:
    return Choice(pupils=frozenset(pupils), staff=frozenset(staff))


def shared(words: DecisionWords, choice: Choice) -> list[SharedOf]:
    return [words.shared_of(each, supplier="RekenRijk") for each in outline(ASKED, choice)]


def test_one_sentence_says_what_is_shared_of_a_pupil_and_of_an_employee() -> None:
    pupils, staff = shared(DUTCH, a_choice(ROLE, NAME))
    assert pupils.lead == (
        "Van een leerling krijgt RekenRijk een schuilnaam en: voornaam en rol (leerling of leraar)."
    )
    assert staff.lead == "Van een medewerker krijgt RekenRijk een schuilnaam en verder niets."
    pupils, staff = shared(ENGLISH, a_choice(staff=(ROLE,)))
    assert pupils.lead == "Of a pupil, RekenRijk gets a pseudonym and nothing else."
    assert staff.lead == (
        "Of an employee, RekenRijk gets a pseudonym and: role (pupil or teacher)."
    )


def test_why_and_what_happens_without_is_the_suppliers_own_text_or_ours() -> None:
    name, role, _ = shared(ENGLISH, NOTHING)[0].lines
    assert (name.why, name.without) == ("To greet.", "Without this, it works too.")
    assert role.why == "Leraren zien antwoorden."
    assert role.without == "Zonder rol opent niets."
    eck_id = shared(DUTCH, NOTHING)[0].lines[2]
    assert eck_id.without == "Zonder dit werkt het ook."
    asked = (AttributeDocument(name=SURNAME, purpose="-", required=True),)
    (line,) = DUTCH.shared_of(outline(asked, NOTHING)[0], supplier="X").lines
    assert line.without == "Zonder dit kan niemand van hen inloggen."


def test_refusing_a_required_attribute_says_who_cannot_go_on() -> None:
    pupils, staff = shared(DUTCH, a_choice(NAME, staff=(ROLE,)))
    assert pupils.stops.startswith("Deze leerlingen kunnen RekenRijk niet gebruiken")
    assert staff.stops == ""
    pupils, staff = shared(DUTCH, a_choice(ROLE))
    assert staff.stops.startswith("Medewerkers kunnen RekenRijk niet gebruiken")
    assert pupils.stops == ""


def test_whether_suppliers_could_recognise_somebody_is_always_said() -> None:
    pupils, staff = shared(ENGLISH, a_choice(ECK_ID))
    assert pupils.is_linkable
    assert pupils.links.endswith("by: ECK iD.")
    assert not staff.is_linkable
    assert "cannot see" in staff.links


def test_groups_are_named() -> None:
    rule = GroupChoice(frozenset({"3B", "3A", "4A"}), frozenset())
    found = shared(DUTCH, Choice(pupils=frozenset(), staff=frozenset(), groups=(rule,)))
    assert [each.of_whom for each in found] == [
        "Leerlingen",
        "Leerlingen van 3A, 3B en 4A",
        "Medewerkers",
    ]


def test_changes_are_told_and_none_when_there_are_none() -> None:
    assert DUTCH.changes(a_choice(NAME), a_choice(NAME)) == ()
    assert ENGLISH.changes(a_choice(NAME), a_choice(SURNAME, ROLE)) == (
        "Pupils: from now on surname and role (pupil or teacher) is shared too.",
        "Pupils: first name is not shared any more.",
    )


def test_days_read_as_people_write_them() -> None:
    first, last = date(2026, 8, 1), date(2027, 7, 31)
    assert DUTCH.period(first, last) == "Van 1 augustus 2026 tot en met 31 juli 2027."
    assert ENGLISH.period(first, None) == "From 1 August 2026, without an end."


@pytest.mark.parametrize("words", [DUTCH, ENGLISH])
def test_an_attribute_that_nobody_knows_keeps_its_name(words: DecisionWords) -> None:
    assert words.name("shoeSize") == "shoeSize"
    assert words.names([]) == ""
