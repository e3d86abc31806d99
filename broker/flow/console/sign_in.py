"""Signing in: from somebody who logged in at a school, a supplier or the federation to a session.

Any employee may be signed in; what they may then is decided by the roles that they hold. A session
says who it is by a keyed hash of where they log in and by which lasting number, so a changed login
of the school changes nobody, and nothing that is kept tells a name.
"""

from dataclasses import dataclass, field

from broker.domain.attributes import AttributeName, Population
from broker.domain.console_roles import ConsoleUserId, LoginPlace, PlaceKind
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.console.console_sessions import ConsoleSessions, OpenedSession
from broker.flow.console.session_record import ConsoleSession
from broker.flow.held_state.framing import MacKey, mac
from broker.flow.own_logins.own_logins import OwnLoginResult
from broker.flow.ports import Snapshots

USER_ID_BYTES = 16
GROUPS = AttributeName("nlEduPersonUnit")


class NoEmployee(Refusal):
    """A pupil, or nobody of whom the login says that they work there."""

    code = "E-CONSOLE-4"
    whose_task = WhoseTask.SCHOOL
    what = "These pages are for people who work at the school or the supplier."
    remedy = "Log in with your account of work. It must state that you are an employee."
    http_status = 403


@dataclass(frozen=True, slots=True)
class SignInPorts:
    """What signing in works with; `key` is of the register, and never rotates."""

    snapshots: Snapshots
    sessions: ConsoleSessions
    key: MacKey = field(repr=False)
    audit: AuditLog


class SignIn:
    """Makes sessions of logins. Keeps nothing."""

    def __init__(self, ports: SignInPorts) -> None:
        self._ports = ports

    async def sign_in(self, result: OwnLoginResult, *, before: str) -> OpenedSession:
        """Return a new session, under a new handle; that of before in this browser ends.

        Raises:
            NoEmployee, StoreUnavailable
        """
        user = self.identify(result)
        identity = result.identity
        groups = () if identity is None else identity.attributes.get(GROUPS, ())
        session = ConsoleSession(
            user=user,
            login_kind=result.place.kind,
            login_place=result.place.place,
            idp=result.idp.id,
            first_name=result.first_name,
            groups=tuple(groups),
            level=result.level,
            logged_in_at=result.at,
            forced_at=result.at if result.is_forced else None,
            began_at=result.at,
            seen_at=result.at,
            also=self._also(result),
        )
        opened = await self._ports.sessions.open(session, before=before)
        school = None if result.school is None else result.school.id
        self._ports.audit.record(
            AuditEvent(action="console-signed-in", school=school, idp=result.idp.id)
        )
        return opened

    def identify(self, result: OwnLoginResult) -> ConsoleUserId:
        """Return who this is in the console.

        Raises:
            NoEmployee
        """
        if result.population is not Population.STAFF or result.identifier is None:
            raise NoEmployee("check_employee")
        return derive_user(result.place, result.identifier, key=self._ports.key)

    def _also(self, result: OwnLoginResult) -> tuple[ConsoleUserId, ...]:
        """Return as whom this account comes in at other schools of the board by the same login.

        Somebody who works at two of them holds two ids, and four eyes are still two persons'.
        """
        school, number = result.school, result.identifier
        if school is None or number is None:
            return ()
        registry, key = self._ports.snapshots.registry, self._ports.key
        others = (registry.schools.get(each) for each in result.idp.schools)
        return tuple(
            derive_user(LoginPlace(PlaceKind.SCHOOL, each.id), number, key=key)
            for each in others
            if each is not None and each.board == school.board and each.id != school.id
        )


def derive_user(place: LoginPlace, identifier: str, *, key: MacKey) -> ConsoleUserId:
    """Return who somebody is in the console: 32 hexadecimal digits."""
    label = b"schuilnaam/console-user/v1"
    return ConsoleUserId(mac(key, label, place.kind, place.place, identifier)[:USER_ID_BYTES].hex())
