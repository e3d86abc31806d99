"""How well what suppliers get tells pupils apart, and lets two suppliers match them. Pure.

**Model.** The pseudonym links nothing: it is another one at each supplier. So whoever would match
pupils has the attributes. A pupil is *recognisable* in a list by a set of attributes when nobody
else in the list has the same values (k-anonymity with k = 1; the sizes of such groups are told as
1, 2 to 4, 5 to 9, and 10 or more). Two suppliers put what they have of the same people side by
side; they *match* a pupil when the values of all attributes that both get stand there once. That is
exact: no guessing among a few. By a part of these attributes they match no more than by all; the
smallest part that matches as many shows what to withhold.

Assumed, and in favour of who would match: all on the list use both suppliers, both know from which
school or class they come, and values are the same at both. Not counted: what suppliers see without
us (address, device, moment of arrival), and what pupils tell them.
An attribute that identifies by itself (`eckId` and the other restricted ones, the mail address)
makes everybody recognisable, also where the list does not hold it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from broker.domain.attributes import MAIL, VOCABULARY, AttributeName

Shown = Mapping[AttributeName, tuple[str, ...]]
"""What a supplier gets of one person: attribute -> values."""

FEW, SOME = 5, 10
"""Groups smaller than these are *few* and *some*."""

MAX_PART = 3
"""Of how many attributes a smallest part is looked for; beyond that it is all of them."""


def identifies(name: AttributeName) -> bool:
    """Tell whether an attribute alone makes a person known, at every supplier that gets it.

    >>> identifies(AttributeName("eckId")), identifies(AttributeName("givenName"))
    (True, False)
    """
    return VOCABULARY[name].restricted or name == MAIL


@dataclass(frozen=True, slots=True)
class GroupSizes:
    """How many people are in a group of which size, by all that a supplier gets.

    Attributes:
        alone: in one of 1: recognisable.
        few: of 2 to 4.
        some: of 5 to 9.
        many: of 10 or more.
    """

    alone: int
    few: int
    some: int
    many: int

    @property
    def persons(self) -> int:
        """Return how many people there are."""
        return self.alone + self.few + self.some + self.many


@dataclass(frozen=True, slots=True)
class AttributeShare:
    """What one attribute adds.

    Attributes:
        alone_by_itself: recognisable by this attribute only.
        alone_without: recognisable by all the others.
    """

    name: AttributeName
    alone_by_itself: int
    alone_without: int


@dataclass(frozen=True, slots=True)
class Linkability:
    """What one supplier could tell apart.

    Attributes:
        shares: of each attribute that it gets of anybody, in the vocabulary's order.
        identified_by: those among them that identify by themselves; with any, fully linkable.
    """

    sizes: GroupSizes
    shares: tuple[AttributeShare, ...]
    identified_by: tuple[AttributeName, ...]

    @property
    def is_full(self) -> bool:
        """Tell whether this supplier counts as fully linkable."""
        return bool(self.identified_by)


@dataclass(frozen=True, slots=True)
class Matches:
    """Whom two suppliers could match.

    Attributes:
        persons: on the list, and known to both.
        by: what both get of anybody.
        sizes: by all of that; `alone` are matched.
        smallest: a smallest part of `by` that matches as many; empty when nobody is matched.
    """

    persons: int
    by: tuple[AttributeName, ...]
    sizes: GroupSizes
    smallest: tuple[AttributeName, ...]

    @property
    def matched(self) -> int:
        """Return how many could be matched for certain."""
        return self.sizes.alone


def measure_linkability(shown: Sequence[Shown]) -> Linkability:
    """Return what one supplier could tell apart of these people.

    Args:
        shown: of each person, once.

    >>> sanne, daan = {"givenName": ("Sanne",)}, {"givenName": ("Daan",)}
    >>> found = measure_linkability([sanne, sanne, daan])
    >>> found.sizes.alone, found.sizes.few, found.is_full
    (1, 2, False)
    """
    names = _names_of(shown)
    return Linkability(
        sizes=_sizes_of(shown, names),
        shares=tuple(
            AttributeShare(
                name,
                alone_by_itself=_sizes_of(shown, (name,)).alone,
                alone_without=_sizes_of(shown, [each for each in names if each != name]).alone,
            )
            for name in names
        ),
        identified_by=tuple(filter(identifies, names)),
    )


def measure_matches(first: Sequence[Shown], second: Sequence[Shown]) -> Matches:
    """Return whom two suppliers could match.

    Args:
        first, second: what each gets of the same people, in the same order.
    """
    both = [
        {name: values for name, values in one.items() if other.get(name) == values}
        for one, other in zip(first, second, strict=True)
    ]
    by = _names_of(both)
    sizes = _sizes_of(both, by)
    return Matches(len(both), by, sizes, _smallest_part(both, by, matched=sizes.alone))


def _smallest_part(
    shown: Sequence[Shown], names: Sequence[AttributeName], *, matched: int
) -> tuple[AttributeName, ...]:
    if not matched:
        return ()
    for size in range(1, min(MAX_PART, len(names)) + 1):
        for part in combinations(names, size):
            if _sizes_of(shown, part).alone == matched:
                return part
    return tuple(names)


def _names_of(shown: Iterable[Shown]) -> tuple[AttributeName, ...]:
    found = {name for each in shown for name in each}
    return tuple(each for each in VOCABULARY if each in found)


def _sizes_of(shown: Sequence[Shown], names: Collection[AttributeName]) -> GroupSizes:
    seen = [tuple(each.get(name) for name in names) for each in shown]
    group = Counter(seen)
    sizes = [group[each] for each in seen]
    return GroupSizes(
        alone=sum(each == 1 for each in sizes),
        few=sum(1 < each < FEW for each in sizes),
        some=sum(FEW <= each < SOME for each in sizes),
        many=sum(each >= SOME for each in sizes),
    )
