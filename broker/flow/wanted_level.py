"""Which level a supplier wants of the school's login, and in whose words it is asked there.

A school is asked in its own words, and only in those that its document explains (`[acr]`): without
them nothing is asked, and what its login states decides (SAML: saml2int SP07). What a supplier can
do without is asked so that the school may say no: an OpenID Provider may (OIDC Core 3.1.2.1); a
SAML one is given every word of its document, the wanted ones first, and asked once more without
where it answers NoAuthnContext.
"""

from dataclasses import dataclass

from msgspec.structs import replace

from broker.domain.assurance import ACR_VALUES, covers, read_level, words_for
from broker.domain.federation import SchoolIdp
from broker.domain.refusals import Refusal
from broker.flow.at_school import LevelAsked
from broker.flow.held_state.records import ChoosingLogin, PendingLogin, another_try
from broker.oidc_op.asked_claims import AskedAcr
from broker.oidc_op.request import CheckedAuthorizationRequest
from broker.oidc_rp.refusals import SchoolHasNoLevel
from broker.saml_idp.authn_contexts import ORDINARY
from broker.saml_idp.request import CheckedAuthnRequest
from broker.saml_sp.refusals import LevelNotGiven


@dataclass(frozen=True, slots=True)
class LevelWords:
    """In the words of one school's login.

    Attributes:
        reaching: each of which is good enough; none: nothing is asked.
        asked: what a SAML request names (exact comparison).
        honoured: what an answer may state; () where the supplier can do without.
    """

    reaching: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    honoured: tuple[str, ...] = ()


NO_WORDS = LevelWords()


def find_wanted_level(request: object) -> AskedAcr | None:
    """Return which level a supplier's request wants; None where it wants none that we know.

    A SAML request is essential where it names nothing that any login is (SAML core 3.3.2.2.1). A
    login that must be better than what it names, or no better, is not asked for at school: what
    that states decides.
    """
    if isinstance(request, CheckedAuthorizationRequest):
        return request.acr
    if isinstance(request, CheckedAuthnRequest):
        named = request.requested_authn_contexts
        levels = tuple(each for each in named if each in ACR_VALUES)
        if levels and request.authn_comparison in ("exact", "minimum"):
            return AskedAcr(levels=levels, essential=ORDINARY.isdisjoint(named))
    if isinstance(request, LevelAsked) and request.levels:
        return AskedAcr(levels=request.levels, essential=True)
    return None


def find_level_words(request: object, idp: SchoolIdp) -> LevelWords:
    """Return in which words the level that `request` wants is asked of a login."""
    wanted = find_wanted_level(request)
    if wanted is None or not wanted.at_school:
        return NO_WORDS
    reaching = words_for(wanted.levels, meanings=idp.acr)
    if not reaching:
        return NO_WORDS
    if not wanted.essential:
        return LevelWords(reaching, tuple(dict.fromkeys((*reaching, *idp.acr))))
    themselves = (
        each
        for each in ACR_VALUES
        if any(covers(read_level(each, meanings=idp.acr), level) for level in wanted.levels)
    )
    return LevelWords(reaching, reaching, tuple(dict.fromkeys((*reaching, *themselves))))


def without_level(pending: PendingLogin, refusal: Refusal) -> ChoosingLogin | None:
    """Return with what the school is asked once more, now for no level; None where that is over.

    Only where the school said that it has no such login, and the supplier can do without.
    """
    wanted = find_wanted_level(pending.request)
    if not isinstance(refusal, LevelNotGiven | SchoolHasNoLevel) or wanted is None:
        return None
    if wanted.essential or not wanted.at_school:
        return None
    again = another_try(pending, ask_again=pending.ask_again)
    request = again.request
    if isinstance(request, CheckedAuthnRequest):
        left = (each for each in request.requested_authn_contexts if each not in ACR_VALUES)
        return replace(again, request=replace(request, requested_authn_contexts=tuple(left)))
    return replace(again, request=replace(request, acr=replace(wanted, at_school=False)))
