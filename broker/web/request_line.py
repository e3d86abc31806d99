"""What the one line of a request says: which step of which login it was, and what came of it.

Names and verdicts, never a path, a query or an address.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from broker.flow.following.trail import LoginStep, Trail

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
"""Those that a log line repeats; any other is a text of the caller's choice."""

STEPS: Mapping[tuple[str, str], tuple[LoginStep, str]] = MappingProxyType(
    {
        ("/start", ""): (LoginStep.START, ""),
        ("/schools/announce", ""): (LoginStep.ANNOUNCE, ""),
        ("/session", ""): (LoginStep.ASK, ""),
        ("/oidc/authorize", ""): (LoginStep.BEGIN, "oidc"),
        ("/saml/idp/sso", ""): (LoginStep.BEGIN, "saml"),
        ("/schools", "GET"): (LoginStep.SHOW_SCHOOLS, ""),
        ("/schools", "POST"): (LoginStep.CHOOSE_SCHOOL, ""),
        ("/oidc/callback", ""): (LoginStep.SCHOOL_ANSWER, "oidc"),
        ("/saml/sp/acs", ""): (LoginStep.SCHOOL_ANSWER, "saml"),
        ("/login/school", ""): (LoginStep.OWN_SCHOOL, ""),
        ("/login/continue", ""): (LoginStep.GO_ON, ""),
        ("/login/not-me", ""): (LoginStep.NOT_ME, ""),
        ("/oidc/token", ""): (LoginStep.REDEEM, "oidc"),
        ("/oidc/userinfo", ""): (LoginStep.USERINFO, "oidc"),
        ("/oidc/end-session", ""): (LoginStep.END_SESSION, "oidc"),
        ("/saml/idp/slo", ""): (LoginStep.END_SESSION, "saml"),
        ("/saml/idp/slo/soap", ""): (LoginStep.END_SESSION, "saml"),
        ("/saml/sp/slo", ""): (LoginStep.END_SESSION, "saml"),
        ("/logout", ""): (LoginStep.LOG_OUT, ""),
    }
)
"""Route and method ("" is any) -> the step of a login, and the protocol of who asks or answers."""


def find_step(*, method: str, route: str) -> tuple[LoginStep | None, str]:
    """Return which step of a login a request takes, and the protocol of who asks or answers."""
    return STEPS.get((route, method)) or STEPS.get((route, "")) or (None, "")


def describe(
    trail: Trail, *, method: str, route: str, step: LoginStep | None, protocol: str
) -> dict[str, Any]:
    """Return what the line of a request says, without what is empty.

    Args:
        route: the template, "" where none fits.
    """
    said: dict[str, Any] = {
        "login": trail.login,
        "step": step,
        "protocol": protocol,
        "relying_party": trail.relying_party,
        "idp": trail.idp,
        "verdict": trail.outcome or ("ok" if step else ""),
        "code": trail.code,
        "check": trail.check,
        "reference": trail.reference,
        "store_trips": trail.store_trips,
        "store_ms": round(trail.store_seconds * 1000, 1),
    }
    line = {"method": method if method in METHODS else "other", "route": route}
    return line | {name: value for name, value in said.items() if value}
