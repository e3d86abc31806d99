"""The page on which somebody reads a service sheet and chooses what goes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import ClassVar

from broker.domain.agreements import NoticeMode
from broker.domain.attributes import VOCABULARY, AttributeName, Population
from broker.domain.decision_outline import Choice, outline
from broker.domain.decision_presets import Preset, preset_choice, required_choice
from broker.domain.documents import AgreementDocument
from broker.domain.sheet_documents import AttributeDocument
from broker.flow.decisions.decision_types import DecidedBy, DecisionView, Draft, Standing
from broker.web.console.choose_catalogue import STATES, State
from broker.web.console.choose_form import MAX_GROUP_RULES, ChosenForm, FieldFault
from broker.web.console.choose_places import Place
from broker.web.console.decision_words import DecisionWords, SharedOf
from broker.web.console.service_words import Row, describe_purposes, describe_sheet
from broker.web.texts import N_

PRESET_WORDS: Mapping[Preset, tuple[str, str]] = MappingProxyType(
    {
        Preset.ANONYMOUS: (N_("Only the pseudonym"), N_("Nothing else goes out.")),
        Preset.PSEUDONYMOUS: (N_("Pseudonym, role and school"), N_("Nothing that names somebody.")),
        Preset.FIRST_NAME: (N_("With the first name"), N_("So that the service can greet.")),
        Preset.PERSONALISED: (N_("All that is asked"), N_("But no number of a person.")),
    }
)
"""Message ids: what it is called, and what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedRow:
    """One attribute on the form; `pupil` and `staff` None where it is not asked of them."""

    name: str
    words: str
    why: str
    without: str
    required: bool
    needs_end_day: bool
    is_new: bool
    pupil: bool | None
    staff: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """One rule for classes on the form: the attributes of pupils, each ticked or not."""

    at: int
    text: str = field(repr=False)
    gets: tuple[tuple[str, str], ...]
    chosen: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage:
    """What would this service get, and what do you choose?

    Attributes:
        purposes, facts: of the sheet; none where the supplier published none.
        shared: of each audience, as the form stands now.
        hidden: fields by which the form knows whether it is out of date.
        errors: pairs of a field's id and what to do.
        meanwhile: sentences on what changed since the form was opened; then nothing was saved.
        offers_not_here: the board decided, and this school may want none of it.
        exceptions: of a board: names of schools with a decision of their own, and how it stands.
    """

    template: ClassVar[str] = "console/choose_review.html"
    place: Place
    supplier: str
    name: str
    legal_name: str
    url: str
    standing: State
    period: str = ""
    purposes: tuple[str, ...]
    facts: tuple[Row, ...]
    shared: tuple[SharedOf, ...]
    rows: tuple[AskedRow, ...]
    groups: tuple[GroupRow, ...]
    may_add_group: bool
    presets: tuple[tuple[str, str, str], ...]
    is_told: bool
    from_text: str
    until_text: str
    not_here: bool
    offers_not_here: bool
    by_board: bool
    waiting: str = ""
    draft_url: str = ""
    hidden: tuple[tuple[str, str], ...]
    errors: tuple[tuple[str, str], ...] = ()
    meanwhile: tuple[str, ...] = ()
    exceptions: tuple[tuple[str, State], ...] = ()
    may_prepare: bool
    may_stop: bool
    lacks_processor_agreement: bool = False

    def error_of(self, field_id: str) -> str:
        """Return what to do about a field; "" when nothing is wrong with it."""
        return next((words for at, words in self.errors if at == field_id), "")


def begin_form(view: DecisionView, *, preset: str, today: date) -> ChosenForm:
    """Return how the form stands when it is opened.

    It begins with a preset when the address names one, else with the draft that waits, else with
    what holds now, else with what the service does not work without.
    """
    asked, draft = view.document.attribute, view.draft
    of = draft.draft if draft is not None else None
    kept = view.own or view.counting
    if of is not None:
        choice = of.choice
    elif kept is not None:
        choice = view.choice
    else:
        choice = required_choice(asked)
    if preset in set(Preset):
        choice = preset_choice(Preset(preset), asked)
    sheet = view.document.sheet.version if view.document.sheet is not None else 0
    return ChosenForm(
        choice=choice,
        group_texts=tuple(", ".join(sorted(each.groups)) for each in choice.groups),
        group_gets=tuple(each.approved for each in choice.groups),
        is_told=_is_told(of, kept),
        from_text=_first_day(of, kept, today).isoformat(),
        until_text=_last_day(of, kept, today),
        not_here=of is not None and of.not_here,
        sheet=sheet,
        based_on=view.version,
        replaces=draft.revision if draft is not None else 0,
    )


def school_year_end(today: date) -> date:
    """Return the last day of the school year, of the next one from April on.

    >>> school_year_end(date(2026, 11, 27)), school_year_end(date(2027, 5, 1))
    (datetime.date(2027, 7, 31), datetime.date(2028, 7, 31))
    """
    year = today.year if today.month < 4 else today.year + 1
    return date(year, 7, 31)


def build_review(
    place: Place,
    view: DecisionView,
    chosen: ChosenForm,
    words: DecisionWords,
    *,
    state: str,
    draft_url: str = "",
    exceptions: tuple[tuple[str, State], ...] = (),
    meanwhile: tuple[str, ...] = (),
    adds_group: bool = False,
) -> ReviewPage:
    """Return the page of a form as it stands; `adds_group`: with fields for one more group."""
    document = view.document
    groups = _groups(document.attribute, chosen, words, adds_one=adds_group)
    name = document.display_name or document.legal_name
    url = place.service(document.id)
    return ReviewPage(
        place=place,
        supplier=document.id,
        name=name,
        legal_name=document.legal_name,
        url=url,
        standing=STATES[state],
        period=_period(view, words),
        purposes=describe_purposes(words, document.sheet),
        facts=describe_sheet(words, document.sheet),
        shared=tuple(
            words.shared_of(each, supplier=name)
            for each in outline(document.attribute, chosen.choice)
        ),
        rows=_rows(view, chosen.choice, words),
        groups=groups,
        may_add_group=len(groups) < MAX_GROUP_RULES,
        presets=tuple(
            (f"{url}?preset={each.value}", words.say(told), words.say(hint))
            for each, (told, hint) in PRESET_WORDS.items()
        ),
        is_told=chosen.is_told,
        from_text=chosen.from_text,
        until_text=chosen.until_text,
        not_here=chosen.not_here,
        offers_not_here=not place.is_board and view.decided_by is DecidedBy.BOARD,
        by_board=view.decided_by is DecidedBy.BOARD,
        waiting=words.names(view.waiting),
        draft_url=draft_url,
        hidden=(
            ("sheet", str(chosen.sheet)),
            ("based-on", str(chosen.based_on)),
            ("replaces", str(chosen.replaces)),
        ),
        errors=tuple((each.field, words.say(each.words)) for each in chosen.faults),
        meanwhile=meanwhile,
        exceptions=exceptions,
        may_prepare=view.may_prepare,
        may_stop=view.may_stop and view.standing is Standing.IN_FORCE and not _is_stopped(view),
        lacks_processor_agreement=view.lacks_processor_agreement,
    )


def with_fault(chosen: ChosenForm, fault: FieldFault) -> ChosenForm:
    """Return a form with one more fault."""
    return replace(chosen, faults=(*chosen.faults, fault))


def _rows(view: DecisionView, choice: Choice, words: DecisionWords) -> tuple[AskedRow, ...]:
    return tuple(
        AskedRow(
            name=each.name,
            words=words.name(each.name),
            why=words.why(each),
            without=words.without(each),
            required=each.required,
            needs_end_day=_is_restricted(each),
            is_new=each.name in view.waiting,
            pupil=_ticked(each, Population.PUPIL, choice.pupils),
            staff=_ticked(each, Population.STAFF, choice.staff),
        )
        for each in view.document.attribute
    )


def _is_restricted(asked: AttributeDocument) -> bool:
    known = VOCABULARY.get(AttributeName(asked.name))
    return known is not None and known.restricted


def _ticked(
    asked: AttributeDocument, of: Population, approved: frozenset[AttributeName]
) -> bool | None:
    return asked.name in approved if of in asked.populations else None


def _groups(
    asked: tuple[AttributeDocument, ...],
    chosen: ChosenForm,
    words: DecisionWords,
    *,
    adds_one: bool,
) -> tuple[GroupRow, ...]:
    gets = tuple(
        (each.name, words.name(each.name)) for each in asked if Population.PUPIL in each.populations
    )
    pairs = zip(chosen.group_texts, chosen.group_gets, strict=True)
    filled = [(text, ticked) for text, ticked in pairs if text or ticked]
    if adds_one:
        filled.append(("", chosen.choice.pupils))
    return tuple(
        GroupRow(at=at, text=text, gets=gets, chosen=tuple(sorted(ticked)))
        for at, (text, ticked) in enumerate(filled[:MAX_GROUP_RULES], start=1)
    )


def _is_stopped(view: DecisionView) -> bool:
    return view.own is not None and view.own.stopped is not None


def _is_told(draft: Draft | None, kept: AgreementDocument | None) -> bool:
    of = draft or kept
    return of is None or of.notice is NoticeMode.INFORM


def _first_day(draft: Draft | None, kept: AgreementDocument | None, today: date) -> date:
    """Return the first day that stands on the form: of a decision that holds, today."""
    if draft is not None:
        return draft.from_day
    return max(kept.from_day, today) if kept is not None else today


def _last_day(draft: Draft | None, kept: AgreementDocument | None, today: date) -> str:
    if draft is not None:
        return draft.until.isoformat() if draft.until is not None else ""
    if kept is not None and (kept.until is None or kept.until > today):
        return kept.until.isoformat() if kept.until is not None else ""
    return school_year_end(today).isoformat()


def _period(view: DecisionView, words: DecisionWords) -> str:
    counting = view.counting
    return "" if counting is None else words.period(counting.from_day, counting.until)
