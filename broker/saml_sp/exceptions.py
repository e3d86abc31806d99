"""What is tolerated of one school's answer, because its document has an exception for it.

A message is read by the strict rules first. Where a rule refuses that an exception could lift, the
exception decides: it is in force, it has ended (and the refusal says so), or there is none. What
was needed is noted, so that the log shows who still lives by an exception.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

from broker.domain.federation import SchoolIdp
from broker.domain.refusals import Refusal
from broker.domain.tolerances import Tolerance
from broker.saml_sp.refusals import ExceptionEnded
from broker.saml_xml.elements import Element
from broker.saml_xml.keys import DecryptionKey, VerificationKey
from broker.saml_xml.refusals import DecryptionRefused, SignatureRefused
from broker.saml_xml.security import SignedElement, XmlSecurity

LIFTED_BY: Mapping[str, Tolerance] = MappingProxyType(
    {
        "signature-algorithm": Tolerance.SHA1_SIGNATURES,
        "digest-algorithm": Tolerance.SHA1_SIGNATURES,
        "encryption-method": Tolerance.AES_CBC,
        "check_name_id_stated": Tolerance.NO_NAME_ID,
    }
)
"""Check that refuses -> exception that lifts it."""


class Exceptions:
    """The exceptions of one login on one day, and which of them its answer needed."""

    def __init__(self, idp: SchoolIdp, *, today: date) -> None:
        self._of_idp = idp.exceptions
        self._today = today
        self._needed: list[Tolerance] = []

    @property
    def needed(self) -> tuple[Tolerance, ...]:
        """Return those without which this answer would have been refused, each once."""
        return tuple(dict.fromkeys(self._needed))

    def lift(self, refusal: Refusal) -> None:
        """Note that a refusal is lifted.

        Raises:
            ExceptionEnded: the exception that lifted it is over.
            Refusal: as given; no exception lifts it.
        """
        name = LIFTED_BY.get(refusal.check)
        stated = [each for each in self._of_idp if each.name == name]
        if name is None or not stated:
            raise refusal
        if all(each.last_day < self._today for each in stated):
            raise ExceptionEnded(refusal.check, subject=name) from None
        self._needed.append(name)

    def verify(
        self, xml: XmlSecurity, element: Element, *, keys: Sequence[VerificationKey]
    ) -> SignedElement:
        """Verify as `XmlSecurity.verify`, over SHA-1 where that is lifted."""
        try:
            return xml.verify(element, keys=keys)
        except SignatureRefused as refusal:
            self.lift(refusal)
        return xml.verify(element, keys=keys, sha1=True)

    def open_signed(
        self,
        xml: XmlSecurity,
        around: SignedElement,
        encrypted: Element,
        *,
        keys: Sequence[DecryptionKey],
    ) -> SignedElement:
        """Open as `XmlSecurity.decrypt_signed`, by CBC where that is lifted."""
        try:
            return xml.decrypt_signed(around, encrypted, keys=keys)
        except DecryptionRefused as refusal:
            self.lift(refusal)
        return xml.decrypt_signed(around, encrypted, keys=keys, cbc=True)
