"""What is kept of decisions: the signed document as PDF and JSON, the annex, and the history."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.decision_outline import NOTHING, Choice
from broker.domain.printed_documents import PrintedDocument
from broker.flow.decisions.decision_types import DecisionView, choice_of
from broker.web.console.choose_annex_pages import AnnexPage
from broker.web.console.choose_draft_pages import HistoryPage, HistoryRow
from broker.web.console.choose_places import SERVICE_PATH, Place, read_place, words_for
from broker.web.console.choose_review_routes import look, name_of
from broker.web.console.choose_sign_routes import find_signed
from broker.web.console.decision_document import PrintedDecision, build_annex, build_decision
from broker.web.console.doors import Seat, console_route, show_console
from broker.web.console.signed_reading import read_printed, read_signed
from broker.web.wiring import Web

PDF = "application/pdf"


def kept_routes(web: Web) -> list[Route]:
    """Return the routes of what is kept."""

    async def signed_pdf(request: Request, seat: Seat) -> Response:
        place = read_place(web, request, seat.actor)
        signed = find_signed(web, request, seat, place)
        words = words_for(web, request)
        decision = read_printed(web, seat, place, signed, words)
        document = build_decision(words, decision)
        name = f"{place.id}-{signed.supplier}-{signed.version}.pdf"
        return await send_pdf(web, document, name=name)

    async def signed_json(request: Request, seat: Seat) -> Response:
        place = read_place(web, request, seat.actor)
        signed = find_signed(web, request, seat, place)
        name = f"{place.id}-{signed.supplier}-{signed.version}.json"
        return send_file(signed.document.encode(), kind="application/json", name=name)

    async def annex(request: Request, seat: Seat) -> Response:
        place = read_place(web, request, seat.actor)
        view = look(web, request, seat, place)
        document = build_annex(words_for(web, request), as_it_stands(place, view, web.clock()))
        page = AnnexPage(
            place=place,
            url=place.service(view.supplier),
            name=name_of(view),
            document=document,
        )
        return show_console(web, request, seat, page)

    async def annex_pdf(request: Request, seat: Seat) -> Response:
        place = read_place(web, request, seat.actor)
        view = look(web, request, seat, place)
        document = build_annex(words_for(web, request), as_it_stands(place, view, web.clock()))
        return await send_pdf(web, document, name=f"{place.id}-{view.supplier}-bijsluiter.pdf")

    async def history(request: Request, seat: Seat) -> Response:
        place = read_place(web, request, seat.actor)
        view, words = look(web, request, seat, place), words_for(web, request)
        kept = web.console.decisions.signed(
            seat.actor, **place.names, unverified_supplier=view.supplier
        )
        read = [read_signed(each) for each in kept]
        choices = [choice_of(each.agreement) for each in read]
        before: list[Choice] = [*choices[1:], NOTHING]
        rows = tuple(
            HistoryRow(
                version=record.version,
                signed_on=words.day(record.signed_at.date()),
                period=words.period(each.agreement.from_day, each.agreement.until),
                number=record.number,
                changes=words.changes(earlier, choice),
            )
            for record, each, choice, earlier in zip(kept, read, choices, before, strict=True)
        )
        url = place.service(view.supplier)
        page = HistoryPage(place=place, name=name_of(view), url=url, rows=rows)
        return show_console(web, request, seat, page)

    return [
        console_route(web, SERVICE_PATH + "/signed/{number:int}.pdf", signed_pdf),
        console_route(web, SERVICE_PATH + "/signed/{number:int}.json", signed_json),
        console_route(web, SERVICE_PATH + "/annex", annex),
        console_route(web, SERVICE_PATH + "/annex.pdf", annex_pdf),
        console_route(web, SERVICE_PATH + "/history", history),
    ]


def as_it_stands(place: Place, view: DecisionView, now: datetime) -> PrintedDecision:
    """Return a service as it stands here now, for its annex."""
    document, counting = view.document, view.counting
    return PrintedDecision(
        place=place.name,
        brin=place.brin,
        supplier=name_of(view),
        legal_name=document.legal_name,
        version=view.version,
        sheet=document.sheet,
        asked=document.attribute,
        choice=choice_of(counting) if counting is not None else view.choice,
        first_day=counting.from_day if counting is not None else now.date(),
        last_day=counting.until if counting is not None else None,
        is_pupil_told=counting is not None and counting.notice.value == "inform",
        signed_at=now.replace(hour=0, minute=0, second=0, microsecond=0),  # the same all day
    )


async def send_pdf(web: Web, document: PrintedDocument, *, name: str) -> Response:
    """Return a printed document as a file."""
    made = await web.console.documents.typeset(document)
    return send_file(made, kind=PDF, name=name)


def send_file(body: bytes, *, kind: str, name: str) -> Response:
    """Return a file to keep; its name holds ids of the federation alone."""
    return Response(
        body,
        headers={
            "cache-control": "no-store",
            "content-disposition": f'attachment; filename="{name}"',
            "x-content-type-options": "nosniff",
        },
        media_type=kind,
    )
