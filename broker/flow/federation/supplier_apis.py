"""APIs of suppliers: checks on `[[api]]` of a document, and the records that they compile to."""

from collections.abc import Iterator

from broker.domain.documents import ApiDocument, DocumentProblem, SupplierDocument
from broker.domain.federation import SupplierApi
from broker.flow.federation.places import check_location


def check_apis(document: SupplierDocument) -> Iterator[DocumentProblem]:
    """Each once; tokens go there over https, and its name holds no fragment (RFC 8707 2)."""
    seen: set[str] = set()
    for index, api in enumerate(document.api):
        path = f"api[{index}]."
        yield from check_location(f"{path}resource", api.resource, state=document.state)
        if api.id in seen:
            yield DocumentProblem(
                f"{path}id", f"is {api.id} once more.", "Give it a name of its own."
            )
        seen.add(api.id)


def compile_api(document: ApiDocument) -> SupplierApi:
    """Return the record of an API."""
    return SupplierApi(id=document.id, resource=document.resource)
