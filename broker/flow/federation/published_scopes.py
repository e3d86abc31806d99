"""Scopes that a login publishes and its document does not register: they count for nothing."""

from collections.abc import Iterable, Iterator

from broker.domain.documents import DocumentProblem
from broker.domain.federation import SamlIdpEndpoints, SchoolIdp
from broker.flow.federation.documents import Problem, StatedDocument


def warn_of_scopes(compiled: Iterable[tuple[StatedDocument, object]]) -> Iterator[Problem]:
    """Yield a warning for each login whose metadata claim more than its document gives it."""
    for stated, record in compiled:
        if not isinstance(record, SchoolIdp) or not isinstance(record.endpoints, SamlIdpEndpoints):
            continue
        registered = {scope.lower() for scope in (*record.scopes, *record.domains)}
        more = [scope for scope in record.endpoints.scopes if scope.lower() not in registered]
        if more:
            yield stated.problem(
                DocumentProblem(
                    "scopes",
                    f"lacks {', '.join(more)}, which its metadata publish: a login that states "
                    "one of them is refused.",
                    "Add what is the school's; a source cannot.",
                )
            )
