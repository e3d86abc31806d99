"""Where a party may be reached, and the keys it may state: checks that both sides share."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from broker.domain.document_forms import Document
from broker.domain.documents import DocumentProblem
from broker.domain.federation import State
from broker.jose.keys import KeySetUnusable, parse_key_set
from broker.saml_xml.metadata import is_safe_location
from broker.saml_xml.refusals import XmlRefusal

_WHAT_METADATA_LACKS: Mapping[str, str] = {
    "check_entity_described_once": "do not describe the entity_id of this document exactly once",
    "check_role_described_once": "do not describe one {subject} for SAML 2.0",
    "check_signing_key_published": "publish no key for signing",
    "check_encryption_key_published": "publish no RSA key for encryption",
    "check_endpoint_published": "publish no {subject} that we can use",
    "check_location_safe": "publish a {subject} that is neither https nor on loopback",
    "check_key_usable": "hold a certificate or key that we cannot use",
}


def check_location(path: str, url: str | None, *, state: State) -> Iterator[DocumentProblem]:
    """Messages with codes or personal values go over https; on loopback, in a test, http will do.

    A fragment or a user name in it is refused too (RFC 6749 3.1.2).
    """
    if url is None:
        return
    if not is_safe_location(url):
        yield DocumentProblem(
            path,
            "is no https URL without user name and fragment.",
            "Use https; only localhost, 127.0.0.1 and [::1] may use http.",
        )
    elif state is State.PRODUCTION and not url.startswith("https:"):
        yield DocumentProblem(
            path, "is http, in a document of state production.", "Use https in production."
        )


def check_only_of_protocol(
    document: Document, *, prefix: str, protocol: str, foreign: Iterable[str]
) -> Iterator[DocumentProblem]:
    """A key of the other protocol would be believed to do something, and would do nothing."""
    stated = msgspec.to_builtins(document)
    for name in foreign:
        if name in stated:
            yield DocumentProblem(
                prefix + name, f"has no meaning for protocol {protocol}.", "Remove that key."
            )


def read_inline(stated: str | Mapping[str, object] | None, named: str | None) -> str:
    """Return the text of `metadata` or `jwks`: of the file named there, or as it stands."""
    if named is not None:
        return named
    if isinstance(stated, Mapping):
        return msgspec.json.encode(stated).decode()
    return stated or ""


def check_key_set(path: str, jwks: str) -> Iterator[DocumentProblem]:
    """Without a key that can verify, no login would ever work; a private key must not be here."""
    try:
        usable = parse_key_set(jwks).keys
    except KeySetUnusable as why:
        yield DocumentProblem(
            path,
            f"is no JSON Web Key Set of public keys: {why}.",
            "Ask that party for its public key set (RFC 7517).",
        )
        return
    if not usable:
        yield DocumentProblem(
            path,
            "holds no key that we can use.",
            "It needs a P-256, P-384, P-521, Ed25519, or RSA key of at least 2048 bits.",
        )


def metadata_problem(path: str, refusal: XmlRefusal) -> DocumentProblem:
    """Return what is wrong with SAML metadata, in words."""
    lacks = _WHAT_METADATA_LACKS.get(refusal.check, f"cannot be used ({refusal.check})")
    return DocumentProblem(
        path, f"{lacks.format(subject=refusal.subject)}.", "Ask that party for its metadata anew."
    )


class DocumentProblems(Exception):  # noqa: N818 -- a finding, as DocumentProblem is
    """Everything that is wrong with one document."""

    def __init__(self, problems: Iterable[DocumentProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(*self.problems)


def refuse_any(problems: Iterable[DocumentProblem]) -> None:
    """Raise `DocumentProblems` when there is a problem at all."""
    found = tuple(problems)
    if found:
        raise DocumentProblems(found)
