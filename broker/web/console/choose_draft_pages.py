"""A draft before it is signed: what it shares, what it changes, and who may sign it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from broker.domain.decision_outline import NOTHING, Choice, in_order, outline
from broker.flow.decisions.decision_types import (
    DecisionView,
    Draft,
    PreparedDecision,
    Standing,
)
from broker.web.console.choose_places import Place
from broker.web.console.decision_words import DecisionWords, SharedOf
from broker.web.console.role_words import ROLE_WORDS
from broker.web.texts import N_

SAMPLE_NAME = "Sanne"
SAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "givenName": SAMPLE_NAME,
        "sn": "Jansen",
        "nlEduPersonTussenvoegsels": "van",
        "initials": "S.",
        "mail": "sanne@school.example",
        "eduPersonAffiliation": "student",
        "nlEduPersonHomeOrganizationId": "11AA",
        "nlEduPersonHomeOrganization": "Voorbeeldschool",
        "nlEduPersonHomeOrganizationBranchId": "11AA00",
        "nlEduPersonUnit": "7B",
        "birthDate": "2016-04-12",
        "eckId": "https://ketenid.nl/201703/3f9c…",
        "uid": "sanne.j@school.example",
        "employeeNumber": "1100417",
        "nlEduPersonProfileId": "88213",
        "nlEduPersonRealId": "5501",
        "schoolMembership": "student@11AA;since=2026-2027",
    }
)
"""Of a made-up pupil, so that somebody sees what such a value looks like."""

SAMPLE_PSEUDONYM = "a4kq…"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPage:
    """This is what you are about to sign.

    Attributes:
        title: what happens with it: a message id.
        changes: sentences; none when nothing of what is shared changes.
        preview: of a made-up pupil: what it is, and how it looks.
        prepared_by: a function, as a message id.
        needs_login: the login is not sure or new enough to sign; `step_up` leads to one that is.
        by_other: four eyes: who prepared it may not sign it.
    """

    template: ClassVar[str] = "console/choose_draft.html"
    place: Place
    name: str
    url: str
    back_url: str
    step_up: str
    shared: tuple[SharedOf, ...]
    changes: tuple[str, ...]
    preview: tuple[tuple[str, str], ...]
    period: str
    is_told: bool
    not_here: bool
    prepared_by: str
    prepared_on: str
    revision: int
    may_sign: bool
    may_change: bool
    needs_login: bool
    by_other: bool
    lacks_processor_agreement: bool


def build_draft(
    place: Place,
    prepared: PreparedDecision,
    view: DecisionView,
    words: DecisionWords,
    *,
    is_own: bool,
    is_sure: bool,
) -> DraftPage:
    """Return the page of a draft.

    Args:
        is_own: who looks prepared it.
        is_sure: the login of who looks is sure and new enough to sign.
    """
    draft, document = prepared.draft, view.document
    name = document.display_name or document.legal_name
    url = f"/console/decide/drafts/{prepared.number}"
    return DraftPage(
        place=place,
        name=name,
        url=url,
        back_url=place.service(document.id),
        step_up=f"/console/step-up?back={url}",
        shared=tuple(
            words.shared_of(each, supplier=name)
            for each in outline(document.attribute, draft.choice)
        ),
        changes=words.changes(
            view.choice if view.standing is Standing.IN_FORCE else NOTHING, draft.choice
        ),
        preview=build_preview(draft.choice, words),
        period=words.period(draft.from_day, draft.until),
        is_told=is_told(draft),
        not_here=draft.not_here,
        prepared_by=ROLE_WORDS[prepared.prepared_role],
        prepared_on=words.day(prepared.prepared_at.date()),
        revision=prepared.revision,
        may_sign=view.may_sign,
        may_change=view.may_prepare,
        needs_login=not is_sure,
        by_other=view.four_eyes and is_own,
        lacks_processor_agreement=view.lacks_processor_agreement,
    )


def build_preview(choice: Choice, words: DecisionWords) -> tuple[tuple[str, str], ...]:
    """Return what goes out of a made-up pupil: what it is, and how it looks."""
    told = in_order(choice.pupils)
    pseudonym = (words.say(N_("pseudonym")), SAMPLE_PSEUDONYM)
    return (pseudonym, *((words.name(each), SAMPLES.get(each, "…")) for each in told))


def is_told(draft: Draft) -> bool:
    """Tell whether pupils see once what is shared."""
    return draft.notice.value == "inform"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRow:
    """One draft that waits: `prepared_by` a message id, `more` sentences on what changes."""

    url: str
    place_name: str
    name: str
    changes: tuple[str, ...]
    prepared_by: str
    prepared_on: str
    is_own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPage:
    """What waits for a signature?"""

    template: ClassVar[str] = "console/choose_waiting.html"
    place: Place
    rows: tuple[WaitingRow, ...]
    batches: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """One service of a batch: its name, the schools, what changes, and from when until when."""

    name: str
    places: tuple[str, ...]
    changes: tuple[str, ...]
    period: str
    is_linkable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPage:
    """Many drafts at once, to be signed by one signature.

    Attributes:
        revisions: "number:revision" of each, as the form carries them.
        problems: what keeps all of them back: name and message id.
    """

    template: ClassVar[str] = "console/choose_batch.html"
    url: str
    rows: tuple[BatchRow, ...]
    count: int
    revisions: str
    problems: tuple[tuple[str, str], ...] = ()
    step_up: str
    needs_login: bool
    signed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPage:
    """Do you want to stop this service?"""

    template: ClassVar[str] = "console/choose_stop.html"
    place: Place
    name: str
    url: str
    based_on: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DonePage:
    """It is signed, or stopped.

    Attributes:
        number: of the signed record; 0 when it was stopped.
        fingerprint: SHA-256 of the document, in hexadecimal digits.
    """

    template: ClassVar[str] = "console/choose_done.html"
    place: Place
    name: str
    url: str
    number: int = 0
    version: int = 0
    fingerprint: str = ""
    is_stopped: bool = False
    begins: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One signed version, and what it changed of the one before."""

    version: int
    signed_on: str
    period: str
    number: int
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """What was signed before, the newest first?"""

    template: ClassVar[str] = "console/choose_history.html"
    place: Place
    name: str
    url: str
    rows: tuple[HistoryRow, ...]
