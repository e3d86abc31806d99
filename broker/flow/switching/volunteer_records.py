"""What is kept of a volunteer between the two logins of a rehearsal. All of it sealed."""

from datetime import datetime

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.flow.at_school import NothingAsked
from broker.flow.following.trail import LoginId
from broker.flow.held_state.sealed_state import SealedRecord, StateKind
from broker.flow.persons.person_records import Presented, as_root

VOLUNTEER_TTL_SECONDS = 30 * 60  # as of a login


class ByOldLogin(SealedRecord, frozen=True, kw_only=True):
    """What the old login stated of a volunteer: roots, never the values.

    Attributes:
        refused: such a login is refused today.
    """

    refused: bool = False
    population: Population = Population.PUPIL
    eck_root: bytes | None = None
    local_root: bytes | None = None


class VolunteerAtSchool(SealedRecord, frozen=True, kw_only=True):
    """A volunteer who was sent to one of the two logins; fields as of `PendingLogin`.

    Attributes:
        before: None while at the old login.
    """

    login: LoginId
    school: SchoolId
    from_idp: SchoolIdpId
    to_idp: SchoolIdpId
    request: NothingAsked = NothingAsked()
    request_id: str
    nonce: str = ""
    code_verifier: str = ""
    sent_at: datetime
    force_login: bool = False
    before: ByOldLogin | None = None


class VolunteerBetween(SealedRecord, frozen=True, kw_only=True):
    """A volunteer between the old login and the new one."""

    login: LoginId
    school: SchoolId
    from_idp: SchoolIdpId
    to_idp: SchoolIdpId
    before: ByOldLogin


AT_SCHOOL = StateKind(
    name="volunteer-at-school",
    version=1,
    struct=VolunteerAtSchool,
    ttl_seconds=VOLUNTEER_TTL_SECONDS,
    tombstone_ttl_seconds=VOLUNTEER_TTL_SECONDS,
)
BETWEEN = StateKind(
    name="volunteer-between",
    version=1,
    struct=VolunteerBetween,
    ttl_seconds=VOLUNTEER_TTL_SECONDS,
    tombstone_ttl_seconds=VOLUNTEER_TTL_SECONDS,
)


def keep_presented(presented: Presented | None) -> ByOldLogin:
    """Return what is kept of what the old login stated; None: such a login is refused."""
    if presented is None:
        return ByOldLogin(refused=True)
    return ByOldLogin(
        population=presented.population,
        eck_root=presented.eck_id,
        local_root=presented.local,
    )


def present_kept(kept: ByOldLogin) -> Presented | None:
    """Return what `keep_presented` kept."""
    if kept.refused:
        return None
    eck, local = kept.eck_root, kept.local_root
    return Presented(
        population=kept.population,
        eck_id=None if eck is None else as_root(eck),
        local=None if local is None else as_root(local),
    )
