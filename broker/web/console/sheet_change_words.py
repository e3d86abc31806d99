"""What changed in a service sheet, and what a draft lacks, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from broker.domain.sheet_changes import ChangeKind, SheetChange, SheetPart
from broker.domain.sheet_documents import ContactFunction, ProductCategory
from broker.flow.sheets.sheet_checks import SheetProblem
from broker.web.console.country_words import name_country
from broker.web.console.sheet_words import (
    CATEGORY_WORDS,
    CONTACT_WORDS,
    Said,
    name_of,
    say_in,
)
from broker.web.texts import N_, Language

PART_WORDS: Mapping[SheetPart, str] = MappingProxyType(
    {
        SheetPart.CATEGORY: N_("Kind of product"),
        SheetPart.LANGUAGES: N_("Languages"),
        SheetPart.PURPOSES: N_("What it is for"),
        SheetPart.WORKS_WITHOUT: N_("What works with the pseudonym alone"),
        SheetPart.ATTRIBUTE: N_("Information that is asked"),
        SheetPart.ATTRIBUTE_PURPOSE: N_("Why it is asked"),
        SheetPart.ATTRIBUTE_WITHOUT: N_("What happens without"),
        SheetPart.PROCESSOR_AGREEMENT: N_("Processor agreement"),
        SheetPart.SUB_PROCESSOR: N_("Sub-processor"),
        SheetPart.COUNTRIES: N_("Country"),
        SheetPart.OUTSIDE_EEA: N_("Why data may go outside the EEA"),
        SheetPart.RETENTION: N_("How long it is kept"),
        SheetPart.DPIA: N_("Data protection impact assessment (DPIA)"),
        SheetPart.CONTACT: N_("Contact"),
    }
)

KIND_WORDS: Mapping[ChangeKind, str] = MappingProxyType(
    {
        ChangeKind.ADDED: N_("New"),
        ChangeKind.GONE: N_("Gone"),
        ChangeKind.NOW_REQUIRED: N_("Now required"),
        ChangeKind.NO_LONGER_REQUIRED: N_("Not required any more"),
        ChangeKind.ASKED_OF_MORE: N_("Asked of more people"),
        ChangeKind.ASKED_OF_FEWER: N_("Asked of fewer people"),
        ChangeKind.CHANGED: N_("Changed"),
    }
)

_STEP_OF_PART: Mapping[SheetPart, str] = MappingProxyType(
    {
        SheetPart.CATEGORY: "service",
        SheetPart.LANGUAGES: "service",
        SheetPart.PURPOSES: "service",
        SheetPart.WORKS_WITHOUT: "service",
        SheetPart.ATTRIBUTE: "asks",
        SheetPart.ATTRIBUTE_PURPOSE: "asks",
        SheetPart.ATTRIBUTE_WITHOUT: "asks",
    }
)
"""Where it is written; all else stands in `terms`."""


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One change; `part`, `kind` and `subject` are message ids.

    Attributes:
        before, after: None where there was or is nothing to read.
        tone: of the tag, as in `components.html`.
    """

    part: str
    kind: str
    subject: str
    before: Said | None
    after: Said | None
    tone: str


@dataclass(frozen=True, slots=True)
class ShownProblem:
    """One thing that a draft lacks; `what`, `remedy` and `subject` are message ids.

    Attributes:
        step: of the pages on which it is mended.
    """

    what: str
    remedy: str
    subject: str
    step: str


def show_changes(changes: Iterable[SheetChange], language: Language) -> tuple[ShownChange, ...]:
    """Return changes for a page in a language."""
    return tuple(_show_change(each, language) for each in changes)


def show_problems(problems: Iterable[SheetProblem]) -> tuple[ShownProblem, ...]:
    """Return what a draft lacks, for a page."""
    return tuple(
        ShownProblem(
            each.lack.what,
            each.lack.remedy,
            name_subject(each.part, each.subject),
            _STEP_OF_PART.get(each.part, "terms"),
        )
        for each in problems
    )


def name_subject(part: SheetPart, subject: str) -> str:
    """Return the message id of what a change or problem is about, or its own name."""
    match part:
        case SheetPart.COUNTRIES:
            return name_country(subject)
        case SheetPart.CONTACT if subject:
            return CONTACT_WORDS[ContactFunction(subject)]
        case _:
            return name_of(subject)


def _show_change(each: SheetChange, language: Language) -> ShownChange:
    before, after = say_in(each.before, language), say_in(each.after, language)
    if each.part is SheetPart.CATEGORY:
        before, after = _category(before), _category(after)
    tone = "look" if each.asks_more else "plain"
    return ShownChange(
        PART_WORDS[each.part],
        KIND_WORDS[each.kind],
        name_subject(each.part, each.subject),
        before,
        after,
        tone,
    )


def _category(said: Said | None) -> Said | None:
    if said is None:
        return None
    return Said((CATEGORY_WORDS[ProductCategory(said.lines[0])],), is_message=True)
