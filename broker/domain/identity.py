"""From what a school's login stated to an `Identity`: the same rules for SAML and OIDC.

`read_stated` runs after a protocol's own checks, on values of the verified element or token only,
and decides what each incoming attribute means and which schools speak (the stated ones, never the
clicked one); `identity_at`, by what the person is known at one of those schools.
Nothing is derived here, and what is released is not decided here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from broker.domain.attributes import (
    AFFILIATION,
    ECK_ID,
    IGNORE,
    STATED_BY_US,
    VOCABULARY,
    AttributeName,
    Population,
    fold_ascii,
    is_never_released,
)
from broker.domain.federation import School, SchoolIdp
from broker.domain.identifiers import MAX_VALUE_CHARACTERS, read_login_identifier, read_single
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.stated_schools import (
    FormerBrins,
    SchoolNotStated,
    check_scopes,
    find_stated_schools,
    keep_of_school,
    read_former_brins,
)

_AFFILIATIONS: Mapping[str, Population] = {
    "student": Population.PUPIL,
    "employee": Population.STAFF,
    "staff": Population.STAFF,
}

_SHAPE_OF_A_NAME = re.compile(r"[A-Za-z0-9._:/#-]{1,200}\Z")

UNREADABLE_NAME = "(unreadable)"
"""Stands in `Identity.unknown` for a name that has not the form of one: it may hold a value."""


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


MAX_VALUES = 100
"""Of one attribute; a pupil is in a handful of classes."""


@dataclass(frozen=True, slots=True)
class VerifiedLogin:
    """What a protocol's checks let through: the input of `read_stated`.

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
class StatedLogin:
    """A verified login whose attributes are mapped and whose schools may speak.

    Attributes:
        schools: those that it states, at least one; several when the person is at several.
        attributes: canonical name -> values, without empty ones.
        unknown: incoming names that no mapping knows; for the audit, never passed on.
    """

    login: VerifiedLogin
    schools: tuple[SchoolId, ...]
    attributes: Mapping[AttributeName, tuple[str, ...]] = field(repr=False)
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """What a school's login said, after checking. Never leaves the flow.

    Attributes:
        identifier: of the person inside the school, exact as sent; None when not stated, and
            beside an ECK iD when the login states several schools.
        eck_id: the ECK iD as sent; None when not stated, and for staff, whom it does not identify.
        population: None when the login states no role, or both.
        attributes: canonical name -> values of this school, without empty ones.
        login_identifier: by which the school's list knows this login, exact as sent; None where
            the provider's document names none. It identifies nobody by itself.
        elsewhere: attributes that this login states for another of its schools, as far as
            anybody can tell, and for this one not.
        unknown: as in `StatedLogin`.
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
    elsewhere: tuple[AttributeName, ...] = ()
    login_identifier: str | None = field(default=None, repr=False)


def read_stated(
    login: VerifiedLogin,
    *,
    schools: Mapping[SchoolId, School],
    former: FormerBrins = MappingProxyType({}),
) -> StatedLogin:
    """Return what a verified login states, and for which schools.

    Args:
        login: values of the verified element or token only.
        schools: the schools of `login.idp`, by id.
        former: BRINs that these had before and may still be stated; they decide, and go out as
            they were stated.

    Raises:
        SchoolNotStated: no school stated and several possible, or attributes that contradict.
        SchoolNotAllowed: a BRIN, branch or realm that this provider may not assert.
        ValueTooLong: as `map_attributes`.
    """
    attributes, unknown = map_attributes(login)
    own = [schools[each] for each in login.idp.schools]
    today = read_former_brins(attributes, own=own, former=former) if former else attributes
    stated = find_stated_schools(login.idp, today, schools=schools)
    check_scopes(login.idp, today, stated=stated, schools=schools)
    return StatedLogin(login, stated, attributes, unknown)


def identity_at(
    stated: StatedLogin, school: SchoolId, *, schools: Mapping[SchoolId, School]
) -> Identity:
    """Return the identity that a login states at one of its schools.

    Args:
        school: one of `stated.schools`.
        schools: the schools of the login's provider, by id.

    Raises:
        SchoolNotStated: this login does not speak for `school`, or states several schools and
            nothing but a number, which may be somebody else's at the other one.
        IdentifierUnusable: the identifier or ECK iD is blank or has several values.
        PersonNotStated: neither an ECK iD nor an identifier with a role; not yet where the
            school's list may say the rest (`fill_in`).
    """
    if school not in stated.schools:
        raise SchoolNotStated("check_school_stated")
    login, attributes = stated.login, stated.attributes
    population = read_population(attributes)
    identifier = read_single(attributes, login.idp.identifier)
    # A teacher's ECK iD hangs on school and mail address: two schools, two ECK iDs.
    eck_id = None if population is Population.STAFF else read_single(attributes, ECK_ID)
    login_identifier = read_login_identifier(login.attributes, login.idp.login_identifier)
    if login_identifier is None:
        check_person_stated(population, identifier, eck_id, login.idp.identifier)
    elsewhere: tuple[AttributeName, ...] = ()
    if len(stated.schools) > 1:
        others = [schools[each] for each in schools if each != school]
        attributes, elsewhere = keep_of_school(
            attributes, idp=login.idp, school=schools[school], others=others
        )
        if eck_id is not None or not login.idp.shared_numbers:
            identifier = None  # of which school it is a number, nobody can tell
        if eck_id is None and identifier is None and login_identifier is None:
            raise SchoolNotStated("check_number_shared_by_schools")
    return Identity(
        idp=login.idp.id,
        school=school,
        population=population,
        identifier=identifier,
        eck_id=eck_id,
        attributes=attributes,
        authenticated_at=login.authenticated_at,
        acr=login.acr,
        unknown=stated.unknown,
        elsewhere=elsewhere,
        login_identifier=login_identifier,
    )


def check_person_stated(
    population: Population | None, identifier: str | None, eck_id: str | None, name: str
) -> None:
    """Refuse a login that names nobody: neither by ECK iD, nor by an identifier with a role.

    Raises:
        PersonNotStated
    """
    if population is None and eck_id is None:
        raise PersonNotStated("check_person_stated", subject=AFFILIATION)
    if identifier is None and eck_id is None:
        raise PersonNotStated("check_person_stated", subject=name)


def read_identity(
    login: VerifiedLogin,
    *,
    schools: Mapping[SchoolId, School],
    former: FormerBrins = MappingProxyType({}),
) -> Identity:
    """Return the identity of a login that states exactly one school.

    Raises:
        SchoolNotStated: also when it states several.
        Refusal: of `read_stated` and `identity_at`.
    """
    stated = read_stated(login, schools=schools, former=former)
    if len(stated.schools) != 1:
        raise SchoolNotStated("check_exactly_one_school_stated")
    return identity_at(stated, stated.schools[0], schools=schools)


def map_attributes(
    login: VerifiedLogin,
) -> tuple[dict[AttributeName, tuple[str, ...]], tuple[str, ...]]:
    """Account for every incoming attribute once: mapped, ignored on purpose, or unknown.

    Empty values are absent (`eckId` may be an empty list, `mail` empty); a value that
    arrives twice, as under two names of one attribute, counts once; nothing is trimmed. Unknown,
    whatever a mapping says, are a name of the never-release list and a target outside the
    vocabulary or that the broker alone states.

    Raises:
        ValueTooLong: a value, or the number of them, that no school has.
    """
    mapped: dict[AttributeName, tuple[str, ...]] = {}
    unknown: list[str] = []
    for incoming, values in login.attributes.items():
        target = login.idp.attributes.get(incoming, "")
        if target == IGNORE:
            continue
        is_ours = target in STATED_BY_US or target not in VOCABULARY
        if is_ours or is_never_released(incoming):
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


def read_population(attributes: Mapping[AttributeName, tuple[str, ...]]) -> Population | None:
    """Return pupil or staff, or None when the login states neither or both.

    A guess could open the account of a teacher to a pupil with the same number.
    """
    stated = {
        _AFFILIATIONS[each] for each in attributes.get(AFFILIATION, ()) if each in _AFFILIATIONS
    }
    return stated.pop() if len(stated) == 1 else None
