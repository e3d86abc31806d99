"""`POST /api/takeover/map`: a supplier's program asks which of its pseudonyms belong to ECK iDs."""

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from broker.domain.ids import SchoolId
from broker.flow.programs.api_access import ApiCaller, ApiCallerRefused, SupplierCaller
from broker.pseudonyms.derivation import ECKID_URI_LENGTH_MAX, Pseudonym
from broker.web.api_bodies import read_json
from broker.web.responses import json
from broker.web.wiring import Web

ASKED_AT_ONCE = 1000
"""ECK iDs in one call: they are answered together, and logins wait for a part of them."""


class MapRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the program sends. Its repr shows no value.

    Attributes:
        school: id of the school whose pupils they are.
        eck_ids: as the school or the hub stated them, each once.
    """

    school: Annotated[str, Meta(max_length=64)]
    eck_ids: Annotated[
        list[Annotated[str, Meta(max_length=ECKID_URI_LENGTH_MAX)]], Meta(max_length=ASKED_AT_ONCE)
    ]

    def __repr__(self) -> str:
        return "MapRequest(...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return []


async def map_eck_ids(web: Web, request: Request, caller: ApiCaller) -> Response:
    """Answer with the caller's own pseudonyms in the order of the ECK iDs; null where none is."""
    if not isinstance(caller, SupplierCaller):
        raise ApiCallerRefused("check_caller_kind")
    asked = await read_json(web, request, MapRequest)
    web.api.still_admitted(caller)
    answers = await web.mapping.answer(
        asked.eck_ids,
        school=SchoolId(asked.school),
        supplier=caller.supplier.id,
        registry=web.snapshots.registry,
    )
    pseudonyms: list[Pseudonym | None] = [None] * len(asked.eck_ids)
    for line, pseudonym in answers:
        pseudonyms[line.number - 1] = pseudonym
    return json({"pseudonyms": pseudonyms})
