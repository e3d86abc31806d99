"""An AuthnRequest of a supplier's service provider, as it arrived and after its checks."""

import msgspec

from broker.domain.ids import RelyingPartyId
from broker.saml_idp.refusals import AnswerTo


class CheckedAuthnRequest(msgspec.Struct, frozen=True, kw_only=True, tag="saml"):
    """A request that passed every check of `REQUEST_CHECKS`; kept sealed in the pending login.

    The fields up to `hints` are the questions that the flow asks of any protocol's request
    (`broker.oidc_op.request` answers the same ones).

    Attributes:
        relying_party: to be looked up again at every step, since it may be disabled meanwhile.
        force_login: ForceAuthn: the school must ask for a new login.
        passive: IsPassive: no page may be shown.
        max_age_seconds: always None; SAML cannot ask it.
        hints: which school: entity id, BRIN or realm of each IDPEntry, untrusted text.
        request_id: goes back as InResponseTo.
        acs_url: the registered place for the answer.
        relay_state: exactly as received; None when there was none.
        name_id_transient: the supplier wants a NameID that is another at every login.
        requested_authn_contexts: class references in the supplier's order of preference.
    """

    relying_party: RelyingPartyId
    force_login: bool = False
    passive: bool = False
    max_age_seconds: int | None = None
    hints: tuple[str, ...] = ()
    request_id: str
    acs_url: str
    relay_state: str | None = None
    name_id_transient: bool = False
    requested_authn_contexts: tuple[str, ...] = ()

    @property
    def answer_to(self) -> AnswerTo:
        """Where the answer goes."""
        return AnswerTo(
            relying_party=self.relying_party,
            request_id=self.request_id,
            acs_url=self.acs_url,
            relay_state=self.relay_state,
        )
