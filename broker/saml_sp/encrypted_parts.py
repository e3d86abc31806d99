"""Encrypted name identifiers and attributes inside a signed assertion (SAML core 2.2.4, 2.7.3.2).

Each is opened in its place, so that the reader sees one kind of assertion. The signature covers
what is inside, as it covers the ciphertext: nobody else could have put it there.
"""

from collections.abc import Sequence

from broker.saml_sp.exceptions import Exceptions
from broker.saml_sp.refusals import ResponseMalformed
from broker.saml_sp.statement import (
    ATTRIBUTE_STATEMENT,
    ENCRYPTED_ATTRIBUTE,
    ENCRYPTED_ID,
    SUBJECT,
    SignedAssertion,
)
from broker.saml_xml.elements import Element, children_of
from broker.saml_xml.keys import DecryptionKey
from broker.saml_xml.security import XmlSecurity

ENCRYPTED_PARTS_MAX = 24
"""Ours: each takes a private-key operation, a millisecond, and the field knows some ten attributes
of a pupil."""


def open_parts(
    assertion: SignedAssertion,
    *,
    xml: XmlSecurity,
    keys: Sequence[DecryptionKey],
    exceptions: Exceptions,
) -> None:
    """5: put what is encrypted in a signed assertion in its place, opened.

    Raises:
        ResponseMalformed: more encrypted parts than any honest assertion has.
        DecryptionRefused: one does not open, whatever the reason.
        ExceptionEnded: of `Exceptions`.
    """
    found = _encrypted_parts(assertion.root)
    if len(found) > ENCRYPTED_PARTS_MAX:
        raise ResponseMalformed("check_encrypted_parts_bounded")
    opened = [exceptions.open_signed(xml, assertion.signed, each, keys=keys).root for each in found]
    # Only now is the tree changed: each part was opened as it stands in what was signed.
    for each, held in zip(found, opened, strict=True):
        each.getparent().replace(each, held)  # type: ignore[union-attr]  # it has one


def _encrypted_parts(root: Element) -> list[Element]:
    return [
        part
        for parent, kind in (
            (SUBJECT, ENCRYPTED_ID),
            (ATTRIBUTE_STATEMENT, ENCRYPTED_ATTRIBUTE),
        )
        for each in children_of(root, parent)
        for part in children_of(each, kind)
    ]
