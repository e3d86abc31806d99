"""`/start`: the one address by which portals, tiles and posters open learning material."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.dutch_days import day_of
from broker.domain.refusals import Refusal
from broker.flow.following.trail import current_trail
from broker.flow.start_links import StartLink, StartUnknown, find_start
from broker.web.begin import check_destination, count_start, is_framed, show_new_tab, step_route
from broker.web.held_steps import note_begun_at, read_wish
from broker.web.kept_hints import KeptStart
from broker.web.own_documents import OwnAddresses
from broker.web.requests import only, read_query
from broker.web.responses import answer, redirect
from broker.web.wiring import Web


def start_routes(web: Web) -> list[Route]:
    """Return the route of links."""

    async def start(request: Request) -> Response:
        check_destination(request)
        if is_framed(request):
            return show_new_tab(web, request)
        parameters = read_query(request)
        link = StartLink(
            relying_party=only(parameters, "rp"),
            school=only(parameters, "school"),
            target=only(parameters, "target"),
        )
        try:
            found = find_start(
                link,
                index=web.snapshots.index,
                issuer=web.issuer,
                idp_entity_id=OwnAddresses(web.issuer).idp_entity_id,
                today=day_of(web.clock()),
            )
        except StartUnknown:
            raise
        except Refusal:
            note_begun_at(request, link.relying_party)  # so that its page leads there
            current_trail().relying_party = link.relying_party
            raise
        current_trail().relying_party = link.relying_party
        if found.login is None:
            response = redirect(found.url)
        else:
            counted = count_start(web, request)
            step = await web.login.begin(found.login, wish=read_wish(web, request))
            response = answer(web, request, step)
            response.raw_headers.append(counted)
        school = "" if found.school is None else found.school.id
        kept = KeptStart(link.relying_party, school, link.target)
        response.raw_headers.append(web.cookies.keep_start(kept))
        if school:
            web.cookies.remember_school(response, school)
        return response

    return [step_route("/start", start, methods=["GET"])]
