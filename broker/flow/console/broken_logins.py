"""An administrator whose school's login is broken gets in by a link that two operators make.

The link works once, within a quarter of an hour, for one person who holds a role already; it gives
no role, and its session signs nothing. The school sees in its audit that it was made and used.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from broker.domain.console_roles import ConsoleUserId
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolIdpId
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.console.actors import Actor, ActorKind
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.console.console_refusals import InvitationOver, NotAllowed
from broker.flow.console.console_sessions import ConsoleSessions, OpenedSession
from broker.flow.console.person_codes import person_code
from broker.flow.console.places import Place, whose_matter
from broker.flow.console.role_book import GivenRole, NewLink, RoleBook
from broker.flow.console.session_record import ConsoleSession
from broker.flow.held_state.framing import MacKey, mac
from broker.flow.ports import Clock, Random
from broker.flow.random_texts import make_text

LINK_SECONDS = 15 * 60
CODE_BYTES = 32
_LINK = b"schuilnaam/console-link/v1"


@dataclass(frozen=True, slots=True)
class LinkPorts:
    """Where roles and links rest, and what makes codes."""

    roles: RoleBook
    key: MacKey = field(repr=False)
    audit: AuditLog
    clock: Clock
    random: Random


class BrokenLogins:
    """Makes links, and lets people in by them. Keeps nothing itself."""

    def __init__(self, ports: LinkPorts) -> None:
        self._ports = ports

    def find_person(self, given: Sequence[GivenRole], *, code: str) -> ConsoleUserId:
        """Return who goes by a code among those who hold a role at a place.

        Raises:
            NotAllowed: nobody does, or more than one.
        """
        found = {each.user for each in given if person_code(each.user) == code}
        if len(found) != 1:
            raise NotAllowed("check_one_person_by_code")
        return found.pop()

    async def make(self, actor: Actor, user: ConsoleUserId) -> str:
        """Return the code of a new link for somebody, as two operators want it.

        Raises:
            NotAllowed: they are not operators at the command line, or the person holds no role.
            RegistryUnreadable
        """
        ports, now = self._ports, self._ports.clock()
        if actor.kind is not ActorKind.OPERATOR:
            raise NotAllowed("check_operators_make_links")
        code = make_text(ports.random, CODE_BYTES)
        link = NewLink(self._locate(code), user, (actor.id,), now + timedelta(seconds=LINK_SECONDS))
        entries = self._entries("login-link-made", user, by=actor.id, kind=actor.kind, now=now)
        await ports.roles.keep_link(link, at=now, entries=entries)
        ports.audit.record(AuditEvent(action="console-link-made"))
        return code

    def check(self, unverified_code: str) -> None:
        """Look whether a link works still, for the page that asks to use it.

        Raises:
            InvitationOver, RegistryUnreadable
        """
        code = self._locate(unverified_code)
        if self._ports.roles.link_user(code, now=self._ports.clock()) is None:
            raise InvitationOver("check_link_waits")

    async def enter(
        self, unverified_code: str, *, sessions: ConsoleSessions, before: str
    ) -> OpenedSession:
        """Use a link up, and return a session of its person.

        Args:
            sessions: where it is opened.
            before: handle of the session that this browser had.

        Raises:
            InvitationOver, StoreUnavailable, RegistryUnreadable
            NotAllowed: the person holds no role any more.
        """
        ports, now, code = self._ports, self._ports.clock(), self._locate(unverified_code)
        user = ports.roles.link_user(code, now=now)
        if user is None:
            raise InvitationOver("check_link_waits")
        entries = self._entries("login-link-used", user, by=user, kind=ActorKind.PERSON, now=now)
        if await ports.roles.use_link(code, at=now, entries=entries) is None:
            raise InvitationOver("check_link_once")
        login = self._roles_of(user, now)[0].login
        session = ConsoleSession(
            user=user,
            login_kind=login.kind,
            login_place=login.place,
            idp=SchoolIdpId(""),
            logged_in_at=now,
            began_at=now,
            seen_at=now,
            by_link=True,
        )
        ports.audit.record(AuditEvent(action="console-link-used"))
        return await sessions.open(session, before=before)

    def _entries(
        self, action: str, user: ConsoleUserId, *, by: str, kind: ActorKind, now: datetime
    ) -> list[ConsoleEntry]:
        """Return an entry for each place at which the person holds a role: each sees it."""
        places = dict.fromkeys(
            Place(each.held.kind, each.held.place) for each in self._roles_of(user, now)
        )
        return [
            ConsoleEntry(
                at=now,
                actor=by,
                kind=kind,
                role=None,
                action=action,
                school=whose.school,
                board=whose.board,
                supplier=whose.supplier,
                after=f'{{"person":"{user}"}}',
            )
            for whose in map(whose_matter, places)
        ]

    def _roles_of(self, user: ConsoleUserId, now: datetime) -> tuple[GivenRole, ...]:
        today = day_of(now)
        found = self._ports.roles.roles_of(user)
        held = tuple(each for each in found if each.held.is_in_force(today))
        if not held:
            raise NotAllowed("check_person_holds_role")
        return held

    def _locate(self, code: str) -> bytes:
        return mac(self._ports.key, _LINK, code.encode("utf-8", "replace")[:200])
