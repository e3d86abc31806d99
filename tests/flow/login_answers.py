"""What a browser holds, and what schools and suppliers read of what reaches them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from broker.flow.answers import (
    Answer,
    BrowserSession,
    LoginCookie,
    PostMessage,
    Redirect,
    Refused,
    Step,
    Welcome,
)
from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.school_logins import LoginWish
from broker.saml_xml import names as n
from broker.saml_xml.bindings import decode_post, decode_redirect
from tests import builders_oidc as oidc
from tests import builders_saml as saml


@dataclass
class Browser:
    """Holds the cookies that steps set."""

    cookies: dict[str, LoginCookie] = field(default_factory=dict)
    session: str = ""
    begun: list[BrowserSession] = field(default_factory=list)

    def follow(self, step: Step) -> Answer:
        """Keep and drop cookies as a step says, and return what it shows."""
        self.cookies.pop(step.closed, None)
        if step.opened is not None:
            self.cookies[step.opened.name] = step.opened
        if step.session is not None:
            self.session = step.session.handle.text
            self.begun.append(step.session)
        elif step.leaves_session:
            self.session = ""
        return step.answer

    @property
    def standings(self) -> list[str]:
        """By what its sessions are found, the newest first."""
        return [each.standing.text for each in reversed(self.begun)]

    @property
    def wish(self) -> LoginWish:
        """What it shows at the beginning of a login."""
        return LoginWish(unverified_session=self.session)

    def step(self, state: str) -> BrowserStep:
        """Return what this browser shows of a login; a cookie that it has not is empty."""
        cookie = self.cookies.get(state)
        return BrowserStep(state, "" if cookie is None else cookie.handle.text)


@dataclass(frozen=True)
class AtSchool:
    """What arrived at a school's login."""

    state: str
    force_login: bool
    choose_account: bool
    passive: bool
    max_age: str | None
    request_id: str = ""
    nonce: str = ""
    code_challenge: str = ""
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Received:
    """What a supplier got: nothing but an error, or a login."""

    state: str | None
    error: str = ""
    code: str = ""
    subject: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)
    protocol_values: Mapping[str, Any] = field(default_factory=dict)


def read_at_school(answer: Answer) -> AtSchool:
    """Read a redirect to a school's login as that login does."""
    assert isinstance(answer, Redirect), answer
    query = urlsplit(answer.url).query
    if "SAMLRequest" in parse_qs(query):
        message = decode_redirect(query.encode())
        root = saml.XML.parse(message.message).root
        return AtSchool(
            state=message.relay_state or "",
            force_login=root.get("ForceAuthn") == "true",
            choose_account=False,
            passive=root.get("IsPassive") == "true",
            max_age=None,
            request_id=root.get("ID") or "",
            levels=tuple(each.text or "" for each in root.iter(saml.saml("AuthnContextClassRef"))),
        )
    found = dict(parse_qsl(query))
    prompts = found.get("prompt", "").split()
    return AtSchool(
        state=found["state"],
        force_login="login" in prompts,
        choose_account="select_account" in prompts,
        passive="none" in prompts,
        max_age=found.get("max_age"),
        nonce=found["nonce"],
        code_challenge=found["code_challenge"],
        levels=tuple(found.get("acr_values", "").split()),
    )


def read_redirect(answer: Answer) -> Received:
    """Read an authorization response (RFC 6749 4.1.2)."""
    assert isinstance(answer, Redirect), answer
    found = dict(parse_qsl(urlsplit(answer.url).query))
    assert found["iss"] == oidc.ISSUER
    return Received(found.get("state"), found.get("error", ""), found.get("code", ""))


def read_response(answer: PostMessage) -> Received:
    """Read a Response as a service provider does, its signature verified."""
    fields = dict(answer.fields)
    root = saml.XML.parse(decode_post(fields["SAMLResponse"])).root
    root = saml.XML.verify(root, keys=[saml.BROKER_KEY.verification]).root
    assert root.get("Destination") == answer.url
    statuses = [each.get("Value", "") for each in root.iter(saml.samlp("StatusCode"))]
    if statuses != [n.STATUS_SUCCESS]:
        error = statuses[-1].rpartition(":")[2]
        return Received(fields.get("RelayState"), error)
    (name_id,) = root.iter(saml.saml("NameID"))
    (statement,) = root.iter(saml.saml("AuthnStatement"))
    (assertion,) = root.iter(saml.saml("Assertion"))
    until = statement.get("SessionNotOnOrAfter")
    return Received(
        fields.get("RelayState"),
        subject=name_id.text or "",
        claims={
            str(each.get("Name")): [value.text for value in each]
            for each in root.iter(saml.saml("Attribute"))
        },
        protocol_values={
            "format": name_id.get("Format"),
            "response_id": root.get("ID"),
            "assertion_id": assertion.get("ID"),
            "session_index": statement.get("SessionIndex"),
            "authn_instant": statement.get("AuthnInstant"),
            "authn_context": next(root.iter(saml.saml("AuthnContextClassRef"))).text,
            "audience": next(root.iter(saml.saml("Audience"))).text,
            **({} if until is None else {"session_until": until}),
        },
    )


def refused(answer: Answer) -> Refused:
    """Return an answer that must be a page of ours about a refusal."""
    assert isinstance(answer, Refused), answer
    return answer


def welcomed(answer: Answer) -> Welcome:
    """Return an answer that must be the page before the release."""
    assert isinstance(answer, Welcome), answer
    return answer
