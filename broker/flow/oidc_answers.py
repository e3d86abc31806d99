"""What a code stands for: the claims of one release for an OpenID Connect supplier, linted."""

from datetime import datetime

from broker.domain.release import lint_claims
from broker.flow.held_state.records import PreparedRelease
from broker.flow.parties import Parties
from broker.oidc_op.asked_claims import place_claims
from broker.oidc_op.claims import build_claims, claim_names, list_values
from broker.oidc_op.grants import OidcGrant
from broker.oidc_op.request import CheckedAuthorizationRequest
from broker.pseudonyms.derivation import Pseudonym


def build_grant(
    request: CheckedAuthorizationRequest,
    prepared: PreparedRelease,
    parties: Parties,
    *,
    sid: str | None,
    told: datetime | None,
    now: datetime,
) -> OidcGrant:
    """Return what a code for this login stands for.

    Args:
        sid: of the relying party's part in a session; None without one.
        told: when the login took place, as far as the supplier may know and asked (`told_moment`).

    Raises:
        ClaimsBeyondDecision: more was built than decided; a fault of ours.
    """
    profile = parties.relying_party.claims
    claims = build_claims(prepared.decision, profile=profile)
    in_id_token, in_userinfo = place_claims(request.asked_claims, claims)
    lint_claims(list_values(claims), decision=prepared.decision, names=claim_names(profile))
    return OidcGrant(
        relying_party=request.relying_party,
        client_id=request.client_id,
        redirect_uri=request.redirect_uri,
        code_challenge=request.code_challenge,
        nonce=request.nonce,
        pseudonym=_pseudonym(prepared),
        previous=prepared.previous,
        claims=in_id_token,
        userinfo_claims=None if in_userinfo == in_id_token else in_userinfo,
        acr=prepared.acr,
        authenticated_at=told,
        sid=sid,
        exact_times=request.force_login,
        scopes=request.scopes,
        resources=request.resources,
        dpop_jkt=request.dpop_jkt,
        issued_at=now,
    )


def _pseudonym(prepared: PreparedRelease) -> Pseudonym:
    if prepared.pseudonym is None:  # only a transient NameID goes without one
        raise ValueError("a code stands for a pseudonym")
    return prepared.pseudonym
