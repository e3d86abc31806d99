"""The signed decision as a document to keep, with the privacy annex; and the annex alone.

Made of what was signed and of the sheet on which it was signed, so it is the same bytes whenever it
is asked for. It names functions, never persons.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from broker.domain.decision_outline import Choice, outline
from broker.domain.printed_documents import (
    Block,
    Bullets,
    Facts,
    Heading,
    NewPage,
    Paragraph,
    PrintedDocument,
    Table,
)
from broker.domain.sheet_documents import AttributeDocument, SheetDocument
from broker.web.console.decision_words import DecisionWords, SharedOf
from broker.web.console.service_words import describe_purposes, describe_sheet
from broker.web.texts import N_

_WIDTHS = (4, 6, 6, 3)
"""Of the columns of what is asked: what, why, what happens without, shared or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedDecision:
    """What the document tells.

    Attributes:
        place: name of the school, or of the board for all its schools.
        brin: of the school; "" for a board.
        sheet: that was read; None where the supplier had none.
        asked: its attributes.
        stopped: one sentence on who stopped it and when; "" while nobody did.
        signed_by, prepared_by: functions in words; "" where they are not known.
        signed_at: aware; when it came into force, for a document that nobody signed here.
        fingerprint: SHA-256 of the signed JSON, in hexadecimal digits; "" where there is none.
    """

    place: str
    brin: str = ""
    supplier: str
    legal_name: str
    version: int
    sheet: SheetDocument | None
    asked: tuple[AttributeDocument, ...]
    choice: Choice
    first_day: date
    last_day: date | None
    is_pupil_told: bool
    stopped: str = ""
    signed_by: str = ""
    prepared_by: str = ""
    signed_at: datetime
    fingerprint: str = ""


def build_decision(words: DecisionWords, decision: PrintedDecision) -> PrintedDocument:
    """Return the decision with its annex on a page of its own."""
    shared = _shared(words, decision)
    say = words.say
    title = say(
        N_("Decision on %(supplier)s, version %(version)s"),
        supplier=decision.supplier,
        version=str(decision.version),
    )
    blocks: tuple[Block, ...] = (
        Facts(tuple(_facts(words, decision))),
        *([Paragraph(decision.stopped)] if decision.stopped else []),
        Heading(say(N_("What is shared"))),
        Bullets(tuple(f"{each.of_whom}. {each.lead}" for each in shared)),
        *(Paragraph(each.stops) for each in shared if each.stops),
        Paragraph(
            say(
                N_("The pseudonym is made for %(supplier)s alone, and stays the same."),
                supplier=decision.supplier,
            )
        ),
        Paragraph(
            say(N_("Pupils see once what is shared, before they go on."))
            if decision.is_pupil_told
            else say(N_("Pupils see no page about it before they go on."))
        ),
        *_tables(words, shared),
        NewPage(),
        Heading(say(N_("Privacy annex"))),
        *_annex(words, decision, shared),
    )
    return _document(words, decision, title, blocks)


def build_annex(words: DecisionWords, decision: PrintedDecision) -> PrintedDocument:
    """Return the privacy annex (bijsluiter) alone."""
    title = words.say(N_("Privacy annex of %(supplier)s"), supplier=decision.supplier)
    shared = _shared(words, decision)
    told = Heading(words.say(N_("What is shared")))
    blocks = (*_annex(words, decision, shared), told, *_tables(words, shared))
    return _document(words, decision, title, blocks)


def _document(
    words: DecisionWords, decision: PrintedDecision, title: str, blocks: Sequence[Block]
) -> PrintedDocument:
    return PrintedDocument(
        language=words.language.value,
        title=title,
        made_at=decision.signed_at,
        blocks=tuple(blocks),
        footer=f"{decision.place} · {decision.supplier} · {decision.version}",
        page_words=words.say(N_("page")),
    )


def _shared(words: DecisionWords, decision: PrintedDecision) -> tuple[SharedOf, ...]:
    version = decision.sheet.version if decision.sheet is not None else 0
    found = outline(decision.asked, decision.choice, signed_on=version)
    return tuple(words.shared_of(each, supplier=decision.supplier) for each in found)


def _facts(words: DecisionWords, decision: PrintedDecision) -> Iterator[tuple[str, str]]:
    say = words.say
    place = f"{decision.place} ({decision.brin})" if decision.brin else decision.place
    yield say(N_("School or board")), place
    yield say(N_("Service")), f"{decision.supplier} ({decision.legal_name})"
    yield say(N_("In force")), words.period(decision.first_day, decision.last_day)
    if decision.signed_by:
        signed = f"{decision.signed_by}, {words.day(decision.signed_at.date())}"
        yield say(N_("Signed by")), signed
    if decision.prepared_by:
        yield say(N_("Prepared by")), decision.prepared_by
    if decision.fingerprint:
        yield say(N_("Fingerprint (SHA-256)")), decision.fingerprint


def _tables(words: DecisionWords, shared: Sequence[SharedOf]) -> Iterator[Block]:
    say = words.say
    heads = (N_("What"), N_("Why"), N_("Without it"), N_("Shared"))
    for each in shared:
        if not each.lines:
            continue
        yield Heading(each.of_whom, level=2)
        rows = tuple(
            (
                line.words + (f" ({say(N_('required'))})" if line.required else ""),
                line.why,
                line.without,
                say(N_("yes")) if line.approved else say(N_("no")),
            )
            for line in each.lines
        )
        yield Table(tuple(say(head) for head in heads), rows, widths=_WIDTHS)
        yield Paragraph(each.links)


def _annex(
    words: DecisionWords, decision: PrintedDecision, shared: Sequence[SharedOf]
) -> Iterator[Block]:
    say = words.say
    yield Paragraph(
        say(
            N_("%(legal_name)s handles these data for the school, and for nothing else than this:"),
            legal_name=decision.legal_name,
        )
    )
    purposes = describe_purposes(words, decision.sheet)
    yield Bullets(purposes or (say(N_("The supplier does not say.")),))
    if decision.sheet is not None:
        yield Facts(describe_sheet(words, decision.sheet))
    if any(each.is_linkable for each in shared):
        yield Paragraph(
            say(N_("Mind: by what is shared, suppliers can recognise one person between them."))
        )
