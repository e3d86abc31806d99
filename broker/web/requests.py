"""Reading what a browser or relying party sends: bounded, and with every duplicate kept visible."""

import asyncio
from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request

from broker.domain.refusals import Refusal, WhoseTask
from broker.form_text import unescape
from broker.oidc_op.caller_proof import CallerProof
from broker.web.certificate_hop import HOP_IN_SCOPE

Parameters = list[tuple[str, str]]
"""Names and values in order, so that a check can refuse duplicates."""

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 100
MAX_LENGTH_DIGITS = 15
BODY_WITHIN_SECONDS = 20
"""A form that takes longer is not waited for: the server below us would wait for ever."""
API_BODY_WITHIN_SECONDS = 120
"""The same for a list that a program sends."""


class RequestUnreadable(Refusal):
    """The body is too large, no form, or not what its headers say."""

    code = "E-HTTP-1"
    whose_task = WhoseTask.SUPPLIER
    what = "We could not read what your browser sent us."
    remedy = "Start again from your learning material."


class RequestTooLarge(RequestUnreadable):
    code = "E-HTTP-2"
    what = "What your browser sent us is too large."
    http_status = 413


def read_query(request: Request) -> Parameters:
    """Return the parameters of the query.

    Raises:
        RequestUnreadable: not UTF-8, or too many of them.
    """
    return _parse(request.scope["query_string"])


async def read_form(request: Request, *, max_bytes: int) -> Parameters:
    """Return the fields of a form body.

    Raises:
        RequestUnreadable: another content type, not UTF-8, too many fields, or a field that
            stands in the query as well: whoever looked at one place would not have seen the other.
        RequestTooLarge: over `max_bytes`; the rest is not read.
    """
    form = _parse(await read_body(request, max_bytes=max_bytes))
    if request.scope["query_string"]:
        in_query = {name for name, _ in read_query(request)}
        if any(name in in_query for name, _ in form):
            raise RequestUnreadable("check_parameter_in_one_place")
    return form


async def read_body(request: Request, *, max_bytes: int) -> bytes:
    """Return the body of a form post. Raises as `read_form`."""
    if read_content_type(request) != FORM_TYPE:
        raise RequestUnreadable("check_content_type")
    return await read_bounded(request, max_bytes=max_bytes, within_seconds=BODY_WITHIN_SECONDS)


def read_content_type(request: Request) -> str:
    """Return the type of the body, in lower case and without parameters; "" when none is stated."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_bounded(request: Request, *, max_bytes: int, within_seconds: float) -> bytes:
    """Return a body of any type.

    Raises:
        RequestUnreadable: it ends too early or too late.
        RequestTooLarge: over `max_bytes`; the rest is not read.
    """
    stated = request.headers.get("content-length", "0")
    if not (stated.isascii() and stated.isdigit()):
        raise RequestUnreadable("check_content_length")
    if len(stated) > MAX_LENGTH_DIGITS or int(stated) > max_bytes:
        raise RequestTooLarge("check_body_size")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(within_seconds):
            async for part in request.stream():
                size += len(part)
                if size > max_bytes:
                    raise RequestTooLarge("check_body_size")
                parts.append(part)
    except (TimeoutError, ClientDisconnect):
        raise RequestUnreadable("check_body_complete") from None
    return b"".join(parts)


def read_caller_proof(request: Request) -> CallerProof:
    """Return what a caller of an endpoint for machines shows beside its form.

    Raises:
        RequestUnreadable: two Authorization headers.
    """
    headers, hop = request.headers, request.scope.get(HOP_IN_SCOPE)
    values = headers.getlist("authorization")
    if len(values) > 1:
        raise RequestUnreadable("check_authorization_once")
    return CallerProof(
        authorization=values[0] if values else None,
        dpop=tuple(headers.getlist("dpop")),
        certificate=None if hop is None else hop.read(request),
    )


def only(parameters: Sequence[tuple[str, str]], name: str) -> str:
    """Return the value of a parameter that occurs once; "" when it is absent.

    Raises:
        RequestUnreadable: it occurs twice.
    """
    values = [value for each, value in parameters if each == name]
    if len(values) > 1:
        raise RequestUnreadable("check_parameter_once")
    return values[0] if values else ""


def _parse(encoded: bytes) -> Parameters:
    """Return names and values in order; a name without `=` has the empty value.

    Escapes are undone on bytes: `urllib.parse.parse_qsl` takes twice as long for the same.
    """
    pairs = [each.partition(b"=") for each in encoded.split(b"&") if each]
    try:
        if len(pairs) <= MAX_FIELDS and encoded.isascii():
            return [(_decode(name), _decode(value)) for name, _, value in pairs]
    except UnicodeDecodeError:
        pass  # outside the handler: the codec's error holds what was sent
    raise RequestUnreadable("check_parameters_encoded")


def _decode(encoded: bytes) -> str:
    if b"+" in encoded:
        encoded = encoded.replace(b"+", b" ")
    return unescape(encoded).decode()
