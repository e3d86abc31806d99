"""A signed decision read back, with the sheet on which it was signed, for the document of it."""

import msgspec

from broker.domain.documents import AgreementDocument
from broker.domain.sheets import NO_VERSION, ServiceSheet
from broker.flow.console.console_audit import read_moment
from broker.flow.decisions.decision_types import SignedDecision, choice_of
from broker.flow.sheets.sheet_refusals import SheetVersionUnknown
from broker.web.console.choose_places import Place
from broker.web.console.decision_document import PrintedDecision
from broker.web.console.decision_words import DecisionWords
from broker.web.console.doors import Seat
from broker.web.console.role_words import ROLE_WORDS
from broker.web.wiring import Web


class SignedSupplier(msgspec.Struct, frozen=True):
    """With whom, and on which version of its sheet."""

    id: str
    legal_name: str
    sheet: int = NO_VERSION


class SignedStep(msgspec.Struct, frozen=True):
    """Who prepared or signed: a keyed hash, a role, and a moment."""

    role: str
    at: str


class SignedText(msgspec.Struct, frozen=True, kw_only=True):
    """What a signed document says (`flow.decisions.signed_documents`)."""

    agreement: AgreementDocument
    decided_for: str
    supplier: SignedSupplier
    prepared: SignedStep
    signed: SignedStep


def read_signed(signed: SignedDecision) -> SignedText:
    """Return what was signed."""
    return msgspec.json.decode(signed.document, type=SignedText)


def read_printed(
    web: Web, seat: Seat, place: Place, signed: SignedDecision, words: DecisionWords
) -> PrintedDecision:
    """Return what was signed as it is printed: with the sheet as it was then.

    Raises:
        NotAllowed: the supplier is not there any more.
        RegistryUnreadable
    """
    text = read_signed(signed)
    agreement = text.agreement
    sheet = _sheet_of_then(web, seat, text)
    supplier = web.snapshots.registry.suppliers.get(signed.supplier)
    return PrintedDecision(
        place=text.decided_for,
        brin=place.brin,
        supplier=text.supplier.legal_name if supplier is None else supplier.display_name,
        legal_name=text.supplier.legal_name,
        version=signed.version,
        sheet=None if sheet.version == NO_VERSION else sheet.sheet,
        asked=sheet.attributes,
        choice=choice_of(agreement),
        first_day=agreement.from_day,
        last_day=agreement.until,
        is_pupil_told=agreement.notice.value == "inform",
        signed_by=_role(words, text.signed),
        prepared_by=_role(words, text.prepared),
        signed_at=read_moment(text.signed.at),
        fingerprint=signed.document_hash,
    )


def _sheet_of_then(web: Web, seat: Seat, text: SignedText) -> ServiceSheet:
    reader = web.console.sheets.reader
    if text.supplier.sheet != NO_VERSION:
        try:
            return reader.read_version(seat.actor, text.supplier.id, text.supplier.sheet).sheet
        except SheetVersionUnknown:
            pass  # published by a document that is not kept: what is asked now stands in
    return reader.read(seat.actor, text.supplier.id).sheet


def _role(words: DecisionWords, step: SignedStep) -> str:
    return next((words.say(told) for role, told in ROLE_WORDS.items() if role == step.role), "")
