"""Sources of metadata in tests: signed aggregates as text, and who answers for them."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from textwrap import wrap
from typing import Any

from lxml import etree

from broker.adapters.xml.xml_security import LxmlSecurity
from broker.flow.federation.discovery import FetchFailed
from broker.flow.federation.source_reading import Answer, Asked, SourceAccess
from broker.saml_xml.elements import Element, serialize
from broker.saml_xml.instants import format_instant
from tests.builders_saml import NOW
from tests.builders_saml_metadata import PREFIXES
from tests.saml_xml.corpus.keys import PartyKey, rsa_key

FEDERATION_KEY = rsa_key("federation")
FEDERATION_URL = "https://metadata.federation.example/all.xml"
WEEK = timedelta(days=7)
XML = LxmlSecurity()


def pem_of(certificate: bytes) -> str:
    """Return a certificate in PEM."""
    lines = "\n".join(wrap(b64encode(certificate).decode(), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def group(*inside: str, attributes: str = "") -> str:
    """Return an EntitiesDescriptor."""
    return f"<EntitiesDescriptor {PREFIXES} {attributes}>{''.join(inside)}</EntitiesDescriptor>"


def an_aggregate(
    *entities: str,
    valid_until: datetime | None = NOW + WEEK,
    key: PartyKey | None = FEDERATION_KEY,
    tamper: Callable[[Element], object] = lambda _: None,
) -> bytes:
    """Return an aggregate, signed at its root unless there is no key."""
    return signed(group(*entities), valid_until=valid_until, key=key, tamper=tamper)


def signed(
    document: str,
    *,
    valid_until: datetime | None = NOW + WEEK,
    key: PartyKey | None = FEDERATION_KEY,
    tamper: Callable[[Element], object] = lambda _: None,
) -> bytes:
    """Return a document of metadata with an end and a signature at its root."""
    root = etree.fromstring(document.encode())
    root.set("ID", "_root")
    if valid_until is not None:
        root.set("validUntil", format_instant(valid_until))
    if key is not None:
        XML.sign(root, key=key.signing)
    tamper(root)
    return serialize(root)


@dataclass
class Publisher:
    """Answers like a web server: what stands at each place, and whether it is still the same.

    Attributes:
        places: place -> document; no place is 404, and None no answer.
        asked: every question that came.
    """

    places: dict[str, bytes | None] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def ask(self, asked: Sequence[Asked]) -> Sequence[Answer | FetchFailed]:
        self.asked += asked
        return [self._answer(each) for each in asked]

    def _answer(self, asked: Asked) -> Answer | FetchFailed:
        if asked.place not in self.places:
            return Answer("absent")
        document = self.places[asked.place]
        if document is None:
            return FetchFailed("gives no answer")
        mark = f'"{hash(document)}"'
        if asked.etag == mark:
            return Answer("same")
        return Answer("new", document, etag=mark)

    def access(self, now: datetime = NOW) -> SourceAccess:
        return SourceAccess(self.ask, now)


def a_source(**changes: Any) -> dict[str, Any]:
    """Return the document of a source."""
    return {
        "id": "federation",
        "state": "test",
        "url": FEDERATION_URL,
        "signing_certificates": [pem_of(FEDERATION_KEY.certificate)],
    } | changes
