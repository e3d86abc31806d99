"""The parameter `claims` (OIDC Core 5.5) and `acr_values`: what a request asks to be told, where.

It can narrow what a school's decision releases, and place it: in the ID token, in userinfo, or in
both. It never widens. Where `claims` names attributes, those alone go out, with the ones of the
scopes `profile` and `email`; where it names none, all that the decision releases stands in both.
Wanted values count for `sub` and `acr` alone: which name a pupil has is not a supplier's to say.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Protocol

import msgspec

from broker.domain.assurance import ACR_VALUES, choose_level, covers
from broker.domain.attributes import VOCABULARY
from broker.domain.refusals import Refusal, WhoseTask
from broker.oidc_op.grants import Claims

_SCOPES = {
    # OIDC Core 5.4
    "profile": (
        *("name", "family_name", "given_name", "middle_name", "nickname", "preferred_username"),
        *("profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale"),
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "address": ("address",),
}
_OURS = frozenset(each.claim for each in VOCABULARY.values())

CLAIMS_OF_SCOPE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        scope: tuple(each for each in claims if each in _OURS)
        for scope, claims in _SCOPES.items()
        if not _OURS.isdisjoint(claims)
    }
)
"""The scopes that name something of ours, with those claims."""


class PersonNotExpected(Refusal):
    """OIDC Core 5.5.1: `sub` was asked with a value, and who logs in is somebody else."""

    code = "E-OIDC-31"
    whose_task = WhoseTask.PUPIL
    what = "The learning material expects somebody else than who logged in at school."
    remedy = "Log out at the material first, or let the other one log in."
    may_redirect = True
    oauth_error = "login_required"
    saml_status = "AuthnFailed"


class AcrNotMet(Refusal):
    """OIDC Core 5.5.1.1: a level was essential, and this login does not have it."""

    code = "E-OIDC-32"
    whose_task = WhoseTask.SCHOOL
    what = "This material asks for a safer way of logging in than your school's login has."
    remedy = "Please ask your school."
    http_status = 403
    may_redirect = True
    oauth_error = "unmet_authentication_requirements"
    saml_status = "NoAuthnContext"


class ClaimsUnreadable(Exception):  # noqa: N818 -- the caller says it as a refusal
    """Not what OIDC Core 5.5 describes. Shows no content."""


class AskedClaims(msgspec.Struct, frozen=True, kw_only=True):
    """By claim name, what may stand where; nothing else that was released goes out."""

    in_id_token: tuple[str, ...] = ()
    in_userinfo: tuple[str, ...] = ()


class AskedAcr(msgspec.Struct, frozen=True, kw_only=True):
    """A level of the login is asked.

    Attributes:
        levels: those that we know, in order of preference.
        essential: one of `levels`, or no login.
        at_school: whether the school's login is asked for it; not again once it said that it has
            none of them, and the supplier does without.
    """

    levels: tuple[str, ...] = ()
    essential: bool = False
    at_school: bool = True


class _Member(msgspec.Struct, frozen=True):
    """OIDC Core 5.5.1; members that we do not know are ignored, as it says."""

    essential: bool = False
    one: object = msgspec.field(default=None, name="value")
    any_of: tuple[object, ...] = msgspec.field(default=(), name="values")

    def wanted(self) -> tuple[str, ...] | None:
        """Return which texts are asked; None is any.

        Raises:
            ClaimsUnreadable: one that is no text.
        """
        wanted = self.any_of if self.one is None else (self.one, *self.any_of)
        texts = tuple(each for each in wanted if isinstance(each, str))
        if len(texts) != len(wanted):
            raise ClaimsUnreadable
        return texts or None


class ClaimsParameter(msgspec.Struct, frozen=True):
    """What `claims` holds. Made by `read_claims_parameter`."""

    of_id_token: dict[str, _Member | None] | None = msgspec.field(default=None, name="id_token")
    of_userinfo: dict[str, _Member | None] | None = msgspec.field(default=None, name="userinfo")

    def __repr__(self) -> str:
        return "ClaimsParameter(...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return []

    def find(self, name: str) -> _Member | None:
        """Return how the ID token's claim `name` is asked; None where it is not."""
        wanted = self.of_id_token or {}
        return (wanted[name] or _Member()) if name in wanted else None


NO_CLAIMS = ClaimsParameter()


class AsksLevel(Protocol):
    """A request, or what is left of it, that may want a level of the login."""

    @property
    def acr(self) -> AskedAcr | None: ...


class Asked(AsksLevel, Protocol):
    """What is looked at of a checked request."""

    @property
    def asked_claims(self) -> AskedClaims | None: ...
    @property
    def expected_subs(self) -> tuple[str, ...] | None: ...


def read_claims_parameter(text: str | None) -> ClaimsParameter:
    """Read `claims`; None asks nothing.

    Raises:
        ClaimsUnreadable: no JSON object, or a member of a wrong type.

    >>> read_claims_parameter('{"userinfo": {"email": null}}').of_userinfo
    {'email': None}
    """
    if text is None:
        return NO_CLAIMS
    try:
        found = msgspec.json.decode(text, type=ClaimsParameter)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise ClaimsUnreadable from None
    for name in ("acr", "sub"):
        for members in (found.of_id_token, found.of_userinfo):
            ((members or {}).get(name) or _Member()).wanted()
    return found


def find_asked_claims(
    asked: ClaimsParameter, *, scopes: Collection[str], known: Collection[str]
) -> AskedClaims | None:
    """Return what may stand where; None when all that is released stands in both.

    Args:
        scopes: of the request.
        known: names of attributes in the client's claim profile.
    """
    id_token = _names(asked.of_id_token) & set(known)
    userinfo = _names(asked.of_userinfo) & set(known)
    if not (id_token or userinfo):
        return None
    for scope in scopes:
        userinfo |= set(CLAIMS_OF_SCOPE.get(scope, ())) & set(known)
    return AskedClaims(in_id_token=tuple(sorted(id_token)), in_userinfo=tuple(sorted(userinfo)))


def _names(members: Mapping[str, object] | None) -> set[str]:
    """OIDC Core 5.2: a name may carry a language, `given_name#fy`; we have each in one only."""
    return {each.partition("#")[0] for each in members or ()}


def find_asked_acr(asked: ClaimsParameter, acr_values: tuple[str, ...]) -> AskedAcr | None:
    """Return which levels are wanted; None when none was asked for.

    Args:
        acr_values: without the hints of schools. Voluntary (OIDC Core 3.1.2.1).

    >>> find_asked_acr(NO_CLAIMS, ("urn:example:gold",))
    AskedAcr(levels=(), essential=False, at_school=True)
    """
    member = asked.find("acr")
    if member is None and not acr_values:
        return None
    wanted = None if member is None else member.wanted()
    return AskedAcr(
        levels=tuple(each for each in dict.fromkeys(wanted or acr_values) if each in ACR_VALUES),
        essential=wanted is not None and member is not None and member.essential,
    )


def find_expected_subs(asked: ClaimsParameter) -> tuple[str, ...] | None:
    """Return which pseudonyms are accepted; None is anybody's, and () nobody's."""
    expected: tuple[str, ...] | None = None
    for members in (asked.of_id_token, asked.of_userinfo):
        wanted = ((members or {}).get("sub") or _Member()).wanted()
        if wanted is not None:
            both = expected if expected is not None else wanted
            expected = tuple(each for each in both if each in wanted)
    return expected


def check_acr_met(request: AsksLevel, level: str) -> str:
    """Return which level to tell; "" for none, because none was asked for or known.

    Args:
        level: of the login (`assurance.read_level`).

    Raises:
        AcrNotMet: an essential one is not there.
    """
    if request.acr is None:
        return ""
    told = choose_level(level, wanted=request.acr.levels)
    if request.acr.essential and not any(covers(level, each) for each in request.acr.levels):
        raise AcrNotMet("check_acr_met")
    return told


def check_person_expected(request: Asked, subs: Collection[str]) -> None:
    """Refuse when the request names other people only.

    Args:
        subs: all names by which this supplier knows who logged in: `sub` and `previous_sub`.

    Raises:
        PersonNotExpected
    """
    expected = request.expected_subs
    if expected is not None and not set(expected) & set(subs):
        raise PersonNotExpected("check_person_expected")


def place_claims(asked: AskedClaims | None, claims: Claims) -> tuple[Claims, Claims]:
    """Return what of the released claims stands in the ID token, and what in userinfo."""
    if asked is None:
        return claims, claims
    return (
        {name: each for name, each in claims.items() if name in asked.in_id_token},
        {name: each for name, each in claims.items() if name in asked.in_userinfo},
    )
