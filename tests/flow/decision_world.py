"""Schools of a board, a supplier with a sheet, and people who decide: over a real registry."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from broker.adapters.databases.sql_console_audit import SqliteConsoleAudit
from broker.adapters.databases.sql_decisions import SqliteDecisions
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.attributes import AttributeName
from broker.domain.console_roles import ConsoleUserId, HeldRole, PlaceKind, Role
from broker.domain.decision_outline import Choice, GroupChoice
from broker.domain.documents import Kind
from broker.domain.federation import State
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.flow.console.actors import Actor, ActorKind
from broker.flow.decisions.decision_desk import DecisionDesk
from broker.flow.decisions.decision_reading import DecisionReader
from broker.flow.decisions.decision_signing import DecisionPorts
from broker.flow.decisions.decision_types import Decider, Draft
from broker.flow.federation.change import check_apply
from broker.flow.federation.documents import StatedDocument
from broker.flow.federation.narrow_change import NarrowPut, change_narrowly
from tests.flow.federation_builders import (
    a_client,
    a_compiler,
    a_school,
    a_supplier,
    stated,
)
from tests.flow.operators import Events

NOW = datetime.fromisoformat("2026-09-01T08:00:00+00:00")
TODAY = date(2026, 9, 1)
VUURVOGEL = Decider(school=SchoolId("vuurvogel"))
REGENBOOG = Decider(school=SchoolId("regenboog"))
STICHTING = Decider(board=BoardId("stichting"))
REKENRIJK, LEESLUST = SupplierId("rekenrijk"), SupplierId("leeslust")
GIVEN, SN, ROLE, ECK = (
    AttributeName(each) for each in ("givenName", "sn", "eduPersonAffiliation", "eckId")
)


def attributes(*names: str, required: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return [
        {"name": each, "purpose": f"Why {each}.", "required": each in required}
        for each in (*names, *required)
    ]


def person(user: str, *held: HeldRole, signs: bool = False) -> Actor:
    until = NOW + timedelta(minutes=10) if signs else None
    return Actor(ConsoleUserId(user), ActorKind.PERSON, held, NOW, may_sign_until=until)


ADMIN = person("admin", HeldRole(Role.SCHOOL_ADMIN, PlaceKind.SCHOOL, "vuurvogel"))
BOARD_ADMIN = person("board-admin", HeldRole(Role.BOARD_ADMIN, PlaceKind.BOARD, "stichting"))
SIGNER = person("signer", HeldRole(Role.SIGNER, PlaceKind.BOARD, "stichting"), signs=True)
BOTH = person(
    "both",
    HeldRole(Role.BOARD_ADMIN, PlaceKind.BOARD, "stichting"),
    HeldRole(Role.SIGNER, PlaceKind.BOARD, "stichting"),
    signs=True,
)
ELSEWHERE = person(
    "elsewhere",
    HeldRole(Role.BOARD_ADMIN, PlaceKind.BOARD, "other"),
    HeldRole(Role.SIGNER, PlaceKind.BOARD, "other"),
    signs=True,
)
OFFICER = person("officer", HeldRole(Role.PRIVACY_OFFICER, PlaceKind.SCHOOL, "vuurvogel"))


@dataclass
class Snapshot:
    """`Snapshots` that reads anew each time."""

    store: SqliteDecisions

    @property
    def registry(self) -> Registry:
        return self.store.load()

    @property
    def index(self) -> Any:
        raise NotImplementedError

    @property
    def healthy(self) -> bool:
        return True


@dataclass
class DecisionWorld:
    store: SqliteDecisions
    desk: DecisionDesk
    reader: DecisionReader
    audit: SqliteConsoleAudit
    log: Events
    now: datetime = NOW
    numbers: int = field(default=0)

    @property
    def registry(self) -> Registry:
        return self.store.load()

    async def change(self, kind: Kind, id_: str, **changes: Any) -> None:
        """Change a document as another flow does."""
        found = self.store.read_documents([(kind, id_)])[kind, id_]
        document = msgspec.structs.replace(found.stated.document, **changes)
        await change_narrowly(
            self.store,
            [NarrowPut(document, found.since)],
            schools_of_board=lambda board: (),
            compiler=a_compiler(),
            note="test",
            by="tester",
            at=NOW,
            entries=(),
        )

    def apply(self, *documents: StatedDocument) -> None:
        change = check_apply(self.store, documents, prune=False, compiler=a_compiler())
        self.store.write(change, by="tester", at=NOW)

    def actions(self) -> list[str]:
        """What the audit tells, the newest first."""
        return [each.entry.action for each in self.audit.look().entries]


def a_decision_world(folder: Path) -> DecisionWorld:
    path = folder / "registry.db"
    upgrade_database(path, "registry")
    store = SqliteDecisions(path)
    log = Events()
    reader = DecisionReader(store, Snapshot(store), lambda: world.now)

    def random(count: int) -> bytes:
        world.numbers += 1
        return world.numbers.to_bytes(count, "big")

    desk = DecisionDesk(DecisionPorts(reader, store, a_compiler(), log, random))
    world = DecisionWorld(store, desk, reader, SqliteConsoleAudit(path), log)
    world.apply(
        stated(Kind.SCHOOL, a_school()),
        stated(Kind.SCHOOL, a_school(id="regenboog", brin="33CC", name="De Regenboog")),
        stated(Kind.SCHOOL, a_school(id="elders", brin="44DD", board="other")),
        stated(Kind.SCHOOL, a_school(id="echt", brin="11AA", board="echt", state="production")),
        stated(
            Kind.SUPPLIER,
            a_supplier(
                attribute=attributes(GIVEN, SN, required=(ROLE,)),
                sheet={"version": 2, "category": "practice"},
                display_name="RekenRijk",
            ),
        ),
        stated(
            Kind.SUPPLIER,
            a_supplier(
                a_client(id="leeslust", client_id="leeslust"),
                id="leeslust",
                legal_name="LeesLust B.V.",
                eck_id_entitled=True,
                attribute=attributes(GIVEN, ECK),
            ),
        ),
        stated(
            Kind.SUPPLIER,
            a_supplier(
                a_client(id="echt", client_id="echt"),
                id="echt",
                legal_name="Echt B.V.",
                state="production",
                attribute=attributes(GIVEN),
            ),
        ),
    )
    return world


def chosen(*pupils: AttributeName, staff: Any = None, groups: Any = ()) -> Choice:
    of = frozenset(pupils)
    rules = tuple(GroupChoice(frozenset(names), frozenset(gets)) for names, gets in groups)
    return Choice(pupils=of, staff=of if staff is None else frozenset(staff), groups=rules)


def a_draft(decider: Decider = VUURVOGEL, **changes: Any) -> Draft:
    return Draft(
        **{
            "decider": decider,
            "supplier": REKENRIJK,
            "choice": chosen(GIVEN, ROLE),
            "from_day": TODAY,
            "sheet": 2,
        }
        | changes
    )


def in_production(actor: Actor) -> Actor:
    """The same person at the board `echt`."""
    held = tuple(HeldRole(each.role, each.kind, "echt") for each in actor.held)
    return replace(actor, held=held)


ECHT = Decider(school=SchoolId("echt"))
PRODUCTION = State.PRODUCTION
