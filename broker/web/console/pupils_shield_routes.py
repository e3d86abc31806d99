"""Where a school shields a pupil. A number comes by a form and stands in no address."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.attributes import Population
from broker.domain.console_roles import Permission
from broker.domain.csv_reading import CsvFaulty, CsvTooLarge, CsvUnreadable
from broker.domain.federation import School
from broker.domain.ids import SupplierId
from broker.domain.registry import Registry
from broker.domain.shielding import Shield, ShieldLevel
from broker.flow.console.actors import may
from broker.flow.own_pupils.pupil_lists import MAX_BYTES
from broker.flow.shielding.shield_desk import NoSuchPupil, ShieldView, SupplierNotChosen
from broker.web.console.doors import (
    Seat,
    console_route,
    read_own_form,
    read_own_upload,
    show_console,
)
from broker.web.console.pupils_pages import (
    BY_WORDS,
    LEVEL_HINTS,
    LEVEL_WORDS,
    POPULATION_WORDS,
    ShieldedRow,
    ShieldPage,
    Trouble,
)
from broker.web.console.pupils_places import (
    SHIELDS,
    choose_school,
    listed_of,
    name_suppliers,
    place_of,
    school_here,
    trouble_of,
)
from broker.web.requests import Parameters
from broker.web.responses import redirect
from broker.web.texts import N_
from broker.web.wiring import Web

DONE = {
    "shielded": N_("The pupil is shielded. It holds from the next login on."),
    "unshielded": N_("The school does not shield this pupil any more."),
}
AT_ALL = "all"


def shield_routes(web: Web) -> list[Route]:
    """Return the routes of shielding."""

    async def choose(request: Request, seat: Seat) -> Response:
        return choose_school(
            *(web, request, seat),
            here=SHIELDS,
            title=N_("Shield a pupil"),
            permission=Permission.SEE_PROTECTED,
        )

    async def show(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, Permission.SEE_PROTECTED)
        done = DONE.get(request.query_params.get("done", ""), "")
        return show_console(web, request, seat, _page(web, seat, school, done=done))

    async def look(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, Permission.SEE_PROTECTED)
        form = await read_own_form(web, request, seat)
        identifier, population = _who(form)
        try:
            view = await web.console.shields.look(
                seat.actor, identifier, school=school, population=population
            )
        except NoSuchPupil as refusal:
            page = _page(web, seat, school, trouble=trouble_of(refusal))
            return show_console(web, request, seat, page, status=refusal.http_status)
        page = _page(web, seat, school, form=form, view=view)
        return show_console(web, request, seat, page)

    async def shield(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, Permission.PROTECT_PUPIL)
        form = await read_own_form(web, request, seat)
        identifier, population = _who(form)
        try:
            await web.console.shields.shield(
                *(seat.actor, identifier),
                school=school,
                level=_level(form),
                suppliers=_suppliers(form),
                population=population,
            )
        except (NoSuchPupil, SupplierNotChosen) as refusal:
            view = None
            if not isinstance(refusal, NoSuchPupil):
                view = await web.console.shields.look(
                    seat.actor, identifier, school=school, population=population
                )
            trouble = trouble_of(refusal)
            page = _page(web, seat, school, form=form, view=view, trouble=trouble)
            return show_console(web, request, seat, page, status=refusal.http_status)
        return redirect(f"{SHIELDS}/{school.id}?done=shielded")

    async def unshield(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, Permission.PROTECT_PUPIL)
        identifier, population = _who(await read_own_form(web, request, seat))
        await web.console.shields.unshield(
            seat.actor, identifier, school=school, population=population
        )
        return redirect(f"{SHIELDS}/{school.id}?done=unshielded")

    async def match(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, Permission.SEE_PROTECTED)
        upload = await read_own_upload(web, request, seat, max_file_bytes=MAX_BYTES)
        try:
            rows = listed_of(upload, lambda name: _value(upload.fields, name))
        except (CsvUnreadable, CsvTooLarge, CsvFaulty) as refusal:
            page = _page(web, seat, school, trouble=trouble_of(refusal))
            return show_console(web, request, seat, page, status=refusal.http_status)
        found = await web.console.shields.find_shielded(seat.actor, rows, school=school)
        listed = tuple(each.shown for each in found)
        return show_console(web, request, seat, _page(web, seat, school, listed=listed))

    here = f"{SHIELDS}/{{school}}"
    return [
        console_route(web, SHIELDS, choose),
        console_route(web, here, show),
        console_route(web, f"{here}/look", look, methods=["POST"]),
        console_route(web, f"{here}/shield", shield, methods=["POST"]),
        console_route(web, f"{here}/unshield", unshield, methods=["POST"]),
        console_route(web, f"{here}/match", match, methods=["POST"]),
    ]


def _page(
    web: Web,
    seat: Seat,
    school: School,
    *,
    form: Sequence[tuple[str, str]] = (),
    view: ShieldView | None = None,
    done: str = "",
    listed: tuple[str, ...] | None = None,
    trouble: Trouble | None = None,
) -> ShieldPage:
    registry = web.snapshots.registry
    identifier, population = _who(form)
    return ShieldPage(
        place=place_of(SHIELDS, school),
        may_change=may(seat.actor, Permission.PROTECT_PUPIL, school=school, registry=registry),
        populations=tuple((each.value, words) for each, words in POPULATION_WORDS.items()),
        levels=tuple((each.value, words, LEVEL_HINTS[each]) for each, words in LEVEL_WORDS.items()),
        suppliers=name_suppliers(web.console.shields.suppliers_of(seat.actor, school)),
        identifier="" if view is None else identifier,
        population=population.value,
        has_been_here=view is not None and view.has_been_here,
        shields=() if view is None else tuple(_row(each, registry) for each in view.shields),
        done=done,
        listed=listed,
        trouble=trouble,
    )


def _row(shield: Shield, registry: Registry) -> ShieldedRow:
    names = registry.suppliers
    return ShieldedRow(
        level=LEVEL_WORDS[shield.level],
        by=BY_WORDS[shield.by],
        suppliers=tuple(
            names[each].display_name if each in names else each for each in sorted(shield.suppliers)
        ),
        attributes=tuple(sorted(shield.attributes)),
    )


def _who(form: Sequence[tuple[str, str]]) -> tuple[str, Population]:
    is_staff = _value(form, "population") == Population.STAFF.value
    who = Population.STAFF if is_staff else Population.PUPIL
    return _value(form, "identifier").strip(), who


def _level(form: Parameters) -> ShieldLevel:
    stated = _value(form, "level")
    return ShieldLevel.NO_LOGIN if stated == ShieldLevel.NO_LOGIN else ShieldLevel.NO_ATTRIBUTES


def _suppliers(form: Parameters) -> tuple[SupplierId, ...]:
    """Return at which suppliers; none stands for all.

    Raises:
        SupplierNotChosen: neither all of them nor any.
    """
    named = tuple(SupplierId(value) for name, value in form if name == "suppliers" and value)
    if _value(form, "where") == AT_ALL:
        return ()
    if not named:
        raise SupplierNotChosen("check_supplier_chosen")
    return named


def _value(form: Sequence[tuple[str, str]], name: str) -> str:
    return next((value for field, value in form if field == name), "")
