"""People of the console: who invites whom to which role, until when, and who takes it away.

    look     who holds a role at a place, and which invitations wait there
    invite   -> a one-time code, shown once; of it a keyed hash is kept
    read     what an invitation is, for who was given its code
    accept   somebody logged in at the right place: the roles are theirs
    withdraw, take_back   a role or an invitation is gone at once

Every change stands in the audit, in the transaction of the change.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from broker.domain.console_roles import (
    ENDS,
    INVITES,
    PLACES,
    ConsoleUserId,
    LoginPlace,
    Permission,
    PlaceKind,
    Role,
)
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.console.actors import Actor, ActorKind
from broker.flow.console.console_audit import ConsoleEntry, entry_of
from broker.flow.console.console_refusals import (
    InvitationOver,
    InvitationUnfit,
    InvitedElsewhere,
    NotAllowed,
)
from broker.flow.console.people_records import InvitationMade, InvitationWish, PeopleView
from broker.flow.console.places import Place, check_at, whose_matter
from broker.flow.console.role_book import Invitation, NewInvitation, NewRole, RoleBook
from broker.flow.held_state.framing import MacKey, mac
from broker.flow.ports import Clock, Random, Snapshots
from broker.flow.random_texts import make_text

CODE_BYTES = 32
MAX_PLACES = 50
_INVITATION = b"schuilnaam/console-invitation/v1"


@dataclass(frozen=True, slots=True)
class PeoplePorts:
    """Where roles rest, and what makes and finds codes."""

    snapshots: Snapshots
    roles: RoleBook
    key: MacKey = field(repr=False)
    audit: AuditLog
    clock: Clock
    random: Random
    invitation_days: int


class PeopleDesk:
    """Invites, and takes away. Keeps nothing itself."""

    def __init__(self, ports: PeoplePorts) -> None:
        self._ports = ports

    def look(self, actor: Actor, place: Place) -> PeopleView:
        """Return who holds a role at a place, and what waits there.

        Raises:
            NotAllowed, RegistryUnreadable
        """
        self._check(actor, Permission.SEE_PEOPLE, place)
        roles, whose = self._ports.roles, whose_matter(place)
        schools = () if whose.school is None else (whose.school,)
        supplier = whose.supplier or ""
        waiting = roles.waiting_at(schools=schools, board=whose.board, supplier=supplier)
        return PeopleView(
            place,
            roles.roles_at(schools=schools, board=whose.board, supplier=supplier),
            tuple(each for each in waiting if each.expires_at > self._ports.clock()),
            tuple(each for each in Role if self._inviter(actor, each, place) is not None),
        )

    async def invite(self, actor: Actor, wish: InvitationWish) -> InvitationMade:
        """Make an invitation and return it with its code.

        Raises:
            NotAllowed: there is no such place, or the actor may not invite to this role there.
            InvitationUnfit, RegistryUnreadable
        """
        places = self._places_of(wish)
        roles = [self._inviter(actor, wish.role, each) for each in places]
        by = roles[0]
        if by is None or None in roles:
            raise NotAllowed("check_may_invite")
        return await self._invite(actor, by, wish, places)

    async def invite_by_two(self, actor: Actor, wish: InvitationWish) -> InvitationMade:
        """Make the invitation that two operators want; theirs may be to the first of any role.

        Raises:
            NotAllowed: they are not operators at the command line, or there is no such place.
            InvitationUnfit, RegistryUnreadable
        """
        if actor.kind is not ActorKind.OPERATOR:
            raise NotAllowed("check_operators_invite")
        return await self._invite(actor, Role.OPERATOR, wish, self._places_of(wish))

    async def _invite(
        self, actor: Actor, by: Role, wish: InvitationWish, places: Sequence[Place]
    ) -> InvitationMade:
        ports, now = self._ports, self._ports.clock()
        self._check_fits(wish)
        code = make_text(ports.random, CODE_BYTES)
        new = NewInvitation(
            code=self.locate(code),
            role=wish.role,
            kind=wish.place.kind,
            places=tuple(each.id for each in places),
            last_day=wish.last_day,
            login=wish.login or LoginPlace(wish.place.kind, wish.place.id),
            invited_by=actor.id,
            expires_at=now + timedelta(days=ports.invitation_days),
        )
        entry = self._entry(actor, by, "invited", wish.place, after=_say(new, places))
        number = await ports.roles.invite(new, at=now, entry=entry)
        self._note("console-invited", wish.place)
        made = Invitation(
            number=number,
            role=new.role,
            kind=new.kind,
            places=new.places,
            last_day=new.last_day,
            login=new.login,
            invited_at=now,
            invited_by=new.invited_by,
            expires_at=new.expires_at,
        )
        return InvitationMade(code, made)

    def read(self, unverified_code: str) -> Invitation:
        """Return the invitation of a code, while it can be accepted.

        Raises:
            InvitationOver, RegistryUnreadable
        """
        found = self._ports.roles.invitation_by(self.locate(unverified_code))
        if found is None or found.outcome or found.expires_at <= self._ports.clock():
            raise InvitationOver("check_invitation_waits")
        return found

    async def accept(
        self, unverified_code: str, *, user: ConsoleUserId, login: LoginPlace
    ) -> Invitation:
        """Give the roles of an invitation to somebody who logged in, and use it up.

        Args:
            user: who it is in the console, of a login at `login`.

        Raises:
            InvitedElsewhere: it is for people of another place, and still works.
            InvitationOver, RegistryUnreadable
        """
        ports, now = self._ports, self._ports.clock()
        found = self.read(unverified_code)
        if not self._is_for(found.login, login):
            raise InvitedElsewhere("check_accepted_where_invited")
        roles = [NewRole(user, login, each, found.invited_by) for each in found.roles]
        entries = [
            ConsoleEntry(
                at=now,
                actor=user,
                role=None,
                action="invitation-accepted",
                after=_json({"role": found.role.value, "invitation": found.number}),
                school=whose.school,
                board=whose.board,
                supplier=whose.supplier,
            )
            for each in roles
            for whose in [whose_matter(Place(each.held.kind, each.held.place))]
        ]
        if not await ports.roles.accept(
            self.locate(unverified_code), roles, at=now, entries=entries
        ):
            raise InvitationOver("check_invitation_once")
        self._note("console-invitation-accepted", Place(found.kind, found.places[0]))
        return found

    async def withdraw(self, actor: Actor, number: int) -> None:
        """Take a role away, at once; one's own too.

        Raises:
            NotAllowed: there is none, or not for this actor.
            RegistryUnreadable
        """
        given = self._ports.roles.find_role(number)
        if given is None:
            raise NotAllowed("check_role_there")
        place = Place(given.held.kind, given.held.place)
        by = self._inviter(actor, given.held.role, place)
        if by is None and given.user == actor.id:
            by = given.held.role
        if by is None:
            raise NotAllowed("check_may_withdraw")
        now = self._ports.clock()
        said = {"role": given.held.role.value, "person": given.user}
        entry = self._entry(actor, by, "role-withdrawn", place, before=_json(said))
        await self._ports.roles.withdraw(number, at=now, by=actor.id, entry=entry)
        self._note("console-role-withdrawn", place)

    async def take_back(self, actor: Actor, number: int) -> None:
        """Take an invitation back that nobody accepted.

        Raises:
            NotAllowed: there is none, or not for this actor.
            RegistryUnreadable
        """
        found = self._ports.roles.find_invitation(number)
        if found is None or found.outcome:
            raise NotAllowed("check_invitation_there")
        place = Place(found.kind, found.places[0])
        by = self._inviter(actor, found.role, place)
        if by is None:
            raise NotAllowed("check_may_take_back")
        said = _json({"role": found.role.value, "invitation": number})
        entry = self._entry(actor, by, "invitation-taken-back", place, before=said)
        await self._ports.roles.take_back(number, at=self._ports.clock(), entry=entry)
        self._note("console-invitation-taken-back", place)

    def locate(self, code: str) -> bytes:
        """Return by what an invitation's code is found: 32 bytes."""
        shown = code.encode("utf-8", "replace")[:200]
        return mac(self._ports.key, _INVITATION, shown)

    def _inviter(self, actor: Actor, role: Role, place: Place) -> Role | None:
        """Return the role by which an actor may give and take another one at a place."""
        if place.kind not in PLACES[role]:
            return None
        for held in actor.held:
            alone = Actor(actor.id, actor.kind, (held,), actor.since)
            try:
                self._check(alone, Permission.INVITE, place)
            except NotAllowed:
                continue
            if role in INVITES.get(held.role, ()):
                return held.role
        return None

    def _check(self, actor: Actor, permission: Permission, place: Place) -> Role:
        return check_at(actor, permission, place, registry=self._ports.snapshots.registry)

    def _places_of(self, wish: InvitationWish) -> tuple[Place, ...]:
        more = [each for each in dict.fromkeys(wish.more_schools) if each != wish.place.id]
        if more and wish.role is not Role.ICT_PARTNER:
            raise InvitationUnfit("check_one_place", subject="more schools")
        if len(more) >= MAX_PLACES:
            raise InvitationUnfit("check_places_bounded", subject="more schools")
        return (wish.place, *(Place(PlaceKind.SCHOOL, each) for each in more))

    def _check_fits(self, wish: InvitationWish) -> None:
        if wish.place.kind not in PLACES[wish.role] or wish.role is Role.TEACHER:
            raise InvitationUnfit("check_role_of_place", subject="role")
        if wish.role in ENDS and wish.last_day is None:
            raise InvitationUnfit("check_end_stated", subject="last day")
        if wish.last_day is not None and wish.last_day < day_of(self._ports.clock()):
            raise InvitationUnfit("check_end_to_come", subject="last day")
        registry, login = self._ports.snapshots.registry, wish.login
        if login is None:
            return
        if wish.role not in ENDS:  # who decides for a school is somebody of its own login
            raise InvitationUnfit("check_login_of_place", subject="login")
        if login.kind is not PlaceKind.SUPPLIER or login.place not in registry.suppliers:
            raise InvitationUnfit("check_login_there", subject="login")

    def _is_for(self, asked: LoginPlace, login: LoginPlace) -> bool:
        if asked.kind is not PlaceKind.BOARD:
            return asked == login
        school = self._ports.snapshots.registry.schools.get(SchoolId(login.place))
        is_school = login.kind is PlaceKind.SCHOOL and school is not None
        return is_school and school is not None and school.board == asked.place

    def _entry(
        self,
        actor: Actor,
        role: Role,
        action: str,
        place: Place,
        *,
        before: str = "",
        after: str = "",
    ) -> ConsoleEntry:
        whose = whose_matter(place)
        return entry_of(
            actor,
            role,
            action,
            at=self._ports.clock(),
            school=whose.school,
            board=whose.board,
            supplier=whose.supplier,
            before=before,
            after=after,
        )

    def _note(self, action: str, place: Place) -> None:
        whose = whose_matter(place)
        self._ports.audit.record(
            AuditEvent(action=action, school=whose.school, supplier=whose.supplier)
        )


def _say(new: NewInvitation, places: Sequence[Place]) -> str:
    said: dict[str, object] = {
        "role": new.role.value,
        "login": f"{new.login.kind}/{new.login.place}",
    }
    if len(places) > 1:
        said["places"] = [each.id for each in places]
    if new.last_day is not None:
        said["last_day"] = new.last_day.isoformat()
    return _json(said)


def _json(said: Mapping[str, object]) -> str:
    return json.dumps(said, separators=(",", ":"))
