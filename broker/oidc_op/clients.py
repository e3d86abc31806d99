"""Who a relying party says it is, looked up: the first check of every request."""

from dataclasses import dataclass

from broker.domain.federation import Supplier, SupplierApi
from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.registry import Registry
from broker.domain.relying_parties import OidcClient, RelyingParty
from broker.oidc_op.profiles import AccessTokenForm, Profile, find_profile


class ClientUnknown(Refusal):
    """No relying party of that name, or it is switched off; never redirects."""

    code = "E-OIDC-4"
    whose_task = WhoseTask.SUPPLIER
    what = "We do not know this learning material, or it is switched off."
    remedy = "The supplier of the material must register it or switch it on."
    oauth_error = "invalid_client"


OFFLINE_ACCESS = "offline_access"
"""The scope by which a login asks for a refresh token (OIDC Core 11)."""

SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, slots=True)
class KnownClient:
    """A registered, enabled relying party that speaks OpenID Connect. Not yet authenticated.

    Attributes:
        apis: of its supplier: the only ones for which it may ask tokens.
    """

    relying_party: RelyingParty
    oidc: OidcClient
    profile: Profile
    apis: tuple[SupplierApi, ...] = ()

    @property
    def refresh(self) -> "RefreshLives | None":
        """Return how long refresh tokens live, by document and profile; None when none is given."""
        rules, hours = self.profile.refresh, self.oidc.refresh_hours
        if rules is None or not hours:
            return None
        idle_hours = self.oidc.refresh_idle_hours
        ttl_seconds = min(hours * SECONDS_AN_HOUR, rules.ttl_seconds)
        idle_seconds = rules.idle_seconds if idle_hours is None else idle_hours * SECONDS_AN_HOUR
        return RefreshLives(
            rotates=rules.rotates,
            ttl_seconds=ttl_seconds,
            idle_seconds=min(idle_seconds, rules.idle_seconds, ttl_seconds),
        )

    @property
    def signs_access_tokens(self) -> bool:
        """Tell whether its access tokens are signed ones (RFC 9068), and not opaque."""
        return (
            self.oidc.access_tokens or self.profile.access_token_forms[0]
        ) == AccessTokenForm.JWT


@dataclass(frozen=True, slots=True)
class RefreshLives:
    """How a client's refresh tokens live.

    Attributes:
        rotates: each use gives the next one.
        ttl_seconds: from the login on.
        idle_seconds: from one use to the next.
    """

    rotates: bool
    ttl_seconds: int
    idle_seconds: int


def find_client(client_id: str | None, *, registry: Registry) -> KnownClient:
    """Return the client of a request, which must be registered and enabled at every step.

    Raises:
        ClientUnknown: no such client, or it or its supplier is disabled.
        ProfileUnknown: its registration names a profile that is not built.
    """
    relying_party = registry.by_client_id.get(client_id or "")
    if relying_party is None:
        raise ClientUnknown("check_client_known")
    supplier = registry.suppliers[relying_party.supplier]
    if not (relying_party.enabled and supplier.enabled):
        raise ClientUnknown("check_client_enabled")
    return known_client_of(relying_party, supplier)


def known_client_of(relying_party: RelyingParty, supplier: Supplier) -> KnownClient:
    """Return a relying party that was looked up as a client.

    Raises:
        ClientUnknown: it does not speak OpenID Connect.
        ProfileUnknown
    """
    oidc = relying_party.protocol
    if not isinstance(oidc, OidcClient):
        raise ClientUnknown("check_client_known")
    return KnownClient(relying_party, oidc, find_profile(oidc.profile), supplier.apis)
