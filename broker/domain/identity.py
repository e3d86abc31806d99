"""From what a school's login stated to an `Identity`: the same rules for SAML and OIDC.

`read_identity` runs after a protocol's own checks, on values of the verified element or token
only, and decides three things: which school speaks (the stated one, never the clicked one), what
each incoming attribute means, and by what the person is known at that school.
It does not derive anything and does not decide what is released.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from broker.domain.attributes import (
    AFFILIATION,
    BRANCH_ID,
    ECK_ID,
    HOME_ORGANIZATION_ID,
    IGNORE,
    MAIL,
    UID,
    VOCABULARY,
    AttributeName,
    Population,
    is_never_released,
)
from broker.domain.federation import School, SchoolFrom, SchoolIdp
from broker.domain.ids import BRIN6_CHARS, SchoolId, SchoolIdpId, is_brin
from broker.domain.refusals import Refusal, WhoseTask

_AFFILIATIONS: Mapping[str, Population] = {
    "student": Population.PUPIL,
    "employee": Population.STAFF,
    "staff": Population.STAFF,
}

_NO_VALUES = frozenset({"null", "none", "nil", "undefined", "nan", "n/a"})
"""What programs write in place of a value that they do not have; many pupils would share it."""

_SHAPE_OF_A_NAME = re.compile(r"[A-Za-z0-9._:/#-]{1,200}\Z")

UNREADABLE_NAME = "(unreadable)"
"""Stands in `Identity.unknown` for a name that has not the form of one: it may hold a value."""


class SchoolNotStated(Refusal):
    code = "E-IDENTITY-1"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login did not say which school you are at."
    remedy = "The school's login must send the school's BRIN. Please tell your school."


class SchoolNotAllowed(Refusal):
    code = "E-IDENTITY-2"
    whose_task = WhoseTask.SCHOOL
    what = "The login spoke for a school or domain that it may not speak for."
    remedy = "The school's administrator must have it registered first. Please tell your school."


class IdentifierUnusable(Refusal):
    code = "E-IDENTITY-3"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login sent an identifier that cannot be used: {subject}."
    remedy = "The school must send exactly one value that is not empty. Please tell your school."


class PersonNotStated(Refusal):
    code = "E-IDENTITY-4"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login did not say who you are: {subject} is missing."
    remedy = "The school must let its login send this. Please tell your school."


class ValueTooLong(Refusal):
    code = "E-IDENTITY-5"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login sent a value that is far too long: {subject}."
    remedy = "The school must correct what its login sends. Please tell your school."


MAX_VALUE_CHARACTERS = 1024
"""Of one attribute value; the longest that anybody needs, an ECK iD, has 154."""

MAX_VALUES = 100
"""Of one attribute; a pupil is in a handful of classes."""


@dataclass(frozen=True, slots=True)
class VerifiedLogin:
    """What a protocol's checks let through: the input of `read_identity`.

    Attributes:
        idp: whose key signed.
        attributes: incoming name -> values as sent, in order.
        authenticated_at: when the person logged in at school.
        acr: the level that the login states, as the protocol sent it, or "".
    """

    idp: SchoolIdp
    attributes: Mapping[str, tuple[str, ...]] = field(repr=False)
    authenticated_at: datetime
    acr: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a school's login said, after checking. Never leaves the flow.

    Attributes:
        identifier: of the person inside the school, exact as sent; None when not stated.
        eck_id: the ECK iD as sent; None when not stated, and for staff, whom it does not identify.
        population: None when the login states no role, or both.
        attributes: canonical name -> values, without empty ones.
        unknown: incoming names that no mapping knows; for the audit, never passed on.
    """

    idp: SchoolIdpId
    school: SchoolId
    population: Population | None
    identifier: str | None = field(repr=False)
    eck_id: str | None = field(repr=False)
    attributes: Mapping[AttributeName, tuple[str, ...]] = field(repr=False)
    authenticated_at: datetime
    acr: str
    unknown: tuple[str, ...]


def read_identity(login: VerifiedLogin, *, schools: Mapping[SchoolId, School]) -> Identity:
    """Return the identity that a verified login states.

    Args:
        login: values of the verified element or token only.
        schools: the schools of `login.idp`, by id.

    Raises:
        SchoolNotStated: no school stated and several possible, or several stated.
        SchoolNotAllowed: a BRIN, branch or realm that this provider may not assert.
        IdentifierUnusable: the identifier or ECK iD is blank or has several values.
        PersonNotStated: neither an ECK iD nor an identifier with a role.
    """
    attributes, unknown = map_attributes(login)
    school = find_stated_school(login.idp, attributes, schools=schools)
    check_scopes(login.idp, attributes, school=school, schools=schools)
    population = read_population(attributes)
    identifier = read_single(attributes, login.idp.identifier)
    # A teacher's ECK iD hangs on school and mail address: two schools, two ECK iDs.
    eck_id = None if population is Population.STAFF else read_single(attributes, ECK_ID)
    if population is None and eck_id is None:
        raise PersonNotStated("check_person_stated", subject=AFFILIATION)
    if identifier is None and eck_id is None:
        raise PersonNotStated("check_person_stated", subject=login.idp.identifier)
    return Identity(
        idp=login.idp.id,
        school=school.id,
        population=population,
        identifier=identifier,
        eck_id=eck_id,
        attributes=attributes,
        authenticated_at=login.authenticated_at,
        acr=login.acr,
        unknown=unknown,
    )


def map_attributes(
    login: VerifiedLogin,
) -> tuple[dict[AttributeName, tuple[str, ...]], tuple[str, ...]]:
    """Account for every incoming attribute once: mapped, ignored on purpose, or unknown.

    Empty values are absent (`eckId` may be an empty list, `mail` empty); a value that
    arrives twice, as under two names of one attribute, counts once; nothing is trimmed. A name of
    the never-release list and a target outside the vocabulary are unknown, whatever a mapping says.

    Raises:
        ValueTooLong: a value, or the number of them, that no school has.
    """
    mapped: dict[AttributeName, tuple[str, ...]] = {}
    unknown: list[str] = []
    for incoming, values in login.attributes.items():
        target = login.idp.attributes.get(incoming, "")
        if target == IGNORE:
            continue
        if target not in VOCABULARY or is_never_released(incoming):
            unknown.append(reportable_name(incoming))
            continue
        name = AttributeName(target)
        stated = (fold_ascii(each) if name == AFFILIATION else each for each in values if each)
        merged = tuple(dict.fromkeys((*mapped.get(name, ()), *stated)))
        if any(len(each) > MAX_VALUE_CHARACTERS for each in merged) or len(merged) > MAX_VALUES:
            raise ValueTooLong("check_values_bounded", subject=name)
        if merged:
            mapped[name] = merged
    return mapped, tuple(unknown)


def reportable_name(incoming: str) -> str:
    """Return a name as it may stand in a log: one that could hold a value does not.

    >>> reportable_name("urn:mace:dir:attribute-def:cn"), reportable_name("a@b.example")
    ('urn:mace:dir:attribute-def:cn', '(unreadable)')
    """
    return incoming if _SHAPE_OF_A_NAME.match(incoming) else UNREADABLE_NAME


def fold_ascii(text: str) -> str:
    """Return `text` in lower case when it is ASCII, else exactly as sent.

    Case varies in the field, in roles and realms; but full lower-casing makes other letters equal
    (the Kelvin sign and `k`), and so a realm that nobody registered.
    """
    return text.lower() if text.isascii() else text


def find_stated_school(
    idp: SchoolIdp,
    attributes: Mapping[AttributeName, tuple[str, ...]],
    *,
    schools: Mapping[SchoolId, School],
) -> School:
    """Return the school for which this login speaks: the stated one, never the clicked one.

    Raises:
        SchoolNotStated, SchoolNotAllowed: as `read_identity`.
    """
    if idp.school_from is SchoolFrom.FIXED:
        candidates = {schools[each].id for each in idp.schools}
    elif idp.school_from is SchoolFrom.DOMAIN:
        registered = {
            fold_ascii(domain): of for domain, of in idp.domains.items() if of in idp.schools
        }
        domains = _stated_realms(attributes)
        if not domains <= registered.keys():
            raise SchoolNotAllowed("check_school_domain_registered")
        candidates = {registered[each] for each in domains}
    else:
        candidates = _schools_by_brin(idp, attributes, schools=schools)
    if len(candidates) != 1:
        raise SchoolNotStated("check_exactly_one_school_stated")
    return schools[candidates.pop()]


def _schools_by_brin(
    idp: SchoolIdp,
    attributes: Mapping[AttributeName, tuple[str, ...]],
    *,
    schools: Mapping[SchoolId, School],
) -> set[SchoolId]:
    """A BRIN6 names a location, or its institution when that is registered as a whole; a BRIN4
    names every location of that institution. A registered scope names no school.
    """
    own = [schools[each] for each in idp.schools]
    found: set[SchoolId] | None = None
    for brin in _stated_brins(attributes):
        matching = _schools_of_brin(brin, own)
        if matching:
            found = matching if found is None else found & matching
        elif brin not in _registered_scopes(idp):
            raise SchoolNotAllowed("check_stated_brin_registered")
    return found or set()


def _schools_of_brin(brin: str, own: Sequence[School]) -> set[SchoolId]:
    location = {each.id for each in own if each.branch == brin}
    is_location = len(brin) == BRIN6_CHARS
    institution = {
        each.id for each in own if each.brin == brin[:4] and not (is_location and each.branch)
    }
    return location or institution


def _stated_brins(attributes: Mapping[AttributeName, tuple[str, ...]]) -> list[str]:
    """Return every stated BRIN, branches first.

    Raises:
        SchoolNotAllowed: one of them is none; part of a text must not stand for the whole.
    """
    stated = [*attributes.get(BRANCH_ID, ()), *attributes.get(HOME_ORGANIZATION_ID, ())]
    brins = [each.upper() for each in stated if each.isascii()]
    if len(brins) != len(stated) or not all(is_brin(each) for each in brins):
        raise SchoolNotAllowed("check_stated_brin_well_formed")
    return brins


def check_scopes(
    idp: SchoolIdp,
    attributes: Mapping[AttributeName, tuple[str, ...]],
    *,
    school: School,
    schools: Mapping[SchoolId, School],
) -> None:
    """Refuse a BRIN or realm that is not registered for this provider.

    All values are checked; nothing registered means nothing accepted. A BRIN must be the stated
    school's own or a registered scope, and never one of another school of this provider, so that
    one login cannot carry two schools.
    """
    scopes = _registered_scopes(idp)
    own = [schools[each] for each in idp.schools]
    for brin in _stated_brins(attributes):
        matching = _schools_of_brin(brin, own)
        if school.id not in matching and (matching or brin not in scopes):
            raise SchoolNotAllowed("check_stated_brin_registered")
    realms = {fold_ascii(each) for each in (*idp.scopes, *idp.domains)}
    if not _realms(attributes, UID) <= realms:
        raise SchoolNotAllowed("check_stated_realm_registered")


def _registered_scopes(idp: SchoolIdp) -> set[str]:
    return {each.upper() for each in idp.scopes if each.isascii()}


def _stated_realms(attributes: Mapping[AttributeName, tuple[str, ...]]) -> set[str]:
    return _realms(attributes, UID) or _realms(attributes, MAIL)


def _realms(attributes: Mapping[AttributeName, tuple[str, ...]], name: AttributeName) -> set[str]:
    return {fold_ascii(each.rpartition("@")[2]) for each in attributes.get(name, ()) if "@" in each}


def read_population(attributes: Mapping[AttributeName, tuple[str, ...]]) -> Population | None:
    """Return pupil or staff, or None when the login states neither or both.

    A guess could open the account of a teacher to a pupil with the same number.
    """
    stated = {
        _AFFILIATIONS[each] for each in attributes.get(AFFILIATION, ()) if each in _AFFILIATIONS
    }
    return stated.pop() if len(stated) == 1 else None


def read_single(
    attributes: Mapping[AttributeName, tuple[str, ...]], name: AttributeName
) -> str | None:
    """Return the one value of an identifying attribute, exactly as sent; None when absent.

    Raises:
        IdentifierUnusable: several values, or one that says nothing: no letter or digit in it, or
            a word for "no value". Everybody of whom a school states that would be one person.
    """
    values = attributes.get(name, ())
    if not values:
        return None
    if len(set(values)) != 1:
        raise IdentifierUnusable("check_identifier_single", subject=name)
    if values[0].lower() in _NO_VALUES or not any(each.isalnum() for each in values[0]):
        raise IdentifierUnusable("check_identifier_not_blank", subject=name)
    return values[0]
