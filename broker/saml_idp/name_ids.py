"""By what an answer names somebody: the supplier's pseudonym, a name of this login alone, or none.

SAML core 2.2.2, 3.4.1.1, 8.3.7 and 8.3.8.
"""

from enum import StrEnum

from broker.domain.relying_parties import SamlServiceProvider
from broker.saml_xml.names import NAMEID_PERSISTENT, NAMEID_TRANSIENT, NAMEID_UNSPECIFIED

NAME_ID_FORMATS = (None, NAMEID_PERSISTENT, NAMEID_TRANSIENT, NAMEID_UNSPECIFIED)
"""What anybody may ask for; without a wish, or unspecified, it is a persistent one."""


class NameIdKind(StrEnum):
    """What stands in the Subject of an answer."""

    PERSISTENT = "persistent"
    TRANSIENT = "transient"
    NONE = "none"


def choose_name_id(provider: SamlServiceProvider, *, transient_asked: bool) -> NameIdKind:
    """Return which NameID a service provider gets: its document goes before its request."""
    if provider.answers.name_ids == "none":
        return NameIdKind.NONE
    if transient_asked and provider.answers.name_ids == "asked":
        return NameIdKind.TRANSIENT
    return NameIdKind.PERSISTENT


def tells_pseudonym(provider: SamlServiceProvider, *, transient_asked: bool) -> bool:
    """Tell whether an answer holds the supplier's pseudonym at all."""
    named = choose_name_id(provider, transient_asked=transient_asked)
    return named is NameIdKind.PERSISTENT or bool(provider.answers.pseudonym_attributes)


def gives_format(provider: SamlServiceProvider, name_id_format: str | None) -> bool:
    """Tell whether a request that asks for this format is answered.

    One that the provider's own metadata names is answered too, by a persistent NameID that says
    so: libraries ask by default for `emailAddress` (node-saml) and publish that they do, and look
    at no format. Who asks for it in a request alone is told that we do not give it (IIP-IDP10).
    """
    return (
        name_id_format in NAME_ID_FORMATS
        or provider.answers.name_ids != "asked"
        or name_id_format in provider.name_id_formats
    )
