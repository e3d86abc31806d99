"""The two ways in which a message leaves by the browser, and reading a posted form.

Who shows a page or redirects is somebody else; these are only what to put there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from broker.saml_xml.bindings import (
    RELAY_STATE_MAX_BYTES,
    MessageKind,
    build_redirect_query,
    encode_post,
)
from broker.saml_xml.keys import SigningKey
from broker.saml_xml.refusals import MessageUnreadable
from broker.saml_xml.security import XmlSecurity

PostedForm: TypeAlias = Sequence[tuple[str, str]]
"""Names and values as posted, in order, doubles included."""


@dataclass(frozen=True, slots=True)
class RedirectUrl:
    """Where the browser goes with a message in the query (SAML bindings 3.4)."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PostForm:
    """A page with one form that passes a message on (SAML bindings 3.5).

    Attributes:
        action: where the form is posted.
        fields: hidden fields, values not escaped yet: the page's template does that.
    """

    action: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)


def build_post_form(
    action: str, message: bytes, *, kind: MessageKind, relay_state: str | None
) -> PostForm:
    """Return the form that carries `message` (SAML bindings 3.5.4)."""
    fields = ((kind, encode_post(message)),)
    if relay_state is None:
        return PostForm(action, fields)
    return PostForm(action, (*fields, ("RelayState", relay_state)))


def build_redirect(
    location: str,
    message: bytes,
    *,
    kind: MessageKind,
    relay_state: str | None,
    signing_key: SigningKey | None,
    xml: XmlSecurity,
) -> RedirectUrl:
    """Return the URL that carries `message`, signed when there is a key (SAML bindings 3.4.4.1).

    Args:
        location: registered; may have a query of its own.
    """
    query = build_redirect_query(message, kind=kind, relay_state=relay_state)
    if signing_key is not None:
        query = xml.sign_query(query, key=signing_key)
    return RedirectUrl(f"{location}{'&' if '?' in location else '?'}{query}")


def take_field(form: PostedForm, name: str) -> str:
    """Return the one value of a form field.

    Raises:
        MessageUnreadable: absent, or there more than once.
    """
    found = take_optional_field(form, name)
    if found is None:
        raise MessageUnreadable("parameter-once", subject=name)
    return found


def take_optional_field(form: PostedForm, name: str) -> str | None:
    """Return the one value of a form field, or None when it is absent.

    Raises:
        MessageUnreadable: there more than once.
    """
    values = [value for each, value in form if each == name]
    if len(values) > 1:
        raise MessageUnreadable("parameter-once", subject=name)
    return values[0] if values else None


def take_relay_state(form: PostedForm) -> str | None:
    """Return RelayState exactly as posted, or None when it is absent.

    Raises:
        MessageUnreadable: there more than once, or larger than `RELAY_STATE_MAX_BYTES`.
    """
    relay_state = take_optional_field(form, "RelayState")
    if relay_state is not None and len(relay_state.encode()) > RELAY_STATE_MAX_BYTES:
        raise MessageUnreadable("size", subject="RelayState")
    return relay_state
