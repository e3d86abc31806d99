"""How SAML messages travel through the browser: HTTP-POST and HTTP-Redirect.

SAML bindings 3.4 and 3.5. Text in, bytes out, and back; nothing here parses XML or knows keys.
The signature of a redirect is checked over the bytes of the query as they arrived: decoding and
encoding again could differ.

Beyond the standard: RelayState may have 2048 bytes where 3.4.3 says 80, since suppliers in the
field put whole links there; and line breaks are accepted in base64 (RFC 2045 writes them).
"""

import zlib
from base64 import b64encode
from binascii import a2b_base64
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import quote, unquote_to_bytes

from broker.form_text import unescape
from broker.saml_xml.names import ENCODING_DEFLATE
from broker.saml_xml.refusals import MessageUnreadable

MESSAGE_MAX_BYTES = 64 * 1024
"""A Response with every Entree attribute has about 10 KiB, one with 150 groups beside them 40 KiB.
More room only makes forgeries dearer: each is parsed before its signature can be looked at."""
REQUEST_MAX_BYTES = 16 * 1024
"""Of a request, and of a message about logging out: signed and with its certificate one has 4 KiB,
so that here too a forgery may cost little to read."""
RELAY_STATE_MAX_BYTES = 2048
QUERY_MAX_BYTES = 32 * 1024
DEFLATE_MEMORY_LEVEL = 4
"""Of zlib's 1 to 9: a request has 1 KB, and larger tables take longer to clear than to fill."""

MessageKind: TypeAlias = Literal["SAMLRequest", "SAMLResponse"]

_KINDS: tuple[MessageKind, ...] = ("SAMLRequest", "SAMLResponse")
_PARAMETERS = (*_KINDS, "RelayState", "SigAlg", "Signature", "SAMLEncoding")


@dataclass(frozen=True, slots=True)
class QuerySignature:
    """The signature of a redirect query, not yet verified.

    Attributes:
        algorithm: the SigAlg identifier as sent.
        octets: what was signed: the parameters' raw bytes in the order of SAML bindings 3.4.4.1.
        value: the signature itself.
    """

    algorithm: str
    octets: bytes = field(repr=False)
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RedirectMessage:
    """A message that came by the redirect binding; nothing about it is verified.

    Attributes:
        kind: the parameter it came in.
        message: the XML, inflated.
        relay_state: as sent, or None when absent.
        signature: None when the query is not signed.
    """

    kind: MessageKind
    message: bytes = field(repr=False)
    relay_state: str | None = field(repr=False)
    signature: QuerySignature | None


def decode_base64(text: str, *, whitespace: str = "\r\n") -> bytes:
    """Return the bytes that `text` stands for; canonical base64 with padding, nothing else.

    >>> decode_base64("aGFs\\r\\nbG8=")
    b'hallo'

    Args:
        whitespace: characters that are skipped wherever they stand.

    Raises:
        MessageUnreadable: another character, wrong padding, or bits that no encoder leaves.
    """
    compact = text
    for character in whitespace:
        if character in compact:  # nearly never, and `replace` takes many times a look
            compact = compact.replace(character, "")
    try:
        octets = a2b_base64(compact, strict_mode=True)
    except ValueError:  # binascii's own error is one
        raise MessageUnreadable("base64") from None
    # Only the last quantum can hold bits that stand for nothing (RFC 4648 3.5).
    if b64encode(octets[-(len(octets) % 3 or 3) :]).decode() != compact[-4:]:
        raise MessageUnreadable("base64")
    return octets


def decode_post(value: str, *, max_bytes: int = MESSAGE_MAX_BYTES) -> bytes:
    """Return the message in a form field SAMLRequest or SAMLResponse (SAML bindings 3.5.4).

    Raises:
        MessageUnreadable: too large, empty, or not base64.
    """
    if len(value) > max_bytes * 3 // 2:  # 4/3, and line breaks
        raise MessageUnreadable("size")
    message = decode_base64(value)
    if not 0 < len(message) <= max_bytes:
        raise MessageUnreadable("size")
    return message


def encode_post(message: bytes) -> str:
    """Return the form field's value for `message` (SAML bindings 3.5.4)."""
    return b64encode(message).decode("ascii")


def inflate(compressed: bytes) -> bytes:
    """Return what raw DEFLATE (RFC 1951) stands for; the *output* is bounded.

    No Response comes by redirect (profiles 4.1.2), so by the bound of requests.

    Raises:
        MessageUnreadable: damaged, cut off, followed by something, empty, or too large.
    """
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        message = inflater.decompress(compressed, REQUEST_MAX_BYTES + 1)
    except zlib.error:
        raise MessageUnreadable("inflate") from None
    if not 0 < len(message) <= REQUEST_MAX_BYTES:
        raise MessageUnreadable("size")
    if not inflater.eof or inflater.unused_data:
        raise MessageUnreadable("inflate")
    return message


def deflate(message: bytes) -> bytes:
    """Return `message` as raw DEFLATE (RFC 1951)."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS, memLevel=DEFLATE_MEMORY_LEVEL)
    return deflater.compress(message) + deflater.flush()


def decode_redirect(query: bytes) -> RedirectMessage:
    """Return the message in a redirect's query (SAML bindings 3.4.4).

    Args:
        query: the raw bytes behind `?`, as they arrived. Parameters of others are skipped.

    Raises:
        MessageUnreadable: a SAML parameter is absent, twice there, or written under a disguise
            (`%53AMLRequest`); or its value is damaged or too large.
    """
    if len(query) > QUERY_MAX_BYTES:
        raise MessageUnreadable("size")
    raw = _saml_parameters(query)
    kinds = [kind for kind in _KINDS if kind in raw]
    if len(kinds) != 1:
        raise MessageUnreadable("one-message")
    if _decoded(raw, "SAMLEncoding", default=ENCODING_DEFLATE) != ENCODING_DEFLATE:
        raise MessageUnreadable("encoding", subject="SAMLEncoding")
    (kind,) = kinds
    relay_state = _decoded(raw, "RelayState") if "RelayState" in raw else None
    if relay_state is not None and len(relay_state.encode()) > RELAY_STATE_MAX_BYTES:
        raise MessageUnreadable("size", subject="RelayState")
    return RedirectMessage(
        kind=kind,
        message=inflate(decode_base64(_decoded(raw, kind))),
        relay_state=relay_state,
        signature=_query_signature(raw, kind),
    )


def build_redirect_query(
    message: bytes, *, kind: MessageKind, relay_state: str | None = None
) -> str:
    """Return the unsigned query for `message` (SAML bindings 3.4.4.1), ready to sign or send."""
    encoded = b64encode(deflate(message)).decode("ascii")
    # Of base64's alphabet these three are not unreserved; `quote` would look at every character.
    value = encoded.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    query = f"{kind}={value}"
    return query if relay_state is None else f"{query}&RelayState={quote_parameter(relay_state)}"


def quote_parameter(text: str) -> str:
    """Return `text` percent-encoded for a query: everything but RFC 3986's unreserved."""
    return quote(text, safe="")


def _saml_parameters(query: bytes) -> dict[str, bytes]:
    """Return the raw values of SAML's own parameters, each at most once."""
    found: dict[str, bytes] = {}
    for pair in query.split(b"&"):
        raw_name, separator, raw_value = pair.partition(b"=")
        name = unquote_to_bytes(raw_name.replace(b"+", b" ")).decode("latin-1")
        if name not in _PARAMETERS:
            continue
        if not separator or name.encode() != raw_name or name in found:
            raise MessageUnreadable("parameter-once", subject=name)
        found[name] = raw_value
    return found


def _decoded(raw: dict[str, bytes], name: str, *, default: str = "") -> str:
    """Return a parameter's value, form-decoded (a `+` is a space)."""
    if name not in raw:
        return default
    try:
        return unescape(raw[name].replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise MessageUnreadable("parameter-text", subject=name) from None


def _query_signature(raw: dict[str, bytes], kind: MessageKind) -> QuerySignature | None:
    if "Signature" not in raw and "SigAlg" not in raw:
        return None
    if "Signature" not in raw or "SigAlg" not in raw:
        # Half a signature is no "unsigned message": somebody took the other half away.
        raise MessageUnreadable("signature-whole")
    signed = [name for name in (kind, "RelayState", "SigAlg") if name in raw]
    return QuerySignature(
        algorithm=_decoded(raw, "SigAlg"),
        octets=b"&".join(name.encode() + b"=" + raw[name] for name in signed),
        value=decode_base64(_decoded(raw, "Signature")),
    )
