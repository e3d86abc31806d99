"""Bringing in what is shared today: upload, compare, choose at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import ClassVar

import msgspec

from broker.domain.activated_file import RowFault, RowProblem
from broker.domain.activated_matching import MatchedService, Unmatched
from broker.domain.attributes import VOCABULARY, AttributeName
from broker.domain.decision_outline import Choice, in_order
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.flow.decisions.many_decisions import Compared, ComparedService
from broker.web.console.choose_catalogue import State
from broker.web.console.choose_places import Place
from broker.web.console.decision_words import DecisionWords
from broker.web.texts import N_

SHOWN_FAULTS = 50

PROBLEM_WORDS: Mapping[RowProblem, str] = MappingProxyType(
    {
        RowProblem.NO_SERVICE: N_("names no service"),
        RowProblem.UNKNOWN_ATTRIBUTE: N_("we do not know what “%(subject)s” is"),
        RowProblem.NOT_YES_OR_NO: N_("we expected yes or no, and read “%(subject)s”"),
        RowProblem.UNKNOWN_POPULATION: N_("we expected pupils or staff, and read “%(subject)s”"),
        RowProblem.NOT_A_DAY: N_("we expected a day such as 31-07-2027, and read “%(subject)s”"),
    }
)

COMPARED: Mapping[Compared, State] = MappingProxyType(
    {
        Compared.LESS: State(N_("Less than today"), "good"),
        Compared.SAME: State(N_("The same as today"), "good"),
        Compared.MORE: State(N_("More than today"), "look"),
        Compared.OTHER: State(N_("Something else than today"), "look"),
    }
)

MODES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "as-today": (
            N_("As today, as far as the service asks for it"),
            N_("What it does not ask for is not shared any more."),
        ),
        "required": (
            N_("No more than what the service does not work without"),
            N_("You can add to it for each service later."),
        ),
    }
)
"""How all services are decided at once: message ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPage:
    """Which list do you bring in?"""

    template: ClassVar[str] = "console/choose_import.html"
    place: Place
    error: str = ""
    faults: tuple[str, ...] = ()
    from_text: str
    until_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRow:
    """One service: for how many schools, and what the decision shares beside today."""

    supplier: str
    name: str
    schools: tuple[str, ...]
    standing: State
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePage:
    """What would be decided, beside what is shared today?

    Attributes:
        carried: what was read, for the form that follows; it names no pupil.
        faults: lines that were left out, and why, as sentences.
        more_faults: how many are not shown.
    """

    template: ClassVar[str] = "console/choose_compare.html"
    place: Place
    rows: tuple[ComparedRow, ...]
    counts: tuple[tuple[str, int], ...]
    decisions: int
    modes: tuple[tuple[str, str, str], ...]
    carried: str = field(repr=False)
    from_text: str
    until_text: str
    faults: tuple[str, ...] = field(default=(), repr=False)
    more_faults: int = 0


class _Carried(msgspec.Struct, frozen=True, array_like=True):
    supplier: str
    pupils: tuple[str, ...]
    staff: tuple[str, ...]
    schools: tuple[str, ...]


def carry(services: Iterable[MatchedService]) -> str:
    """Return what was read as text for a form; schools that share the same stand together."""
    together: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for each in services:
        key = each.supplier, in_order(each.shared.pupils), in_order(each.shared.staff)
        together.setdefault(key, []).append(each.school)
    carried = [_Carried(*key, tuple(schools)) for key, schools in together.items()]
    return msgspec.json.encode(carried).decode()


def read_carried(text: str) -> tuple[MatchedService, ...]:
    """Return what a form carries; the flow checks anew whose each of it is.

    Raises:
        msgspec.MsgspecError: it is not what `carry` wrote.
    """
    return tuple(
        MatchedService(
            school=SchoolId(school),
            supplier=SupplierId(each.supplier),
            shared=Choice(pupils=_known(each.pupils), staff=_known(each.staff)),
        )
        for each in msgspec.json.decode(text, type=tuple[_Carried, ...])
        for school in each.schools
    )


def _known(names: Iterable[str]) -> frozenset[AttributeName]:
    return frozenset(AttributeName(each) for each in names if each in VOCABULARY)


def build_compare(
    place: Place,
    compared: Sequence[ComparedService],
    words: DecisionWords,
    *,
    registry: Registry,
    carried: str,
    days: tuple[date, date],
    faults: Sequence[str] = (),
) -> ComparePage:
    """Return the page that compares; schools for whom a service is the same stand together."""

    def name_of(supplier: str) -> str:
        return registry.suppliers[SupplierId(supplier)].display_name

    together: dict[tuple[str, Compared, tuple[str, ...]], list[str]] = {}
    for each in compared:
        activated = each.activated
        changes = words.changes(activated.shared, each.draft.choice)
        key = activated.supplier, each.compared, changes
        together.setdefault(key, []).append(registry.schools[activated.school].name)
    of = [each.compared for each in compared]
    return ComparePage(
        place=place,
        rows=tuple(
            ComparedRow(
                supplier=supplier,
                name=name_of(supplier),
                schools=tuple(schools),
                standing=COMPARED[kind],
                changes=changes,
            )
            for (supplier, kind, changes), schools in sorted(
                together.items(), key=lambda each: name_of(each[0][0]).casefold()
            )
        ),
        counts=tuple((each.words, of.count(kind)) for kind, each in COMPARED.items() if kind in of),
        decisions=len(compared),
        modes=tuple(
            (name, words.say(told), words.say(hint)) for name, (told, hint) in MODES.items()
        ),
        carried=carried,
        from_text=days[0].isoformat(),
        until_text=days[1].isoformat(),
        faults=tuple(faults[:SHOWN_FAULTS]),
        more_faults=max(0, len(faults) - SHOWN_FAULTS),
    )


def tell_faults(
    words: DecisionWords, faults: Iterable[RowFault], unmatched: Iterable[Unmatched]
) -> tuple[str, ...]:
    """Return a sentence for each line that was left out, by line."""
    told = [
        (each.line, words.say(PROBLEM_WORDS[each.problem], subject=each.subject)) for each in faults
    ]
    told += [(each.line, _tell_unmatched(words, each)) for each in unmatched]
    line = N_("Line %(line)s: %(what)s.")
    return tuple(words.say(line, line=str(at), what=what) for at, what in sorted(told))


def _tell_unmatched(words: DecisionWords, each: Unmatched) -> str:
    if each.is_school:
        return words.say(N_("we do not know your school “%(subject)s”"), subject=each.words[:60])
    return words.say(N_("we do not know the service “%(subject)s”"), subject=each.words[:60])
