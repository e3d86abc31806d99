"""What a school or its board approved for a supplier, for whom, and who stopped it.

An agreement approves attributes of pupils and of staff, and may say otherwise of pupils of named
classes or groups. `approved_for` is the only place that says what it approves for one login.
"""

import unicodedata
from collections.abc import Collection, Sequence
from datetime import date
from enum import StrEnum

import msgspec

from broker.domain.attributes import AttributeName, Population
from broker.domain.ids import BoardId, SchoolId, SupplierId


class NoticeMode(StrEnum):
    """Whether pupils see what is shared before they go on, once per version."""

    NONE = "none"
    INFORM = "inform"


class StoppedBy(StrEnum):
    """Who stopped an agreement: the page of a refused login says so."""

    SCHOOL = "school"
    BOARD = "board"
    SUPPLIER = "supplier"
    FEDERATION = "federation"


class Stopped(msgspec.Struct, frozen=True):
    """An agreement that lets nobody through any more, until a later version.

    Attributes:
        on: from this day on, in the Netherlands.
    """

    by: StoppedBy
    on: date


class GroupRule(msgspec.Struct, frozen=True):
    """What is approved of pupils of some classes or groups, in place of what is of all pupils.

    Attributes:
        groups: their names; case, blanks and forms of Unicode make no difference (`fold_group`).
        approved: canonical names.
    """

    groups: frozenset[str]
    approved: frozenset[AttributeName]


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """One version of what a school approved for a supplier. The only thing that releases.

    Attributes:
        school: the school, or None when the board decided for all its schools.
        first_day: from this day on, in the Netherlands.
        last_day: up to and including this day; None is without end.
        approved: canonical names; of pupils and staff, or of pupils when `approved_staff` is set.
        approved_staff: of staff; None: as `approved`.
        group_rules: what is otherwise of pupils of some groups.
        sheet: version of the supplier's sheet that was read before it was signed; 0: none.
    """

    school: SchoolId | None
    board: BoardId | None
    supplier: SupplierId
    version: int
    first_day: date
    last_day: date | None
    approved: frozenset[AttributeName]
    notice: NoticeMode = NoticeMode.NONE
    approved_staff: frozenset[AttributeName] | None = None
    group_rules: tuple[GroupRule, ...] = ()
    sheet: int = 0
    stopped: Stopped | None = None

    def is_in_force(self, today: date) -> bool:
        """Tell whether it releases on this day, in the Netherlands."""
        begun = self.first_day <= today and (self.last_day is None or today <= self.last_day)
        return begun and not self.is_stopped(today)

    def is_stopped(self, today: date) -> bool:
        """Tell whether somebody stopped it, on this day in the Netherlands."""
        return self.stopped is not None and self.stopped.on <= today

    @property
    def approved_of_staff(self) -> frozenset[AttributeName]:
        """Return what is approved of staff."""
        return self.approved if self.approved_staff is None else self.approved_staff

    @property
    def approved_of_anybody(self) -> frozenset[AttributeName]:
        """Return what goes out of some people at least; never what goes out of one of them."""
        rules = (each.approved for each in self.group_rules)
        return frozenset().union(self.approved, self.approved_of_staff, *rules)

    @property
    def approved_of_everybody(self) -> frozenset[AttributeName]:
        """Return what goes out of whoever comes, whatever role and group."""
        rules = (each.approved for each in self.group_rules)
        return self.approved.intersection(self.approved_of_staff, *rules)


def rules_met(agreement: Agreement, groups: Collection[str]) -> tuple[int, ...]:
    """Return which group rules of an agreement name one of these groups, by their places.

    Unlike groups themselves they may be held until the answer goes out.
    """
    if not agreement.group_rules:
        return ()
    folded = {fold_group(each) for each in groups}
    return tuple(
        place
        for place, rule in enumerate(agreement.group_rules)
        if not folded.isdisjoint(map(fold_group, rule.groups))
    )


def fold_group(name: str) -> str:
    """Return the name of a group as it is compared: a rule must hold however a login writes it.

    >>> fold_group(" 3a ") == fold_group("3A"), fold_group("groep  7") == fold_group("Groep 7")
    (True, True)
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def approved_for(
    agreement: Agreement, population: Population | None, rules: Sequence[int] | None
) -> frozenset[AttributeName]:
    """Return what an agreement approves for one person.

    Several rules that are met: what all of them approve. None met: what is approved of all pupils.

    Args:
        population: None when the login states no role: then only what is approved of both.
        rules: those that the person's groups meet, of `rules_met`; None when the groups are not
            known any more: then what is approved whatever they are.

    >>> of = {"school": None, "board": None, "supplier": "rekenrijk", "version": 1}
    >>> days = {"first_day": date(2026, 8, 1), "last_day": None}
    >>> rule = GroupRule(frozenset({"3A"}), frozenset())
    >>> name = frozenset({AttributeName("givenName")})
    >>> agreed = Agreement(**of, **days, approved=name, group_rules=(rule,))
    >>> pupil = Population.PUPIL
    >>> sorted(approved_for(agreed, pupil, ())), sorted(approved_for(agreed, pupil, (0,)))
    (['givenName'], [])
    """
    if population is Population.STAFF:
        return agreement.approved_of_staff
    ruled = agreement.group_rules
    met = [each.approved for each in (ruled if rules is None else (ruled[at] for at in rules))]
    if rules is None or not met:
        met.append(agreement.approved)
    of_pupil = frozenset(met[0]).intersection(*met[1:])
    return of_pupil if population is not None else of_pupil & agreement.approved_of_staff
