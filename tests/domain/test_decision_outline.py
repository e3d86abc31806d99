"""What a decision means for pupils, groups and staff."""

import pytest

from broker.domain.attributes import AttributeName, Population
from broker.domain.decision_outline import (
    NOTHING,
    Audience,
    Choice,
    GroupChoice,
    ShareChange,
    compare_choices,
    in_order,
    outline,
)
from broker.domain.sheet_documents import AttributeDocument, WordsDocument

NAME, SURNAME, ROLE, ECK_ID, MAIL = map(
    AttributeName, ("givenName", "sn", "eduPersonAffiliation", "eckId", "mail")
)
PUPILS, STAFF = Audience(Population.PUPIL), Audience(Population.STAFF)
ASKED = (
    AttributeDocument(name=NAME, purpose="Om te groeten.", purpose_en="To greet."),
    AttributeDocument(
        name=ROLE,
        purpose="Leraren zien antwoorden.",
        required=True,
        required_since=1,
        works_without=WordsDocument(nl="Niets werkt.", en="Nothing works."),
    ),
    AttributeDocument(name=MAIL, purpose="-", populations=(Population.STAFF,)),
    AttributeDocument(name=ECK_ID, purpose="-", populations=(Population.PUPIL,)),
)


def a_choice(*pupils: AttributeName, staff: tuple[AttributeName, ...] = ()) -> Choice:
    return Choice(pupils=frozenset(pupils), staff=frozenset(staff))


def test_each_audience_has_its_own_lines_in_the_order_of_the_sheet() -> None:
    pupils, staff = outline(ASKED, a_choice(NAME, ROLE, staff=(ROLE, MAIL)))
    assert (pupils.audience, staff.audience) == (PUPILS, STAFF)
    assert [each.name for each in pupils.lines] == [NAME, ROLE, ECK_ID]
    assert [each.name for each in staff.lines] == [NAME, ROLE, MAIL]
    assert [each.name for each in pupils.shared] == [NAME, ROLE]
    assert [each.name for each in staff.kept] == [NAME]


def test_why_and_what_happens_without_stand_beside_each() -> None:
    pupils, _ = outline(ASKED, NOTHING)
    assert pupils.lines[0].purpose == WordsDocument(nl="Om te groeten.", en="To greet.")
    assert pupils.lines[1].without.nl == "Niets werkt."


def test_a_required_attribute_that_is_refused_stops_logins_and_an_optional_one_does_not() -> None:
    pupils, _ = outline(ASKED, a_choice(NAME))
    assert [each.name for each in pupils.stopping] == [ROLE]
    pupils, _ = outline(ASKED, a_choice(ROLE))
    assert pupils.stopping == ()


def test_what_links_a_person_is_told_where_it_is_shared_alone() -> None:
    pupils, staff = outline(ASKED, a_choice(ECK_ID, NAME))
    assert [each.name for each in pupils.linking] == [ECK_ID]
    assert staff.linking == ()
    assert [each.needs_end_day for each in pupils.lines] == [False, False, True]


def test_groups_stand_between_pupils_and_staff() -> None:
    choice = Choice(
        pupils=frozenset({NAME}),
        staff=frozenset(),
        groups=(GroupChoice(frozenset({"3B", "3A"}), frozenset()),),
    )
    audiences = [each.audience for each in outline(ASKED, choice)]
    assert audiences == [PUPILS, Audience(Population.PUPIL, ("3A", "3B")), STAFF]


@pytest.mark.parametrize(("signed_on", "is_new"), [(0, True), (1, False), (None, False)])
def test_what_a_later_sheet_requires_is_new_to_a_decision_of_before(
    signed_on: int | None, is_new: bool
) -> None:
    pupils, _ = outline(ASKED, a_choice(ROLE, NAME), signed_on=signed_on)
    assert [each.is_new for each in pupils.lines] == [False, is_new, False]
    assert pupils.lines[1].approved is not is_new


def test_what_a_later_sheet_asks_of_somebody_is_new_for_them_alone() -> None:
    asked = (AttributeDocument(name=NAME, purpose="-", asked_since={Population.STAFF: 2}),)
    pupils, staff = outline(asked, a_choice(NAME, staff=(NAME,)), signed_on=1)
    assert (pupils.lines[0].is_new, staff.lines[0].is_new) == (False, True)


def test_an_unknown_name_stands_there_and_never_needs_an_end() -> None:
    asked = (AttributeDocument(name="shoeSize", purpose="-"),)
    assert outline(asked, NOTHING)[0].lines[0].needs_end_day is False


def test_the_same_choice_changes_nothing() -> None:
    assert compare_choices(a_choice(NAME), a_choice(NAME)) == ()


def test_what_is_added_and_taken_is_told_for_each_audience() -> None:
    changes = compare_choices(a_choice(NAME, SURNAME), a_choice(ROLE, NAME, staff=(MAIL,)))
    assert changes == (
        ShareChange(PUPILS, (ROLE,), (SURNAME,)),
        ShareChange(STAFF, (MAIL,), ()),
    )


def test_a_group_of_its_own_is_compared_with_all_pupils_before() -> None:
    rule = GroupChoice(frozenset({"3A"}), frozenset())
    before = a_choice(NAME)
    after = Choice(pupils=frozenset({NAME}), staff=frozenset(), groups=(rule,))
    of_group = Audience(Population.PUPIL, ("3A",))
    assert compare_choices(before, after) == (ShareChange(of_group, (), (NAME,)),)
    assert compare_choices(after, before) == (ShareChange(of_group, (NAME,), ()),)
    assert compare_choices(after, after) == ()


def test_names_stand_in_the_order_of_the_vocabulary_and_unknown_ones_last() -> None:
    unknown = AttributeName("aaa")
    assert in_order({unknown, ROLE, NAME}) == (NAME, ROLE, unknown)
