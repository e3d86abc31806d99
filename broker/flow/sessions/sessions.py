"""The session of one browser: begun by a login at school, found by its handle, ended for good.

No trip to the login store is its own in a login: what is kept rides along with the put that the
login makes anyway. The end is a tombstone, which no later put replaces.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from broker.domain.attributes import (
    AFFILIATION,
    BRANCH_ID,
    ECK_ID,
    GIVEN_NAME,
    HOME_ORGANIZATION_ID,
    MAIL,
    UID,
    UNIT,
    AttributeName,
)
from broker.domain.federation import School, SchoolFrom, SingleSignOn
from broker.domain.identity import StatedLogin
from broker.domain.ids import RelyingPartyId, SchoolId, SchoolIdpId, SupplierId
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement
from broker.flow.answers import BrowserSession
from broker.flow.following.trail import LoginId
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import Absent, Put
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.sessions.session_records import (
    PARTICIPATION,
    SESSION,
    SESSION_AT_SCHOOL,
    STANDING,
    TOLD_LOGIN,
    HeldSession,
    NamedSession,
    ParticipationRecord,
    SchoolSessionRecord,
    SessionRecord,
    StandingRecord,
    ToldLoginRecord,
)

NEEDED = frozenset({ECK_ID, AFFILIATION, HOME_ORGANIZATION_ID, BRANCH_ID, GIVEN_NAME})
"""What the rules on schools and persons read of every login, and the name that pages show."""

_NAME_CHARACTERS = 22  # as of a login's state: 128 bits


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """How long things live, whatever happens.

    Attributes:
        seconds: that a session answers suppliers.
        logout_seconds: that its end reaches a relying party, from the release to it on.
    """

    seconds: int = 60 * 60
    logout_seconds: int = 4 * 60 * 60


@dataclass(frozen=True, slots=True)
class SessionInHand:
    """The session of a login in hand, and what must be put for it with the next write."""

    held: HeldSession
    puts: tuple[Put, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Part:
    """One relying party's part in a session.

    Attributes:
        sid: what it is told: 43 characters and perhaps a letter; another one at each party.
        reach_seconds: for so long a logout finds it.
    """

    sid: str = field(repr=False)
    puts: tuple[Put, ...] = field(repr=False)
    reach_seconds: int


@dataclass(frozen=True, slots=True)
class _Approved:
    registry: Registry
    day: date
    names: frozenset[AttributeName]


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, state: SealedState, *, times: SessionTimes) -> None:
        self._state = state
        self._times = times
        self._approved: dict[SchoolId, _Approved] = {}

    def begin(
        self,
        stated: StatedLogin,
        *,
        school: SchoolId,
        registry: Registry,
        today: date,
        now: datetime,
        named: NamedSession | None = None,
    ) -> SessionInHand | None:
        """Return a new session of a login; None where one of its schools wants none.

        Args:
            school: the one that was clicked.
            named: how the school's login knows it, where that wants to be told of its end.

        Raises:
            StoreUnavailable: the login states more than the store keeps.
        """
        schools = [registry.schools[each] for each in stated.schools]
        if any(each.single_sign_on is SingleSignOn.OFF for each in schools):
            return None
        record = SessionRecord(
            idp=stated.login.idp.id,
            school=school,
            schools=stated.schools,
            attributes=self._keep(stated, schools, registry=registry, today=today),
            authenticated_at=stated.login.authenticated_at,
            acr=stated.login.acr,
            began_at=now,
        )
        with store_in_words():
            handle, put = self._state.seal(SESSION, record, ttl_seconds=self._times.seconds)
            puts = (put, *self._name_at_school(handle, record.idp, named))
        return SessionInHand(HeldSession(handle=handle.text, is_new=True), puts)

    def _name_at_school(
        self, session: Handle, idp: SchoolIdpId, named: NamedSession | None
    ) -> tuple[Put, ...]:
        if named is None:
            return ()
        return (
            self._state.seal_under(
                at_school_of(self._state, self._standing_of(session)),
                SESSION_AT_SCHOOL,
                SchoolSessionRecord(idp=idp, named=named),
                ttl_seconds=self._times.seconds + self._times.logout_seconds,
            ),
        )

    async def find(self, unverified_handle: str) -> tuple[Handle, SessionRecord] | None:
        """Return what a browser's handle opens; None when it opens no session that goes on.

        Raises:
            StoreUnavailable
        """
        try:
            with store_in_words(known=(Absent,)):
                handle = parse_handle(unverified_handle)
                return handle, await self._state.get(SESSION, handle)
        except Absent:
            return None

    def take_part(
        self,
        held: HeldSession,
        *,
        login: LoginId,
        relying_party: RelyingPartyId,
        supplier: SupplierId,
        subject: str,
        idp: SchoolIdpId,
        name_format: str = "",
        told: datetime | None = None,
    ) -> Part:
        """Return a relying party's part, to be put with what is released to it.

        Args:
            name_format: of the NameID that names the subject to it; "" for OpenID Connect.
            told: as when the login took place, if that is told; `find_told` finds it again.

        The put raises `TakenBefore` when the session was ended meanwhile.
        """
        session = parse_handle(held.handle)
        standing = self._standing_of(session)
        sid, seconds = self._part_of(standing, relying_party), self._times.logout_seconds
        place = self._state.locate(SESSION, session)
        stands = StandingRecord(session=place, idp=idp)
        part = ParticipationRecord(
            login=login,
            session=place,
            relying_party=relying_party,
            supplier=supplier,
            subject=subject,
            name_format=name_format,
        )
        puts = [
            self._state.seal_under(standing, STANDING, stands, ttl_seconds=seconds),
            self._state.seal_under(sid, PARTICIPATION, part, ttl_seconds=seconds),
        ]
        if told is not None:
            puts.append(
                self._state.seal_under(
                    self._told_of(sid),
                    TOLD_LOGIN,
                    ToldLoginRecord(moment=told),
                    ttl_seconds=self._times.seconds,
                )
            )
        return Part(sid.text, tuple(puts), seconds)

    async def find_told(self, session: Handle, relying_party: RelyingPartyId) -> datetime | None:
        """Return when a relying party was told before that the login took place; None: never.

        Raises:
            StoreUnavailable
        """
        sid = self._part_of(self._standing_of(session), relying_party)
        try:
            with store_in_words(known=(Absent,)):
                return (await self._state.get(TOLD_LOGIN, self._told_of(sid))).moment
        except Absent:
            return None

    async def takes_part(self, session: Handle, relying_party: RelyingPartyId) -> bool:
        """Tell whether something was released to a relying party in this session.

        Raises:
            StoreUnavailable
        """
        sid = self._part_of(self._standing_of(session), relying_party)
        return not await self.has_ended(sid.text)

    async def has_ended(self, sid: str) -> bool:
        """Tell whether a relying party's part in a session is over: logged out, or too long ago.

        Raises:
            StoreUnavailable: nobody can tell; then it counts as ended.
        """
        try:
            with store_in_words(known=(Absent,)):
                await self._state.get(PARTICIPATION, parse_handle(sid))
        except Absent:
            return True
        return False

    async def drop(self, held: HeldSession) -> None:
        """End a session in which its person said "that is not me"; nobody is told.

        Raises:
            StoreUnavailable
        """
        session = parse_handle(held.handle)
        with store_in_words():
            await self._state.end(
                self._state.locate(SESSION, session),
                self._state.locate(STANDING, self._standing_of(session)),
                tombstone_ttl_seconds=SESSION.tombstone_ttl_seconds,
            )

    def for_browser(self, held: HeldSession | None) -> BrowserSession | None:
        """Return what the browser of a login gets; None when it has it already, or none is."""
        if held is None or not held.is_new:
            return None
        session = parse_handle(held.handle)
        name = self._state.derive_handle(session, "session-name").text[:_NAME_CHARACTERS]
        return BrowserSession(name, session, self._standing_of(session))

    def _standing_of(self, session: Handle) -> Handle:
        return self._state.derive_handle(session, "session-standing")

    def _told_of(self, sid: Handle) -> Handle:
        return self._state.derive_handle(sid, "told-login")

    def _part_of(self, standing: Handle, relying_party: RelyingPartyId) -> Handle:
        return part_of(self._state, standing, relying_party)

    def _keep(
        self, stated: StatedLogin, schools: list[School], *, registry: Registry, today: date
    ) -> dict[str, tuple[str, ...]]:
        """Return what the next supplier may need of a login: nobody else's approval is kept for."""
        idp = stated.login.idp
        names = {idp.identifier, *NEEDED}
        names.update({UID, MAIL} if idp.school_from is SchoolFrom.DOMAIN else ())
        for school in schools:
            names |= self._find_approved(school, registry=registry, today=today)
            if registry.step_in_force(school.id, today=today) is not None:
                names.add(UNIT)  # by class, pupils go to another login
        return keep_named(stated.login.attributes, idp.attributes, names, idp.login_identifier)

    def _find_approved(
        self, school: School, *, registry: Registry, today: date
    ) -> frozenset[AttributeName]:
        """Return what a school approved for anybody; looked up once for a registry and day."""
        known = self._approved.get(school.id)
        if known is not None and known.registry is registry and known.day == today:
            return known.names
        found = (find_agreement(registry, school, each, today) for each in registry.suppliers)
        agreed = [each.agreement for each in found if each is not None]
        names = frozenset(name for each in agreed for name in each.approved_of_anybody)
        if any(each.group_rules for each in agreed):
            names |= {UNIT}  # by it, other attributes go out
        self._approved[school.id] = _Approved(registry, today, names)
        return names


def part_of(state: SealedState, standing: Handle, relying_party: RelyingPartyId) -> Handle:
    """Return a relying party's handle in a session: its `sid`."""
    return state.derive_handle(standing, f"sid/{relying_party}")


def at_school_of(state: SealedState, standing: Handle) -> Handle:
    """Return by what is found how the school's login knows a session."""
    return state.derive_handle(standing, "at-school")


def keep_named(
    attributes: Mapping[str, tuple[str, ...]],
    meanings: Mapping[str, str],
    names: set[AttributeName],
    login_identifier: str | None,
) -> dict[str, tuple[str, ...]]:
    """Return those incoming attributes that mean one of the names.

    >>> keep_named({"gn": ("Noor",), "sn": ("Visser",)}, {"gn": "givenName"}, {GIVEN_NAME}, None)
    {'gn': ('Noor',)}
    """
    return {
        incoming: values
        for incoming, values in attributes.items()
        if meanings.get(incoming) in names or incoming == login_identifier
    }
