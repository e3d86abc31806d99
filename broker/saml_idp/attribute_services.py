"""Which optional attributes a service provider asks for: a set that its metadata name (2.4.4).

A request chooses a set by index, else the default one counts. It only narrows: what goes out is
what the agreement releases, and what the supplier's document requires always does.
"""

from broker.domain.attributes import ENTREE_NAMES, OIDC_NAMES, AttributeName
from broker.domain.relying_parties import SamlServiceProvider
from broker.domain.saml_published import AttributeConsumingService
from broker.saml_idp.attributes import canonical_name


def choose_requested(
    provider: SamlServiceProvider, index: int | None
) -> frozenset[AttributeName] | None:
    """Return which attributes a service provider asks for; None where it leaves that open.

    Args:
        index: of the request; one that its metadata do not name stands for none.
    """
    services = provider.attribute_consuming_services
    if not services:
        return None
    chosen = next((each for each in services if each.index == index), None)
    wanted = (_default(services) if chosen is None else chosen).requested
    found = (_attribute_named(each.name) for each in wanted)
    return frozenset(each for each in found if each is not None)


def _default(services: tuple[AttributeConsumingService, ...]) -> AttributeConsumingService:
    """Return the one marked as default, else the first (SAML metadata 2.4.4)."""
    return next((each for each in services if each.is_default), services[0])


def _attribute_named(name: str) -> AttributeName | None:
    """Return the attribute that is meant, in the names of SAML, OpenID Connect or LDAP."""
    own = canonical_name(name)
    if own is not None:
        return own
    return canonical_name(ENTREE_NAMES.get(name) or OIDC_NAMES.get(name) or "")
