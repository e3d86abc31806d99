"""What arrives about logging out, and who proved to have sent it.

    query, form or envelope -> ArrivedLogout   form and schema checked; says nothing of the sender
          -> SignedLogout                      a registered key of the stated Issuer signed it
          -> LogoutRequest | LogoutAnswer      every check of `checks` passed (`reading`)

Every message must be signed, by redirect, POST and SOAP alike, whatever metadata says. Whose
session it means is the flow's: a name and an index prove nothing until they are found in a session
of the very party that sent them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from broker.saml_xml.bindings import (
    REQUEST_MAX_BYTES,
    MessageKind,
    QuerySignature,
    decode_post,
    decode_redirect,
)
from broker.saml_xml.elements import Element, optional_child, text_of
from broker.saml_xml.forms import PostedForm, take_optional_field, take_relay_state
from broker.saml_xml.keys import VerificationKey
from broker.saml_xml.logout.refusals import LogoutMalformed
from broker.saml_xml.names import SAML, SAMLP
from broker.saml_xml.refusals import MessageUnreadable, SignatureMissing
from broker.saml_xml.security import XmlSecurity

LOGOUT_REQUEST = f"{{{SAMLP}}}LogoutRequest"
LOGOUT_RESPONSE = f"{{{SAMLP}}}LogoutResponse"
_KINDS: dict[MessageKind, str] = {
    "SAMLRequest": LOGOUT_REQUEST,
    "SAMLResponse": LOGOUT_RESPONSE,
}

LogoutBinding = Literal["redirect", "post", "soap"]


@dataclass(frozen=True, slots=True)
class NameIdentifier:
    """How one party names a person in a session with another (SAML core 2.2.3).

    Attributes:
        format: as stated; "" for none.
    """

    value: str = field(repr=False)
    format: str = ""
    name_qualifier: str | None = field(default=None, repr=False)
    sp_name_qualifier: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ArrivedLogout:
    """A message about logging out; nothing about it is verified.

    Attributes:
        binding: the way in which it came.
        relay_state: exactly as received; never by SOAP.
        query_signature: of a redirect that is signed over the query.
    """

    binding: LogoutBinding
    root: Element = field(repr=False)
    relay_state: str | None = field(default=None, repr=False)
    query_signature: QuerySignature | None = None

    @property
    def is_request(self) -> bool:
        """Tell whether it asks, and does not answer."""
        return self.root.tag == LOGOUT_REQUEST


@dataclass(frozen=True, slots=True)
class SignedLogout:
    """A message that a registered key of its sender signed; read `root` only."""

    root: Element = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutRequest:
    """What a party asks: end these sessions of this person.

    Attributes:
        message_id: goes back as InResponseTo, and is used once ...
        usable_until: ... remembered until the checks refuse it by themselves.
        made_after: nobody accepted it before; by a clock of ours.
        session_indexes: empty means every session of that name (core 3.7.1).
        is_async: it wants no answer (Asynchronous Single Logout extension).
    """

    message_id: str = field(repr=False)
    usable_until: datetime
    made_after: datetime
    name: NameIdentifier
    session_indexes: tuple[str, ...] = field(default=(), repr=False)
    is_async: bool = False


@dataclass(frozen=True, slots=True)
class LogoutAnswer:
    """What a party says became of our request: `is_out` only when it is out everywhere there."""

    is_out: bool


def decode_logout(message: bytes | PostedForm, *, xml: XmlSecurity) -> ArrivedLogout:
    """Return the message in a redirect's raw query or a posted form.

    Raises:
        MessageUnreadable: no single SAML message in it that the schema allows.
        LogoutMalformed: it is about something else than logging out.
    """
    if isinstance(message, bytes):
        redirected = decode_redirect(message)
        root = xml.parse_request(redirected.message).root
        check_kind(root, redirected.kind)
        return ArrivedLogout("redirect", root, redirected.relay_state, redirected.signature)
    kinds: list[MessageKind] = [
        kind for kind in _KINDS if take_optional_field(message, kind) is not None
    ]
    if len(kinds) != 1:
        raise MessageUnreadable("one-message")
    (kind,) = kinds
    posted = take_optional_field(message, kind) or ""
    root = xml.parse_request(decode_post(posted, max_bytes=REQUEST_MAX_BYTES)).root
    check_kind(root, kind)
    return ArrivedLogout("post", root, take_relay_state(message))


def decode_envelope(message: bytes, *, xml: XmlSecurity) -> ArrivedLogout:
    """Return the message in a SOAP envelope (bindings 3.2).

    Raises:
        MessageUnreadable: no such envelope, or not one SAML message in it that the schema allows.
        LogoutMalformed: it is about something else than logging out.
    """
    root = xml.parse_envelope(message).root
    if root.tag not in _KINDS.values():
        raise LogoutMalformed("check_kind")
    return ArrivedLogout("soap", root)


def check_kind(root: Element, kind: MessageKind) -> None:
    """Bindings 3.4.4, 3.5.4: a request in SAMLRequest, an answer in SAMLResponse."""
    if root.tag != _KINDS[kind]:
        raise LogoutMalformed("check_kind")


def read_issuer(arrived: ArrivedLogout) -> str:
    """Return who the message says it is from; nothing is proven yet.

    Raises:
        LogoutMalformed: it does not say (profiles 4.4.4.1: it must).
    """
    issuer = optional_child(arrived.root, f"{{{SAML}}}Issuer")
    if issuer is None:
        raise LogoutMalformed("check_issuer_stated")
    return text_of(issuer)


def authenticate_logout(
    arrived: ArrivedLogout, *, keys: Sequence[VerificationKey], xml: XmlSecurity
) -> SignedLogout:
    """Return the message, proven to be its sender's (profiles 4.4.4.1, 4.4.4.2).

    Every signature that is there must hold: that of the query, that inside, or both.

    Raises:
        SignatureMissing: it has none.
        XmlRefusal: one does not hold, or no key is registered.
    """
    root, is_signed = arrived.root, arrived.query_signature is not None
    if arrived.query_signature is not None:
        xml.verify_query(arrived.query_signature, keys=keys)
    if xml.is_signed(root):
        root, is_signed = xml.verify(root, keys=keys).root, True
    if not is_signed:
        raise SignatureMissing("check_logout_signed")
    return SignedLogout(root)
