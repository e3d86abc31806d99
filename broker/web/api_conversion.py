"""`POST /api/pseudonyms/convert`: a supplier's program converts its own pseudonyms in parts.

JSON: `{"pseudonyms": [...]}` is answered by `{"answers": [...]}` in the same order. A list of
lines, each `{"pseudonym": "..."}`, is answered by as many. An answer holds `new`, or
`not_converted` and why.
"""

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from broker.flow.programs.api_access import ApiCaller, ApiCallerRefused, SupplierCaller
from broker.flow.rotation.conversion import Answer, NotConverted
from broker.web.api_bodies import (
    LINES_TYPE,
    ApiBodyRefused,
    ApiBodyTooLarge,
    read_json,
    read_lines,
)
from broker.web.requests import read_content_type
from broker.web.responses import json
from broker.web.wiring import Web

ASKED_AT_ONCE = 10_000
"""Texts in one call: two seconds of one processor, in parts between which logins go on."""

TEXT_CHARS_MAX = 200

Text = Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]


class ConvertRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a program sends as JSON. Its repr shows no value."""

    pseudonyms: Annotated[list[Text], Meta(max_length=ASKED_AT_ONCE)]

    def __repr__(self) -> str:
        return "ConvertRequest(...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return []


class ConvertLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a list. Its repr shows no value."""

    pseudonym: Text

    def __repr__(self) -> str:
        return "ConvertLine(...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return []


async def convert_pseudonyms(web: Web, request: Request, caller: ApiCaller) -> Response:
    """Answer with the caller's own pseudonyms of the epoch in use."""
    if not isinstance(caller, SupplierCaller):
        raise ApiCallerRefused("check_caller_kind")
    in_lines = read_content_type(request) == LINES_TYPE
    texts = await (_read_list(web, request) if in_lines else _read_json(web, request))
    still = web.api.still_admitted(caller)
    if not isinstance(still, SupplierCaller):
        raise ApiCallerRefused("check_caller_kind")
    answers = await web.conversion.convert(texts, supplier=still.supplier)
    if not in_lines:
        return json({"answers": [_describe(each) for each in answers]})
    lines = (
        msgspec.json.encode({"pseudonym": text, **_describe(answer)}) + b"\n"
        for text, answer in zip(texts, answers, strict=True)
    )
    return Response(b"".join(lines), media_type=LINES_TYPE)


async def _read_json(web: Web, request: Request) -> list[str]:
    return (await read_json(web, request, ConvertRequest)).pseudonyms


async def _read_list(web: Web, request: Request) -> list[str]:
    decoder = msgspec.json.Decoder(ConvertLine)
    texts: list[str] = []
    for _, line in await read_lines(web, request):
        if len(texts) == ASKED_AT_ONCE:
            raise ApiBodyTooLarge("check_lines_bounded")
        try:
            texts.append(decoder.decode(line).pseudonym)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise ApiBodyRefused("check_json_form") from None
    return texts


def _describe(answer: Answer) -> dict[str, str]:
    if isinstance(answer, NotConverted):
        return {"not_converted": answer.value}
    return {"new": answer}
