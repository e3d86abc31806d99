"""Made-up persons, whose login states what a school's login can state. Nobody is called so.

Which attributes those are, the document of the login says: each that a name of it is mapped to.
What a login stated of real people is kept nowhere, so nothing else can be known of it.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType

from msgspec.structs import replace

from broker.domain.attributes import (
    BRANCH_ID,
    HOME_ORGANIZATION,
    HOME_ORGANIZATION_ID,
    MAIL,
    STATED_BY_US,
    UID,
    VOCABULARY,
    AttributeName,
    Population,
)
from broker.domain.federation import School, SchoolFrom, SchoolIdp
from broker.domain.identity import Identity, VerifiedLogin, identity_at, read_stated
from broker.domain.registry import Registry

SAMPLE_DOMAIN = "voorbeeld.example"  # RFC 2606: nobody's
SAMPLE_ECK_ID = "https://ketenid.nl/voorbeeld/" + "0" * 128

_ALIKE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sn": ("Voorbeeld",),
        "nlEduPersonTussenvoegsels": ("van der",),
        "eckId": (SAMPLE_ECK_ID,),
        "nlEduPersonProfileId": ("voorbeeld-profiel",),
        "nlEduPersonRealId": ("voorbeeld-account",),
    }
)
_OF: Mapping[Population, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        Population.PUPIL: {
            "givenName": ("Fenna",),
            "initials": ("F.",),
            "eduPersonAffiliation": ("student",),
            "birthDate": ("20160229",),
            "employeeNumber": ("9900001",),
        },
        Population.STAFF: {
            "givenName": ("Bram",),
            "initials": ("B.",),
            "eduPersonAffiliation": ("employee",),
            "birthDate": ("19800229",),
            "employeeNumber": ("9900002",),
        },
    }
)
SAMPLE_GROUPS = ("7B",)


def stated_names(idp: SchoolIdp) -> tuple[AttributeName, ...]:
    """Return the attributes that a login can state, in the order of the vocabulary."""
    mapped = set(idp.attributes.values())
    if idp.login_identifier is not None:
        mapped |= {"eckId", "employeeNumber", "eduPersonAffiliation", "nlEduPersonUnit"}
    return tuple(each for each in VOCABULARY if each in mapped and each not in STATED_BY_US)


def make_sample_login(
    idp: SchoolIdp,
    school: School,
    population: Population,
    *,
    left_out: Collection[AttributeName] = (),
    groups: tuple[str, ...] = SAMPLE_GROUPS,
    now: datetime,
) -> VerifiedLogin:
    """Return what the login would say of a made-up person of its school.

    Where a school's list says who somebody is, its answers are put in at once: nobody on a list is
    made up.

    Args:
        idp: one of the school's.
        left_out: what the login does not state of this person.
        groups: classes of the person.
    """
    values = _values_of(idp, school, population, groups)
    told = {
        str(name): values[name]
        for name in stated_names(idp)
        if name not in left_out and values.get(name)
    }
    as_named = {name: name for name in told}
    own = replace(idp, login_identifier=None, attributes=as_named)
    return VerifiedLogin(idp=own, attributes=told, authenticated_at=now)


def identify_sample(
    idp: SchoolIdp,
    school: School,
    population: Population,
    *,
    registry: Registry,
    left_out: Collection[AttributeName] = (),
    groups: tuple[str, ...] = SAMPLE_GROUPS,
    now: datetime,
) -> Identity:
    """Return the identity of a made-up person, read as that of any login.

    Raises:
        Refusal: of `domain.identity`: something is left out that no login works without.
    """
    login = make_sample_login(idp, school, population, left_out=left_out, groups=groups, now=now)
    schools = registry.schools_of(idp)
    return identity_at(read_stated(login, schools=schools), school.id, schools=schools)


def _values_of(
    idp: SchoolIdp, school: School, population: Population, groups: tuple[str, ...]
) -> Mapping[str, tuple[str, ...]]:
    of_person = {**_ALIKE, **_OF[population]}
    user = of_person["givenName"][0].lower()
    domain = _domain_of(idp, school)
    return {
        **of_person,
        UID: (f"{user}@{domain}" if domain else user,),
        MAIL: (f"{user}@{domain or SAMPLE_DOMAIN}",),
        HOME_ORGANIZATION_ID: (school.branch or school.brin,),
        HOME_ORGANIZATION: (school.name,),
        BRANCH_ID: () if school.branch is None else (school.branch,),
        "nlEduPersonUnit": groups,
    }


def _domain_of(idp: SchoolIdp, school: School) -> str:
    """Return a domain or realm that this login may state for this school; "" when it has none."""
    if idp.school_from is SchoolFrom.DOMAIN:
        return next((domain for domain, of in idp.domains.items() if of == school.id), "")
    return next((each for each in idp.scopes if "." in each), "")
