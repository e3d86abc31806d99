"""What two operators do for the console: the first invitation of anybody, and one-time links.

One prepares and another confirms, as everything that needs two persons; the code is told to the one
who confirms, and to nobody before. In the audit both stand by their names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from broker.domain.console_roles import ConsoleUserId, HeldRole, LoginPlace, PlaceKind, Role
from broker.flow.console.actors import Actor, ActorKind
from broker.flow.console.broken_logins import BrokenLogins
from broker.flow.console.invitations import PeopleDesk
from broker.flow.console.people_records import InvitationWish
from broker.flow.console.places import Place
from broker.flow.operators.operator_refusals import PreparedUnreadable
from broker.flow.operators.two_persons import Action, ConfirmedAction
from broker.flow.ports import Clock

CONSOLE_ACTIONS = frozenset({Action.INVITE_TO_CONSOLE, Action.LINK_TO_CONSOLE})


def write_invitation(wish: InvitationWish) -> dict[str, str]:
    """Return a wish as the parameters of a prepared action."""
    said = {"role": wish.role.value, "kind": wish.place.kind.value, "place": wish.place.id}
    if wish.last_day is not None:
        said["last_day"] = wish.last_day.isoformat()
    if wish.login is not None:
        said["login"] = wish.login.place
    return said


def read_invitation(parameters: Mapping[str, str]) -> InvitationWish:
    """Return the wish that `write_invitation` wrote.

    Raises:
        PreparedUnreadable
    """
    try:
        last_day, login = parameters.get("last_day"), parameters.get("login")
        return InvitationWish(
            role=Role(parameters["role"]),
            place=Place(PlaceKind(parameters["kind"]), parameters["place"]),
            last_day=None if last_day is None else date.fromisoformat(last_day),
            login=None if login is None else LoginPlace(PlaceKind.SUPPLIER, login),
        )
    except (KeyError, ValueError):
        raise PreparedUnreadable("check_names_invitation") from None


@dataclass(frozen=True, slots=True)
class ConsoleWork:
    """What is done in the console once two operators want it.

    Attributes:
        told: takes the code, for the one who confirms, and of which action it is.
    """

    people: PeopleDesk
    links: BrokenLogins
    clock: Clock
    told: Callable[[Action, str], None] = field(repr=False)

    async def carry_out(self, confirmed: ConfirmedAction) -> None:
        """Do it.

        Raises:
            PreparedUnreadable, RegistryUnreadable
            Refusal: of `PeopleDesk.invite_by_two` or `BrokenLogins.make`.
        """
        actor = Actor(
            id=ConsoleUserId(f"{confirmed.prepared_by}, {confirmed.confirmed_by}"),
            kind=ActorKind.OPERATOR,
            held=(HeldRole(Role.OPERATOR, PlaceKind.FEDERATION),),
            since=self.clock(),
        )
        if confirmed.action is Action.INVITE_TO_CONSOLE:
            wish = read_invitation(confirmed.parameters)
            made = await self.people.invite_by_two(actor, wish)
            self.told(confirmed.action, made.code)
        elif (user := confirmed.parameters.get("user")) is None:
            raise PreparedUnreadable("check_names_person")
        else:
            self.told(confirmed.action, await self.links.make(actor, ConsoleUserId(user)))
