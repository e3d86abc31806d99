"""Levels of a school's login, as its document explains them."""

from collections.abc import Iterator

from broker.domain.assurance import ACR_VALUES, may_mean
from broker.domain.documents import DocumentProblem, IdentityProviderDocument


def check_levels_not_raised(document: IdentityProviderDocument) -> Iterator[DocumentProblem]:
    """No document makes a password more than it is: eIDAS levels come from the login itself."""
    for stated, level in document.acr.items():
        path = f"acr.{stated}"
        if level not in ACR_VALUES:
            told = f"means {level}, which is no level that suppliers are told."
            yield DocumentProblem(path, told, f"Use {' or '.join(ACR_VALUES)}.")
        elif not may_mean(stated, level):
            told = f"means {level}, which is more than it says."
            yield DocumentProblem(path, told, "Use a lower level, or remove it.")
