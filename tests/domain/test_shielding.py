"""What a shield takes away, and where."""

from broker.domain.attributes import AFFILIATION, GIVEN_NAME
from broker.domain.ids import SupplierId
from broker.domain.shielding import (
    Shield,
    ShieldedBy,
    ShieldLevel,
    find_shield,
    is_shut_out,
    shields_at,
)

REKENRIJK, TAALTUIN = SupplierId("rekenrijk"), SupplierId("taaltuin")
AT_ALL = Shield(ShieldedBy.SCHOOL, ShieldLevel.NO_ATTRIBUTES)
SHUT_OUT = Shield(ShieldedBy.SCHOOL, ShieldLevel.NO_LOGIN, frozenset({REKENRIJK}))
NO_NAME = Shield(
    *(ShieldedBy.OBJECTION, ShieldLevel.NO_ATTRIBUTES),
    suppliers=frozenset({REKENRIJK}),
    attributes=frozenset({GIVEN_NAME}),
)


def test_a_shield_holds_at_named_suppliers_or_at_all() -> None:
    assert shields_at((AT_ALL, SHUT_OUT), REKENRIJK) == (AT_ALL, SHUT_OUT)
    assert shields_at((AT_ALL, SHUT_OUT), TAALTUIN) == (AT_ALL,)


def test_who_is_shut_out() -> None:
    assert is_shut_out((AT_ALL, SHUT_OUT))
    assert not is_shut_out((AT_ALL, NO_NAME))


def test_what_is_withheld_by_which() -> None:
    assert find_shield((NO_NAME,), GIVEN_NAME) == NO_NAME
    assert find_shield((NO_NAME,), AFFILIATION) is None
    assert find_shield((NO_NAME, AT_ALL), AFFILIATION) == AT_ALL
