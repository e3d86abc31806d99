"""`GET /api/transfers/{school}`: a school's program asks how many pupils came, left and wait."""

from starlette.requests import Request
from starlette.responses import Response

from broker.domain.dutch_days import day_of
from broker.flow.programs.api_access import ApiCaller, ApiCallerRefused, SchoolCaller
from broker.web.responses import json
from broker.web.wiring import Web


async def show_transfers(web: Web, request: Request, caller: ApiCaller) -> Response:
    """Tell a school by day what happened there; nobody is named, and no other school.

    Raises:
        ApiCallerRefused: another school's.
        RegisterUnavailable: the counts cannot be read.
    """
    if not isinstance(caller, SchoolCaller) or request.path_params["school"] != caller.school.id:
        raise ApiCallerRefused("check_school_of_caller")
    today = day_of(web.clock())
    notice = await web.notices.of(caller.school, today=today)
    return json(
        {
            "school": caller.school.id,
            "day": today,
            "may_come_today": notice.budget.a_day,
            "may_come_this_year": notice.budget.in_all,
            "pupils_this_year": notice.pupils,
            "stated_first_this_year": notice.first,
            "may_state_first_this_year": notice.budget.first_in_all,
            "protected_this_year": notice.protected,
            "days": notice.days,
        }
    )
