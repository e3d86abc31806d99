"""How a login that serves several schools is told which of them the pupil chose."""

from enum import StrEnum


class SchoolHint(StrEnum):
    """What goes along with our request, and in which form. Never anything of a supplier."""

    NONE = "none"
    BRIN = "brin"
    """SAML: Scoping with an IDPEntry (SAML core 3.4.1.3)."""
    REALM = "realm"
    """SAML: the same, with the school's domain."""
    DOMAIN_HINT = "domain_hint"
    """OpenID Connect: the school's domain, as Entra ID reads it."""
    HD = "hd"
    """OpenID Connect: the school's domain, as Google reads it."""


SAML_HINTS = (SchoolHint.NONE, SchoolHint.BRIN, SchoolHint.REALM)
OIDC_HINTS = (SchoolHint.NONE, SchoolHint.DOMAIN_HINT, SchoolHint.HD)
BY_DOMAIN = (SchoolHint.REALM, SchoolHint.DOMAIN_HINT, SchoolHint.HD)
"""Those that need to know a domain of each school."""
