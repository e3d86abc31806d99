"""Which names of attributes a supplier may declare and a school approve."""

from collections.abc import Iterator

from broker.domain.attributes import VOCABULARY, AttributeName, is_never_released
from broker.domain.documents import DocumentProblem


def check_attribute_known(path: str, name: str) -> Iterator[DocumentProblem]:
    """The vocabulary is what may ever be released; the number of the law never is."""
    if is_never_released(name):
        yield DocumentProblem(
            path,
            f"names {name}: the PGN, hPGN and stampseudonym are never released.",
            "Remove it; no document can change this.",
        )
    elif name not in VOCABULARY:
        yield DocumentProblem(
            path,
            f"names {name}, which is no attribute that we know.",
            f"Write one of {', '.join(VOCABULARY)}.",
        )


def is_restricted(name: str) -> bool:
    """Tell whether an attribute identifies across suppliers.

    >>> is_restricted("eckId"), is_restricted("givenName"), is_restricted("shoeSize")
    (True, False, False)
    """
    attribute = VOCABULARY.get(AttributeName(name))
    return attribute is not None and attribute.restricted
