"""`GET /api/schools`: a supplier's program asks with which schools its supplier has agreements."""

from starlette.requests import Request
from starlette.responses import Response

from broker.domain.dutch_days import day_of
from broker.flow.programs.api_access import ApiCaller, ApiCallerRefused, SupplierCaller
from broker.flow.programs.school_list import list_schools
from broker.web.responses import json
from broker.web.wiring import Web


async def show_schools(web: Web, _: Request, caller: ApiCaller) -> Response:
    """Answer with the caller's own schools, and no others."""
    if not isinstance(caller, SupplierCaller):
        raise ApiCallerRefused("check_caller_kind")
    today = day_of(web.clock())
    listed = list_schools(web.snapshots.registry, caller.supplier, today=today)
    return json({"supplier": caller.supplier.id, "day": today, "schools": listed})
