"""Which way of logging in a request asks for (RequestedAuthnContext), and which one is told.

SAML core 3.3.2.2.1, IIP-IDP08. node-saml and the OneLogin libraries ask, by default, for exactly
`PasswordProtectedTransport`, and do not look at the answer; what a school's login states is as
often another word for the same, or none. So the ordinary classes are wishes: every login meets
them, and the answer is truthful, the school's own word where it is one that was asked, else
`unspecified`. Whatever else is asked, a level of `broker.domain.assurance` or another class, is
met or refused with NoAuthnContext: at once where it is no word that a school's login could state.
"""

from collections.abc import Sequence
from typing import Literal

from broker.domain.assurance import ACR_VALUES, choose_level, covers
from broker.saml_xml.elements import Element, children_of, optional_child, text_of
from broker.saml_xml.names import (
    AUTHN_CLASSES,
    AUTHN_PASSWORD,
    AUTHN_PASSWORD_PROTECTED,
    AUTHN_UNSPECIFIED,
    SAML,
    SAMLP,
)

Comparison = Literal["exact", "minimum", "maximum", "better"]
"""How the login's class relates to those that a request names; "exact" when it does not say."""

COMPARISONS: tuple[Comparison, ...] = ("exact", "minimum", "maximum", "better")

ORDINARY = frozenset({AUTHN_UNSPECIFIED, AUTHN_PASSWORD, AUTHN_PASSWORD_PROTECTED})
"""Any school's login is one of these at least."""

LISTED_MAX = 10  # ours: the rest is dropped, not refused, since the first ones count most
LISTED_MAX_CHARS = 256  # IIP-G02


def read_authn_contexts(root: Element) -> tuple[Comparison, tuple[str, ...] | None]:
    """Return how and which classes a request asks for; None for none, () for none of sane length.

    A request for declarations (AuthnContextDeclRef) names no class, so it asks for ().
    """
    requested = optional_child(root, f"{{{SAMLP}}}RequestedAuthnContext")
    if requested is None:
        return "exact", None
    stated = requested.get("Comparison")
    comparison: Comparison = next((each for each in COMPARISONS if each == stated), "exact")
    classes = children_of(requested, f"{{{SAML}}}AuthnContextClassRef")
    named = (text_of(each) for each in classes[:LISTED_MAX])
    return comparison, tuple(each for each in named if len(each) <= LISTED_MAX_CHARS)


def may_be_met(wanted: Sequence[str]) -> bool:
    """Tell whether some school's login could state one of these classes.

    >>> may_be_met([AUTHN_PASSWORD_PROTECTED]), may_be_met(["urn:example:iris"])
    (True, False)
    """
    return any(each in ACR_VALUES or each.startswith(AUTHN_CLASSES) for each in wanted)


def choose_authn_context(
    comparison: Comparison, wanted: Sequence[str], *, stated: str, level: str
) -> str | None:
    """Return the class to tell; None when the login is none that the request accepts.

    Args:
        wanted: in order of preference; () when the request asks for nothing.
        stated: what the school's login stated, as sent.
        level: what that means (`assurance.read_level`); "" for no level.

    >>> choose_authn_context("exact", [AUTHN_PASSWORD_PROTECTED], stated="", level="")
    'urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified'
    >>> high, low = ("http://eidas.europa.eu/LoA/" + each for each in ("high", "low"))
    >>> choose_authn_context("exact", [high], stated=low, level=low)
    >>> choose_authn_context("better", [low], stated=high, level=high) == high
    True
    """
    ordinary = any(each in ORDINARY for each in wanted)
    if comparison == "better":
        better = any(covers(level, each) and level != each for each in wanted)
        return level if better or (ordinary and level) else None
    if comparison == "maximum":
        told = choose_level(level, wanted=wanted)
        return told if told in wanted else AUTHN_UNSPECIFIED
    for each in wanted:
        # A level that the school states by its own name is what its document makes of it, as any
        # other word of the school: there it may mean less.
        if (each == stated and each not in ACR_VALUES) or covers(level, each):
            return each
    return AUTHN_UNSPECIFIED if ordinary or not wanted else None
