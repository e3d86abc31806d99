"""Somebody at `/me` asks the school something, and takes it back. The school decides."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.attributes import AttributeName
from broker.domain.ids import SupplierId
from broker.flow.me.me_refusals import MeClosed
from broker.flow.me.me_views import Visit
from broker.flow.requests.filing import Asked
from broker.flow.requests.person_requests import RequestId, RequestKind, RequestNotPossible
from broker.web.begin import is_framed, show_new_tab
from broker.web.me.me_arriving import ME
from broker.web.me.me_cards import ASK, name_supplier
from broker.web.me.me_doors import find_visit, read_own_form, show_own, token_of
from broker.web.me.me_request_pages import KINDS, AskPage
from broker.web.requests import Parameters, only, read_query
from broker.web.responses import redirect
from broker.web.texts import N_
from broker.web.wiring import Web

WITHDRAW = "/me/withdraw"
CHOOSE_SUPPLIER = N_("Choose the maker of learning material that you mean.")


def me_request_routes(web: Web) -> list[Route]:
    """Return the routes of requests to the school."""

    async def ask(request: Request) -> Response:
        if is_framed(request):
            return show_new_tab(web, request)
        if request.method == "POST":
            return await file(request)
        try:
            visit = await find_visit(web, request)
        except MeClosed:
            return redirect(ME)
        page = await _page(web, request, visit, read_query(request))
        return show_own(web, request, visit, page)

    async def file(request: Request) -> Response:
        visit, form = await read_own_form(web, request)
        asked = _read_asked(form, by_parent=visit.session.visitor == "parent")
        if asked.kind is RequestKind.OBJECTION and asked.supplier is None:
            page = await _page(web, request, visit, form, error=CHOOSE_SUPPLIER)
            return show_own(web, request, visit, page, status=422)
        await web.me.requests.file(
            asked,
            presented=visit.session.presented,
            school=visit.school,
            registry=web.snapshots.registry,
        )
        return redirect(f"{ME}#asked")

    async def withdraw(request: Request) -> Response:
        visit, form = await read_own_form(web, request)
        await web.me.requests.withdraw(
            RequestId(only(form, "id")), presented=visit.session.presented, school=visit.school
        )
        return redirect(f"{ME}#asked")

    return [
        Route(ASK, ask, methods=["GET", "POST"]),
        Route(WITHDRAW, withdraw, methods=["POST"]),
    ]


def _read_asked(form: Parameters, *, by_parent: bool) -> Asked:
    """Return what a form asks. An attribute counts with an objection alone.

    Raises:
        RequestNotPossible: no such kind; the rest is looked at where it is filed.
    """
    try:
        kind = RequestKind(only(form, "kind"))
    except ValueError:
        raise RequestNotPossible("check_request_kind") from None
    attribute = only(form, "attribute") if kind is RequestKind.OBJECTION else ""
    supplier = only(form, "supplier")
    return Asked(
        kind,
        supplier=SupplierId(supplier) if supplier else None,
        attribute=AttributeName(attribute) if attribute else None,
        by_parent=by_parent,
    )


async def _page(
    web: Web, request: Request, visit: Visit, chosen: Parameters, *, error: str = ""
) -> AskPage:
    found = await web.me.visits.show(visit, unverified_year="")
    registry = web.snapshots.registry
    return AskPage(
        csrf=token_of(web, request),
        school_name=visit.school.name,
        is_parent=visit.session.visitor == "parent",
        kinds=KINDS,
        suppliers=tuple(
            (str(each.supplier), name_supplier(registry, each.supplier)) for each in found.shares
        ),
        attributes=tuple(sorted({name for each in found.shares for name in each.names})),
        chosen_kind=only(chosen, "kind") or RequestKind.OBJECTION.value,
        chosen_supplier=only(chosen, "supplier"),
        chosen_attribute=only(chosen, "attribute"),
        error=error,
        days=web.me.requests.days,
    )
