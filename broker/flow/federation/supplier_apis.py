"""APIs of suppliers: checks on `[[api]]` of a document, and the records that they compile to."""

from collections.abc import Iterator

from broker.domain.documents import ApiDocument, DocumentProblem, SupplierDocument
from broker.domain.federation import ApiClient, SupplierApi
from broker.flow.federation.documents import StatedDocument
from broker.flow.federation.places import (
    check_key_set,
    check_location,
    read_inline,
    refuse_any,
)


def check_apis(document: SupplierDocument) -> Iterator[DocumentProblem]:
    """Each once; tokens go there over https, and its name holds no fragment (RFC 8707 2)."""
    seen: set[str] = set()
    for index, api in enumerate(document.api):
        path = f"api[{index}]."
        yield from check_location(f"{path}resource", api.resource, state=document.state)
        yield from check_location(f"{path}jwks_uri", api.jwks_uri, state=document.state)
        if api.jwks is not None and api.jwks_uri is not None:
            yield DocumentProblem(
                f"{path}jwks", "stands beside jwks_uri.", "State its public keys in one place."
            )
        if api.id in seen:
            yield DocumentProblem(
                f"{path}id", f"is {api.id} once more.", "Give it a name of its own."
            )
        seen.add(api.id)


def compile_api(prefix: str, document: ApiDocument, stated: StatedDocument) -> SupplierApi:
    """Return the record of an API.

    Args:
        prefix: `api[0].`

    Raises:
        DocumentProblems: its key set holds no key.
    """
    jwks = read_inline(document.jwks, stated.files.get(f"{prefix}jwks"))
    if jwks:
        refuse_any(check_key_set(f"{prefix}jwks", jwks))
    program = None
    if jwks or document.jwks_uri is not None:
        program = ApiClient(
            id=document.resource, jwks=jwks, jwks_uri=document.jwks_uri, purposes=()
        )
    return SupplierApi(id=document.id, resource=document.resource, program=program)
