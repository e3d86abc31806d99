"""For which schools a login speaks, and what of its attributes is which school's.

The stated schools decide, never the one that was clicked. Most logins state one; that of a pupil
of two schools (symbiose, vavo) or of a teacher at two schools may state several, for all of which
its provider must be registered. Then one is chosen, and only what belongs to it may go out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import TypeAlias

from broker.domain.attributes import (
    BRANCH_ID,
    HOME_ORGANIZATION,
    HOME_ORGANIZATION_ID,
    MAIL,
    UID,
    UNIT,
    AttributeName,
    fold_ascii,
)
from broker.domain.federation import School, SchoolFrom, SchoolIdp
from broker.domain.ids import BRIN6_CHARS, Brin, SchoolId, is_brin
from broker.domain.refusals import Refusal, WhoseTask

BRIN4_CHARS = 4
MAX_SCHOOLS_AT_ONCE = 20
"""That one login may state: a person must be able to find the right one on a page."""

FormerBrins: TypeAlias = Mapping[SchoolId, frozenset[Brin]]
"""BRINs of before that a school's login may state today (`relations.former_brins`)."""


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


def find_stated_schools(
    idp: SchoolIdp,
    attributes: Mapping[AttributeName, tuple[str, ...]],
    *,
    schools: Mapping[SchoolId, School],
) -> tuple[SchoolId, ...]:
    """Return the schools for which this login speaks, in the order of the provider's document.

    Args:
        schools: those of `idp`, by id.

    Raises:
        SchoolNotStated: none, or attributes that contradict each other or fit several schools.
        SchoolNotAllowed: a BRIN or domain that is not registered for this provider.
    """
    if idp.school_from is SchoolFrom.FIXED:
        found = set(idp.schools)
        if len(found) != 1:
            raise SchoolNotStated("check_exactly_one_school_registered")
    elif idp.school_from is SchoolFrom.DOMAIN:
        registered = _schools_by_domain(idp)
        domains = _stated_realms(attributes)
        if not domains <= registered.keys():
            raise SchoolNotAllowed("check_school_domain_registered")
        found = {registered[each] for each in domains}
    else:
        found = _schools_by_brin(idp, attributes, schools=schools)
    if not found:
        raise SchoolNotStated("check_school_stated")
    if len(found) > MAX_SCHOOLS_AT_ONCE:
        raise SchoolNotStated("check_schools_bounded")
    return tuple(each for each in idp.schools if each in found)


def read_former_brins(
    attributes: Mapping[AttributeName, tuple[str, ...]],
    *,
    own: Sequence[School],
    former: FormerBrins,
) -> Mapping[AttributeName, tuple[str, ...]]:
    """Return the attributes with each BRIN of before as that of the school that goes on.

    A BRIN that is a school's own never means another one. One of before that several schools had
    says nothing: what else the login states must tell them apart.

    Args:
        own: the schools of the login's provider.
    """

    def read(brin: str) -> tuple[str, ...]:
        if not is_brin(brin.upper()) or _schools_of_brin(brin.upper(), own):
            return (brin,)
        had_it = {brin.upper(), brin.upper()[:BRIN4_CHARS]}
        heirs = [each for each in own if not had_it.isdisjoint(former.get(each.id, ()))]
        if len(heirs) == 1:
            return (heirs[0].branch or heirs[0].brin,)
        return () if heirs else (brin,)

    return {
        name: tuple(chain.from_iterable(map(read, values)))
        if name in (HOME_ORGANIZATION_ID, BRANCH_ID)
        else values
        for name, values in attributes.items()
    }


def _schools_by_domain(idp: SchoolIdp) -> dict[str, SchoolId]:
    return {fold_ascii(domain): of for domain, of in idp.domains.items() if of in idp.schools}


def _schools_by_brin(
    idp: SchoolIdp,
    attributes: Mapping[AttributeName, tuple[str, ...]],
    *,
    schools: Mapping[SchoolId, School],
) -> set[SchoolId]:
    """A BRIN6 names a location, or its institution when that is registered as a whole; a BRIN4
    the institution, or its location when one alone is registered. A registered scope names no
    school. Several institutions, or several locations in one attribute, are several schools.

    A BRIN4 of several locations says only that one of them is meant: to let the person say which
    would open accounts that the school did not vouch for.
    """
    own = [schools[each] for each in idp.schools]
    homes, branches = (
        [
            each
            for each in read_brins(attributes, name)
            if _is_of_a_school(each, own, scopes=_registered_scopes(idp))
        ]
        for name in (HOME_ORGANIZATION_ID, BRANCH_ID)
    )
    found: set[SchoolId] = set()
    for institution in dict.fromkeys(each[:BRIN4_CHARS] for each in (*homes, *branches)):
        at_home = {each for each in homes if each.startswith(institution)}
        at_branch = {each for each in branches if each.startswith(institution)}
        if homes and not at_home:
            raise SchoolNotStated("check_branch_of_stated_school")
        locations = [_locations(at_home), _locations(at_branch)]
        if all(locations) and locations[0] != locations[1]:
            raise SchoolNotStated("check_branch_of_stated_school")
        named = locations[0] or locations[1] or {institution}
        of_each = [_schools_of_brin(each, own) for each in sorted(named)]
        if any(len(each) > 1 for each in of_each):
            raise SchoolNotStated("check_location_stated")
        found |= set().union(*of_each)
    return found


def _is_of_a_school(brin: str, own: Sequence[School], *, scopes: set[str]) -> bool:
    """Tell whether a BRIN is that of a school, or of a scope that is none.

    Raises:
        SchoolNotAllowed: it is neither.
    """
    if _schools_of_brin(brin, own):
        return True
    if brin in scopes:
        return False
    raise SchoolNotAllowed("check_stated_brin_registered")


def _locations(brins: Iterable[str]) -> set[str]:
    return {each for each in brins if len(each) == BRIN6_CHARS}


def _schools_of_brin(brin: str, own: Sequence[School]) -> set[SchoolId]:
    location = {each.id for each in own if each.branch == brin}
    is_location = len(brin) == BRIN6_CHARS
    institution = {
        each.id
        for each in own
        if each.brin == brin[:BRIN4_CHARS] and not (is_location and each.branch)
    }
    return location or institution


def read_brins(
    attributes: Mapping[AttributeName, tuple[str, ...]], name: AttributeName
) -> list[str]:
    """Return every BRIN that one attribute states, upper case.

    Raises:
        SchoolNotAllowed: one of them is none; part of a text must not stand for the whole.
    """
    stated = attributes.get(name, ())
    brins = [each.upper() for each in stated if each.isascii()]
    if len(brins) != len(stated) or not all(is_brin(each) for each in brins):
        raise SchoolNotAllowed("check_stated_brin_well_formed")
    return brins


def check_scopes(
    idp: SchoolIdp,
    attributes: Mapping[AttributeName, tuple[str, ...]],
    *,
    stated: Sequence[SchoolId],
    schools: Mapping[SchoolId, School],
) -> None:
    """Refuse a BRIN or realm that is not registered for this provider.

    All values are checked; nothing registered means nothing accepted. A BRIN must be that of a
    stated school or a registered scope, and never one of another school of this provider.
    """
    scopes = _registered_scopes(idp)
    own = [schools[each] for each in idp.schools]
    for name in (BRANCH_ID, HOME_ORGANIZATION_ID):
        for brin in read_brins(attributes, name):
            matching = _schools_of_brin(brin, own)
            if matching.isdisjoint(stated) and (matching or brin not in scopes):
                raise SchoolNotAllowed("check_stated_brin_registered")
    realms = {fold_ascii(each) for each in (*idp.scopes, *idp.domains)}
    if not _realms(attributes, UID) <= realms:
        raise SchoolNotAllowed("check_stated_realm_registered")


def keep_of_school(
    attributes: Mapping[AttributeName, tuple[str, ...]],
    *,
    idp: SchoolIdp,
    school: School,
    others: Sequence[School],
) -> tuple[dict[AttributeName, tuple[str, ...]], tuple[AttributeName, ...]]:
    """Return what of a login that states several schools is of one, and the names of what is not.

    BRINs by the school that they name, the school's name when it is the registered one, mail and
    user name unless their domain is, or lies in, another school's. A class cannot be told from one
    of the other school, so it is kept back. The rest is the person's, at whichever school.

    Args:
        others: the other schools of `idp`.
    """
    own = [school, *others]

    def is_brin_of_school(brin: str) -> bool:
        return brin.upper() == school.brin or _schools_of_brin(brin.upper(), own) == {school.id}

    def is_address_of_school(address: str) -> bool:
        domains, of = _schools_by_domain(idp), None
        domain = fold_ascii(address.rpartition("@")[2])
        while domain and of is None:  # leerling.vuurvogel.example is of vuurvogel.example
            of, domain = domains.get(domain), domain.partition(".")[2]
        return of in (None, school.id)

    belongs: Mapping[AttributeName, Callable[[str], bool]] = {
        HOME_ORGANIZATION_ID: is_brin_of_school,
        BRANCH_ID: is_brin_of_school,
        HOME_ORGANIZATION: school.name.__eq__,
        UNIT: lambda _: False,
        MAIL: is_address_of_school,
        UID: is_address_of_school,
    }
    kept: dict[AttributeName, tuple[str, ...]] = {}
    for name, values in attributes.items():
        of_school = tuple(filter(belongs[name], values)) if name in belongs else values
        if of_school:
            kept[name] = of_school
    return kept, tuple(each for each in attributes if each not in kept)


def _registered_scopes(idp: SchoolIdp) -> set[str]:
    return {each.upper() for each in idp.scopes if each.isascii()}


def _stated_realms(attributes: Mapping[AttributeName, tuple[str, ...]]) -> set[str]:
    return _realms(attributes, UID) or _realms(attributes, MAIL)


def _realms(attributes: Mapping[AttributeName, tuple[str, ...]], name: AttributeName) -> set[str]:
    return {fold_ascii(each.rpartition("@")[2]) for each in attributes.get(name, ()) if "@" in each}
