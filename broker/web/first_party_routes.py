"""`/schools/announce` and `/session`: other sites send a browser here, and get it back at once."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.flow.first_party.session_questions import SessionQuestion
from broker.web.begin import (
    NoNavigation,
    check_destination,
    count_start,
    is_framed,
    show_new_tab,
    step_route,
)
from broker.web.kept_hints import KeptAnnouncement
from broker.web.requests import only, read_query
from broker.web.responses import redirect
from broker.web.wiring import Web


def first_party_routes(web: Web) -> list[Route]:
    """Return the routes of announcements and questions; each by GET, in a tab of its own."""

    async def announce(request: Request) -> Response:
        check_destination(request)
        if is_framed(request):  # a frame keeps no cookie of ours, so nothing is used up there
            return show_new_tab(web, request)
        counted = count_start(web, request)
        parameters = read_query(request)
        found = await web.announcements.take(
            unverified_by=only(parameters, "by"), token=only(parameters, "announcement")
        )
        response = redirect(found.url)
        web.cookies.keep_announced(response, KeptAnnouncement(found.idp.id, found.school.id))
        response.raw_headers.append(counted)
        return response

    async def session(request: Request) -> Response:
        check_destination(request)
        if is_framed(request):  # nobody would see that it is asked, and our cookies are not there
            raise NoNavigation("check_destination")
        counted = count_start(web, request)
        parameters = read_query(request)
        question = SessionQuestion(
            relying_party=only(parameters, "rp"),
            state=only(parameters, "state"),
            session=web.cookies.read_session(request),
            schools=(
                web.cookies.read_announced(request).school,
                web.cookies.read(request, "school"),
            ),
        )
        response = redirect(await web.session_questions.answer(question))
        response.raw_headers.append(counted)
        return response

    return [
        step_route("/schools/announce", announce, methods=["GET"]),
        step_route("/session", session, methods=["GET"]),
    ]
