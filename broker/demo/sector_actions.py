"""The demo's change of sector: Noor goes from De Regenboog (po) to Het Kompas (vo), with her work.

By law she has another ECK iD there. The button is what both schools agree on for Biosfeer, as
`broker transfer offer` and `broker transfer accept` carry it out for two operators each.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_transfers import SqliteTransfers
from broker.adapters.keys.keys_on_disk import load_keys
from broker.demo.addresses import Party
from broker.demo.people import NOOR_BEFORE, made_up_eck_id
from broker.demo.start_scenarios import Text
from broker.domain.attributes import Population
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.operators.operator_actions import present_stated
from broker.flow.operators.operators import OperatorName
from broker.flow.operators.two_persons import Action, ConfirmedAction
from broker.flow.persons.person_records import Presented
from broker.flow.persons.register import derive_register_keys
from broker.flow.transfers.transfers import TransferDesk
from broker.pseudonyms.derivation import RootKey

if TYPE_CHECKING:
    from broker.demo.actions import Stage

BEGINS_AT = Party.BIOSFEER_OIDC
BIOSFEER = SupplierId("biosfeer")
OLD_SCHOOL, NEW_SCHOOL = SchoolId("regenboog"), SchoolId("kompas")
TOLD_DAYS = 60

WORK_IN_PRIMARY = Text(
    "Log bij Biosfeer in als Noor van De Regenboog, en maak een opgave. Log uit.",
    "Log in at Biosfeer as Noor of De Regenboog, and make an exercise. Log out.",
)
AT_NEW_SCHOOL = Text(
    "Log bij Biosfeer in als Noor van Het Kompas: een vreemde. Log uit.",
    "Log in at Biosfeer as Noor of Het Kompas: a stranger. Log out.",
)
AGAIN = Text("Log nog eens in als Noor van Het Kompas.", "Log in as Noor of Het Kompas again.")


async def take_work_along(stage: "Stage") -> Text:
    """Let both schools agree that Biosfeer may join Noor's two accounts."""
    keys, now = load_keys(stage.loaded.keys_folder), datetime.now(UTC)
    register = SqlitePersonRegister(stage.loaded.data_folder / "register.db")
    desk = TransferDesk(
        offers=SqliteTransfers(stage.loaded.data_folder / "register.db"),
        register=register,
        keys=derive_register_keys(keys.register),
        registry=SqliteRegistry(stage.loaded.data_folder / "registry.db").load(),
        clock=lambda: now,
        random=secrets.token_bytes,
    )
    try:
        code, offered = await desk.offer(
            _present(NOOR_BEFORE.attributes["eckId"][0], OLD_SCHOOL, keys.root),
            school=OLD_SCHOOL,
            supplier=BIOSFEER,
            last_day=day_of(now) + timedelta(days=TOLD_DAYS),
        )
        await desk.carry_out(_agreed(Action.OFFER_TRANSFER, offered))
        accepted = await desk.accept(
            code,
            _present(made_up_eck_id("noor"), NEW_SCHOOL, keys.root),
            school=NEW_SCHOOL,
            supplier=BIOSFEER,
        )
        await desk.carry_out(_agreed(Action.ACCEPT_TRANSFER, accepted))
    finally:
        await register.close()
    return Text(
        "De Regenboog biedt het aan, Het Kompas neemt het aan: alleen Biosfeer hoort wie Noor was.",
        "De Regenboog offers it, Het Kompas accepts it: Biosfeer alone is told who Noor was.",
    )


def _present(eck_id: str, school: SchoolId, key: RootKey) -> Presented:
    return present_stated(eck_id, school=school, population=Population.PUPIL, key=key)


def _agreed(action: Action, stated: Mapping[str, str]) -> ConfirmedAction:
    """Return what two operators would have agreed on."""
    return ConfirmedAction(action, stated, "0" * 32, OperatorName("anna"), OperatorName("bram"))
