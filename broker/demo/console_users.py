"""Who works in the demo's console: each role has somebody, who logs in by one click.

The start page says to the demo's logins who is about to log in (`demo-person`, a cookie that all
our ports on localhost share); the rest is a login as any other.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from broker.adapters.databases.sql_role_book import SqliteRoleBook
from broker.adapters.keys.keys_on_disk import load_keys
from broker.demo import people
from broker.demo.people import Person
from broker.demo.start_scenarios import Text
from broker.domain.console_roles import HeldRole, LoginPlace, PlaceKind, Role
from broker.domain.dutch_days import day_of
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.console.role_book import NewRole
from broker.flow.console.sign_in import derive_user
from broker.flow.persons.register import derive_register_keys
from broker.settings import LoadedSettings

BY = "the demo"
VUURVOGEL, KOMPAS = (LoginPlace(PlaceKind.SCHOOL, each) for each in ("vuurvogel", "kompas"))
REKENRIJK, FEDERATION = (
    LoginPlace(PlaceKind.SUPPLIER, "rekenrijk"),
    LoginPlace(PlaceKind.FEDERATION),
)


@dataclass(frozen=True, slots=True)
class ConsoleUser:
    """Somebody of the console.

    Attributes:
        person: id of the demo's person.
        idp: the login by which they come in.
    """

    person: str
    login: LoginPlace
    idp: str
    title: Text
    does: Text
    held: tuple[HeldRole, ...]

    def sign_in_address(self, broker: str) -> str:
        """Return the address of the broker that begins the login."""
        place = f"{self.login.kind}/{self.login.place}/{self.idp}"
        return f"{broker}/console/sign-in?{urlencode({'login': place})}"


def _at_school(role: Role, school: str) -> HeldRole:
    return HeldRole(role, PlaceKind.SCHOOL, school)


def _at_board(role: Role, school: str) -> HeldRole:
    return HeldRole(role, PlaceKind.BOARD, f"stichting-{school}")


CONSOLE_USERS: tuple[ConsoleUser, ...] = (
    ConsoleUser(
        "els",
        VUURVOGEL,
        "vuurvogel",
        Text("Els, schoolbeheerder van De Vuurvogel", "Els, school administrator of De Vuurvogel"),
        Text(
            "bereidt besluiten voor, en tekent ook voor het bestuur",
            "prepares decisions, and signs for the board too",
        ),
        (_at_school(Role.SCHOOL_ADMIN, "vuurvogel"), _at_board(Role.SIGNER, "vuurvogel")),
    ),
    ConsoleUser(
        "bas",
        VUURVOGEL,
        "vuurvogel",
        Text(
            "Bas, beheerder van het bestuur van De Vuurvogel",
            "Bas, administrator of De Vuurvogel's board",
        ),
        Text("nodigt anderen uit, en tekent", "invites others, and signs"),
        (_at_board(Role.BOARD_ADMIN, "vuurvogel"), _at_board(Role.SIGNER, "vuurvogel")),
    ),
    ConsoleUser(
        "karin",
        VUURVOGEL,
        "vuurvogel",
        Text(
            "Karin, functionaris gegevensbescherming van De Vuurvogel",
            "Karin, privacy officer of De Vuurvogel",
        ),
        Text("leest alles, en beslist op verzoeken", "reads everything, and decides on requests"),
        (_at_school(Role.PRIVACY_OFFICER, "vuurvogel"),),
    ),
    ConsoleUser(
        "joost",
        VUURVOGEL,
        "vuurvogel",
        Text("Joost, ICT-partner van De Vuurvogel", "Joost, ICT partner of De Vuurvogel"),
        Text("bereidt voor tot een dag, en tekent nooit", "prepares until a day, and never signs"),
        (_at_school(Role.ICT_PARTNER, "vuurvogel"),),
    ),
    ConsoleUser(
        "vera",
        KOMPAS,
        "kompas",
        Text("Vera, schoolbeheerder van Het Kompas", "Vera, school administrator of Het Kompas"),
        Text("van een andere school", "of another school"),
        (_at_school(Role.SCHOOL_ADMIN, "kompas"), _at_board(Role.SIGNER, "kompas")),
    ),
    ConsoleUser(
        "roos",
        REKENRIJK,
        "rekenrijk-staff",
        Text("Roos, beheerder van RekenRijk", "Roos, administrator of RekenRijk"),
        Text("houdt het dienstblad bij", "keeps the service sheet"),
        (HeldRole(Role.SUPPLIER_ADMIN, PlaceKind.SUPPLIER, "rekenrijk"),),
    ),
    ConsoleUser(
        "ines",
        FEDERATION,
        "federation-staff",
        Text("Ines, van de federatie", "Ines, of the federation"),
        Text("houdt alles draaiend", "keeps everything running"),
        (HeldRole(Role.OPERATOR, PlaceKind.FEDERATION),),
    ),
)


def give_roles(loaded: LoadedSettings) -> None:
    """Give everybody of the console their roles, in a registry that was just made."""
    key = derive_register_keys(load_keys(loaded.keys_folder).register).tag
    now = datetime.now(UTC)
    roles = [
        NewRole(derive_user(each.login, number_of(each), key=key), each.login, held, BY)
        for each in CONSOLE_USERS
        for held in _with_ends(each.held, now)
    ]
    entry = ConsoleEntry(at=now, actor=BY, role=None, action="demo-roles-given")
    book = SqliteRoleBook(loaded.data_folder / "registry.db")
    book.give_now(roles, at=now, entries=[entry])


def _with_ends(held: tuple[HeldRole, ...], now: datetime) -> tuple[HeldRole, ...]:
    """Return roles, of which an ICT partner's ends in a year."""
    today = day_of(now)
    return tuple(
        HeldRole(each.role, each.kind, each.place, today.replace(year=today.year + 1, day=1))
        if each.role is Role.ICT_PARTNER
        else each
        for each in held
    )


def number_of(user: ConsoleUser) -> str:
    """Return the number by which the login knows somebody."""
    return _person_of(user).attributes["employeeNumber"][0]


def _person_of(user: ConsoleUser) -> Person:
    everybody = (*people.PEOPLE, *people.EMPLOYEES)
    return next(each for each in everybody if each.id == user.person)
