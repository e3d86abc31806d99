"""A school with several logins: the pupil chooses one."""

from dataclasses import replace

import pytest

from broker.domain.federation import SchoolIdp
from broker.domain.registry import build_registry
from broker.flow.refusals import SchoolNotOpen
from broker.flow.school_logins import NO_WISH, LoginWish, choose_login
from tests.domain.federation_records import a_login, a_school
from tests.domain.test_switches import NEW, OLD, SCHOOL, THIRD, TODAY, a_registry, a_step

VUURVOGEL = a_school()


def chosen(
    *of: SchoolIdp, named: SchoolIdp | None = None, wish: LoginWish = NO_WISH, ask: bool = True
) -> str | None:
    registry = a_registry(idps=of)
    found = choose_login(registry, VUURVOGEL, named=named, wish=wish, may_ask=ask, today=TODAY)
    return None if found is None else found.id


def test_the_only_login_is_not_asked_for() -> None:
    assert chosen(OLD) == "old"
    assert chosen(OLD, NEW) == "old"


def test_of_several_the_pupil_chooses() -> None:
    assert chosen(OLD, THIRD) is None
    assert chosen(OLD, THIRD, ask=False) == "old"


def test_what_was_clicked_goes_before_what_is_remembered() -> None:
    assert chosen(OLD, THIRD, wish=LoginWish("third", "old")) == "third"
    assert chosen(OLD, THIRD, wish=LoginWish("", "third")) == "third"


def test_the_login_of_an_elo_that_announced_goes_before_what_is_remembered() -> None:
    wish = LoginWish("", "old", unverified_announced_login="third")
    assert chosen(OLD, THIRD, wish=wish) == "third"
    assert chosen(OLD, THIRD, wish=replace(wish, unverified_clicked="old")) == "old"
    assert chosen(OLD, NEW, wish=replace(wish, unverified_announced_login="new")) == "old"


@pytest.mark.parametrize("wish", [LoginWish("new"), LoginWish("nobody", "new")])
def test_a_login_that_is_not_offered_cannot_be_wished(wish: LoginWish) -> None:
    assert chosen(OLD, THIRD, NEW, wish=wish) is None
    assert chosen(OLD, NEW, wish=wish) == "old"


def test_a_hint_names_a_login_that_is_offered() -> None:
    assert chosen(OLD, THIRD, named=THIRD) == "third"
    assert chosen(OLD, NEW, named=NEW) == "old"


def test_a_hint_counts_while_any_school_of_that_login_offers_it() -> None:
    shared = a_login("vuurvogel", "regenboog", id="old")
    registry = build_registry(
        1,
        schools=[a_school(), a_school("regenboog", brin="33CC")],
        idps=[shared, NEW],
        suppliers=(),
        agreements=(),
        switches={SCHOOL: (a_step(),)},
    )
    found = choose_login(registry, VUURVOGEL, named=shared, may_ask=True, today=TODAY)
    assert found == shared


def test_a_school_without_login_is_refused() -> None:
    with pytest.raises(SchoolNotOpen):
        chosen(NEW)
