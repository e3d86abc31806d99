"""The demo's move: Sanne goes from De Vuurvogel to De Regenboog, which states the same ECK iD.

The move itself is a login at the other school. The buttons are what the school of before says of
it, as `broker transfer` and `broker person protect` carry it out for two operators.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.keys.keys_on_disk import load_keys
from broker.demo.addresses import Party
from broker.demo.people import made_up_eck_id
from broker.demo.start_scenarios import Text
from broker.domain.attributes import Population
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId
from broker.flow.operators.operator_actions import present_stated
from broker.flow.persons.person_changes import PlanPorts, plan_change
from broker.flow.persons.person_objection import plan_objection
from broker.flow.persons.person_plans import (
    Deciding,
    OpenedPerson,
    Plan,
    plan_confirmation,
    plan_protection,
)
from broker.flow.persons.register import derive_register_keys, derive_tag
from broker.pseudonyms.derivation import root_apart

if TYPE_CHECKING:
    from broker.demo.actions import Stage

OLD_SCHOOL = SchoolId("vuurvogel")
BEGINS_AT = Party.BIOSFEER_OIDC

WORK_AT_OLD = Text(
    "Log bij Biosfeer in als Sanne van De Vuurvogel en maak een opgave.",
    "Log in at Biosfeer as Sanne of De Vuurvogel, and make an exercise.",
)
LOG_IN_AT_NEW = Text(
    "Log uit bij Biosfeer en log in als Sanne van De Regenboog, haar nieuwe school.",
    "Log out of Biosfeer, and log in as Sanne of De Regenboog, her new school.",
)


async def confirm_move(stage: "Stage") -> Text:
    """Let De Vuurvogel confirm that Sanne changed school."""
    await _decide(stage, plan_confirmation)
    return Text(
        "De Vuurvogel bevestigt dat Sanne van school is veranderd.",
        "De Vuurvogel confirms that Sanne changed school.",
    )


async def object_to_move(stage: "Stage") -> Text:
    """Let De Vuurvogel object: Sanne did not change school."""
    await _decide(stage, plan_objection)
    return Text(
        "De Vuurvogel maakt bezwaar: Sanne zit nog daar. Welke school haar meldde hoort ze niet.",
        "De Vuurvogel objects: Sanne is still there. Which school stated her, it is not told.",
    )


async def protect_pupil(stage: "Stage") -> Text:
    """Let De Vuurvogel protect Sanne."""
    await _decide(stage, lambda person, by: plan_protection(person, protected=True, by=by))
    return Text(
        "Sanne is nu beschermd: een nieuwe school laat haar pas binnen als beide dat zeggen.",
        "Sanne is protected now: a new school lets her in only when both schools say so.",
    )


async def _decide(stage: "Stage", plan: Callable[..., Plan]) -> None:
    keys = load_keys(stage.loaded.keys_folder)
    register_keys = derive_register_keys(keys.register)
    presented = present_stated(
        made_up_eck_id("sanne"),
        school=OLD_SCHOOL,
        population=Population.PUPIL,
        key=keys.root,
    )
    by = Deciding(
        school=OLD_SCHOOL,
        today=day_of(datetime.now(UTC)),
        settled_after_days=stage.loaded.settings.transfers.settled_days,
        tag_of=lambda root: derive_tag(register_keys, root),
        fresh_account=lambda root, at: root_apart(root, at, key=keys.root),
    )
    register = SqlitePersonRegister(stage.loaded.data_folder / "register.db")

    def decide(opened: OpenedPerson) -> Plan:
        return plan(opened, by=by)

    try:
        ports = PlanPorts(register, register_keys, secrets.token_bytes)
        planned = await plan_change(presented, decide, ports=ports)
        await register.rewrite(planned.rewrites)
    finally:
        await register.close()
