"""One login of the probe, from the supplier's question to what the supplier got.

discovery   what the broker publishes for suppliers, and for schools
authorize   the supplier asks; the browser must arrive at the school
answer      the school's signed and encrypted answer goes to the broker
welcome     the page before the release, and its button
token       the supplier redeems its code
verify      its ID token and userinfo, checked as a supplier must
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec
from lxml import etree, html

from broker.domain.federation import OidcIdpEndpoints
from broker.domain.refusals import Refusal
from broker.jose.keys import KeySet, KeySetUnusable, parse_key_set
from broker.oidc_op.claims import PROTOCOL_CLAIMS
from broker.oidc_op.discovery import Endpoints
from broker.oidc_rp.id_token import check_token_response
from broker.oidc_rp.request import build_authorization_request, build_token_request
from broker.probe.browser import Browser, BrowserAnswer, NoAnswer
from broker.probe.parties import APPROVED, CLIENT_ID, NAME, REDIRECT_URI, ProbeParties
from broker.probe.school import QuestionRefused, answer_question
from broker.web.own_documents import OwnAddresses

OK, SEE_OTHER = 200, (302, 303)
TURNED_AWAY = (429, 502, 503, 504)
"""By a broker that is busy or has no login store, or by a proxy that finds none."""

SECRET_BYTES = 32

_PSEUDONYM = re.compile(r"[a-z][a-z2-7]{52}")
_CODE = re.compile(r"\bE-[A-Z]+-[0-9]+\b")


class ProbeFailed(Exception):  # noqa: N818 -- an outcome, with its remedy
    """The login did not work: at which step, what is wrong, and what to do."""

    def __init__(self, step: str, problem: str, remedy: str) -> None:
        super().__init__(step, problem, remedy)
        self.step, self.problem, self.remedy = step, problem, remedy


@dataclass(slots=True)
class Timed:
    """How long each step took, and which one runs."""

    milliseconds: dict[str, float] = field(default_factory=dict)
    step: str = "discovery"

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        self.step, began = step, perf_counter()
        try:
            yield
        finally:
            self.milliseconds[step] = round((perf_counter() - began) * 1000, 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the supplier remembers of its question."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


async def log_in(
    browser: Browser,
    parties: ProbeParties,
    *,
    issuer: str,
    clock: Callable[[], datetime],
    random: Callable[[int], bytes],
    timed: Timed,
) -> str:
    """Log the made-up pupil in, and return the pseudonym that the supplier got.

    Args:
        timed: is told how long each step took, also of a login that fails.

    Raises:
        ProbeFailed
    """
    try:
        return await _log_in(
            browser, parties, issuer=issuer, clock=clock, random=random, timed=timed
        )
    except NoAnswer as found:
        raise ProbeFailed(
            timed.step, f"the broker {found}.", "See whether it runs, and `broker health`."
        ) from None
    except QuestionRefused as found:
        raise ProbeFailed(timed.step, f"{found}.", "Run `broker probe init` again.") from None
    except Refusal as found:
        raise ProbeFailed(
            timed.step,
            f"what the broker sent does not hold ({found.check}).",
            "See whether this is our broker, and its keys.",
        ) from None


async def _log_in(
    browser: Browser,
    parties: ProbeParties,
    *,
    issuer: str,
    clock: Callable[[], datetime],
    random: Callable[[int], bytes],
    timed: Timed,
) -> str:
    broker = OwnAddresses(issuer)

    def secret() -> str:
        return urlsafe_b64encode(random(SECRET_BYTES)).rstrip(b"=").decode()

    asked = Asked(state=secret(), nonce=secret(), verifier=secret())
    with timed("discovery"):
        endpoints = read_discovery(
            await browser.get(f"{issuer}/.well-known/openid-configuration"), issuer=issuer
        )
        metadata = _fine(timed, await browser.get(broker.sp_entity_id)).body
    with timed("authorize"):
        to_school = await browser.get(_ask(endpoints, asked))
        _redirected(timed, to_school)
    with timed("answer"):
        form = answer_question(
            to_school.location,
            metadata=metadata,
            broker=broker,
            parties=parties,
            now=clock(),
            random=random,
        )
        shown = await browser.post(
            broker.acs_url, form.fields, headers={"Origin": "https://school.probe.invalid"}
        )
    if shown.status == OK:
        with timed("welcome"):
            action, fields = read_welcome(timed, shown)
            shown = await browser.post(issuer + action, fields, headers={"Origin": issuer})
    code = read_callback(_redirected(timed, shown), asked=asked, issuer=issuer, step=timed.step)
    with timed("token"):
        request = build_token_request(
            endpoints,
            code=code,
            code_verifier=asked.verifier,
            redirect_uri=REDIRECT_URI,
            key=parties.supplier,
            now=clock(),
            jti=secret(),
        )
        tokens = _fine(
            timed, await browser.post(request.url, request.form.items(), headers=request.headers)
        )
    with timed("verify"):
        keys = _fine(timed, await browser.get(str(endpoints.jwks_uri))).body
        verified = check_token_response(
            tokens.body,
            endpoints=endpoints,
            keys=_key_set(timed, keys),
            expected_nonce=asked.nonce,
            now=clock(),
        )
        told = _fine(
            timed,
            await browser.get(
                str(endpoints.userinfo_endpoint),
                headers={"Authorization": f"Bearer {verified.access_token}"},
            ),
        )
        check_only_approved(verified.claims, read_json(told.body))
    return verified.subject


def read_discovery(answer: BrowserAnswer, *, issuer: str) -> OidcIdpEndpoints:
    """Return where the supplier finds the broker, as published (OIDC Discovery 4.3).

    Raises:
        ProbeFailed
    """
    own = Endpoints(issuer)
    wanted = {
        "issuer": issuer,
        "authorization_endpoint": own.authorization,
        "token_endpoint": own.token,
        "jwks_uri": own.jwks,
        "userinfo_endpoint": own.userinfo,
    }
    if answer.status in TURNED_AWAY:
        raise ProbeFailed(
            "discovery",
            f"the broker or its proxy turns visitors away (status {answer.status}).",
            "See `broker health`, and the logs of both.",
        )
    told = read_json(answer.body)
    if answer.status != OK or any(told.get(name) != value for name, value in wanted.items()):
        raise ProbeFailed(
            "discovery",
            f"this is not the broker of {issuer} (status {answer.status}).",
            "Correct --url, or issuer in the settings.",
        )
    return OidcIdpEndpoints(
        issuer=issuer,
        client_id=CLIENT_ID,
        authorization_endpoint=own.authorization,
        token_endpoint=own.token,
        userinfo_endpoint=own.userinfo,
        jwks_uri=own.jwks,
        algorithms=("ES256",),
        client_assertion_audience=issuer,
    )


def read_json(body: bytes) -> dict[str, object]:
    """Return the members of a JSON object; none when it is no such thing."""
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return {}


def read_welcome(timed: Timed, page: BrowserAnswer) -> tuple[str, list[tuple[str, str]]]:
    """Return where the button of the page before the release leads, and what it sends.

    Raises:
        ProbeFailed
    """
    for form in _page_of(page).iter("form"):
        buttons = [each for each in form.iter("button") if each.get("name") == "continue"]
        if buttons:
            fields = [(name, value or "") for name, value in form.form_values()]
            return form.get("action", ""), [*fields, ("continue", buttons[0].get("value", ""))]
    raise refused(timed, page)


def read_callback(location: str, *, asked: Asked, issuer: str, step: str) -> str:
    """Return the code of an authorization response (RFC 6749 4.1.2, RFC 9207).

    Raises:
        ProbeFailed
    """
    target, _, query = location.partition("?")
    told = dict(parse_qsl(query))
    if target == REDIRECT_URI and "error" in told:
        raise ProbeFailed(
            step, f"the broker answers {told['error']}.", "See its log, and the agreement."
        )
    if (target, told.get("state"), told.get("iss")) != (REDIRECT_URI, asked.state, issuer):
        raise ProbeFailed(step, "the supplier got another answer than its own.", "See the log.")
    return told.get("code", "")


def check_only_approved(id_token: Mapping[str, object], userinfo: Mapping[str, object]) -> None:
    """See that what was released arrived, and nothing besides.

    Raises:
        ProbeFailed: names of claims only.
    """
    released = {name: each for name, each in id_token.items() if name not in PROTOCOL_CLAIMS}
    if userinfo.get("sub") != id_token["sub"]:
        raise ProbeFailed("verify", "userinfo is about somebody else.", "Stop the broker.")
    if _PSEUDONYM.fullmatch(str(id_token["sub"])) is None:
        raise ProbeFailed("verify", "the subject is no pseudonym.", "Stop the broker.")
    for told in (released, {name: each for name, each in userinfo.items() if name != "sub"}):
        if told != APPROVED:
            more, missing = sorted(told.keys() - APPROVED), sorted(APPROVED.keys() - told)
            raise ProbeFailed(
                "verify",
                f"not what was approved arrived: too much {more}, missing {missing}.",
                "Too much is a leak: stop the broker. Else run `broker probe init` again.",
            )


def refused(timed: Timed, answer: BrowserAnswer) -> ProbeFailed:
    """Return what a page or an OAuth error of the broker says."""
    text = answer.body.decode(errors="replace")
    found = _CODE.search(text)
    error = re.search(r'"error"\s*:\s*"([a-z_]{1,40})"', text)
    said = found[0] if found else error[1] if error else "nothing that we know"
    reference = _reference_on(answer)
    return ProbeFailed(
        timed.step,
        f"the broker answers {answer.status}, {said}{reference and f', reference {reference}'}.",
        "See that code in its README and that reference in its log."
        if reference
        else "See its log, and `broker check`.",
    )


def _reference_on(answer: BrowserAnswer) -> str:
    told = (each.get("data-reference") for each in _page_of(answer).iter())
    return next(filter(None, told), "")


def _page_of(answer: BrowserAnswer) -> Any:
    """Return an answer as a page of HTML; an empty one when it is none."""
    try:
        return html.fromstring(answer.body)
    except (ValueError, etree.ParserError):
        return html.fromstring("<p>")


def _ask(endpoints: OidcIdpEndpoints, asked: Asked) -> str:
    challenge = urlsafe_b64encode(sha256(asked.verifier.encode()).digest()).rstrip(b"=").decode()
    url = build_authorization_request(
        endpoints,
        redirect_uri=REDIRECT_URI,
        state=asked.state,
        nonce=asked.nonce,
        code_challenge=challenge,
    )
    return f"{url}&idp_hint={quote(NAME)}"


def _fine(timed: Timed, answer: BrowserAnswer) -> BrowserAnswer:
    if answer.status != OK:
        raise refused(timed, answer)
    return answer


def _redirected(timed: Timed, answer: BrowserAnswer) -> str:
    if answer.status not in SEE_OTHER:
        raise refused(timed, answer)
    return answer.location


def _key_set(timed: Timed, body: bytes) -> KeySet:
    try:
        return parse_key_set(body.decode())
    except (KeySetUnusable, UnicodeDecodeError):
        raise ProbeFailed(timed.step, "the broker publishes no keys.", "See its log.") from None
