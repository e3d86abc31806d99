"""The attributes that a school's login may state, and what may ever happen with each.

An attribute's name everywhere in the broker (documents, decisions, receipts, audit) is its name in
the Entree convention; names on the wire are translated at the two edges only:
`ENTREE_NAMES` and `OIDC_NAMES` on the school side, claim profiles on the supplier side.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NewType
from unicodedata import normalize

import msgspec

AttributeName = NewType("AttributeName", str)
"""Canonical name of an attribute, e.g. `givenName`."""

IGNORE = "ignore"
"""In a mapping of an identity-provider document: this incoming name is dropped on purpose."""


class Population(StrEnum):
    """What a person is at school. Two persons, a pupil and a teacher, may share a number."""

    PUPIL = "pupil"
    STAFF = "staff"


class Attribute(msgspec.Struct, frozen=True):
    """One attribute of the vocabulary.

    Attributes:
        name: canonical (Entree) name; also the claim name in profile `entree` and in SAML.
        claim: claim name in profile `standard` (OIDC Core 5.1 where it has one).
        multi_valued: whether a claim is always a list.
        restricted: identifies across suppliers; released only to an entitled supplier under an
            agreement that approves it with an end date.
        stated_by_us: the broker states it, from what it knows of the school that logged in;
            what a school's login sends under this name is not believed.
    """

    name: AttributeName
    claim: str
    multi_valued: bool = False
    restricted: bool = False
    stated_by_us: bool = False


def _vocabulary(*attributes: Attribute) -> Mapping[AttributeName, Attribute]:
    return MappingProxyType({each.name: each for each in attributes})


def _attribute(
    name: str,
    claim: str,
    *,
    multi_valued: bool = False,
    restricted: bool = False,
    stated_by_us: bool = False,
) -> Attribute:
    return Attribute(AttributeName(name), claim, multi_valued, restricted, stated_by_us)


GIVEN_NAME = AttributeName("givenName")
AFFILIATION = AttributeName("eduPersonAffiliation")
HOME_ORGANIZATION_ID = AttributeName("nlEduPersonHomeOrganizationId")
HOME_ORGANIZATION = AttributeName("nlEduPersonHomeOrganization")
BRANCH_ID = AttributeName("nlEduPersonHomeOrganizationBranchId")
UNIT = AttributeName("nlEduPersonUnit")
ECK_ID = AttributeName("eckId")
UID = AttributeName("uid")
MAIL = AttributeName("mail")
MEMBERSHIP = AttributeName("schoolMembership")

VOCABULARY: Mapping[AttributeName, Attribute] = _vocabulary(
    _attribute("givenName", "given_name"),
    _attribute("sn", "family_name"),
    _attribute("nlEduPersonTussenvoegsels", "nleduperson_tussenvoegsels"),
    _attribute("initials", "initials"),
    _attribute("mail", "email"),
    _attribute("eduPersonAffiliation", "eduperson_affiliation", multi_valued=True),
    _attribute("nlEduPersonHomeOrganizationId", "nleduperson_home_organization_id"),
    _attribute("nlEduPersonHomeOrganization", "nleduperson_home_organization"),
    _attribute("nlEduPersonHomeOrganizationBranchId", "nleduperson_home_organization_branch_id"),
    _attribute("nlEduPersonUnit", "nleduperson_unit", multi_valued=True),
    _attribute("birthDate", "birthdate"),
    _attribute("eckId", "eck_id", restricted=True),
    _attribute("uid", "uid", restricted=True),
    _attribute("employeeNumber", "employee_number", restricted=True),
    _attribute("nlEduPersonProfileId", "nleduperson_profile_id", restricted=True),
    _attribute("nlEduPersonRealId", "nleduperson_real_id", restricted=True),
    _attribute("schoolMembership", "school_membership", multi_valued=True, stated_by_us=True),
)
"""Every attribute that a supplier may declare and a school may approve."""

STATED_BY_US = frozenset(each.name for each in VOCABULARY.values() if each.stated_by_us)
_STATED_BY_SCHOOLS = tuple(each for each in VOCABULARY.values() if not each.stated_by_us)

NEVER_RELEASED: frozenset[str] = frozenset(
    {
        "pgn",  # hPGN with it
        "persoonsgebondennummer",
        "bsn",
        "burgerservicenummer",
        "citizenservicenumber",
        "sofinummer",
        "onderwijsnummer",
        "eduid",
        "stampseudonym",
        "stampseudoniem",
    }
)
"""The once-only number of the law in all its forms, lower case; no document overrides this."""


@lru_cache(maxsize=4096)  # asked many times a login, of names in documents and the vocabulary
def is_never_released(name: str) -> bool:
    """Tell whether `name`, however spelled, is the PGN, the hPGN or the stampseudonym.

    Case, prefixes, suffixes, separators and compatibility forms make no difference; only the host
    of a URL may hold such letters across its dots (`obs.nl` is a school's). A name that is not
    ASCII after that may only look like another one, so it counts as one of them; no standard names
    an attribute so.

    >>> is_never_released("urn:mace:dir:attribute-def:PGN"), is_never_released("givenName")
    (True, False)
    """
    plain = normalize("NFKC", name).lower()
    parts = re.split(r"[:/#?=&]", re.sub(r"//[^/]*", "", plain))
    spelled = [re.sub(r"[^a-z0-9]", "", each) for each in parts]
    words = re.findall(r"[a-z0-9]+", plain)
    return not plain.isascii() or any(
        never in each for never in NEVER_RELEASED for each in (*spelled, *words)
    )


def fold_ascii(text: str) -> str:
    """Return `text` in lower case when it is ASCII, else exactly as sent.

    Case varies in the field, in roles and realms; but full lower-casing makes other letters equal
    (the Kelvin sign and `k`), and so a realm that nobody registered.
    """
    return text.lower() if text.isascii() else text


_MACE = "urn:mace:dir:attribute-def:"

ENTREE_NAMES: Mapping[str, str] = MappingProxyType(
    {each.name: each.name for each in _STATED_BY_SCHOOLS}
    | {_MACE + each.name: each.name for each in _STATED_BY_SCHOOLS}
    | {
        "urn:oid:0.9.2342.19200300.100.1.1": "uid",
        "urn:oid:0.9.2342.19200300.100.1.3": "mail",
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.1": "eduPersonAffiliation",
        "urn:oid:2.5.4.4": "sn",
        "urn:oid:2.5.4.42": "givenName",
        "urn:oid:2.5.4.43": "initials",
        "urn:oid:2.16.840.1.113730.3.1.3": "employeeNumber",
        "cn": IGNORE,
        "displayName": IGNORE,
        "schacHomeOrganization": IGNORE,
        "eduPersonPrincipalName": IGNORE,
        "preferredLanguage": IGNORE,
    }
)
"""Incoming SAML attribute names that every school's mapping starts from."""

_ABOUT_THE_TOKEN = (
    # OIDC Core 2 and 5.1, RFC 7519: about the token, or not ours to pass on.
    *("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "nonce", "azp", "acr", "amr"),
    *("auth_time", "at_hash", "c_hash", "sid", "name", "preferred_username"),
    *("nickname", "middle_name", "profile", "picture", "website", "gender", "zoneinfo"),
    *("locale", "phone_number", "phone_number_verified", "address", "updated_at"),
    *("email_verified", "tid", "oid", "ver", "hd", "upn", "rh", "uti", "aio", "idp"),
)

OIDC_NAMES: Mapping[str, str] = MappingProxyType(
    {each.claim: each.name for each in _STATED_BY_SCHOOLS}
    | {each.name: each.name for each in _STATED_BY_SCHOOLS}
    | dict.fromkeys(_ABOUT_THE_TOKEN, IGNORE)
)
"""Incoming OIDC claim names that every school's mapping starts from."""
