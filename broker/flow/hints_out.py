"""Which school was chosen, for a login that serves several: as its document wants to be told.

The hint names one of the login's own schools, and nothing of the supplier.
"""

from broker.domain.federation import SamlIdpEndpoints, School, SchoolIdp
from broker.domain.school_hints import BY_DOMAIN, SchoolHint


def find_hint(school: School | None, idp: SchoolIdp) -> tuple[SchoolHint, str | None]:
    """Return in which form a login is told of a school, and what; None for nothing."""
    if school is None:
        return SchoolHint.NONE, None
    form = idp.school_hint
    if form is None:
        is_several = isinstance(idp.endpoints, SamlIdpEndpoints) and len(idp.schools) > 1
        form = SchoolHint.BRIN if is_several else SchoolHint.NONE
    if form is SchoolHint.BRIN:
        return form, school.brin
    if form in BY_DOMAIN:
        return form, find_domain(school, idp)
    return form, None


def find_domain(school: School, idp: SchoolIdp) -> str | None:
    """Return the first domain of a school at one login; its scope where it serves it alone."""
    of_school = (domain for domain, each in idp.domains.items() if each == school.id)
    alone = idp.scopes if len(idp.schools) == 1 else ()
    return next(of_school, next(iter(alone), None))
