"""The endpoints of SAML: ours as identity provider, and as service provider of the schools."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.flow.audit import make_reference, note_refusal
from broker.saml_idp.refusals import AnswerableRefusal
from broker.saml_idp.request import check_authn_request
from broker.web.begin import check_destination, count_start, is_framed, show_new_tab, step_route
from broker.web.headers import Header
from broker.web.held_steps import find_held_step, read_wish, use_start
from broker.web.login_test_routes import find_held_login_test, show_login_test
from broker.web.own_documents import OwnAddresses
from broker.web.own_login_routes import find_held_own_login, receive_own_login
from broker.web.rehearsal_routes import find_held_rehearsal, show_volunteer
from broker.web.requests import only, read_form
from broker.web.responses import answer
from broker.web.wiring import Web


def saml_routes(web: Web) -> list[Route]:
    """Return the routes of SAML."""

    async def sso(request: Request) -> Response:
        check_destination(request)
        if is_framed(request):
            return show_new_tab(web, request)
        counted = count_start(web, request)
        used: Sequence[Header] = ()
        message = (
            await read_form(request, max_bytes=web.max_body_bytes)
            if request.method == "POST"
            else bytes(request.scope["query_string"])
        )
        try:
            checked = check_authn_request(
                message,
                registry=web.snapshots.registry,
                xml=web.xml,
                sso_url=web.sso_url,
                entity_id=OwnAddresses(web.issuer).idp_entity_id,
                now=web.clock(),
            )
        except AnswerableRefusal as refusal:
            note_refusal(
                web.audit,
                refusal,
                reference=make_reference(web.random),
                relying_party=refusal.answer_to.relying_party,
            )
            step = web.login.refuse_saml(refusal)
        else:
            wish = read_wish(web, request)
            step = await web.login.begin(checked, wish=wish)
            used = use_start(web, request, checked.relying_party)
        response = answer(web, request, step)
        response.raw_headers.extend(used)
        response.raw_headers.append(counted)
        return response

    async def acs(request: Request) -> Response:
        form = await read_form(request, max_bytes=web.max_body_bytes)
        held = find_held_rehearsal(web, request, only(form, "RelayState"))
        if held is not None:
            return show_volunteer(web, request, await web.volunteers.finish_saml(held, form=form))
        tested = find_held_login_test(web, request, only(form, "RelayState"))
        if tested is not None:
            result = await web.login_tests.finish_saml(tested, form=form)
            return show_login_test(web, request, result)
        own = find_held_own_login(web, request, only(form, "RelayState"))
        if own is not None:
            done = await web.own_logins.finish_saml(own, form=form)
            return await receive_own_login(web, request, done)
        step = find_held_step(web, request, only(form, "RelayState"))
        return answer(web, request, await web.login.finish_saml(step, form=form))

    return [
        step_route("/saml/idp/sso", sso, methods=["GET", "POST"]),
        Route("/saml/sp/acs", acs, methods=["POST"]),
    ]
