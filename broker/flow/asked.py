"""What a supplier asked, against what a school's login said and who asks."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from broker.domain.assurance import read_level
from broker.domain.identity import VerifiedLogin
from broker.domain.release import ReleaseDecision, keep_asked
from broker.domain.relying_parties import (
    ClaimProfile,
    OidcClient,
    RelyingParty,
    SamlServiceProvider,
)
from broker.flow.held_state.records import DecidedRelease, PreparedRelease, SupplierRequest
from broker.flow.page_between import PageNeeded
from broker.flow.parties import Parties
from broker.oidc_op.asked_claims import AcrNotMet, AskedClaims, check_acr_met
from broker.oidc_op.claims import claim_names
from broker.oidc_op.profiles import find_profile
from broker.oidc_op.redirect_uris import is_on_device
from broker.oidc_op.request import CheckedAuthorizationRequest
from broker.saml_idp.attribute_services import choose_requested
from broker.saml_idp.authn_contexts import choose_authn_context
from broker.saml_idp.name_ids import tells_pseudonym
from broker.saml_idp.request import CheckedAuthnRequest


def find_acr(request: SupplierRequest, login: VerifiedLogin) -> str:
    """Return which level or class of the login the supplier is told; "" for none.

    Raises:
        AcrNotMet: an essential one is not there.
    """
    level = read_level(login.acr, meanings=login.idp.acr)
    if isinstance(request, CheckedAuthorizationRequest):
        return check_acr_met(request, level)
    told = choose_authn_context(
        request.authn_comparison, request.requested_authn_contexts, stated=login.acr, level=level
    )
    if told is None:
        raise AcrNotMet("check_authn_context_met")
    return told


def keep_asked_of(
    request: SupplierRequest, decided: Sequence[DecidedRelease], *, parties: Parties
) -> tuple[DecidedRelease, ...]:
    """Return what was decided, without what the request does not ask for."""
    provider = parties.relying_party.protocol
    if isinstance(request, CheckedAuthnRequest) and isinstance(provider, SamlServiceProvider):
        wanted = choose_requested(provider, request.attribute_service)
        if wanted is None:
            return tuple(decided)
        wanted |= {each.name for each in parties.supplier.attributes if each.required}
        return tuple(replace(each, decision=keep_asked(each.decision, wanted)) for each in decided)
    asked = request.asked_claims if isinstance(request, CheckedAuthorizationRequest) else None
    claims = parties.relying_party.claims
    return tuple(
        replace(each, decision=keep_what_is_asked(each.decision, asked, claims=claims))
        for each in decided
    )


def keep_what_is_asked(
    decision: ReleaseDecision, asked: AskedClaims | None, *, claims: ClaimProfile
) -> ReleaseDecision:
    """Return a decision without what `claims` of its login did not ask for; None asks for all.

    The relying party may name attributes otherwise by now; what it asked by names that it does not
    use any more is not told, so it is not released.
    """
    if asked is None:
        return decision
    names = claim_names(claims)
    stated = (*asked.in_id_token, *asked.in_userinfo)
    return keep_asked(decision, {names[each] for each in stated if each in names})


def confirm_on_device(request: SupplierRequest, parties: Parties) -> PageNeeded | None:
    """Return the page that asks whether to go on to an app on this device; None for the rest.

    RFC 8252 8.6: any other app can ask in its name and have its scheme or port, so nothing goes
    there that nobody saw. An app with an https address that it claimed is known by that.
    """
    client = parties.relying_party.protocol
    if (
        isinstance(request, CheckedAuthorizationRequest)
        and isinstance(client, OidcClient)
        and find_profile(client.profile).native_redirects
        and is_on_device(request.redirect_uri)
    ):
        return PageNeeded(first_name="", notice=False, may_switch=False)
    return None


def told_moment(prepared: PreparedRelease, *, now: datetime) -> datetime:
    """Return when, as far as the supplier may know, this login took place; made coarse later.

    The moment at school only if this request forced the login: else one session at school would
    give the same mark to every supplier that the pupil visits that day, and some days of marks
    match a pupil between them. Otherwise our own moment, that of accepting the school's answer,
    whose age was checked against what the supplier allows; in a browser's session, that of the
    first time that this relying party asked for it (`session_logins`).
    """
    of_session = prepared.session is not None and not prepared.session.is_new
    return prepared.authenticated_at if prepared.request.force_login or of_session else now


def wants_pseudonym(request: SupplierRequest, relying_party: RelyingParty) -> bool:
    """Tell whether the answer holds the supplier's pseudonym."""
    provider = relying_party.protocol
    if not (isinstance(request, CheckedAuthnRequest) and isinstance(provider, SamlServiceProvider)):
        return True
    return tells_pseudonym(provider, transient_asked=request.name_id_transient)
