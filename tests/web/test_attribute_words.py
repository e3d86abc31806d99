"""Every attribute that may be released has words that people know."""

from broker.domain.attributes import VOCABULARY
from broker.domain.decision_outline import LINKING
from broker.web.attribute_words import (
    ATTRIBUTE_WORDS,
    LINKABLE_ATTRIBUTES,
    PLAIN_WORDS,
    TELLING_ATTRIBUTES,
)
from broker.web.texts import Language, load_texts


def test_words_and_vocabulary_are_the_same_names() -> None:
    assert set(ATTRIBUTE_WORDS) == set(PLAIN_WORDS) == set(VOCABULARY)


def test_words_are_translated() -> None:
    dutch = load_texts()[Language.NL]
    assert all(dutch.gettext(words) != words for words in ATTRIBUTE_WORDS.values())
    assert all(dutch.gettext(words) for words in PLAIN_WORDS.values())


def test_every_restricted_attribute_counts_as_linkable() -> None:
    restricted = {name for name, attribute in VOCABULARY.items() if attribute.restricted}
    assert restricted
    assert restricted <= set(LINKABLE_ATTRIBUTES) <= set(VOCABULARY)
    assert LINKING == LINKABLE_ATTRIBUTES
    assert set(TELLING_ATTRIBUTES) <= set(VOCABULARY)
