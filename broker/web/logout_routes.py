"""Logging out: a relying party's request, our own page, and what became of it."""

from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.federation import OidcIdpEndpoints
from broker.domain.ids import SchoolIdpId
from broker.domain.relying_parties import RelyingParty
from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.refusals import LogoutStepAbsent
from broker.flow.sessions.logout_answers import AskLogout, AskParty, LoggedOut
from broker.flow.sessions.logout_records import TOLD_TTL_SECONDS
from broker.flow.sessions.saml_logouts import BrowserForm
from broker.oidc_op.logout import LogoutRequest, build_logout_return, parse_logout_request
from broker.oidc_rp.request import build_end_session_url
from broker.web.begin import check_destination, count_end, is_framed, show_new_tab, step_route
from broker.web.csrf import check_own_form, make_token
from broker.web.held_steps import note_begun_by
from broker.web.logout_pages import (
    AnswerForm,
    AskLogoutPage,
    LeftPlace,
    LoggedOutPage,
    LogoutStopPage,
)
from broker.web.pages import HandoverPage, Link
from broker.web.requests import only, read_form, read_query
from broker.web.responses import redirect, show
from broker.web.wiring import Web


def logout_routes(web: Web) -> list[Route]:
    """Return the routes of logging out."""

    async def end_session(request: Request) -> Response:
        check_destination(request)
        if is_framed(request):
            return show_new_tab(web, request)
        if request.method == "POST":
            parameters = await read_form(request, max_bytes=web.max_body_bytes)
        else:
            parameters = read_query(request)
        note_begun_by(web, request, client_id=only(parameters, "client_id"))
        return await begin(request, parse_logout_request(parameters))

    async def begin(request: Request, asked: LogoutRequest) -> Response:
        counted = count_end(web, request)
        begun = await web.logout.begin(asked)
        response = redirect(f"/logout?logout={begun.name}")
        web.cookies.open_logout(
            request, response, begun.name, begun.handle.text, seconds=TOLD_TTL_SECONDS
        )
        response.raw_headers.append(counted)
        return response

    async def look(request: Request) -> Response:
        if is_framed(request):
            return show_new_tab(web, request)
        name = only(read_query(request), "logout")
        if not name:
            return await begin(request, LogoutRequest())
        step = _find_step(web, request, name)
        shown = await web.logout.show(
            step, unverified_standings=web.cookies.read_standings(request)
        )
        if isinstance(shown, AskLogout):
            return show(web, request, _ask_page(web, step, shown), onward=True, again=True)
        ended = shown.so_far if isinstance(shown, AskParty) else shown
        if isinstance(shown, AskParty):
            response = show(web, request, _stop_page(web, step, shown), onward=True)
        else:
            response = _show_end(web, request, shown)
        if not ended.record.is_elsewhere:
            web.cookies.close_sessions(request, response)
        return response

    async def press(request: Request) -> Response:
        form = await read_form(request, max_bytes=web.max_body_bytes)
        step = _find_step(web, request, only(form, "logout"))
        check_own_form(
            request,
            cookie_keys=web.cookie_keys,
            bound_to=step.unverified_handle,
            token=only(form, "csrf"),
            issuer=web.issuer,
        )
        await web.logout.confirm(step, unverified_standings=web.cookies.read_standings(request))
        response = redirect(f"/logout?logout={step.state}")
        web.cookies.close_sessions(request, response)
        return response

    async def logout(request: Request) -> Response:
        return await (press if request.method == "POST" else look)(request)

    return [
        step_route("/oidc/end-session", end_session, methods=["GET", "POST"]),
        step_route("/logout", logout, methods=["GET", "POST"]),
    ]


def _find_step(web: Web, request: Request, name: str) -> BrowserStep:
    handle = web.cookies.read_logout(request, name)
    if not handle:
        raise LogoutStepAbsent("check_browser_binding")
    return BrowserStep(name, handle)


def _ask_page(web: Web, step: BrowserStep, asked: AskLogout) -> AskLogoutPage:
    party = asked.relying_party
    name = "" if party is None else _name_of(web, party)
    return AskLogoutPage(
        logout=step.state,
        csrf=make_token(web.cookie_keys, step.unverified_handle),
        supplier_name=name,
        way_back=Link(party.start_url, name) if party is not None and party.start_url else None,
    )


def _stop_page(web: Web, step: BrowserStep, shown: AskParty) -> LogoutStopPage:
    return LogoutStopPage(
        method="get" if shown.form.url else "post",
        action=shown.form.action,
        fields=shown.form.fields,
        name=shown.peer.name,
        onward=f"/logout?logout={step.state}",
        seconds=web.logout_stop_seconds,
    )


def _show_end(web: Web, request: Request, shown: LoggedOut) -> Response:
    """Return to who asked, or tell first where the person is not logged out yet."""
    registry, asked = web.snapshots.registry, shown.record.logout
    brought = shown.answer
    if brought is not None and shown.may_answer_at_once:
        return _send_answer(web, request, brought, name=_asker_name(shown))
    back = None
    if asked.redirect_uri is not None:
        back = build_logout_return(asked.redirect_uri, state=asked.state)
        if shown.has_nothing_to_tell:
            return redirect(back)
    party = (
        None if asked.relying_party is None else registry.relying_parties.get(asked.relying_party)
    )
    name = _asker_name(shown) if party is None else _name_of(web, party)
    if brought is not None and brought.url:
        back = brought.url
    page = LoggedOutPage(
        places=_places(web, [(each.relying_party, each.is_out) for each in shown.parties]),
        is_waiting=shown.is_waiting,
        is_elsewhere=shown.record.is_elsewhere,
        frames=tuple(each.frontchannel_url for each in shown.parties if each.frontchannel_url),
        schools=tuple(link for each in shown.record.idps for link in _school_links(web, each)),
        is_partial=not (shown.is_waiting or shown.is_everywhere),
        at_school=tuple(
            LeftPlace(name=each.peer.name, url="", is_out=each.is_out) for each in shown.schools
        ),
        way_back=None if back is None else Link(back, name),
        answer=(
            AnswerForm(action=brought.action, fields=brought.fields, name=name)
            if brought is not None and not brought.url
            else None
        ),
    )
    origins = {f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, page.frames)}
    onward = page.answer is not None
    return show(web, request, page, again=True, onward=onward, frames=sorted(origins))


def _send_answer(web: Web, request: Request, brought: BrowserForm, *, name: str) -> Response:
    """Let the browser bring our answer to who asked by SAML, without a page to read."""
    if brought.url:
        return redirect(brought.url)
    page = HandoverPage(action=brought.action, fields=brought.fields, destination_name=name)
    return show(web, request, page, onward=True)


def _asker_name(shown: LoggedOut) -> str:
    return "" if shown.asker is None else shown.asker.name


def _name_of(web: Web, party: RelyingParty) -> str:
    return web.snapshots.registry.suppliers[party.supplier].display_name


def _places(web: Web, parties: Sequence[tuple[RelyingParty, bool | None]]) -> tuple[LeftPlace, ...]:
    """Return where a person was; what goes by one name is told apart by its host."""
    counts = Counter(_name_of(web, party) for party, _ in parties)
    return tuple(
        LeftPlace(
            name=(name := _name_of(web, party)),
            url=party.start_url,
            is_out=is_out,
            host=urlsplit(party.start_url).netloc if counts[name] > 1 else "",
        )
        for party, is_out in parties
    )


def _school_links(web: Web, idp_id: SchoolIdpId) -> list[Link]:
    """Return where a person logs out at school, for a provider that offers it."""
    registry = web.snapshots.registry
    idp = registry.idps.get(idp_id)
    if idp is None or not idp.enabled or not isinstance(idp.endpoints, OidcIdpEndpoints):
        return []
    url = build_end_session_url(idp.endpoints)
    name = idp.name or registry.schools[idp.schools[0]].name
    return [] if url is None else [Link(url, name)]
