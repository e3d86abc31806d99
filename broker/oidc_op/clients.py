"""Who a relying party says it is, looked up: the first check of every request."""

from dataclasses import dataclass

from broker.domain.federation import SupplierApi
from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.registry import Registry
from broker.domain.relying_parties import OidcClient, RelyingParty
from broker.oidc_op.profiles import Profile, find_profile


class ClientUnknown(Refusal):
    """No relying party of that name, or it is switched off; never redirects."""

    code = "E-OIDC-4"
    whose_task = WhoseTask.SUPPLIER
    what = "We do not know this learning material, or it is switched off."
    remedy = "The supplier of the material must register it or switch it on."
    oauth_error = "invalid_client"


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


def find_client(client_id: str | None, *, registry: Registry) -> KnownClient:
    """Return the client of a request, which must be registered and enabled at every step.

    Raises:
        ClientUnknown: no such client, or it or its supplier is disabled.
        ProfileUnknown: its registration names a profile that is not built.
    """
    relying_party = registry.by_client_id.get(client_id or "")
    if relying_party is None or not isinstance(relying_party.protocol, OidcClient):
        raise ClientUnknown("check_client_known")
    supplier = registry.suppliers[relying_party.supplier]
    if not (relying_party.enabled and supplier.enabled):
        raise ClientUnknown("check_client_enabled")
    oidc = relying_party.protocol
    return KnownClient(relying_party, oidc, find_profile(oidc.profile), supplier.apis)
