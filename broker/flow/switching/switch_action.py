"""A change of login that two persons want despite its rehearsal, as parameters of their action."""

from collections.abc import Mapping
from datetime import date

import msgspec

from broker.domain.ids import SchoolId, SchoolIdpId
from broker.flow.operators.operator_refusals import PreparedUnreadable
from broker.flow.switching.switch_checks import LoginPair
from broker.flow.switching.switching import SwitchDesk


def write_switch(
    pair: LoginPair, *, classes: tuple[str, ...], first_day: date | None
) -> dict[str, str]:
    """Return what a prepared action states; `first_day` of None is the day of the second person."""
    return {
        "school": pair.school,
        "from": pair.from_idp,
        "to": pair.to_idp,
        "classes": msgspec.json.encode(classes).decode(),
        "on": "" if first_day is None else first_day.isoformat(),
    }


def carry_out_switch(parameters: Mapping[str, str], *, switches: SwitchDesk) -> None:
    """Do what a confirmed action states.

    Raises:
        PreparedUnreadable: it states no switch.
        SwitchRefusal: another switch began since, or a login is gone.
    """
    try:
        pair = LoginPair(
            SchoolId(parameters["school"]),
            SchoolIdpId(parameters["from"]),
            SchoolIdpId(parameters["to"]),
        )
        classes = msgspec.json.decode(parameters["classes"], type=tuple[str, ...])
        first_day = date.fromisoformat(parameters["on"]) if parameters["on"] else None
    except (KeyError, ValueError, msgspec.DecodeError):
        raise PreparedUnreadable("check_names_switch") from None
    switches.switch(pair, classes=classes, first_day=first_day, despite_changes=True)
