"""Where SAML messages about logging out arrive: by the browser from both sides, and by SOAP.

A request opens a logout, an answer goes on with one; both lead to our own page by a redirect, which
brings the cookies along that a post from another site does not.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.refusals import Refusal
from broker.flow.audit import make_reference, note_refusal
from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.sessions.logout_answers import AnswerTaken
from broker.flow.sessions.logout_records import TOLD_TTL_SECONDS
from broker.flow.sessions.saml_peers import Side
from broker.saml_xml.bindings import REQUEST_MAX_BYTES
from broker.saml_xml.logout.building import build_fault
from broker.web.begin import check_destination, count_end, is_framed, show_new_tab, step_route
from broker.web.cookies import MAX_LOGOUTS_AT_ONCE
from broker.web.requests import (
    BODY_WITHIN_SECONDS,
    RequestUnreadable,
    read_bounded,
    read_content_type,
    read_form,
)
from broker.web.responses import redirect
from broker.web.wiring import Web

SOAP_TYPE = "text/xml"  # SOAP 1.1 6
ENVELOPE_MAX_BYTES = REQUEST_MAX_BYTES
FAULT_STATUS = 500  # SOAP 1.1 6.2, whosever fault it is


def saml_logout_routes(web: Web) -> list[Route]:
    """Return the routes of single logout."""

    async def receive(request: Request, side: Side) -> Response:
        check_destination(request)
        if is_framed(request):
            return show_new_tab(web, request)
        counted = count_end(web, request)
        message = (
            await read_form(request, max_bytes=web.max_body_bytes)
            if request.method == "POST"
            else bytes(request.scope["query_string"])
        )
        # Each is looked up: no more than we let a browser hold.
        held = [BrowserStep(*each) for each in web.cookies.read_logouts(request)]
        held = held[:MAX_LOGOUTS_AT_ONCE]
        taken = await web.logout.receive(message, side=side, held=held)
        response = redirect(f"/logout?logout={taken.name}")
        response.raw_headers.append(counted)
        if isinstance(taken, AnswerTaken):
            if taken.refusal is not None:
                note_refusal(web.audit, taken.refusal, reference=make_reference(web.random))
        else:
            web.cookies.open_logout(
                request, response, taken.name, taken.handle.text, seconds=TOLD_TTL_SECONDS
            )
        return response

    async def from_supplier(request: Request) -> Response:
        return await receive(request, Side.SUPPLIER)

    async def from_school(request: Request) -> Response:
        return await receive(request, Side.SCHOOL)

    async def call(request: Request) -> Response:
        try:
            if read_content_type(request) != SOAP_TYPE:
                raise RequestUnreadable("check_content_type")
            body = await read_bounded(
                request, max_bytes=ENVELOPE_MAX_BYTES, within_seconds=BODY_WITHIN_SECONDS
            )
            answer, status = await web.logout.receive_call(body), 200
        except Refusal as refusal:
            note_refusal(web.audit, refusal, reference=make_reference(web.random))
            answer, status = build_fault(refusal.code), FAULT_STATUS
        return Response(answer, status, headers={"cache-control": "no-store"}, media_type=SOAP_TYPE)

    return [
        step_route("/saml/idp/slo", from_supplier, methods=["GET", "POST"]),
        Route("/saml/idp/slo/soap", call, methods=["POST"]),
        step_route("/saml/sp/slo", from_school, methods=["GET", "POST"]),
    ]
