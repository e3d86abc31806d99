"""Logins of a supplier's or the federation's own employees: checks on such a document.

They open our own pages alone. A document names schools, or a supplier, or says that it is the
federation's; and what only schools' logins have would do nothing in one of the other two.
"""

from collections.abc import Callable, Iterator

import msgspec

from broker.domain.documents import DocumentProblem, IdentityProviderDocument

OF_SCHOOLS_ALONE = (
    *("login_identifier", "shared_numbers", "school_from", "scopes", "domains", "school_hint"),
    *("rehearsal_only", "single_logout", "announcement"),
)
"""Keys that say how a login speaks for schools and pupils."""


def check_whose_login(document: IdentityProviderDocument) -> Iterator[DocumentProblem]:
    """A login of nobody would open nothing, and one of two would let one in for the other."""
    of = (bool(document.schools), document.supplier is not None, document.federation)
    if sum(of) != 1:
        yield DocumentProblem(
            "schools",
            "must stand there, or `supplier`, or `federation = true`, and exactly one of them.",
            "Say whose login this is.",
        )


def check_keys_of_schools(document: IdentityProviderDocument) -> Iterator[DocumentProblem]:
    """No pupil logs in by it, so what says how would be believed to do something."""
    if document.schools:
        return
    stated = msgspec.to_builtins(document)
    for name in OF_SCHOOLS_ALONE:
        if name in stated:
            yield DocumentProblem(
                name, "has no meaning for a login of employees.", "Remove that key."
            )


EMPLOYEE_LOGIN_CHECKS: tuple[
    Callable[[IdentityProviderDocument], Iterator[DocumentProblem]], ...
] = (check_whose_login, check_keys_of_schools)
