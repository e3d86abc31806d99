"""The demo's change of login: De Vuurvogel goes from its SAML login to Het Leerplein, and back.

The same as `broker rehearse` and `broker switch` do.
"""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_switches import SqliteSwitches
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.watching.logs import AuditLines
from broker.demo.addresses import Party
from broker.demo.people import VUURVOGEL, people_at
from broker.demo.start_scenarios import Text
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.register import derive_register_keys
from broker.flow.switching.rehearsal import Oracle, Outcome, count_outcomes
from broker.flow.switching.rehearsal_list import ListReport, look_at_list, read_list
from broker.flow.switching.switch_checks import LoginPair, SwitchState
from broker.flow.switching.switching import SwitchDesk

if TYPE_CHECKING:
    from broker.demo.actions import Stage

SCHOOL = SchoolId(VUURVOGEL.id)
PAIR = LoginPair(SCHOOL, SchoolIdpId(VUURVOGEL.id), SchoolIdpId(str(Party.LEERPLEIN)))
SANNES_CLASS = people_at(VUURVOGEL)["sanne"].attributes["nlEduPersonUnit"][0]

BEGINS_AT = Party.REKENRIJK
LOG_IN = Text(
    "Log eerst in als Sanne van De Vuurvogel en maak een opgave. Log dan uit.",
    "First log in as Sanne of De Vuurvogel and make an exercise. Then log out.",
)
AGAIN = Text(
    "Log opnieuw in bij De Vuurvogel: kies een inlog als dat wordt gevraagd, en log in als Sanne.",
    "Log in at De Vuurvogel again: choose a login when you are asked, and log in as Sanne.",
)


async def rehearse(stage: "Stage", *, follow_seconds: float) -> Text:
    """Look at a list of everybody at the school, and let volunteers in."""
    desk = _desk(stage)
    state = desk.check_may_rehearse(PAIR)
    found = await _look(stage, state)
    desk.keep_list(PAIR, found.counts)
    desk.open_rehearsal(PAIR)
    await asyncio.sleep(follow_seconds)
    same, changed, unknown = (count_outcomes(found.counts)[each] for each in Outcome)
    page = f"{stage.loaded.settings.issuer}/rehearsal?school={SCHOOL}"
    return Text(
        f"Van de lijst van De Vuurvogel houden {same} hun account, {changed} krijgen een ander en"
        f" {unknown} zijn hier nog niet bekend. Zelf proberen: {page}",
        f"Of the list of De Vuurvogel {same} keep their account, {changed} get another and"
        f" {unknown} are not known here yet. Try it yourself: {page}",
    )


async def by_class(stage: "Stage", *, follow_seconds: float) -> Text:
    """Switch Sanne's class."""
    _desk(stage).switch(PAIR, classes=(SANNES_CLASS,), first_day=None)
    await asyncio.sleep(follow_seconds)
    return Text(
        f"Klas {SANNES_CLASS} logt nu in met Het Leerplein.",
        f"Class {SANNES_CLASS} logs in by Het Leerplein now.",
    )


async def everybody(stage: "Stage", *, follow_seconds: float) -> Text:
    """Switch the school."""
    _desk(stage).switch(PAIR, classes=(), first_day=None)
    await asyncio.sleep(follow_seconds)
    return Text(
        "Heel De Vuurvogel logt nu in met Het Leerplein.",
        "All of De Vuurvogel logs in by Het Leerplein now.",
    )


async def back(stage: "Stage", *, follow_seconds: float) -> Text:
    """Go back."""
    _desk(stage).roll_back(SCHOOL)
    await asyncio.sleep(follow_seconds)
    return Text(
        "De Vuurvogel logt weer in zoals voorheen.", "De Vuurvogel logs in as before again."
    )


def made_up_list() -> str:
    """Return the list that the school would export: both systems hold the same."""
    lines = ["from_number,from_eck_id,to_number,to_eck_id,role"]
    for each in people_at(VUURVOGEL).values():
        number, eck_id, role = (
            each.attributes.get(name, ("",))[0]
            for name in ("employeeNumber", "eckId", "eduPersonAffiliation")
        )
        lines.append(",".join((number, eck_id, number, eck_id, role)))
    return "\n".join(lines)


async def _look(stage: "Stage", state: SwitchState) -> ListReport:
    if state.school is None:
        raise RuntimeError("a school that was checked is there")
    keys, joining = load_keys(stage.loaded.keys_folder), stage.loaded.settings.joining
    idps = (state.idps[PAIR.from_idp], state.idps[PAIR.to_idp])
    register = SqlitePersonRegister(stage.loaded.data_folder / "register.db")
    try:
        return await look_at_list(
            read_list(made_up_list().encode(), school=state.school, idps=idps),
            idps=idps,
            oracle=Oracle(
                school=SCHOOL,
                eck_id_required=state.school.eck_id_required,
                register=register,
                keys=derive_register_keys(keys.register),
                rules=JoinRules(
                    mature_after_days=joining.mature_days,
                    mature_after_login_days=joining.mature_login_days,
                ),
                today=day_of(datetime.now(UTC)),
            ),
            key=keys.root,
        )
    finally:
        await register.close()


def _desk(stage: "Stage") -> SwitchDesk:
    return SwitchDesk(
        store=SqliteSwitches(stage.loaded.data_folder / "registry.db"),
        most_changed_percent=stage.loaded.settings.switching.most_changed_percent,
        audit=AuditLines(),
        by="demo",
        clock=lambda: datetime.now(UTC),
    )
