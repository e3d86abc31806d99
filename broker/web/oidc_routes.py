"""The endpoints of OpenID Connect: ours as provider, and the callback of schools' providers."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.refusals import Refusal
from broker.flow.audit import make_reference, note_refusal
from broker.flow.authorization_requests import RefusedRequest
from broker.flow.key_plans.key_purposes import JWKS_CACHE
from broker.oidc_op.caller_proof import NO_PROOF
from broker.oidc_op.client_credentials import is_api_token_request
from broker.oidc_op.presented_tokens import build_resource_challenge
from broker.oidc_op.pushed import TooManyPushed
from broker.web.begin import (
    check_destination,
    check_room_for_frame,
    count_start,
    is_framed,
    show_new_tab,
    step_route,
)
from broker.web.cross_origin import CrossOrigin
from broker.web.held_steps import find_held_step, note_begun_by, read_wish, use_start
from broker.web.login_test_routes import find_held_login_test, show_login_test
from broker.web.own_login_routes import find_held_own_login, receive_own_login
from broker.web.rehearsal_routes import find_held_rehearsal, show_volunteer
from broker.web.requests import Parameters, only, read_caller_proof, read_form, read_query
from broker.web.responses import answer, give_nonce, json, refuse_client, wish_language
from broker.web.wiring import Web

CREATED = 201  # RFC 9126 2.2
PUSH_AGAIN_SECONDS = 60
MAX_AGE_SECONDS = int(JWKS_CACHE.total_seconds())


def oidc_routes(web: Web) -> list[Route]:
    """Return the routes of OpenID Connect."""
    scripts = CrossOrigin(web.snapshots)

    async def authorize(request: Request) -> Response:
        check_destination(request)
        parameters = await _parameters(web, request)
        framed = is_framed(request)
        if framed:
            if not _may_be_passive(parameters):
                return show_new_tab(web, request)
            check_room_for_frame(web, request)  # prompt=none shows no page, so it may be framed
        counted = count_start(web, request)
        note_begun_by(web, request, client_id=_client_named(parameters))
        asked = await web.authorization.read(parameters)
        if framed and not (isinstance(asked, RefusedRequest) or asked.passive):
            response = show_new_tab(web, request)
        elif isinstance(asked, RefusedRequest):
            _note_refused(web, asked)
            response = answer(web, request, web.login.refuse_oidc(asked))
        else:
            languages = wish_language(web, request, asked.ui_locales)
            wish = read_wish(web, request)
            response = answer(web, request, await web.login.begin(asked, wish=wish))
            response.raw_headers.extend(languages)
            response.raw_headers.extend(use_start(web, request, asked.relying_party))
        response.raw_headers.append(counted)
        return response

    async def token(request: Request) -> Response:
        try:
            form = await read_form(request, max_bytes=web.max_body_bytes)
            proof = read_caller_proof(request)
            if is_api_token_request(form):
                response = json(await web.api.grant(form, proof))
            else:
                response = json(await web.token.redeem(form, proof))
        except Refusal as refusal:
            response = refuse_client(web, refusal)
        return give_nonce(web, request, response)

    async def push(request: Request) -> Response:
        try:
            form = await read_form(request, max_bytes=web.max_body_bytes)
            pushed = await web.pushed.push(form, read_caller_proof(request))
            response = json(pushed, status=CREATED)
        except Refusal as refusal:
            response = refuse_client(web, refusal)
            if isinstance(refusal, TooManyPushed):
                response.headers["retry-after"] = str(PUSH_AGAIN_SECONDS)
        return give_nonce(web, request, response)

    async def userinfo(request: Request) -> Response:
        proof = NO_PROOF
        try:
            proof = read_caller_proof(request)
            form: Parameters = []
            if request.method == "POST" and request.headers.get("content-type"):
                form = await read_form(request, max_bytes=web.max_body_bytes)
            response = _tell(await web.token.userinfo(form, proof, method=request.method))
        except Refusal as refusal:
            response = refuse_client(web, refusal)
            if refusal.http_status in {400, 401, 403}:
                response.headers["www-authenticate"] = build_resource_challenge(refusal, proof)
        return give_nonce(web, request, response)

    async def introspect(request: Request) -> Response:
        try:
            form = await read_form(request, max_bytes=web.max_body_bytes)
            return json(await web.token_status.introspect(form, read_caller_proof(request)))
        except Refusal as refusal:
            return refuse_client(web, refusal)

    async def revoke(request: Request) -> Response:
        try:
            form = await read_form(request, max_bytes=web.max_body_bytes)
            await web.token_status.revoke(form, read_caller_proof(request))
        except Refusal as refusal:
            return refuse_client(web, refusal)
        return json({})

    async def callback(request: Request) -> Response:
        parameters = read_query(request)
        held = find_held_rehearsal(web, request, only(parameters, "state"))
        if held is not None:
            done = await web.volunteers.finish_oidc(held, parameters=parameters)
            return show_volunteer(web, request, done)
        tested = find_held_login_test(web, request, only(parameters, "state"))
        if tested is not None:
            result = await web.login_tests.finish_oidc(tested, parameters=parameters)
            return show_login_test(web, request, result)
        own = find_held_own_login(web, request, only(parameters, "state"))
        if own is not None:
            who = await web.own_logins.finish_oidc(own, parameters=parameters)
            return await receive_own_login(web, request, who)
        step = find_held_step(web, request, only(parameters, "state"))
        return answer(web, request, await web.login.finish_oidc(step, parameters=parameters))

    async def discovery(_: Request) -> Response:
        return _public(web.documents.discovery)

    async def jwks(_: Request) -> Response:
        return _public(web.documents.jwks)

    return [
        step_route("/oidc/authorize", authorize, methods=["GET", "POST"]),
        scripts.route("/oidc/token", token, methods=["POST"]),
        Route("/oidc/par", push, methods=["POST"]),
        scripts.route("/oidc/userinfo", userinfo, methods=["GET", "POST"]),
        Route("/oidc/introspect", introspect, methods=["POST"]),
        scripts.route("/oidc/revoke", revoke, methods=["POST"]),
        step_route("/oidc/callback", callback, methods=["GET"]),
        Route("/.well-known/openid-configuration", discovery, methods=["GET"]),
        Route("/.well-known/oauth-authorization-server", discovery, methods=["GET"]),  # RFC 8414 3
        Route("/oidc/jwks", jwks, methods=["GET"]),
    ]


def _tell(claims: Mapping[str, object] | str) -> Response:
    """OIDC Core 5.3.2: JSON, or the signed token that the client's document asks for."""
    if isinstance(claims, str):
        return Response(claims, headers={"cache-control": "no-store"}, media_type="application/jwt")
    return json(claims)


async def _parameters(web: Web, request: Request) -> Parameters:
    """OIDC Core 3.1.2.1: the query of a GET or the form of a POST, never both."""
    if request.method == "POST":
        return await read_form(request, max_bytes=web.max_body_bytes)
    return read_query(request)


def _client_named(parameters: Parameters) -> str:
    """Return who asks, for the way back of a page; "" where that stands there twice or not."""
    named = [value for name, value in parameters if name == "client_id"]
    return named[0] if len(named) == 1 else ""


def _may_be_passive(parameters: Parameters) -> bool:
    """Tell whether the request may ask for no page; only its object knows where it stands there."""
    names = {name for name, _ in parameters}
    return ("prompt", "none") in parameters or not names.isdisjoint(("request", "request_uri"))


def _note_refused(web: Web, asked: RefusedRequest) -> None:
    note_refusal(
        web.audit,
        asked.refusal,
        reference=make_reference(web.random),
        relying_party=asked.address.relying_party,
    )


def _public(body: bytes) -> Response:
    """Published documents may be read by any script of any site, and kept for a while."""
    return Response(
        body,
        headers={
            "cache-control": f"public, max-age={MAX_AGE_SECONDS}",
            "access-control-allow-origin": "*",
        },
        media_type="application/json",
    )
