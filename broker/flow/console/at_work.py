"""From a browser's session to who is at work: the roles in force, and whether they may sign now."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from broker.domain.assurance import covers
from broker.domain.console_roles import HeldRole, PlaceKind, Role
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.console.actors import Actor, ActorKind
from broker.flow.console.console_sessions import ConsoleSessions
from broker.flow.console.role_book import RoleBook
from broker.flow.console.session_record import ConsoleSession
from broker.flow.ports import Clock, Snapshots


@dataclass(frozen=True, slots=True)
class SigningRules:
    """Which login is sure and new enough for signing.

    Attributes:
        levels: of `assurance.ACR_VALUES`; one that the login covers is enough.
        seconds: since a login that the school was made to ask for.
    """

    levels: tuple[str, ...]
    seconds: int = 15 * 60

    def is_enough(self, level: str) -> bool:
        """Tell whether a level is sure enough."""
        return any(covers(level, each) for each in self.levels)


@dataclass(frozen=True, slots=True)
class AtWork:
    """Somebody who is at work, with the session; `handle` is the text of what opens it."""

    actor: Actor
    session: ConsoleSession
    handle: str = field(repr=False)


class ConsoleDesk:
    """Finds who is at work. Keeps nothing."""

    def __init__(
        self,
        *,
        sessions: ConsoleSessions,
        roles: RoleBook,
        signing: SigningRules,
        snapshots: Snapshots,
        clock: Clock,
    ) -> None:
        self.sessions = sessions
        self.signing = signing
        self._roles = roles
        self._snapshots = snapshots
        self._clock = clock

    async def find(self, unverified_handle: str) -> AtWork | None:
        """Return who is at work in a browser; None when nobody is, or not any more.

        Raises:
            StoreUnavailable, RegistryUnreadable
        """
        opened = await self.sessions.find(unverified_handle, now=self._clock())
        if opened is None or not self._is_open(opened.session):
            return None
        return AtWork(self.seat(opened.session), opened.session, opened.handle.text)

    def _is_open(self, session: ConsoleSession) -> bool:
        """Tell whether neither the place nor the login was switched off since somebody came in."""
        registry, place = self._snapshots.registry, session.login_place
        idp = registry.idps.get(session.idp)
        if not session.by_link and (idp is None or not idp.enabled):
            return False
        at = {
            PlaceKind.SCHOOL: registry.schools.get(SchoolId(place)),
            PlaceKind.SUPPLIER: registry.suppliers.get(SupplierId(place)),
        }
        if session.login_kind not in at:
            return True  # the federation itself
        there = at[session.login_kind]
        return there is not None and there.enabled

    def seat(self, session: ConsoleSession) -> Actor:
        """Return who a session is of, with the roles that they hold now.

        Raises:
            RegistryUnreadable
        """
        today = day_of(self._clock())
        given = (each.held for each in self._roles.roles_of(session.user))
        held = tuple(each for each in given if each.is_in_force(today))
        if session.login_kind is PlaceKind.SCHOOL:
            held += (HeldRole(Role.TEACHER, PlaceKind.SCHOOL, session.login_place),)
        return Actor(
            id=session.user,
            kind=ActorKind.PERSON,
            held=held,
            since=session.logged_in_at,
            groups=session.groups,
            level=session.level,
            also=frozenset(session.also),
            may_sign_until=self._may_sign_until(session),
        )

    def _may_sign_until(self, session: ConsoleSession) -> datetime | None:
        is_sure = self.signing.is_enough(session.level) and not session.by_link
        if session.forced_at is None or not is_sure:
            return None
        return session.forced_at + timedelta(seconds=self.signing.seconds)
