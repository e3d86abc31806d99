"""Drafts that wait, and signing them: one, or many at once."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.agreements import Agreement
from broker.domain.decision_outline import LINKING, NOTHING, Choice, GroupChoice
from broker.domain.dutch_days import day_of
from broker.domain.ids import SupplierId
from broker.flow.console.actors import Actor, check_may_sign
from broker.flow.console.console_refusals import LevelNeeded, NotAllowed
from broker.flow.decisions.decision_refusals import DecisionEditedMeanwhile, DecisionUnusable
from broker.flow.decisions.decision_types import (
    Decider,
    DecisionView,
    PreparedDecision,
    SignedDecision,
)
from broker.flow.decisions.many_decisions import PreparedBatch
from broker.web.console.choose_draft_pages import (
    BatchPage,
    BatchRow,
    DonePage,
    WaitingPage,
    WaitingRow,
    build_draft,
)
from broker.web.console.choose_places import (
    DECIDE,
    PLACE_PATH,
    SERVICE_PATH,
    Place,
    place_of,
    read_place,
    words_for,
)
from broker.web.console.choose_review_routes import look, name_of
from broker.web.console.decision_words import DecisionWords
from broker.web.console.doors import Seat, console_route, read_own_form, show_console
from broker.web.console.role_words import ROLE_WORDS
from broker.web.requests import only, read_query
from broker.web.responses import redirect
from broker.web.texts import N_
from broker.web.wiring import Web

DRAFT_PATH = DECIDE + "/drafts/{number:int}"
BATCH_PATH = DECIDE + "/batches/{batch}"

_PROBLEM_WORDS = {each.code: each.what for each in (DecisionEditedMeanwhile, DecisionUnusable)}


def sign_routes(web: Web) -> list[Route]:
    """Return the routes of drafts and of signing."""
    decisions = web.console.decisions

    def find(request: Request, seat: Seat) -> tuple[PreparedDecision, Place, DecisionView]:
        prepared = decisions.find_prepared(seat.actor, read_number(request.path_params["number"]))
        place = place_of(prepared.draft.decider, web.snapshots.registry)
        view = decisions.look(
            seat.actor, **place.names, unverified_supplier=prepared.draft.supplier
        )
        return prepared, place, view

    async def draft(request: Request, seat: Seat) -> Response:
        prepared, place, view = find(request, seat)
        page = build_draft(
            place,
            prepared,
            view,
            words_for(web, request),
            is_own=seat.actor.is_same(prepared.prepared_by),
            is_sure=is_sure(web, seat.actor),
        )
        return show_console(web, request, seat, page)

    async def sign(request: Request, seat: Seat) -> Response:
        form = await read_own_form(web, request, seat)
        signed = await decisions.sign(
            seat.actor,
            read_number(request.path_params["number"]),
            revision=read_number(only(form, "revision")),
        )
        return redirect(signed_url(web, signed))

    async def discard(request: Request, seat: Seat) -> Response:
        prepared, place, view = find(request, seat)
        form = await read_own_form(web, request, seat)
        revision = read_number(only(form, "revision"))
        await decisions.discard(seat.actor, prepared.number, revision=revision)
        return redirect(place.service(view.supplier))

    async def waiting(request: Request, seat: Seat) -> Response:
        place = read_place(web, request, seat.actor)
        found = decisions.waiting(seat.actor, **place.names)
        page = build_waiting(web, seat.actor, place, found, words_for(web, request))
        return show_console(web, request, seat, page)

    async def batch(request: Request, seat: Seat) -> Response:
        found = decisions.batch(seat.actor, request.path_params["batch"])
        page = build_batch(
            web,
            seat.actor,
            found,
            words_for(web, request),
            signed=read_number(only(read_query(request), "signed")),
        )
        return show_console(web, request, seat, page)

    async def sign_batch(request: Request, seat: Seat) -> Response:
        form = await read_own_form(web, request, seat)
        name = request.path_params["batch"]
        signed = await decisions.sign_many(
            seat.actor, name, revisions=read_revisions(only(form, "revisions"))
        )
        return redirect(f"{DECIDE}/batches/{name}?signed={len(signed)}")

    async def done(request: Request, seat: Seat) -> Response:
        place = read_place(web, request, seat.actor)
        view, words = look(web, request, seat, place), words_for(web, request)
        signed = find_signed(web, request, seat, place)
        begins = ""
        if view.own is not None and view.own.version == signed.version:
            period = words.period(view.own.from_day, view.own.until)
            begins = f"{period} {words.say(N_('It is so everywhere within a few seconds.'))}"
        page = DonePage(
            place=place,
            name=name_of(view),
            url=place.service(view.supplier),
            number=signed.number,
            version=signed.version,
            fingerprint=signed.document_hash,
            begins=begins,
        )
        return show_console(web, request, seat, page)

    return [
        console_route(web, DRAFT_PATH, draft),
        console_route(web, DRAFT_PATH + "/sign", sign, methods=("POST",)),
        console_route(web, DRAFT_PATH + "/discard", discard, methods=("POST",)),
        console_route(web, PLACE_PATH + "/waiting", waiting),
        console_route(web, BATCH_PATH, batch),
        console_route(web, BATCH_PATH + "/sign", sign_batch, methods=("POST",)),
        console_route(web, SERVICE_PATH + "/signed/{number:int}", done),
    ]


def find_signed(web: Web, request: Request, seat: Seat, place: Place) -> SignedDecision:
    """Return the signed decision that an address names.

    Raises:
        NotAllowed: there is none, or not for this actor.
    """
    signed = web.console.decisions.signed(
        seat.actor, **place.names, unverified_supplier=request.path_params["supplier"]
    )
    number = read_number(request.path_params["number"])
    found = next((each for each in signed if each.number == number), None)
    if found is None:
        raise NotAllowed("check_signed_there")
    return found


def is_sure(web: Web, actor: Actor) -> bool:
    """Tell whether somebody may sign by the login that they have now."""
    try:
        check_may_sign(actor, now=web.clock())
    except LevelNeeded:
        return False
    return True


def signed_url(web: Web, signed: SignedDecision) -> str:
    """Return the address of the page that says that it is done."""
    place = place_of(signed.decider, web.snapshots.registry)
    return place.service(signed.supplier, f"signed/{signed.number}")


def read_number(text: str) -> int:
    """Return a small number of a form or address; 0 when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def read_revisions(text: str) -> dict[int, int]:
    """Return number -> revision of a form; what is no such pair counts for nothing.

    >>> read_revisions("7:1 8:2 x")
    {7: 1, 8: 2}
    """
    pairs = (each.partition(":") for each in text.split())
    return {
        read_number(number): read_number(revision)
        for number, _, revision in pairs
        if read_number(number)
    }


def build_waiting(
    web: Web, actor: Actor, place: Place, found: Sequence[PreparedDecision], words: DecisionWords
) -> WaitingPage:
    """Return the page of what waits at a place: drafts alone, and batches."""
    alone = [each for each in found if not each.batch]
    batches = dict.fromkeys(each.batch for each in found if each.batch)
    return WaitingPage(
        place=place,
        rows=tuple(
            WaitingRow(
                url=f"{DECIDE}/drafts/{each.number}",
                place_name=place.name,
                name=supplier_name(web, each.draft.supplier),
                changes=words.changes(
                    counting_choice(web, each.draft.decider, each.draft.supplier), each.draft.choice
                ),
                prepared_by=ROLE_WORDS[each.prepared_role],
                prepared_on=words.day(each.prepared_at.date()),
                is_own=actor.is_same(each.prepared_by),
            )
            for each in alone
        ),
        batches=tuple((each, sum(of.batch == each for of in found)) for each in batches),
    )


def build_batch(
    web: Web, actor: Actor, found: PreparedBatch, words: DecisionWords, *, signed: int
) -> BatchPage:
    """Return the page of a batch: one row for each service and change, with its schools."""
    rows: dict[tuple[str, tuple[str, ...], str, bool], list[str]] = {}
    for each in found.prepared:
        draft = each.draft
        changes = words.changes(counting_choice(web, draft.decider, draft.supplier), draft.choice)
        is_linkable = _is_linkable(draft.choice)
        period = words.period(draft.from_day, draft.until)
        key = (supplier_name(web, draft.supplier), changes, period, is_linkable)
        rows.setdefault(key, []).append(place_of(draft.decider, web.snapshots.registry).name)
    url = f"{DECIDE}/batches/{found.batch}"
    return BatchPage(
        url=url,
        rows=tuple(
            BatchRow(
                name=name,
                places=tuple(places),
                changes=changes,
                period=period,
                is_linkable=is_linkable,
            )
            for (name, changes, period, is_linkable), places in rows.items()
        ),
        count=len(found.prepared),
        revisions=" ".join(f"{each.number}:{each.revision}" for each in found.prepared),
        problems=tuple(
            (supplier_name(web, each.draft.supplier), _PROBLEM_WORDS.get(each.refused_by, ""))
            for each in found.problems
        ),
        step_up=f"/console/step-up?back={url}",
        needs_login=not is_sure(web, actor),
        signed=signed,
    )


def supplier_name(web: Web, supplier: SupplierId) -> str:
    """Return the name of a supplier for people; its id when it is not there any more."""
    found = web.snapshots.registry.suppliers.get(supplier)
    return supplier if found is None else found.display_name


def counting_choice(web: Web, decider: Decider, supplier: SupplierId) -> Choice:
    """Return what is shared today by the decision that counts; nothing without one."""
    registry, today = web.snapshots.registry, day_of(web.clock())
    agreement: Agreement | None = None
    if decider.board is not None:
        agreement = registry.board_agreements.get((decider.board, supplier))
    elif decider.school is not None and decider.school in registry.schools:
        agreement = registry.agreement(registry.schools[decider.school], supplier)
    if agreement is None or not agreement.is_in_force(today):
        return NOTHING
    return Choice(
        pupils=agreement.approved,
        staff=agreement.approved_of_staff,
        groups=tuple(GroupChoice(each.groups, each.approved) for each in agreement.group_rules),
    )


def _is_linkable(choice: Choice) -> bool:
    of_groups = frozenset().union(*(each.approved for each in choice.groups))
    return not LINKING.isdisjoint(choice.pupils | choice.staff | of_groups)
