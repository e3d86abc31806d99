"""Where a school makes letters for parents. Its list is forgotten; codes are shown once."""

from asyncio import to_thread
from collections.abc import Sequence
from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.console_roles import Permission
from broker.domain.csv_reading import (
    CsvColumn,
    CsvFaulty,
    CsvTooLarge,
    CsvUnreadable,
    read_table,
)
from broker.domain.csv_writing import write_table
from broker.domain.dutch_days import day_of
from broker.domain.federation import School
from broker.flow.parents.letters import (
    MAX_PUPILS,
    LettersMade,
    LettersNotPossible,
    LetterWish,
    ListedPupil,
    PupilLetters,
    standing_of,
)
from broker.flow.persons.person_records import SCHOOL_YEAR_FIRST_MONTH
from broker.web.console.doors import (
    Seat,
    console_route,
    read_own_form,
    read_own_upload,
    show_console,
)
from broker.web.console.letters_pages import (
    DONE_WORDS,
    STANDING_WORDS,
    LetterLine,
    LettersMadePage,
    LettersPage,
    print_letter,
)
from broker.web.console.pupils_places import (
    choose_school,
    name_suppliers,
    place_of,
    school_here,
    trouble_of,
)
from broker.web.me.me_doors import send_file
from broker.web.me.parent_routes import PARENT
from broker.web.requests import only
from broker.web.responses import redirect
from broker.web.texts import N_
from broker.web.uploads import Upload
from broker.web.wiring import Web

LETTERS = "/console/letters"
MAX_BYTES = 512 * 1024
FORM_BYTES = 16
NUMBER = CsvColumn("number", ("leerlingnummer", "leerlingnr", "nummer"), required=True)
GROUP = CsvColumn("group", ("groep", "klas", "class"))
NAME = CsvColumn("name", ("naam", "roepnaam", "voornaam", "first name"))
CSV_HEADER = ("number", "group", "name", "household", "code", "address")
_MENDED_ON_THE_PAGE = (CsvUnreadable, CsvTooLarge, CsvFaulty, LettersNotPossible)
_PERMISSION = Permission.ISSUE_CODES


def letters_routes(web: Web) -> list[Route]:
    """Return the routes of letters to parents."""
    desk = web.console.letters

    async def choose(request: Request, seat: Seat) -> Response:
        return choose_school(
            *(web, request, seat),
            here=LETTERS,
            title=N_("Letters to parents"),
            permission=_PERMISSION,
        )

    async def show(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, _PERMISSION)
        done = DONE_WORDS.get(request.query_params.get("done", ""), "")
        return show_console(web, request, seat, _page(web, seat, school, done=done))

    async def make(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, _PERMISSION)
        upload = await read_own_upload(web, request, seat, max_file_bytes=MAX_BYTES)
        try:
            made = await desk.make(seat.actor, school.id, _read_wish(upload))
        except _MENDED_ON_THE_PAGE as refusal:
            page = _page(web, seat, school, trouble=refusal)
            return show_console(web, request, seat, page, status=refusal.http_status)
        address = f"{web.issuer}{PARENT}"
        if _value(upload, "as") == "csv":
            return _as_csv(made, address)
        page_made = await to_thread(_printed, made, address)  # 5 ms a picture: logins go between
        return show_console(web, request, seat, page_made)

    async def look_up(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, _PERMISSION)
        upload = await read_own_upload(web, request, seat, max_file_bytes=MAX_BYTES)
        household = {"1": 1, "2": 2}.get(_value(upload, "household"), 0)
        doing = _value(upload, "do")
        try:
            pupils = _read_list(upload)
            if doing in ("exclude", "allow"):
                await desk.exclude(
                    seat.actor, school.id, pupils, household=household, on=doing == "exclude"
                )
                done = "excluded" if doing == "exclude" else "allowed"
                return redirect(f"{LETTERS}/{school.id}?done={done}")
            found = desk.find(seat.actor, school.id, pupils)
        except _MENDED_ON_THE_PAGE as refusal:
            page = _page(web, seat, school, trouble=refusal)
            return show_console(web, request, seat, page, status=refusal.http_status)
        return show_console(web, request, seat, _page(web, seat, school, found=found))

    async def withdraw(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, _PERMISSION)
        form = await read_own_form(web, request, seat)
        await desk.withdraw_batch(seat.actor, school.id, only(form, "batch"))
        return redirect(f"{LETTERS}/{school.id}?done=withdrawn")

    async def rule(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, _PERMISSION)
        form = await read_own_form(web, request, seat)
        await desk.set_rules(
            seat.actor,
            school.id,
            hidden=[value for name, value in form if name == "hidden"],
            pupils_see=only(form, "pupils_see") == "yes",
        )
        return redirect(f"{LETTERS}/{school.id}?done=rules")

    here = f"{LETTERS}/{{school}}"
    return [
        console_route(web, LETTERS, choose),
        console_route(web, here, show),
        console_route(web, f"{here}/make", make, methods=["POST"]),
        console_route(web, f"{here}/find", look_up, methods=["POST"]),
        console_route(web, f"{here}/withdraw", withdraw, methods=["POST"]),
        console_route(web, f"{here}/rules", rule, methods=["POST"]),
    ]


def _page(
    web: Web,
    seat: Seat,
    school: School,
    *,
    found: Sequence[PupilLetters] | None = None,
    trouble: CsvUnreadable | CsvTooLarge | CsvFaulty | LettersNotPossible | None = None,
    done: str = "",
) -> LettersPage:
    today, registry = day_of(web.clock()), web.snapshots.registry
    _, batches, rules = web.console.letters.look(seat.actor, school.id)
    agreed = (
        each
        for each in registry.suppliers.values()
        if registry.agreement(school, each.id) is not None
    )
    return LettersPage(
        place=place_of(LETTERS, school),
        form=web.random(FORM_BYTES).hex(),
        last_day=end_of_school_year(today).isoformat(),
        batches=tuple(batches),
        suppliers=name_suppliers(tuple(sorted(agreed, key=lambda each: each.display_name))),
        hidden=tuple(sorted(rules.hidden)),
        pupils_see=rules.pupils_see,
        found=None if found is None else tuple(_line(each, today) for each in found),
        trouble=None if trouble is None else trouble_of(trouble),
        done=done,
    )


def end_of_school_year(today: date) -> date:
    """Return the last day of the school year of a day.

    >>> end_of_school_year(date(2026, 11, 27)), end_of_school_year(date(2027, 2, 1))
    (datetime.date(2027, 7, 31), datetime.date(2027, 7, 31))
    """
    year = today.year + (today.month >= SCHOOL_YEAR_FIRST_MONTH)
    return date(year, SCHOOL_YEAR_FIRST_MONTH, 1) - timedelta(days=1)


def _line(found: PupilLetters, today: date) -> LetterLine:
    return LetterLine(
        number=found.pupil.number,
        letters=tuple(
            (each.household, STANDING_WORDS[standing_of(each, today)], each.uses, each.used_on)
            for each in found.letters
        ),
        is_excluded=bool(found.excluded),
    )


def _value(upload: Upload, name: str) -> str:
    return only(upload.fields, name)


def _read_wish(upload: Upload) -> LetterWish:
    try:
        last_day = date.fromisoformat(_value(upload, "last_day"))
    except ValueError:
        raise LettersNotPossible("check_letters_last_day") from None
    return LetterWish(
        pupils=_read_list(upload),
        households=2 if _value(upload, "households") == "2" else 1,
        last_day=last_day,
        once=_value(upload, "once") != "no",
        form=_value(upload, "form"),
    )


def _read_list(upload: Upload) -> tuple[ListedPupil, ...]:
    """Return the pupils of an uploaded table, or of pasted lines with a number each.

    Raises:
        CsvUnreadable, CsvTooLarge, CsvFaulty
    """
    body, pasted = upload.file("file"), _value(upload, "pasted")
    if not body:
        lines = (each.strip() for each in pasted.splitlines())
        return tuple(ListedPupil(each) for each in lines if each)
    columns = (NUMBER, GROUP, NAME)
    table = read_table(body, columns=columns, max_rows=MAX_PUPILS, max_bytes=MAX_BYTES)
    return tuple(
        ListedPupil(each.read("number"), each.read("group"), each.read("name"))
        for each in table.rows
    )


def _printed(made: LettersMade, address: str) -> LettersMadePage:
    return LettersMadePage(
        place=place_of(LETTERS, made.school),
        address=address,
        letters=tuple(print_letter(each, address=address) for each in made.letters),
        left_out=made.left_out,
        last_day=made.last_day,
        once=made.once,
        has_households=any(each.household > 1 for each in made.letters),
    )


def _as_csv(made: LettersMade, address: str) -> Response:
    rows = (
        (
            *(each.pupil.number, each.pupil.group, each.pupil.name, str(each.household)),
            *(" ".join(each.code.groups), address),
        )
        for each in made.letters
    )
    return send_file(write_table(CSV_HEADER, rows), name="letters.csv", media_type="text/csv")
