"""With which key a caller asks for a token or uses one, and what of its proof counts once.

One object for every endpoint that gives or takes tokens. At an endpoint that gives, `prove` says to
which key the token will be bound; at one that takes, `check_use` says whether the one who shows a
token may. Both give a `UsedOnce` to be claimed in the endpoint's own trip to the login store, or,
where there is none, in a trip of its own (`SealedState.put`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.client_login import UsedOnce
from broker.flow.dpop_nonces import DpopNonces
from broker.flow.held_state.login_store import claim_seconds
from broker.flow.held_state.sealed_state import SealedState
from broker.oidc_op.caller_proof import CallerProof
from broker.oidc_op.client_certificates import thumbprint_of
from broker.oidc_op.clients import KnownClient
from broker.oidc_op.discovery import Endpoints
from broker.oidc_op.dpop import (
    MAX_AGE_SECONDS,
    MAX_AHEAD_SECONDS,
    DpopNonceRequired,
    DpopNonceRequiredByResource,
    DpopProofRefused,
    DpopProofRefusedByResource,
    ExpectedProof,
    ProvenKey,
    check_dpop_proof,
)
from broker.oidc_op.presented_tokens import (
    PresentedToken,
    check_certificate_bound,
    check_shown_as_given,
)
from broker.oidc_op.sender_keys import BEARER, SenderKey

DPOP_JTI = "dpop-jti"
"""Kind of one-shot value: the `jti` of a proof of possession (RFC 9449 11.1)."""

NOTHING_USED = UsedOnce()

LONGEST_USABLE = timedelta(seconds=MAX_AGE_SECONDS + MAX_AHEAD_SECONDS)
"""From the first moment at which a proof is accepted to the last: nobody used it before."""

EndpointOf = Callable[[Endpoints], str]
"""Which endpoint: `lambda each: each.token`."""


class SenderNotProven(Refusal):
    """RFC 9449 5.2, RFC 8705 3: this client's tokens are bound, and it shows nothing to bind to."""

    code = "E-OIDC-64"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material must show the key to which its permission will be bound."
    remedy = "The supplier of the material must send a DPoP proof or its certificate."
    oauth_error = "invalid_dpop_proof"


@dataclass(frozen=True, slots=True)
class ProvenSender:
    """To which key a token will be bound; `once` must be claimed before it is given."""

    key: SenderKey = BEARER
    once: UsedOnce = NOTHING_USED


class SenderProofs:
    """Checks proofs. Keeps nothing between calls.

    Args:
        endpoints: of every name by which we are reached: the issuer's, and that for certificates.
    """

    def __init__(
        self, *, endpoints: tuple[Endpoints, ...], state: SealedState, nonces: DpopNonces
    ) -> None:
        self._endpoints = endpoints
        self._state = state
        self._nonces = nonces

    def give_nonce(self, now: datetime) -> str:
        """Return what goes into `DPoP-Nonce`, with every answer to a request that holds a proof."""
        return self._nonces.give(now)

    def prove(
        self,
        client: KnownClient,
        proof: CallerProof,
        *,
        endpoint: EndpointOf,
        now: datetime,
        required: bool = True,
    ) -> ProvenSender:
        """Return to which key what this client gets will be bound.

        Args:
            endpoint: where it asks, by POST.
            required: whether a client whose tokens are always bound must show a key here; not at
                the endpoint for pushed requests (RFC 9449 10.1).

        Raises:
            DpopProofRefused, DpopNonceRequired, SenderNotProven
        """
        oidc, profile = client.oidc, client.profile
        if proof.dpop:
            return self.prove_possession(
                proof, endpoint=endpoint, nonce_required=profile.dpop_nonce_required, now=now
            )
        may_bind = oidc.certificate_bound or profile.sender_constraint_required
        if proof.certificate is not None and may_bind and not oidc.dpop_bound:
            return ProvenSender(SenderKey(x5t_s256=thumbprint_of(proof.certificate.der)))
        if required and (may_bind or oidc.dpop_bound):
            raise SenderNotProven("check_sender_proven")
        return ProvenSender()

    def prove_possession(
        self, proof: CallerProof, *, endpoint: EndpointOf, nonce_required: bool, now: datetime
    ) -> ProvenSender:
        """Return the key of a DPoP proof, if there is one: bound to nobody without.

        Raises:
            DpopProofRefused, DpopNonceRequired
        """
        if not proof.dpop:
            return ProvenSender()
        expected = ExpectedProof(
            method="POST",
            addresses=self._addresses(endpoint),
            now_seconds=now.timestamp(),
            nonces=self._nonces.taken(now) if nonce_required else None,
        )
        proven = check_dpop_proof(proof.dpop, expected)
        once = self._once(proven, DpopProofRefused, now=now)
        return ProvenSender(SenderKey(jkt=proven.thumbprint), once)

    def check_use(
        self,
        key: SenderKey,
        presented: PresentedToken,
        proof: CallerProof,
        *,
        endpoint: EndpointOf,
        method: str,
        nonce_required: bool,
        given_at: datetime,
        now: datetime,
    ) -> UsedOnce:
        """Refuse a token that is shown by another than it is bound to, or as what it is not.

        Args:
            key: to which the token is bound.
            nonce_required: by the profile of the client to which the token was given.
            given_at: when the token was, so that no proof that names it is older.

        Raises:
            AccessTokenRefused: shown as what it is not, or over another certificate.
            DpopProofRefusedByResource, DpopNonceRequiredByResource: its proof is not one.
        """
        check_shown_as_given(key, presented)
        check_certificate_bound(key, proof)
        if not key.jkt:
            return UsedOnce()
        expected = ExpectedProof(
            method=method,
            addresses=self._addresses(endpoint),
            now_seconds=now.timestamp(),
            access_token=presented.unverified_token,
            nonces=self._nonces.taken(now) if nonce_required else None,
        )
        try:
            proven = check_dpop_proof(proof.dpop, expected)
        except DpopNonceRequired as refusal:
            raise DpopNonceRequiredByResource(refusal.check) from None
        except DpopProofRefused as refusal:
            raise DpopProofRefusedByResource(refusal.check) from None
        if proven.thumbprint != key.jkt:
            raise DpopProofRefusedByResource("check_proof_key_bound")
        made_within = min(LONGEST_USABLE, max(now - given_at, timedelta(0)))
        return self._once(proven, DpopProofRefusedByResource, made_within=made_within, now=now)

    def _addresses(self, endpoint: EndpointOf) -> tuple[str, ...]:
        return tuple(map(endpoint, self._endpoints))

    def _once(
        self,
        proven: ProvenKey,
        refusal: type[Refusal],
        *,
        made_within: timedelta = LONGEST_USABLE,
        now: datetime,
    ) -> UsedOnce:
        claims = self._state.claims_for(
            DPOP_JTI,
            issuer=proven.thumbprint,
            value=proven.proof_id.value,
            ttl_seconds=claim_seconds(proven.proof_id.until, now=now),
            made_within=made_within,
        )
        return UsedOnce(claims, ((refusal, "check_proof_id_once"),) * len(claims))
