"""Where links and answers may lead into a supplier's system: checks on what its document says."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from broker.domain.documents import DocumentProblem, RelyingPartyDocument, SupplierDocument
from broker.flow.federation.places import check_location


def check_start_places(
    prefix: str, party: RelyingPartyDocument, supplier: SupplierDocument
) -> Iterator[DocumentProblem]:
    """Yield what is wrong with `initiate_login_uri` and `start_targets`."""
    yield from check_location(
        f"{prefix}initiate_login_uri", party.initiate_login_uri, state=supplier.state
    )
    for index, place in enumerate(party.start_targets):
        path = f"{prefix}start_targets[{index}]"
        yield from check_location(path, place, state=supplier.state)
        if not urlsplit(place).path.endswith("/") or urlsplit(place).query:
            yield DocumentProblem(
                path,
                "does not end with a slash, so other sites and pages could begin with it.",
                "Write the place that all the pages are below, such as https://a.example/lessons/.",
            )


def check_session_answers(
    prefix: str, party: RelyingPartyDocument, supplier: SupplierDocument
) -> Iterator[DocumentProblem]:
    """Yield what is wrong with `session_answer_url`: a place, of a supplier that may ask."""
    path, place = f"{prefix}session_answer_url", party.session_answer_url
    yield from check_location(path, place, state=supplier.state)
    if place is not None and not supplier.may_ask_session:
        yield DocumentProblem(
            path,
            "is there, and the supplier may not ask.",
            "Have the federation state may_ask_session of the supplier, or leave this out.",
        )
