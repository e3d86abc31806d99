"""What a program sends to the API: JSON, a list with one JSON document a line, or a table."""

from collections.abc import Iterator
from typing import TypeVar

import msgspec
from starlette.requests import Request

from broker.domain.refusals import Refusal, WhoseTask
from broker.web.requests import (
    API_BODY_WITHIN_SECONDS,
    RequestTooLarge,
    RequestUnreadable,
    read_bounded,
    read_content_type,
)
from broker.web.wiring import Web

JSON_TYPE = "application/json"
LINES_TYPE = "application/x-ndjson"

Sent = TypeVar("Sent", bound=msgspec.Struct)


class ApiBodyRefused(Refusal):
    """Not of the stated type, not of the form that the endpoint reads, or not whole."""

    code = "E-API-4"
    whose_task = WhoseTask.SUPPLIER
    what = "A program sent us something that we cannot read."
    remedy = "Whoever runs that program must send what our documentation describes."


class ApiBodyTooLarge(ApiBodyRefused):
    code = "E-API-7"
    what = "A program sent us more than we read at once."
    remedy = "Whoever runs that program must send it in parts, if what it asks for allows that."
    http_status = 413


async def read_api_body(web: Web, request: Request, *, content_types: tuple[str, ...]) -> bytes:
    """Return the whole body; only after the caller proved who it is.

    Raises:
        ApiBodyRefused: another content type, or it did not come whole and in time.
        ApiBodyTooLarge: over `limits.api_body_bytes`.
    """
    if read_content_type(request) not in content_types:
        raise ApiBodyRefused("check_content_type")
    try:
        return await read_bounded(
            request, max_bytes=web.max_api_body_bytes, within_seconds=API_BODY_WITHIN_SECONDS
        )
    except RequestTooLarge as refusal:
        raise ApiBodyTooLarge(refusal.check) from None
    except RequestUnreadable as refusal:
        raise ApiBodyRefused(refusal.check) from None


async def read_json(web: Web, request: Request, type_: type[Sent]) -> Sent:
    """Return one JSON document of a known form.

    Raises:
        ApiBodyRefused, ApiBodyTooLarge
    """
    body = await read_api_body(web, request, content_types=(JSON_TYPE,))
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # refused below: a decoder's message may quote what was sent
    raise ApiBodyRefused("check_json_form")


async def read_lines(web: Web, request: Request) -> Iterator[tuple[int, bytes]]:
    """Return the lines of a list with their numbers from 1, without empty ones.

    Raises:
        ApiBodyRefused, ApiBodyTooLarge
    """
    body = await read_api_body(web, request, content_types=(LINES_TYPE,))
    return split_lines(body)


def split_lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield lines one by one: a list of all of them would take many times the body's memory."""
    start, number = 0, 0
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        number += 1
        line = body[start:end].strip()
        if line:
            yield number, line
        start = end + 1
