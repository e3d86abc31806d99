"""For which schools a take-over counts: also for who goes on for the school that signed."""

from datetime import date, timedelta

import pytest

from broker.domain.federation import Relation
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.registry import Registry, build_registry
from broker.domain.takeover import Takeover, TakeoverState
from broker.domain.takeover_scope import is_taken_over
from tests.builders import a_takeover
from tests.domain.test_relations import NEW, OLD, SCHOOLS, TODAY, a_relation

SUPPLIER = SupplierId("rekenrijk")
LAST_DAY = TODAY + timedelta(days=90)


def a_registry(*takeovers: Takeover, relations: tuple[Relation, ...] = ()) -> Registry:
    return build_registry(
        1,
        schools=SCHOOLS.values(),
        idps=(),
        suppliers=(),
        agreements=(),
        relations=relations,
        takeovers=takeovers,
    )


def signed(state: TakeoverState, school: SchoolId = OLD) -> Takeover:
    return a_takeover(state, school=school, supplier=SUPPLIER, last_day=LAST_DAY)


def taken_over(registry: Registry, school: SchoolId, today: date = TODAY) -> bool:
    return is_taken_over(registry, school, SUPPLIER, today=today)


def test_without_any_the_agreement_decides() -> None:
    assert not taken_over(a_registry(), OLD)


@pytest.mark.parametrize("state", [TakeoverState.PREPARE, TakeoverState.ON])
def test_the_school_that_signed(state: TakeoverState) -> None:
    registry = a_registry(signed(state))
    assert taken_over(registry, OLD) is (state is TakeoverState.ON)
    assert not taken_over(registry, NEW)
    assert not is_taken_over(registry, OLD, SupplierId("taaltuin"), today=TODAY)


def test_the_school_that_goes_on_for_it() -> None:
    registry = a_registry(signed(TakeoverState.ON), relations=(a_relation(),))
    assert taken_over(registry, NEW)
    assert not taken_over(registry, NEW, today=a_relation().first_day - timedelta(days=1))


def test_what_the_new_school_signs_goes_before() -> None:
    own = signed(TakeoverState.PREPARE, NEW)
    registry = a_registry(signed(TakeoverState.ON), own, relations=(a_relation(),))
    assert not taken_over(registry, NEW)
    assert taken_over(registry, NEW, today=LAST_DAY + timedelta(days=1))
