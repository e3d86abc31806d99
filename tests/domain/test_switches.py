"""Which logins a school offers while it changes from one to another."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from broker.domain.federation import SchoolIdp
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.domain.registry import Registry, build_registry
from broker.domain.switches import (
    LoginSwitch,
    SentAt,
    SwitchStage,
    find_other_login,
    find_running,
    gather_switches,
    step_in_force,
)
from tests.domain.federation_records import a_login, a_school, oidc_endpoints

TODAY = date(2026, 9, 1)
NOW = datetime(2026, 9, 1, 9, tzinfo=UTC)
SCHOOL = SchoolId("vuurvogel")
OLD = a_login(id="old")
NEW = a_login(id="new", rehearsal_only=True)
THIRD = a_login(id="third")


def a_step(stage: SwitchStage = SwitchStage.ALL, **changes: Any) -> LoginSwitch:
    return LoginSwitch(
        **{
            "school": SCHOOL,
            "from_idp": SchoolIdpId("old"),
            "to_idp": SchoolIdpId("new"),
            "stage": stage,
            "first_day": TODAY,
            "since": NOW,
        }
        | changes
    )


def by_class(*classes: str, **changes: Any) -> LoginSwitch:
    return a_step(SwitchStage.CLASSES, classes=classes or ("7B",), **changes)


def a_registry(*steps: LoginSwitch, idps: tuple[SchoolIdp, ...] = (OLD, NEW)) -> Registry:
    return build_registry(
        1,
        schools=[a_school()],
        idps=idps,
        suppliers=(),
        agreements=(),
        switches=gather_switches(steps),
    )


def offered(registry: Registry, today: date = TODAY) -> list[str]:
    return [each.id for each in registry.offered_logins(SCHOOL, today=today)]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), ["old", "third"]),
        ((a_step(SwitchStage.REHEARSAL),), ["old", "third"]),
        ((by_class(),), ["new", "old", "third"]),
        ((a_step(),), ["new", "third"]),
        ((by_class(), a_step(), a_step(SwitchStage.BACK)), ["old", "third"]),
        ((a_step(), a_step(SwitchStage.DONE)), ["old", "third"]),
        ((a_step(first_day=TODAY + timedelta(1)),), ["old", "third"]),
        ((by_class(), a_step(first_day=TODAY + timedelta(1))), ["new", "old", "third"]),
    ],
)
def test_what_a_school_offers(steps: tuple[LoginSwitch, ...], expected: list[str]) -> None:
    assert offered(a_registry(*steps, idps=(OLD, NEW, THIRD))) == expected


def test_a_planned_step_begins_on_its_day() -> None:
    registry = a_registry(a_step(first_day=TODAY + timedelta(1)))
    assert offered(registry) == ["old"]
    assert offered(registry, TODAY + timedelta(1)) == ["new"]


def test_a_later_command_replaces_a_plan() -> None:
    registry = a_registry(a_step(first_day=TODAY + timedelta(1)), by_class())
    assert offered(registry, TODAY + timedelta(2)) == ["new", "old"]


@pytest.mark.parametrize(
    "new", [a_login(id="new", enabled=False), a_login("regenboog", id="new"), THIRD]
)
def test_a_new_login_that_is_gone_brings_the_old_one_back(new: SchoolIdp) -> None:
    assert offered(a_registry(a_step(), idps=(OLD, new)))[0] == "old"


def test_a_school_between_two_logins_has_one() -> None:
    assert a_registry(a_step(), idps=(NEW,)).has_login(SCHOOL)
    assert not a_registry(idps=(NEW,)).has_login(SCHOOL)


def other(
    registry: Registry, idp: SchoolIdp, *classes: str, sent_before: bool = False
) -> str | None:
    sent = NOW - timedelta(minutes=1) if sent_before else NOW
    found = find_other_login(
        idp,
        offered=registry.offered_logins(SCHOOL, today=TODAY),
        step=registry.step_in_force(SCHOOL, today=TODAY),
        classes=classes,
        sent=SentAt(sent, sent.date()),
    )
    return None if found is None else found.id


def test_only_pupils_of_a_switched_class_are_sent_on() -> None:
    registry = a_registry(by_class("Groep 7b"))
    assert other(registry, OLD, "groep  7B") == "new"
    assert other(registry, OLD, "groep 6") is None
    assert other(registry, OLD) is None


def test_nobody_is_sent_back_from_the_new_login() -> None:
    assert other(a_registry(by_class("7B")), NEW, "6A") is None
    assert other(a_registry(a_step()), NEW, "6A") is None


def test_who_was_sent_to_the_old_login_before_all_switched_goes_on() -> None:
    assert other(a_registry(a_step()), OLD) == "new"
    assert other(a_registry(a_step()), OLD, sent_before=True) is None


def test_who_was_sent_there_the_day_before_goes_on() -> None:
    registry = a_registry(a_step(since=NOW - timedelta(days=9)))
    found = find_other_login(
        OLD,
        offered=registry.offered_logins(SCHOOL, today=TODAY),
        step=registry.step_in_force(SCHOOL, today=TODAY),
        classes=(),
        sent=SentAt(NOW - timedelta(hours=10), TODAY - timedelta(1)),
    )
    assert found is None


def test_after_going_back_the_new_login_leads_to_the_old_one() -> None:
    registry = a_registry(a_step(), a_step(SwitchStage.BACK))
    assert other(registry, NEW) == "old"
    assert other(registry, NEW, sent_before=True) == "old"
    assert other(registry, OLD) is None


def test_without_any_offered_login_nobody_is_sent_on() -> None:
    assert other(a_registry(idps=(NEW,)), NEW) is None


def test_by_class_with_the_new_login_off_all_stay() -> None:
    off = a_login(id="new", enabled=False)
    assert other(a_registry(by_class("7B"), idps=(OLD, off)), OLD, "7B") is None


def test_a_running_switch_is_found_also_when_it_begins_later() -> None:
    later = a_step(first_day=TODAY + timedelta(1))
    assert find_running([a_step(SwitchStage.REHEARSAL), later]) == later
    assert step_in_force([later], today=TODAY) is None
    assert find_running([a_step(SwitchStage.REHEARSAL)]) is None


def test_the_host_of_a_login_is_its_place() -> None:
    saml = a_login(
        endpoints=type(OLD.endpoints)(
            entity_id="x", sso_post_url="https://in.example/sso", signing_certificates=()
        )
    )
    assert saml.place == "in.example"
    assert a_login(endpoints=oidc_endpoints("https://id.example")).place == "id.example"
    assert OLD.place == ""
