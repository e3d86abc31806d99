"""Bringing in a list of what is shared today, for a school or for all schools of a board.

The file is read, compared and forgotten: what the next page needs of it, services and names of
attributes, goes along in its form, and is checked anew.
"""

import asyncio
from collections.abc import Sequence
from datetime import date

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.activated_file import MAX_BYTES, read_activated
from broker.domain.activated_matching import MatchedFile, MatchedService, match_rows
from broker.domain.console_roles import Permission
from broker.domain.csv_reading import CsvFaulty, CsvTooLarge, CsvUnreadable
from broker.domain.dutch_days import day_of
from broker.domain.federation import School
from broker.flow.console.actors import schools_of
from broker.flow.decisions.decision_types import Draft
from broker.flow.decisions.many_decisions import ActivatedService, ComparedService
from broker.web.console.choose_import_drafts import for_board, only_required
from broker.web.console.choose_import_pages import (
    MODES,
    ImportPage,
    build_compare,
    carry,
    read_carried,
    tell_faults,
)
from broker.web.console.choose_places import DECIDE, PLACE_PATH, Place, read_place, words_for
from broker.web.console.choose_review_pages import school_year_end
from broker.web.console.choose_review_routes import UNPROCESSABLE
from broker.web.console.choose_sign_routes import build_batch
from broker.web.console.doors import (
    Seat,
    console_route,
    read_own_form,
    read_own_upload,
    show_console,
)
from broker.web.csv_words import CSV_WORDS
from broker.web.requests import Parameters, RequestUnreadable, only
from broker.web.responses import redirect
from broker.web.texts import N_
from broker.web.wiring import Web

MAX_CARRIED_BYTES = 1024 * 1024
"""Of the form that carries a compared list, percent-encoded: 10,000 rows of many schools fit."""


def import_routes(web: Web) -> list[Route]:
    """Return the routes of bringing in a list."""

    async def bring_in(request: Request, seat: Seat) -> Response:
        place = read_place(web, request, seat.actor, Permission.PREPARE_DECISION)
        if request.method == "GET":
            return show_upload(request, seat, place)
        upload = await read_own_upload(web, request, seat, max_file_bytes=MAX_BYTES)
        words = words_for(web, request)
        body = upload.file("list")
        if not body:
            return show_upload(request, seat, place, error=words.say(N_("Choose a file.")))
        try:
            read = await asyncio.to_thread(read_activated, body)
        except (CsvUnreadable, CsvTooLarge) as refusal:
            told = f"{words.say(refusal.what)} {words.say(refusal.remedy)}"
            return show_upload(request, seat, place, error=told)
        except CsvFaulty as refusal:
            return show_upload(
                request,
                seat,
                place,
                error=words.say(refusal.what),
                faults=tuple(
                    words.say(
                        N_("Line %(line)s: %(what)s."),
                        line=str(each.line),
                        what=words.say(CSV_WORDS[each.reason]).format(column=each.column),
                    )
                    for each in refusal.faults
                ),
            )
        matched = match_rows(
            read.rows,
            schools=schools_at(web, seat, place),
            suppliers=web.snapshots.registry.suppliers.values(),
        )
        faults = tell_faults(words, read.faults, matched.unmatched)
        if not matched.services:
            told = words.say(N_("No line of this file means a service of the federation."))
            return show_upload(request, seat, place, error=told, faults=faults)
        return await show_compared(
            request, seat, place, matched, read_days(web, upload.fields), faults
        )

    def show_upload(
        request: Request,
        seat: Seat,
        place: Place,
        *,
        error: str = "",
        faults: tuple[str, ...] = (),
    ) -> Response:
        today = day_of(web.clock())
        page = ImportPage(
            place=place,
            error=error,
            faults=faults,
            from_text=today.isoformat(),
            until_text=school_year_end(today).isoformat(),
        )
        status = UNPROCESSABLE if error else 200
        return show_console(web, request, seat, page, status=status)

    async def show_compared(
        request: Request,
        seat: Seat,
        place: Place,
        matched: MatchedFile,
        days: tuple[date, date],
        faults: Sequence[str],
    ) -> Response:
        compared = await compare(web, seat, matched.services, days)
        page = build_compare(
            place,
            compared,
            words_for(web, request),
            registry=web.snapshots.registry,
            carried=carry(matched.services),
            days=days,
            faults=faults,
        )
        return show_console(web, request, seat, page)

    async def prepare(request: Request, seat: Seat) -> Response:
        place = read_place(web, request, seat.actor, Permission.PREPARE_DECISION)
        form = await read_own_form(web, request, seat, max_bytes=MAX_CARRIED_BYTES)
        services = _carried(form)
        left_out = {value for name, value in form if name == "leave-out"}
        wanted = tuple(each for each in services if each.supplier not in left_out)
        days = read_days(web, form)
        compared = await compare(web, seat, wanted, days)
        drafts = choose_drafts(web, place, compared, mode=only(form, "mode"))
        if not drafts:
            return redirect(f"{place.path}/import")
        batch = await web.console.decisions.prepare_many(seat.actor, drafts)
        if batch.problems:
            page = build_batch(web, seat.actor, batch, words_for(web, request), signed=0)
            return show_console(web, request, seat, page, status=UNPROCESSABLE)
        return redirect(f"{DECIDE}/batches/{batch.batch}")

    path = PLACE_PATH + "/import"
    return [
        console_route(web, path, bring_in, methods=("GET", "POST")),
        console_route(web, path + "/prepare", prepare, methods=("POST",)),
    ]


def schools_at(web: Web, seat: Seat, place: Place) -> tuple[School, ...]:
    """Return of which schools a list may speak here."""
    found = schools_of(seat.actor, web.snapshots.registry, Permission.PREPARE_DECISION)
    if place.is_board:
        return tuple(each for each in found if each.board == place.id)
    return tuple(each for each in found if each.id == place.id)


async def compare(
    web: Web, seat: Seat, services: Sequence[MatchedService], days: tuple[date, date]
) -> tuple[ComparedService, ...]:
    """Return each service beside what would be decided."""
    activated = [
        ActivatedService(school=each.school, supplier=each.supplier, shared=each.shared)
        for each in services
    ]
    return await web.console.decisions.compare(
        seat.actor, activated, from_day=days[0], until=days[1]
    )


def choose_drafts(
    web: Web, place: Place, compared: Sequence[ComparedService], *, mode: str
) -> tuple[Draft, ...]:
    """Return the drafts of a list: as today or no more than needed; of a board together."""
    drafts = tuple(each.draft for each in compared)
    registry = web.snapshots.registry
    if mode == tuple(MODES)[1]:
        drafts = tuple(
            only_required(each, registry.suppliers[each.supplier].attributes) for each in drafts
        )
    return for_board(drafts, place.id, registry) if place.is_board else drafts


def read_days(web: Web, form: Parameters) -> tuple[date, date]:
    """Return from when until when; today and the end of the school year when nothing sensible is
    stated: the page that follows shows them."""
    today = day_of(web.clock())
    found: list[date] = []
    for name, otherwise in (("from", today), ("until", school_year_end(today))):
        try:
            found.append(date.fromisoformat(only(form, name)))
        except ValueError:
            found.append(otherwise)
    first, last = found
    return (first, last) if first <= last else (today, school_year_end(today))


def _carried(form: Parameters) -> tuple[MatchedService, ...]:
    try:
        return read_carried(only(form, "carried"))
    except msgspec.MsgspecError:
        pass  # outside the handler: a decoder's message may quote what was sent
    raise RequestUnreadable("check_carried_list")
