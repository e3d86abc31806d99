"""Who can be told apart and matched, counted over made-up lists."""

from hypothesis import given
from hypothesis import strategies as st

from broker.domain.attributes import AttributeName
from broker.domain.linkability import (
    MAX_PART,
    GroupSizes,
    identifies,
    measure_linkability,
    measure_matches,
)

FIRST, LAST, UNIT = map(AttributeName, ("givenName", "sn", "nlEduPersonUnit"))
ECK_ID, MAIL = map(AttributeName, ("eckId", "mail"))


def of(**values: str) -> dict[AttributeName, tuple[str, ...]]:
    return {AttributeName(name): (value,) for name, value in values.items()}


def test_groups_by_their_size() -> None:
    shown = [of(nlEduPersonUnit=unit) for unit in "a" + "b" * 4 + "c" * 9 + "d" * 10]
    found = measure_linkability(shown)
    assert found.sizes == GroupSizes(alone=1, few=4, some=9, many=10)
    assert found.sizes.persons == 24
    assert not found.is_full


def test_what_each_attribute_adds() -> None:
    shown = [of(givenName=first, nlEduPersonUnit=unit) for first, unit in ("Sa", "Sb", "Da", "Nb")]
    found = measure_linkability(shown)
    assert found.sizes.alone == 4
    shares = {each.name: (each.alone_by_itself, each.alone_without) for each in found.shares}
    assert shares == {FIRST: (2, 0), UNIT: (0, 2)}


def test_without_any_attribute_all_are_alike() -> None:
    found = measure_linkability([{}] * 12)
    assert found.sizes == GroupSizes(0, 0, 0, 12)
    assert (found.shares, found.is_full) == ((), False)
    assert measure_linkability([]).sizes.persons == 0


def test_an_identifier_links_everybody() -> None:
    shown = [of(eckId=str(each), givenName="S") for each in range(3)]
    found = measure_linkability(shown)
    assert (found.identified_by, found.is_full, found.sizes.alone) == ((ECK_ID,), True, 3)
    assert identifies(MAIL)
    assert not identifies(FIRST)


def test_two_suppliers_match_by_what_both_get() -> None:
    people = [("S", "x", "7"), ("S", "y", "7"), ("D", "x", "7"), ("D", "x", "8")]
    first = [of(givenName=one, sn=two) for one, two, _ in people]
    second = [of(givenName=one, nlEduPersonUnit=three) for one, _, three in people]
    found = measure_matches(first, second)
    assert (found.by, found.matched, found.sizes.few) == ((FIRST,), 0, 4)
    assert found.smallest == ()
    second = [of(givenName=one, sn=two, nlEduPersonUnit=three) for one, two, three in people]
    found = measure_matches(first, second)
    assert (found.by, found.matched, found.smallest) == ((FIRST, LAST), 2, (FIRST, LAST))
    assert measure_matches(second, second).matched == 4


def test_the_smallest_part_is_named() -> None:
    shown = [of(givenName=str(each), sn="x", nlEduPersonUnit="7") for each in range(5)]
    assert measure_matches(shown, shown).smallest == (FIRST,)


def test_beyond_a_few_attributes_the_smallest_part_is_all_of_them() -> None:
    names = ("givenName", "sn", "nlEduPersonUnit", "birthDate")
    assert len(names) > MAX_PART
    shown = [
        of(**{name: str(each >> at & 1) for at, name in enumerate(names)}) for each in range(16)
    ]
    found = measure_matches(shown, shown)
    assert (found.matched, set(found.smallest)) == (16, set(map(AttributeName, names)))


@given(
    st.lists(
        st.fixed_dictionaries(
            {}, optional={each: st.sampled_from([("a",), ("b",)]) for each in (FIRST, LAST, UNIT)}
        ),
        max_size=20,
    )
)
def test_more_attributes_never_tell_fewer_apart(
    shown: list[dict[AttributeName, tuple[str, ...]]],
) -> None:
    found = measure_linkability(shown)
    assert found.sizes.persons == len(shown)
    assert all(each.alone_by_itself <= found.sizes.alone for each in found.shares)
    assert all(each.alone_without <= found.sizes.alone for each in found.shares)
    assert measure_matches(shown, [{} for _ in shown]).matched == (1 if len(shown) == 1 else 0)
    assert measure_matches(shown, shown).matched == found.sizes.alone
