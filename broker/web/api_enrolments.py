"""`POST /api/enrolments/{school}`: a school's program sends the list of who is there.

The whole list each time, as `text/csv` or `application/x-ndjson`; `?dry_run=true` shows what it
would change. The answer counts, and names nobody.
"""

from asyncio import to_thread
from collections.abc import Sequence
from datetime import date
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from broker.domain.dutch_days import day_of
from broker.domain.enrolment import FeedLine, FeedRefused
from broker.domain.enrolment_file import read_csv, read_json_lines
from broker.domain.federation import School
from broker.domain.relations import former_brins, number_schools
from broker.flow.enrolment.enrolment_feed import FeedPlan
from broker.flow.programs.api_access import ApiCaller, ApiCallerRefused, SchoolCaller
from broker.flow.programs.quotas import Quota
from broker.web.api_bodies import (
    LINES_TYPE,
    ApiBodyRefused,
    read_api_body,
    split_lines,
)
from broker.web.requests import only, read_content_type, read_query
from broker.web.responses import json, refuse_program
from broker.web.wiring import Web

CSV_TYPE = "text/csv"
_DRY: dict[str, bool] = {"": False, "false": False, "true": True}


async def take_list(web: Web, request: Request, caller: ApiCaller) -> Response:
    """Take over the list of the school whose program sends it.

    Raises:
        ApiCallerRefused: another school's.
        QuotaExceeded, ApiBodyRefused, ApiBodyTooLarge, FeedUnreadable, TooManyVanish,
        FeedOvertaken, RegisterUnavailable, QuotasUnavailable
        ApiTokenRefused: the school or its program was switched off meanwhile.
    """
    if not isinstance(caller, SchoolCaller) or request.path_params["school"] != caller.school.id:
        raise ApiCallerRefused("check_school_of_caller")
    stated = only(read_query(request), "dry_run")
    if stated not in _DRY:
        raise ApiBodyRefused("check_dry_run_stated")
    school, today = caller.school, day_of(web.clock())
    await web.lists.quotas.spend(
        Quota("enrolment", school.id, today.isoformat(), web.lists.lists_a_day), 1
    )
    with web.lists.one_of(school.id):
        body = await read_api_body(web, request, content_types=(CSV_TYPE, LINES_TYPE))
        async with web.lists.turn:
            web.api.still_admitted(caller)
            try:
                lines = await to_thread(_parse, body, read_content_type(request))
                plan = await _plan(web, lines, school=school, today=today)
            except FeedRefused as refused:
                told = [{"line": each.line, "reason": each.reason} for each in refused.problems]
                return refuse_program(web, refused, {"lines": told, "refused": refused.count})
            if not _DRY[stated]:
                web.api.still_admitted(caller)
                await web.lists.desk.put_in_force(plan, school=school)
    status: Literal["planned", "in-force"] = "planned" if _DRY[stated] else "in-force"
    return json({"status": status, **plan.counts(), "confirms_moves": plan.confirms})


async def _plan(web: Web, lines: Sequence[FeedLine], *, school: School, today: date) -> FeedPlan:
    registry = web.snapshots.registry
    former = former_brins(registry, [school.id], today).get(school.id, frozenset())
    return await web.lists.desk.plan(
        lines,
        school=school,
        today=today,
        former=former,
        number_schools=number_schools(registry, school.id),
    )


def _parse(body: bytes, content_type: str) -> list[FeedLine]:
    """Return the lines; on a thread, for a whole list takes longer than a login may wait."""
    if content_type == LINES_TYPE:
        return read_json_lines(split_lines(body))
    return read_csv(body)
