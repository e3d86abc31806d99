"""Sources of metadata: checks on one document, and the record that it compiles to.

The keys in the document are the only ones that may sign for the source; no key of what it
publishes is ever looked at for that.
"""

from collections.abc import Callable, Iterator
from typing import Literal

from broker.domain.documents import DocumentProblem, MetadataSourceDocument
from broker.domain.metadata_sources import MetadataSource
from broker.flow.federation.documents import StatedDocument
from broker.flow.federation.places import DocumentProblems, check_location, refuse_any
from broker.saml_xml.keys import UnusableKey, certificate_in_pem

PLACES = ("url", "file", "mdq")


def check_one_place(document: MetadataSourceDocument) -> Iterator[DocumentProblem]:
    stated = [name for name in PLACES if getattr(document, name) is not None]
    if len(stated) != 1:
        yield DocumentProblem(
            stated[1] if stated else "url",
            "states where the metadata are once more." if stated else "is missing.",
            "State one of url, file (an absolute path) and mdq (a base URL).",
        )


def check_place_safe(document: MetadataSourceDocument) -> Iterator[DocumentProblem]:
    for name in ("url", "mdq"):
        yield from check_location(name, getattr(document, name), state=document.state)


SOURCE_CHECKS: tuple[Callable[[MetadataSourceDocument], Iterator[DocumentProblem]], ...] = (
    check_one_place,
    check_place_safe,
)


def compile_source(document: MetadataSourceDocument, stated: StatedDocument) -> MetadataSource:
    """Return the record of a source.

    Raises:
        DocumentProblems: with everything that is wrong.
    """
    problems = [found for check in SOURCE_CHECKS for found in check(document)]
    certificates = []
    for index, each in enumerate(document.signing_certificates):
        path = f"signing_certificates[{index}]"
        try:
            certificates.append(_read_certificate(path, stated.files.get(path, each)))
        except DocumentProblems as found:
            problems += found.problems
    refuse_any(problems)
    kind: Literal["url", "file", "mdq"] = "file"
    if document.file is None:
        kind = "mdq" if document.url is None else "url"
    return MetadataSource(
        id=document.id,
        state=document.state,
        kind=kind,
        place=document.url or document.mdq or document.file or "",
        certificates=tuple(certificates),
        refresh_hours=document.refresh_hours,
        alarm_days=document.alarm_days,
    )


def _read_certificate(path: str, pem: str) -> bytes:
    try:
        return certificate_in_pem(pem)
    except UnusableKey as why:
        told = f"cannot be used: {why}."
        remedy = "Ask the source for its certificate, and compare the fingerprint by telephone."
        raise DocumentProblems([DocumentProblem(path, told, remedy)]) from None
