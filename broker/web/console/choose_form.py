"""The form in which somebody chooses what a service gets: read, and shown again with what is wrong.

Fields: `pupil` and `staff` once for each attribute that is approved; `group1` to `group3` names of
classes, `group1-gets` once for each attribute; `notice`, `from`, `until`, `not-here`; hidden
`sheet`, `based-on` and `replaces`, by which a form knows whether it is out of date.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from broker.domain.agreements import NoticeMode
from broker.domain.attributes import VOCABULARY, AttributeName
from broker.domain.decision_outline import Choice, GroupChoice
from broker.domain.ids import SupplierId
from broker.flow.decisions.decision_types import Decider, Draft
from broker.web.requests import Parameters, only
from broker.web.texts import N_

MAX_GROUP_RULES = 3
MAX_GROUPS = 60
MAX_GROUP_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with a field: its id and a message id."""

    field: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenForm:
    """What a form holds, right or wrong; group names may tell of few people, so they stay here.

    Attributes:
        from_text, until_text: as sent.
        group_texts: by rule.
    """

    choice: Choice
    group_texts: tuple[str, ...] = field(default=(), repr=False)
    group_gets: tuple[frozenset[AttributeName], ...] = ()
    is_told: bool = False
    from_text: str = ""
    until_text: str = ""
    not_here: bool = False
    sheet: int = 0
    based_on: int = 0
    replaces: int = 0
    from_day: date | None = None
    until: date | None = None
    faults: tuple[FieldFault, ...] = ()


def read_chosen(form: Parameters) -> ChosenForm:
    """Return what somebody chose; whatever cannot be read is among the faults.

    Raises:
        RequestUnreadable: a field twice that stands once on the page.
    """
    faults: list[FieldFault] = []
    from_text, until_text = only(form, "from"), only(form, "until")
    from_day = _read_day(from_text)
    until = _read_day(until_text)
    if from_day is None:
        faults.append(FieldFault("from", N_("Fill in from which day it holds.")))
    if until_text and until is None:
        faults.append(FieldFault("until", N_("Fill in a day, or leave it empty.")))
    if from_day is not None and until is not None and until < from_day:
        faults.append(FieldFault("until", N_("The last day is before the first one.")))
    texts = tuple(only(form, f"group{at}") for at in range(1, MAX_GROUP_RULES + 1))
    gets = tuple(_names(form, f"group{at}-gets") for at in range(1, MAX_GROUP_RULES + 1))
    rules = tuple(_read_rules(texts, gets, faults))
    choice = Choice(pupils=_names(form, "pupil"), staff=_names(form, "staff"), groups=rules)
    not_here = only(form, "not-here") == "yes"
    if not not_here and until is None and not until_text and _needs_end(choice):
        faults.append(
            FieldFault("until", N_("What identifies a person everywhere needs a last day."))
        )
    return ChosenForm(
        choice=choice,
        group_texts=texts,
        group_gets=gets,
        is_told=only(form, "notice") == NoticeMode.INFORM.value,
        from_text=from_text,
        until_text=until_text,
        not_here=not_here,
        sheet=read_small_number(only(form, "sheet")),
        based_on=read_small_number(only(form, "based-on")),
        replaces=read_small_number(only(form, "replaces")),
        from_day=from_day,
        until=until,
        faults=tuple(faults),
    )


def draft_of(chosen: ChosenForm, *, decider: Decider, supplier: SupplierId, today: date) -> Draft:
    """Return the draft of a form without faults."""
    nothing = Choice(pupils=frozenset(), staff=frozenset())
    return Draft(
        decider=decider,
        supplier=supplier,
        choice=nothing if chosen.not_here else chosen.choice,
        notice=NoticeMode.INFORM if chosen.is_told else NoticeMode.NONE,
        from_day=chosen.from_day or today,
        until=chosen.until,
        sheet=chosen.sheet,
        based_on=chosen.based_on,
        not_here=chosen.not_here,
    )


def split_groups(text: str) -> tuple[str, ...]:
    """Return names of classes that somebody typed, each once.

    >>> split_groups(" 3A, 3B;3A\\n7 wit ")
    ('3A', '3B', '7 wit')
    """
    parts = (each.strip() for each in re.split(r"[,;\n]", text))
    return tuple(dict.fromkeys(filter(None, parts)))


def read_small_number(text: str) -> int:
    """Return a number of a form; 0 when it is none.

    >>> read_small_number("12"), read_small_number("\u00b2"), read_small_number("9" * 5000)
    (12, 0, 0)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _read_rules(
    texts: Sequence[str], gets: Sequence[frozenset[AttributeName]], faults: list[FieldFault]
) -> Iterable[GroupChoice]:
    seen: set[str] = set()
    for at, (text, approved) in enumerate(zip(texts, gets, strict=True), start=1):
        groups = split_groups(text)
        if not groups:
            if approved:
                faults.append(FieldFault(f"group{at}", N_("Fill in for which classes this is.")))
            continue
        if len(groups) > MAX_GROUPS or any(len(each) > MAX_GROUP_CHARACTERS for each in groups):
            faults.append(FieldFault(f"group{at}", N_("Name at most 60 classes, briefly.")))
        elif not seen.isdisjoint(groups):
            faults.append(FieldFault(f"group{at}", N_("A class stands here that stands above.")))
        else:
            yield GroupChoice(frozenset(groups), approved)
        seen.update(groups)


def _names(form: Parameters, name: str) -> frozenset[AttributeName]:
    return frozenset(
        AttributeName(value) for each, value in form if each == name and value in VOCABULARY
    )


def _needs_end(choice: Choice) -> bool:
    of_groups = frozenset().union(*(each.approved for each in choice.groups))
    return any(VOCABULARY[each].restricted for each in choice.pupils | choice.staff | of_groups)


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
