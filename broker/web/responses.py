"""From what a flow answers to what a browser gets."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from broker.domain.refusals import Refusal
from broker.flow.answers import (
    ChooseLogin,
    ChooseSchool,
    OtherLogin,
    PostMessage,
    Redirect,
    Refused,
    Step,
    Welcome,
    WhichSchool,
)
from broker.flow.audit import make_reference, note_refusal
from broker.flow.refusals import LogoutStepAbsent
from broker.oidc_op.client_refusals import ClientNotAuthenticated
from broker.oidc_op.logout import LogoutRequestRefused
from broker.oidc_op.response import build_error_body
from broker.saml_xml.logout.refusals import LogoutMessageRefused
from broker.saml_xml.refusals import XmlRefusal
from broker.web.app_places import find_app_places, leads_to_app
from broker.web.csrf import make_token
from broker.web.headers import Header, content_policy
from broker.web.held_steps import find_start_again, find_way_back
from broker.web.login_pages import AppPage, LoginChoice, OtherLoginPage, WhichSchoolPage
from broker.web.pages import (
    Frame,
    HandoverPage,
    LanguageLink,
    Link,
    Notice,
    Page,
    RefusalPage,
    Retry,
    WelcomePage,
    build_language_links,
)
from broker.web.school_choice import choice_of
from broker.web.texts import Language, choose_language, find_language
from broker.web.wiring import Web

_LOGS_OUT_HERE = (LogoutRequestRefused, LogoutStepAbsent, LogoutMessageRefused)
"""Nobody is logged out yet, so the page offers to do it here."""

_LOGOUT_PLACES = ("/saml/idp/slo", "/saml/sp/slo")
"""As little is anybody where the form of a message, or its signature, is refused here."""

_WISHED = "schuilnaam.wished"
"""Where a request keeps the language that its supplier wishes."""

SEE_OTHER = 303  # RFC 9700 4.12: never a redirect that repeats a post


def read_language(web: Web, request: Request) -> Language:
    """Return the language for this answer."""
    wished = request.scope.get(_WISHED, "")
    return choose_language(
        query=request.query_params.get("lang") or request.query_params.get("ui_locales", ""),
        cookie=wished or web.cookies.read(request, "wished") or web.cookies.read(request, "lang"),
        accept_language=request.headers.get("accept-language", ""),
    )


def wish_language(web: Web, request: Request, tags: Sequence[str]) -> Sequence[Header]:
    """Show this login's pages in the first of the supplier's languages that is ours.

    Args:
        tags: `ui_locales` (OIDC Core 3.1.2.1); without one of ours, an earlier wish ends.

    Returns:
        cookies to set. Whoever chooses a language on a page has that one from then on.
    """
    language = find_language(tags)
    request.scope[_WISHED] = "" if language is None else language.value
    return web.cookies.wish_language(request, request.scope[_WISHED])


def show(
    web: Web,
    request: Request,
    page: Page,
    *,
    status: int = 200,
    onward: bool = False,
    framed: bool = False,
    again: bool = False,
    frames: Sequence[str] = (),
    around: Frame | None = None,
) -> Response:
    """Return a page for people.

    Args:
        onward: it has a form that leads to a school or supplier.
        framed: it may be shown inside another page.
        again: it can be asked for again, so it offers itself in the other language.
        frames: origins whose pages it shows in frames.
        around: what stands around it besides language and links to the other one.
    """
    links: Sequence[LanguageLink] = ()
    if again:
        # Never from `request.url`, which is made from the Host header.
        links = build_language_links(request.scope["path"], request.query_params.multi_items())
    frame = replace(
        around or Frame(), language=read_language(web, request), language_links=tuple(links)
    )
    response = Response(web.pages.render(page, frame), status, media_type="text/html")
    response.headers["content-security-policy"] = content_policy(
        onward=onward,
        secure=web.secure,
        framed=framed,
        places=find_app_places(find_way_back(web, request)) if onward else (),
        frames=frames,
    )
    response.headers["cache-control"] = "no-store"
    if find_language([request.query_params.get("lang", "")]) is not None:
        web.cookies.remember_language(response, frame.language.value)
        response.raw_headers.extend(web.cookies.wish_language(request, ""))
    return response


def redirect(url: str) -> Response:
    """Return a redirect that is never kept."""
    return Response(status_code=SEE_OTHER, headers={"location": url, "cache-control": "no-store"})


def send_on(web: Web, request: Request, to: Redirect | PostMessage) -> Response:
    """Return what sends the browser to a school or supplier."""
    if isinstance(to, Redirect):
        return redirect(to.url)
    page = HandoverPage(action=to.url, fields=to.fields, destination_name=to.destination_name)
    return show(web, request, page, onward=True, framed=to.may_be_framed)


def json(body: object, *, status: int = 200) -> Response:
    """Return JSON that is never kept."""
    return Response(
        msgspec.json.encode(body),
        status,
        headers={"cache-control": "no-store", "pragma": "no-cache"},
        media_type="application/json",
    )


def give_nonce(web: Web, request: Request, response: Response) -> Response:
    """RFC 9449 8: who shows a proof is given the nonce for the next one."""
    if "dpop" in request.headers:
        response.headers["dpop-nonce"] = web.senders.give_nonce(web.clock())
    return response


def refuse_program(
    web: Web, refusal: Refusal, more: Mapping[str, object] = MappingProxyType({})
) -> Response:
    """Return the JSON of a refusal to a program that calls the API, and write it down.

    Args:
        more: what else the program is told; never a value of a person.
    """
    reference = make_reference(web.random)
    note_refusal(web.audit, refusal, reference=reference)
    told = {
        "code": refusal.code,
        "what": refusal.what.replace("{subject}", refusal.subject),
        "remedy": refusal.remedy.replace("{subject}", refusal.subject),
        "reference": reference,
    }
    return json({**told, **more}, status=refusal.http_status)


def refuse_client(web: Web, refusal: Refusal) -> Response:
    """Return the JSON of a refusal to a relying party (RFC 6749 5.2), and write it down.

    What was wrong stands in the audit only.
    """
    note_refusal(web.audit, refusal, reference=make_reference(web.random))
    response = json(build_error_body(refusal), status=refusal.http_status)
    if isinstance(refusal, ClientNotAuthenticated):
        response.headers["www-authenticate"] = 'Basic realm="token", charset="UTF-8"'
    return response


def answer(web: Web, request: Request, step: Step, *, from_page: bool = False) -> Response:
    """Return what a step of a login tells the browser, and bind the next step to it.

    Args:
        from_page: the browser shows a page of ours, on which somebody pressed a button.
    """
    told = step.answer
    if from_page and isinstance(told, Redirect) and leads_to_app(told.url):
        response = show(web, request, _app_page(web, request, told))
    else:
        response = _build(web, request, step)
    if step.closed:
        web.cookies.close_login(response, step.closed)
    if step.opened is not None:
        web.cookies.close_left_logins(request, response)
        web.cookies.open_login(response, step.opened, now_seconds=_seconds(web))
    if step.session is not None:
        web.cookies.open_session(request, response, step.session, now_seconds=_seconds(web))
    elif step.leaves_session:
        web.cookies.leave_session(response)
    return response


def _seconds(web: Web) -> int:
    return int(web.clock().timestamp())


def refuse(web: Web, request: Request, refusal: Refusal) -> Response:
    """Return the page of a refusal outside a login that goes on, and write it down.

    Where the browser holds a login that is lost, the page leads back to where it began.
    """
    reference, parties = make_reference(web.random), find_way_back(web, request)
    note_refusal(web.audit, refusal, reference=reference)
    told = Refused(
        refusal,
        reference,
        way_back="" if parties is None else parties.relying_party.start_url,
        way_back_name="" if parties is None else parties.supplier.display_name,
    )
    return _show_refusal(web, request, told)


def _build(web: Web, request: Request, step: Step) -> Response:
    told = step.answer
    if isinstance(told, Redirect | PostMessage):
        return send_on(web, request, told)
    if isinstance(told, ChooseSchool):
        return redirect(f"/schools?login={told.login}")
    if isinstance(told, ChooseLogin):
        return redirect(f"/schools?login={told.login}&school={told.school}")
    if isinstance(told, OtherLogin):
        return show(web, request, _other_login_page(web, told), onward=True)
    if isinstance(told, WhichSchool):
        return show(web, request, _which_school_page(web, told), onward=True)
    if isinstance(told, Welcome):
        return show(web, request, _welcome_page(web, told), onward=True)
    return _show_refusal(web, request, told)


def _app_page(web: Web, request: Request, told: Redirect) -> AppPage:
    parties = find_way_back(web, request)
    return AppPage(
        url=told.url, supplier_name="" if parties is None else parties.supplier.display_name
    )


def _other_login_page(web: Web, told: OtherLogin) -> OtherLoginPage:
    return OtherLoginPage(
        login=told.login,
        csrf=make_token(web.cookie_keys, told.csrf_bound_to),
        school=told.school.id,
        school_name=told.school.name,
        choice=LoginChoice(id=told.idp.id, name=told.idp.name, place=told.idp.place),
    )


def _which_school_page(web: Web, told: WhichSchool) -> WhichSchoolPage:
    return WhichSchoolPage(
        login=told.login,
        csrf=make_token(web.cookie_keys, told.csrf_bound_to),
        supplier_name=told.supplier.display_name,
        schools=tuple(map(choice_of, told.schools)),
        first_name=told.first_name,
        may_switch=told.may_switch,
        is_remembered=told.is_remembered,
    )


def _welcome_page(web: Web, told: Welcome) -> WelcomePage:
    return WelcomePage(
        login=told.login,
        csrf=make_token(web.cookie_keys, told.csrf_bound_to),
        school_name=told.school.name,
        supplier_name=told.supplier.display_name,
        first_name=told.first_name,
        notice=None if told.shared is None else Notice(shared=told.shared),
        may_switch=told.may_switch,
    )


def _show_refusal(web: Web, request: Request, told: Refused) -> Response:
    refusal, retry = told.refusal, None
    if told.retry is not None:
        retry = Retry(
            login=told.retry.name,
            csrf=make_token(web.cookie_keys, told.retry.handle.text),
            school=told.retry_school,
        )
    way_back = find_start_again(web, request, told.way_back)
    page = RefusalPage(
        code=refusal.code,
        reference=told.reference,
        whose_task=refusal.whose_task,
        what=refusal.what,
        remedy=refusal.remedy,
        subject=refusal.subject,
        retry=retry,
        way_back=Link(way_back, told.way_back_name) if told.way_back else None,
        may_log_out=_offers_logout(request, refusal),
    )
    return show(web, request, page, status=refusal.http_status, onward=retry is not None)


def _offers_logout(request: Request, refusal: Refusal) -> bool:
    return isinstance(refusal, _LOGS_OUT_HERE) or (
        isinstance(refusal, XmlRefusal) and request.scope["path"] in _LOGOUT_PLACES
    )
