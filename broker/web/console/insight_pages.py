"""The pages on which a school sees what would be sent, and who could be recognised by it.

Words are message ids; names of attributes go to pages as they are and are worded there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from broker.domain.attributes import AttributeName
from broker.domain.csv_reading import CsvFault
from broker.domain.linkability import GroupSizes, Matches
from broker.domain.refusals import Refusal
from broker.domain.release import WithheldBecause
from broker.flow.insight.class_lists import SupplierMeter
from broker.flow.insight.shown_answers import MessageKind
from broker.flow.insight.simulated import Fate, SimulatedAnswer, SimulatedAttribute
from broker.flow.insight.simulator import Situation
from broker.web.attribute_words import PLAIN_WORDS
from broker.web.csv_words import CSV_WORDS
from broker.web.texts import N_

SITUATION_WORDS: Mapping[Situation, str] = MappingProxyType(
    {
        Situation.AS_IT_IS: N_("As it is today"),
        Situation.WITH_DRAFT: N_("With the decision that is prepared"),
        Situation.WITH_SHEET: N_("If you sign for the newest service sheet"),
    }
)
FATE_WORDS: Mapping[Fate, str] = MappingProxyType(
    {
        Fate.RELEASED: N_("Goes out"),
        Fate.WITHHELD: N_("Stays at school"),
        Fate.MISSING: N_("Your login does not send it"),
        Fate.NOT_STATED: N_("Not approved, and not sent by your login"),
    }
)
FATE_MARKS: Mapping[Fate, str] = MappingProxyType(
    {
        Fate.RELEASED: "look",
        Fate.WITHHELD: "good",
        Fate.MISSING: "busy",
        Fate.NOT_STATED: "plain",
    }
)
REASON_WORDS: Mapping[WithheldBecause, str] = MappingProxyType(
    {
        WithheldBecause.NEVER: N_("This never goes out."),
        WithheldBecause.NOT_DECLARED: N_("The supplier does not ask for it."),
        WithheldBecause.NOT_FOR_POPULATION: N_("The supplier does not ask for it of this person."),
        WithheldBecause.NOT_APPROVED: N_("The school did not approve it."),
        WithheldBecause.NOT_ENTITLED: N_("The supplier may not get this."),
        WithheldBecause.NO_END_DATE: N_("The decision has no end date."),
        WithheldBecause.OTHER_SCHOOL: N_("It belongs to another school."),
        WithheldBecause.TAKEN_OVER: N_("The pseudonym took its place."),
        WithheldBecause.NOT_ASKED: N_("It was not asked for."),
    }
)
MESSAGE_WORDS: Mapping[MessageKind, str] = MappingProxyType(
    {
        MessageKind.ID_TOKEN: N_("ID token, before it is signed"),
        MessageKind.USERINFO: N_("Answer of userinfo"),
        MessageKind.ASSERTION: N_("SAML assertion, before it is signed"),
    }
)

Option = tuple[str, str]
"""Value and words of a choice; the words are a name, or translated by the page."""


def plain_words(name: str) -> str:
    """Return the message id of an attribute; its name where it has none."""
    return PLAIN_WORDS.get(name, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class FateCell:
    """What becomes of one attribute in one situation."""

    words: str
    mark: str
    reason: str
    values: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FateRow:
    """One attribute in every situation; a cell is None where nothing is said of it."""

    name: str
    words: str
    purpose: str
    required: bool
    cells: tuple[FateCell | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SituationShown:
    """One situation: whether it lets somebody in, and what exactly would be sent."""

    words: str
    refusal: Refusal | None
    version: int
    messages: tuple[Option, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorPage:
    """What would be sent of a made-up person?

    Attributes:
        schools, suppliers, systems, logins: to choose from.
        states: what the login can state: name and words of each.
        left_out: names of what it does not.
        situations: none before a supplier is chosen.
    """

    template: ClassVar[str] = "console/insight_simulator.html"
    school: str
    school_name: str
    schools: tuple[Option, ...]
    suppliers: tuple[Option, ...]
    supplier: str = ""
    supplier_name: str = ""
    systems: tuple[Option, ...] = ()
    system: str = ""
    logins: tuple[Option, ...] = ()
    login: str = ""
    population: str = "pupil"
    groups: str = ""
    states: tuple[Option, ...] = ()
    left_out: tuple[str, ...] = ()
    situations: tuple[SituationShown, ...] = ()
    rows: tuple[FateRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A part of a bar: how many, from where to where in percent of its length."""

    kind: str
    words: str
    count: int
    begins: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow:
    """What one attribute adds: recognisable by it alone, and fewer if it stayed at school."""

    words: str
    alone: int
    saves: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterShown:
    """One supplier. `identified_by` and `not_listed` are message ids."""

    supplier_name: str
    persons: int
    alone: int = 0
    bars: tuple[Bar, ...] = ()
    shares: tuple[ShareRow, ...] = ()
    identified_by: tuple[str, ...] = ()
    not_listed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchesShown:
    """Two suppliers. `by` and `smallest` are message ids."""

    names: tuple[str, str]
    persons: int
    matched: int
    by: tuple[str, ...]
    smallest: tuple[str, ...]
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLine:
    """A line of the file that cannot be used."""

    line: int
    words: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkabilityPage:
    """Who could be recognised? Before a file was sent, after, and when it could not be read.

    Attributes:
        persons: on the list; 0 before one was sent.
        left_out: how many columns were not looked at.
        fault_count: of all lines with a fault; `faults` are the first.
    """

    template: ClassVar[str] = "console/insight_linkability.html"
    school: str
    school_name: str
    schools: tuple[Option, ...]
    suppliers: tuple[Option, ...]
    supplier: str = ""
    other: str = ""
    persons: int = 0
    left_out: int = 0
    meters: tuple[MeterShown, ...] = ()
    matches: MatchesShown | None = None
    refusal: Refusal | None = None
    faults: tuple[FaultLine, ...] = ()
    fault_count: int = 0


def show_situations(
    answers: tuple[tuple[Situation, SimulatedAnswer], ...],
) -> tuple[tuple[SituationShown, ...], tuple[FateRow, ...]]:
    """Return the situations, and what becomes of each attribute in all of them."""
    shown = tuple(
        SituationShown(
            words=SITUATION_WORDS[situation],
            refusal=answer.refusal,
            version=answer.agreement_version,
            messages=tuple((MESSAGE_WORDS[each.kind], each.text) for each in answer.messages),
        )
        for situation, answer in answers
    )
    found = [{each.name: each for each in answer.attributes} for _, answer in answers]
    names: dict[AttributeName, SimulatedAttribute] = {}
    for of in found:
        names = of | names
    rows = tuple(
        FateRow(
            name=name,
            words=plain_words(name),
            purpose=each.purpose,
            required=each.required,
            cells=tuple(
                None if name not in of or answer.refusal is not None else _cell(of[name])
                for of, (_, answer) in zip(found, answers, strict=True)
            ),
        )
        for name, each in names.items()
    )
    return shown, rows


def _cell(each: SimulatedAttribute) -> FateCell:
    released = each.fate is Fate.RELEASED
    return FateCell(
        words=FATE_WORDS[each.fate],
        mark=FATE_MARKS[each.fate],
        reason="" if each.reason is None else REASON_WORDS[each.reason],
        values=each.values if released else (),
    )


def show_bars(sizes: GroupSizes) -> tuple[Bar, ...]:
    """Return the parts of a bar that are not empty, from recognisable to lost among many."""
    parts = (
        ("alone", N_("the only one: recognisable"), sizes.alone),
        ("few", N_("alike with 1 to 3 others"), sizes.few),
        ("some", N_("alike with 4 to 8 others"), sizes.some),
        ("many", N_("alike with 9 others or more"), sizes.many),
    )
    bars: list[Bar] = []
    begins = 0.0
    for kind, words, count in parts:
        if count:
            width = 100 * count / sizes.persons
            bars.append(Bar(kind=kind, words=words, count=count,
                            begins=round(begins, 2), width=round(width, 2)))  # fmt: skip
            begins += width
    return tuple(bars)


def show_meter(supplier_name: str, meter: SupplierMeter) -> MeterShown:
    """Return what one supplier could tell apart."""
    if meter.found is None:
        return MeterShown(supplier_name=supplier_name, persons=0)
    found = meter.found
    return MeterShown(
        supplier_name=supplier_name,
        persons=meter.persons,
        alone=found.sizes.alone,
        bars=show_bars(found.sizes),
        shares=tuple(
            ShareRow(
                words=plain_words(each.name),
                alone=each.alone_by_itself,
                saves=found.sizes.alone - each.alone_without,
            )
            for each in found.shares
        ),
        identified_by=tuple(map(plain_words, found.identified_by)),
        not_listed=tuple(map(plain_words, meter.not_listed)),
    )


def show_matches(names: tuple[str, str], found: Matches) -> MatchesShown:
    """Return whom two suppliers could match."""
    return MatchesShown(
        names=names,
        persons=found.persons,
        matched=found.matched,
        by=tuple(map(plain_words, found.by)),
        smallest=tuple(map(plain_words, found.smallest)),
        bars=show_bars(found.sizes),
    )


def show_faults(faults: tuple[CsvFault, ...]) -> tuple[FaultLine, ...]:
    """Return lines that cannot be used, in words."""
    return tuple(
        FaultLine(line=each.line, words=CSV_WORDS[each.reason], column=plain_words(each.column))
        for each in faults
    )
