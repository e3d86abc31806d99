"""An ELO announces the school of the pupil before it, so that nobody has to choose one here.

It sends the browser to us with a token that only it can make, and the browser goes on to a page
that the document of the ELO's login registers. Nobody is logged in by it, nothing is released, and
it names no person: a token with more in it than the school is refused.

A token counts once, and for two minutes. Who gets hold of a fresh one, or has an account at the
ELO, can send another browser here with it. All that this does there is that the chooser is skipped:
the school's own login asks who it is, and the page between names whose login it is where devices
are shared.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from broker.domain.announcing import Announcing
from broker.domain.federation import School, SchoolIdp
from broker.domain.ids import SchoolIdpId
from broker.domain.registry import Registry
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.client_login import UsedOnce
from broker.flow.first_party.announcement_checks import (
    ANNOUNCEMENT_CHECKS,
    MAX_LIFE_SECONDS,
    SKEW_SECONDS,
    AnnouncedSchoolForeign,
    AnnouncementClaims,
    AnnouncementInvalid,
    AnnouncementKeyMissing,
    AnnouncementUsed,
    AnnouncerUnknown,
    ExpectedAnnouncement,
)
from broker.flow.following.trail import current_trail
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import Clock, Snapshots
from broker.flow.refusals import SchoolNotOpen
from broker.flow.tokens.claimed_once import claim_once
from broker.jose.encrypted_tokens import open_encrypted_token, read_shared_key
from broker.jose.tokens import TokenRefused
from broker.oidc_op.client_secrets import hash_client_secret

ANNOUNCEMENT_TYPE = "school-announcement+jwt"
ANNOUNCEMENT_JTI = "announcement-jti"
"""Kind of one-shot value."""

ReadKeys = Callable[[SchoolIdpId], Sequence[str]]
"""Returns the keys in the folder of keys that a login may announce with, as they are written."""


@dataclass(frozen=True, slots=True)
class AnnouncedSchool:
    """What a browser keeps, and where it goes on."""

    idp: SchoolIdp
    school: School
    url: str = field(repr=False)


class SchoolAnnouncements:
    """Reads what ELOs announce. Keeps nothing but that a token was used."""

    def __init__(
        self,
        *,
        issuer: str,
        snapshots: Snapshots,
        state: SealedState,
        read_keys: ReadKeys,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._snapshots = snapshots
        self._state = state
        self._read_keys = read_keys
        self._audit = audit
        self._clock = clock

    async def take(self, *, unverified_by: str, token: str) -> AnnouncedSchool:
        """Return which school is announced, and use the token up.

        Args:
            unverified_by: id of the login by which the ELO is known, from the address.

        Raises:
            Refusal: of the classes above, or the school is not open; `StoreUnavailable`.
        """
        registry, now = self._snapshots.registry, self._clock()
        idp, announcing = find_announcer(registry, unverified_by)
        current_trail().idp = idp.id
        claims = self._open(token, idp, announcing)
        expected = ExpectedAnnouncement(idp, announcing, self._issuer, now.timestamp())
        for check in ANNOUNCEMENT_CHECKS:
            check(claims, expected)
        school = find_announced_school(registry, idp, claims.school)
        await claim_once(self._used(claims, idp, now), state=self._state)
        self._audit.record(AuditEvent(action="school-announced", idp=idp.id, school=school.id))
        return AnnouncedSchool(idp, school, claims.return_to)

    def _open(self, token: str, idp: SchoolIdp, announcing: Announcing) -> AnnouncementClaims:
        keys = find_registered_keys(announcing, self._read_keys(idp.id))
        if not keys:
            raise AnnouncementKeyMissing("check_announcement_key_here")
        try:
            octets = open_encrypted_token(token, keys=keys, typ=ANNOUNCEMENT_TYPE)
        except TokenRefused as refused:
            raise AnnouncementInvalid(refused.check) from None
        try:
            return msgspec.json.decode(octets, type=AnnouncementClaims)
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
            raise AnnouncementInvalid("check_announcement_readable") from None

    def _used(self, claims: AnnouncementClaims, idp: SchoolIdp, now: datetime) -> UsedOnce:
        left_seconds = int(claims.exp + SKEW_SECONDS - now.timestamp()) + 1
        made = self._state.claims_for(
            ANNOUNCEMENT_JTI,
            issuer=idp.id,
            value=claims.jti,
            ttl_seconds=left_seconds,
            made_within=timedelta(seconds=MAX_LIFE_SECONDS + 2 * SKEW_SECONDS),
        )
        return UsedOnce(made, ((AnnouncementUsed, "check_announcement_once"),) * len(made))


def find_registered_keys(announcing: Announcing, written: Sequence[str]) -> list[bytes]:
    """Return the keys that count: those of which the document has the hash."""
    registered = (each for each in written if hash_client_secret(each) in announcing.key_hashes)
    return [key for key in map(read_shared_key, registered) if key is not None]


def find_announcer(registry: Registry, unverified_id: str) -> tuple[SchoolIdp, Announcing]:
    """Return a login that may announce.

    Raises:
        AnnouncerUnknown
    """
    idp = registry.idps.get(SchoolIdpId(unverified_id))
    if idp is None or not idp.enabled or idp.announcing is None:
        raise AnnouncerUnknown("check_announcer_registered")
    return idp, idp.announcing


def find_announced_school(registry: Registry, idp: SchoolIdp, named: str) -> School:
    """Return the one school of a login that an announcement names.

    Args:
        named: id, BRIN4 or BRIN6; a BRIN4 that several of its schools share names none.

    Raises:
        AnnouncedSchoolForeign
        SchoolNotOpen: it is switched off, or in another state than the login.
    """
    listed = [registry.schools[each] for each in idp.schools]
    meant = [
        each for each in listed if named == each.id or named.upper() in (each.brin, each.branch)
    ]
    if len(meant) != 1:
        raise AnnouncedSchoolForeign("check_announced_school_listed")
    (school,) = meant
    if not school.enabled or school.state is not idp.state:
        raise SchoolNotOpen("check_school_enabled")
    return school
