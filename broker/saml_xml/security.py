"""The port through which the SAML roles use XML security, and the types that carry trust.

    bytes -> UnverifiedElement   parsed and schema-checked; says nothing about who sent it
          -> SignedElement       re-parsed from the exact bytes that a registered key signed

A `SignedElement` is made by the XML security adapter alone (a test holds that): by a verification,
or by opening an encrypted part of one. Whoever reads identity from a message takes a
`SignedElement` and reads below its `root` only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from broker.saml_xml.bindings import QuerySignature
from broker.saml_xml.elements import Element
from broker.saml_xml.keys import DecryptionKey, EncryptionKey, SigningKey, VerificationKey


@dataclass(frozen=True, slots=True)
class UnverifiedElement:
    """The root of a message whose form was checked and whose sender was not.

    Its form: no DOCTYPE, entity, comment or processing instruction; bounded; unique ids; valid
    against the schema of its namespace.
    """

    root: Element = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedElement:
    """An element as the owner of `key` signed it, and nothing around it.

    Attributes:
        root: root of a tree of its own, parsed from the bytes that were hashed. The enveloped
            signature is gone; signatures of elements further down are still there, and prove
            nothing until they are verified themselves.
        key: which of the expected keys verified.
    """

    root: Element = field(repr=False)
    key: VerificationKey


class XmlSecurity(Protocol):
    """What the SAML roles need. Every method is CPU work only: no network, no clock, no state."""

    def parse(self, message: bytes) -> UnverifiedElement:
        """Return the root of a SAML protocol message.

        Raises:
            MessageUnreadable: with the name of the check that refused.
        """
        ...

    def parse_request(self, message: bytes) -> UnverifiedElement:
        """Return the root of a request, or of a message about logging out; as `parse`, smaller.

        Raises:
            MessageUnreadable: with the name of the check that refused.
        """
        ...

    def parse_envelope(self, message: bytes) -> UnverifiedElement:
        """Return the SAML protocol message in a SOAP 1.1 envelope, in its place there; as `parse`.

        Raises:
            MessageUnreadable: with the name of the check that refused.
        """
        ...

    def parse_metadata(self, document: bytes) -> UnverifiedElement:
        """Return the root of a metadata document; as `parse`, larger, and comments are dropped.

        Raises:
            MessageUnreadable: with the name of the check that refused.
        """
        ...

    def parse_aggregate(self, document: bytes) -> UnverifiedElement:
        """Return the root of metadata of a whole federation; as `parse_metadata`, larger still.

        Seconds of work and hundreds of megabytes: for commands, never in a process that serves.

        Raises:
            MessageUnreadable: with the name of the check that refused.
        """
        ...

    def is_signed(self, element: Element) -> bool:
        """Tell whether `element` carries a signature of its own; says nothing of its worth."""
        ...

    def verify(
        self, element: Element, *, keys: Sequence[VerificationKey], sha1: bool = False
    ) -> SignedElement:
        """Return `element` as one of `keys` signed it.

        `element` is the root of an `UnverifiedElement` or `SignedElement`, or below one. Its
        signature is taken out of that tree: use the result from here on. A refusal by the check
        of the algorithms comes first, and leaves the tree as it was.

        Args:
            sha1: RSA over SHA-1 is accepted besides (an exception of one school).

        Raises:
            NoKeyRegistered: `keys` is empty.
            SignatureMissing: `element` has no signature of its own.
            SignatureRefused: the signature is malformed, weak, or not by one of `keys`.
        """
        ...

    def verify_query(
        self, signature: QuerySignature, *, keys: Sequence[VerificationKey]
    ) -> VerificationKey:
        """Return the key that signed a redirect query (SAML bindings 3.4.4.1).

        Raises:
            NoKeyRegistered: `keys` is empty.
            SignatureRefused: the algorithm is weak, or none of `keys` made it.
        """
        ...

    def decrypt(self, encrypted: Element, *, keys: Sequence[DecryptionKey]) -> UnverifiedElement:
        """Return what an EncryptedAssertion or EncryptedID holds; by itself this proves no sender.

        Never by CBC: where nobody proved who sent it, trying would tell a forger what is inside.

        Raises:
            DecryptionRefused: whatever the reason.
        """
        ...

    def decrypt_signed(
        self,
        around: SignedElement,
        encrypted: Element,
        *,
        keys: Sequence[DecryptionKey],
        cbc: bool = False,
    ) -> SignedElement:
        """Return what `encrypted`, a part of `around`, holds: the signature covers it too.

        `encrypted` is an EncryptedAssertion, EncryptedID or EncryptedAttribute, and holds an
        Assertion, NameID or Attribute.

        Args:
            cbc: AES-CBC is accepted besides (an exception of one school).

        Raises:
            DecryptionRefused: whatever the reason.
            ValueError: `encrypted` is not part of `around`; a mistake of ours.
        """
        ...

    def sign(self, element: Element, *, key: SigningKey) -> None:
        """Put an enveloped signature into `element`, behind its Issuer, else in front.

        Call it when the element stands where it will be sent from and is complete.

        Raises:
            ValueError: `element` has no ID; a mistake of ours.
        """
        ...

    def sign_query(self, query: str, *, key: SigningKey) -> str:
        """Return `query` (of `bindings.build_redirect_query`) with SigAlg and Signature."""
        ...

    def encrypt(self, assertion: Element, *, recipient: EncryptionKey) -> Element:
        """Return an EncryptedAssertion that only `recipient` opens; `assertion` is unchanged."""
        ...
