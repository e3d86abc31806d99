"""What `broker check` tells of the systems of suppliers."""

from collections.abc import Iterable, Iterator

from broker.domain.federation import Supplier
from broker.domain.relying_parties import OidcClient


def describe_relying_parties(suppliers: Iterable[Supplier]) -> Iterator[str]:
    """Yield a line for each system: whose it is, and by which rules it is served.

    Args:
        suppliers: of two with the same id the later one counts.
    """
    by_id = {each.id: each for each in suppliers}
    for supplier in sorted(by_id.values(), key=lambda each: each.id):
        for party in supplier.relying_parties:
            client, off = party.protocol, "" if party.enabled and supplier.enabled else ", off"
            told = "saml"
            if isinstance(client, OidcClient):
                told = f"oidc, profile {client.profile}, {client.authentication}"
            yield f"{supplier.id}/{party.id}: {told}{off}"
