"""Registers made from what is live: `/console/registers`, as page, CSV and PDF."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.console_roles import Permission
from broker.flow.console.actors import Actor, may, schools_of, suppliers_of
from broker.flow.console.console_refusals import NotAllowed
from broker.web.console.decision_words import DecisionWords
from broker.web.console.doors import Seat, console_route, show_console
from broker.web.console.register_pages import RegisterPage, RegistersPage
from broker.web.console.register_tables import (
    KIND_WORDS,
    RegisterKind,
    RegisterTable,
    print_register,
    write_csv,
)
from broker.web.console.register_words import RegisterWords
from broker.web.requests import Parameters, only, read_query
from broker.web.responses import read_language
from broker.web.texts import N_, Texts, load_texts
from broker.web.wiring import Web

REGISTERS = "/console/registers"
ROWS_SHOWN = 50
MOST_PRINTED = 1_000
"""Rows; beyond that nobody prints, and the file would take a worker for seconds."""

_OF_SCHOOL = tuple(RegisterKind)
_OF_SUPPLIER = (RegisterKind.PROCESSING,)
_OF_ALL = (RegisterKind.ADOPTION,)
_FILE_TYPES = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}


def register_routes(web: Web) -> list[Route]:
    """Return the routes of registers."""
    texts = load_texts()

    async def choose(request: Request, seat: Seat) -> Response:
        return show_console(web, request, seat, _choices(web, seat.actor))

    async def show_one(request: Request, seat: Seat) -> Response:
        name, _, form = str(request.path_params["name"]).partition(".")
        query = read_query(request)
        table = _read(web, seat.actor, name, query, _words(web, request, texts))
        if not form:
            page = _page_of(table, request.scope["path"], query)
            return show_console(web, request, seat, page)
        return await _send(web, request, table, name=name, form=form, texts=texts)

    return [
        console_route(web, REGISTERS, choose),
        console_route(web, REGISTERS + "/{name}", show_one),
    ]


def _words(web: Web, request: Request, texts: Texts) -> RegisterWords:
    language = read_language(web, request)
    return RegisterWords(DecisionWords(language, texts[language]))


def _read(
    web: Web, actor: Actor, name: str, query: Parameters, words: RegisterWords
) -> RegisterTable:
    """Return the register that an address names.

    Raises:
        NotAllowed: there is no such register, or not for this actor.
    """
    registers = web.console.insight.registers
    school, supplier = only(query, "school"), only(query, "supplier")
    if name == RegisterKind.PROCESSING and supplier:
        found, lines = registers.of_supplier(actor, supplier)
        return words.processing_of_supplier(found.legal_name, lines)
    if name == RegisterKind.ADOPTION and not school:
        return words.adoption_of_all(*registers.shares(actor))
    if name == RegisterKind.ADOPTION:
        return words.adoption_of_school(registers.share_of_school(actor, school))
    if name == RegisterKind.ENDING:
        return words.ending_of_school(*registers.ending(actor, school))
    tell = {
        RegisterKind.PROCESSING.value: words.processing_of_school,
        RegisterKind.SUPPLIERS.value: words.suppliers_of_school,
        RegisterKind.DPIA.value: words.dpia_of_school,
    }.get(name)
    if tell is None:
        raise NotAllowed("check_register_there")
    return tell(*registers.of_school(actor, school))


async def _send(
    web: Web, request: Request, table: RegisterTable, *, name: str, form: str, texts: Texts
) -> Response:
    if form not in _FILE_TYPES or (form == "pdf" and len(table.rows) > MOST_PRINTED):
        raise NotAllowed("check_register_there")
    if form == "csv":
        body = write_csv(table)
    else:
        language = read_language(web, request)
        document = print_register(
            table,
            language=language.value,
            made_at=web.clock().replace(microsecond=0),  # the file states no more
            page_words=texts[language].gettext(N_("page")),
        )
        body = await web.console.insight.typeset(document)
    headers = {
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="register-{name}.{form}"',
    }
    return Response(body, headers=headers, media_type=_FILE_TYPES[form])


def _choices(web: Web, actor: Actor) -> RegistersPage:
    registry = web.snapshots.registry
    schools = schools_of(actor, registry, Permission.SEE_REGISTERS)
    suppliers = suppliers_of(actor, registry, Permission.SEE_REGISTERS)
    runs = may(actor, Permission.OPERATE, registry=registry)

    def options(kinds: tuple[RegisterKind, ...]) -> tuple[tuple[str, str], ...]:
        return tuple((f"{REGISTERS}/{each}", KIND_WORDS[each]) for each in kinds)

    return RegistersPage(
        schools=tuple((str(each.id), each.name) for each in schools),
        suppliers=tuple((str(each.id), each.display_name) for each in suppliers),
        finds=runs,
        kinds=options(_OF_SCHOOL),
        of_supplier=options(_OF_SUPPLIER),
        of_all=options(_OF_ALL) if runs else (),
    )


def _page_of(table: RegisterTable, path: str, query: Parameters) -> RegisterPage:
    stated = only(query, "first")
    first = int(stated) - 1 if stated.isascii() and stated.isdigit() and len(stated) < 9 else 0
    first = min(max(0, first), max(0, len(table.rows) - 1)) // ROWS_SHOWN * ROWS_SHOWN
    rows = tuple(table.rows[first : first + ROWS_SHOWN])
    named = [each for each in query if each[0] in ("school", "supplier")]
    last = first + len(rows)

    def page_at(place: int) -> str:
        return f"{path}?{urlencode([*named, ('first', place + 1)])}"

    def file_of(form: str) -> str:
        return f"{path}.{form}?{urlencode(named)}"

    return RegisterPage(
        title=table.title,
        place=table.place,
        notes=table.notes,
        heads=table.heads,
        rows=rows,
        first=first + 1 if rows else 0,
        last=last,
        total=len(table.rows),
        previous_url=page_at(first - ROWS_SHOWN) if first else "",
        next_url=page_at(last) if last < len(table.rows) else "",
        csv_url=file_of("csv"),
        pdf_url=file_of("pdf") if len(table.rows) <= MOST_PRINTED else "",
    )
