"""What would be sent, and who could be recognised: `/console/simulator`, `/console/linkability`."""

from asyncio import to_thread
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.attributes import VOCABULARY, Population
from broker.domain.console_roles import Permission
from broker.domain.csv_reading import CsvFaulty, CsvTooLarge, CsvUnreadable
from broker.domain.federation import School, Supplier
from broker.domain.refusals import Refusal
from broker.flow.console.actors import Actor, schools_of
from broker.flow.insight.class_lists import MAX_LIST_BYTES, NumberOfTheLaw
from broker.flow.insight.list_meter import Measured
from broker.flow.insight.sample_persons import SAMPLE_GROUPS
from broker.flow.insight.simulator import Asked, Choices, Simulation
from broker.web.console.doors import Seat, console_route, read_own_upload, show_console
from broker.web.console.insight_pages import (
    LinkabilityPage,
    Option,
    SimulatorPage,
    plain_words,
    show_faults,
    show_matches,
    show_meter,
    show_situations,
)
from broker.web.console.register_routes import register_routes
from broker.web.requests import Parameters, only, read_query
from broker.web.wiring import Web

SIMULATOR = "/console/simulator"
LINKABILITY = "/console/linkability"
MAX_SCHOOLS = 200
"""Of a board, in one list to choose from."""


def insight_routes(web: Web) -> list[Route]:
    """Return the routes of both pages, and of registers."""

    async def simulate(request: Request, seat: Seat) -> Response:
        query = read_query(request)
        schools = _schools(web, seat.actor)
        school = only(query, "school") or _first(schools)
        choices = web.console.insight.simulator.look(seat.actor, school)
        page = _page_of(choices, schools)
        if only(query, "supplier"):
            asked = _read_asked(query, school)
            simulation = web.console.insight.simulator.simulate(seat.actor, asked)
            page = _page_of(choices, schools, asked=asked, simulation=simulation)
        return show_console(web, request, seat, page)

    async def choose(request: Request, seat: Seat) -> Response:
        schools = _schools(web, seat.actor)
        named = only(read_query(request), "school") or _first(schools)
        school, suppliers = web.console.insight.list_meter.look(seat.actor, named)
        return show_console(web, request, seat, _list_page(school, suppliers, schools))

    async def measure(request: Request, seat: Seat) -> Response:
        upload = await read_own_upload(web, request, seat, max_file_bytes=MAX_LIST_BYTES)
        form, meter = upload.fields, web.console.insight.list_meter
        supplier, other = only(form, "supplier"), only(form, "other")
        school, suppliers = meter.look(seat.actor, only(form, "school"))
        page = replace(
            _list_page(school, suppliers, _schools(web, seat.actor)), supplier=supplier, other=other
        )
        try:
            measured = await to_thread(  # a second for the largest list: logins go between
                meter.measure,
                seat.actor,
                school.id,
                upload.file("list"),
                unverified_supplier=supplier,
                unverified_other=other,
            )
        except (CsvFaulty, CsvTooLarge, CsvUnreadable, NumberOfTheLaw) as refusal:
            page = _with_refusal(page, refusal)
            return show_console(web, request, seat, page, status=refusal.http_status)
        return show_console(web, request, seat, _with_counts(page, measured))

    async def count(request: Request, seat: Seat) -> Response:
        return await (measure if request.method == "POST" else choose)(request, seat)

    return [
        console_route(web, SIMULATOR, simulate),
        console_route(web, LINKABILITY, count, methods=["GET", "POST"]),
        *register_routes(web),
    ]


def _schools(web: Web, actor: Actor) -> tuple[Option, ...]:
    found = schools_of(actor, web.snapshots.registry, Permission.SIMULATE)
    return tuple((each.id, each.name) for each in found[:MAX_SCHOOLS])


def _first(schools: tuple[Option, ...]) -> str:
    return schools[0][0] if schools else ""


def _read_asked(query: Parameters, school: str) -> Asked:
    stated = [value for name, value in query if name == "states"]
    was_asked = only(query, "states_asked") == "yes"
    groups = tuple(each.strip() for each in only(query, "groups").split(",") if each.strip())
    is_staff = only(query, "population") == Population.STAFF
    return Asked(
        school=school,
        supplier=only(query, "supplier"),
        relying_party=only(query, "system"),
        login=only(query, "login"),
        population=Population.STAFF if is_staff else Population.PUPIL,
        groups=groups or SAMPLE_GROUPS,
        left_out=tuple(each for each in VOCABULARY if was_asked and each not in stated),
    )


def _page_of(
    choices: Choices,
    schools: tuple[Option, ...],
    *,
    asked: Asked | None = None,
    simulation: Simulation | None = None,
) -> SimulatorPage:
    states = tuple((each, plain_words(each)) for each in choices.states)
    base = SimulatorPage(
        school=choices.school.id,
        school_name=choices.school.name,
        schools=schools,
        suppliers=_options(choices.suppliers),
        logins=tuple((each.id, each.name or each.place) for each in choices.logins),
        states=states,
        groups=", ".join(SAMPLE_GROUPS),
    )
    if asked is None or simulation is None:
        return base
    situations, rows = show_situations(simulation.answers)
    parties = (each for each in simulation.supplier.relying_parties if each.enabled)
    return replace(
        base,
        supplier=simulation.supplier.id,
        supplier_name=simulation.supplier.display_name,
        systems=tuple((str(each.id), str(each.id)) for each in parties),
        system=simulation.relying_party.id,
        login=simulation.login.id,
        population=asked.population.value,
        groups=", ".join(asked.groups),
        left_out=asked.left_out,
        situations=situations,
        rows=rows,
    )


def _list_page(
    school: School, suppliers: tuple[Supplier, ...], schools: tuple[Option, ...]
) -> LinkabilityPage:
    return LinkabilityPage(
        school=school.id,
        school_name=school.name,
        schools=schools,
        suppliers=_options(suppliers),
    )


def _with_counts(page: LinkabilityPage, measured: Measured) -> LinkabilityPage:
    names = [supplier.display_name for supplier, _ in measured.meters]
    matches = measured.matches
    return replace(
        page,
        persons=len(measured.listed.pupils),
        left_out=measured.listed.left_out,
        meters=tuple(
            show_meter(supplier.display_name, meter) for supplier, meter in measured.meters
        ),
        matches=None if matches is None else show_matches((names[0], names[1]), matches),
    )


def _with_refusal(page: LinkabilityPage, refusal: Refusal) -> LinkabilityPage:
    if not isinstance(refusal, CsvFaulty):
        return replace(page, refusal=refusal)
    faults = show_faults(refusal.faults)
    return replace(page, refusal=refusal, faults=faults, fault_count=refusal.count)


def _options(suppliers: tuple[Supplier, ...]) -> tuple[Option, ...]:
    return tuple((str(each.id), each.display_name) for each in suppliers)
