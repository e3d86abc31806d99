"""Where a choice begins: four presets, and what is required."""

from itertools import pairwise

from broker.domain.attributes import VOCABULARY, AttributeName, Population
from broker.domain.decision_outline import Choice
from broker.domain.decision_presets import Preset, preset_allows, preset_choice, required_choice
from broker.domain.sheet_documents import AttributeDocument

NAME, ROLE, ECK_ID, MAIL = map(
    AttributeName, ("givenName", "eduPersonAffiliation", "eckId", "mail")
)
ASKED = (
    AttributeDocument(name=NAME, purpose="-", populations=(Population.PUPIL,)),
    AttributeDocument(name=ROLE, purpose="-", required=True),
    AttributeDocument(name=ECK_ID, purpose="-"),
    AttributeDocument(name=MAIL, purpose="-", populations=(Population.STAFF,), required=True),
)


def test_each_preset_allows_more_than_the_one_before_and_none_what_is_restricted() -> None:
    for less, more in pairwise(Preset):
        assert preset_allows(less) < preset_allows(more)
    assert not any(VOCABULARY[each].restricted for each in preset_allows(Preset.PERSONALISED))


def test_a_preset_approves_what_is_asked_and_of_whom_it_is_asked() -> None:
    assert preset_choice(Preset.PERSONALISED, ASKED) == Choice(
        pupils=frozenset({NAME, ROLE}), staff=frozenset({ROLE, MAIL})
    )
    assert preset_choice(Preset.ANONYMOUS, ASKED) == Choice(pupils=frozenset(), staff=frozenset())


def test_what_is_required_is_no_more_than_that() -> None:
    assert required_choice(ASKED) == Choice(pupils=frozenset({ROLE}), staff=frozenset({ROLE, MAIL}))
