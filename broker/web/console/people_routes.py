"""Who holds a role, inviting, and taking away."""

from collections.abc import Sequence
from datetime import date, datetime
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.console_roles import ENDS, LoginPlace, Permission, PlaceKind, Role
from broker.domain.dutch_days import NETHERLANDS, day_of
from broker.flow.console.actors import schools_of
from broker.flow.console.console_refusals import InvitationUnfit, NotAllowed
from broker.flow.console.people_records import InvitationWish, PeopleView
from broker.flow.console.person_codes import person_code
from broker.flow.console.places import Place
from broker.web.console.doors import Seat, console_route, read_own_form, show_console
from broker.web.console.people_pages import (
    InvitationRow,
    InvitedPage,
    InvitePage,
    PeoplePage,
    PersonRow,
    PlaceChoice,
    WithdrawPage,
)
from broker.web.console.places_shown import find_places, read_place, write_place
from broker.web.console.role_words import ROLE_WORDS, name_place
from broker.web.requests import Parameters, only, read_query
from broker.web.responses import redirect
from broker.web.texts import N_
from broker.web.wiring import Web

PEOPLE, INVITE, WITHDRAW = "/console/people", "/console/people/invite", "/console/people/withdraw"
TAKE_BACK = "/console/people/take-back"
INVITATION = "/console/invitation"
SAID = {
    "withdrawn": N_("The role is taken away. It ends with the next page that this person opens."),
    "taken-back": N_("The invitation is taken back. Its link does not work any more."),
}
MAX_PLACES_SHOWN = 200


def people_routes(web: Web) -> list[Route]:
    """Return the routes about people."""

    async def people(request: Request, seat: Seat) -> Response:
        query = read_query(request)
        places = find_places(seat.actor, Permission.SEE_PEOPLE, registry=web.snapshots.registry)
        place = read_place(only(query, "place")) or (places[0] if places else None)
        if place is None:
            raise NotAllowed("check_place_to_look_at")
        view = web.console.people.look(seat.actor, place)
        page = _people_page(web, seat, view, places, said=SAID.get(only(query, "said"), ""))
        return show_console(web, request, seat, page)

    async def invite(request: Request, seat: Seat) -> Response:
        if request.method != "POST":
            place = _place_of(only(read_query(request), "place"))
            return show_console(web, request, seat, _invite_page(web, seat, place))
        form = await read_own_form(web, request, seat)
        place = _place_of(only(form, "place"))
        try:
            made = await web.console.people.invite(seat.actor, _read_wish(form, place))
        except InvitationUnfit as refusal:
            page = _invite_page(web, seat, place, form=form, refusal=refusal)
            return show_console(web, request, seat, page, status=refusal.http_status)
        link = f"{web.issuer}{INVITATION}?{urlencode({'code': made.code})}"
        page_made = InvitedPage(
            link=link,
            role=ROLE_WORDS[made.invitation.role],
            place=write_place(place),
            expires=_day(made.invitation.expires_at),
        )
        return show_console(web, request, seat, page_made)

    async def withdraw(request: Request, seat: Seat) -> Response:
        if request.method == "POST":
            form = await read_own_form(web, request, seat)
            await web.console.people.withdraw(seat.actor, _number(form))
            return redirect(_back_to(only(form, "place"), said="withdrawn"))
        return show_console(web, request, seat, _withdraw_page(web, seat, read_query(request)))

    async def take_back(request: Request, seat: Seat) -> Response:
        form = await read_own_form(web, request, seat)
        await web.console.people.take_back(seat.actor, _number(form))
        return redirect(_back_to(only(form, "place"), said="taken-back"))

    return [
        console_route(web, PEOPLE, people),
        console_route(web, INVITE, invite, methods=["GET", "POST"]),
        console_route(web, WITHDRAW, withdraw, methods=["GET", "POST"]),
        console_route(web, TAKE_BACK, take_back, methods=["POST"]),
    ]


def _people_page(
    web: Web, seat: Seat, view: PeopleView, places: tuple[Place, ...], *, said: str
) -> PeoplePage:
    registry, place = web.snapshots.registry, view.place
    today = day_of(web.clock())
    return PeoplePage(
        csrf=seat.csrf,
        place=write_place(place),
        place_name=name_place(place.kind, place.id, registry=registry),
        places=tuple(
            PlaceChoice(
                value=write_place(each),
                name=name_place(each.kind, each.id, registry=registry),
                is_here=each == place,
            )
            for each in places[:MAX_PLACES_SHOWN]
        ),
        people=tuple(
            PersonRow(
                spoken=person_code(each.user),
                role=ROLE_WORDS[each.held.role],
                login_name=name_place(each.login.kind, each.login.place, registry=registry),
                since=_day(each.given_at),
                last_day="" if each.held.last_day is None else each.held.last_day.isoformat(),
                number=each.number if _may_withdraw(seat, view, each.held.role, each.user) else 0,
                is_me=each.user == seat.actor.id,
            )
            for each in view.given
            if each.held.is_in_force(today)
        ),
        invitations=tuple(
            InvitationRow(
                number=each.number,
                role=ROLE_WORDS[each.role],
                places=tuple(name_place(each.kind, one, registry=registry) for one in each.places),
                expires=_day(each.expires_at),
                last_day="" if each.last_day is None else each.last_day.isoformat(),
                may_take_back=each.role in view.may_invite,
            )
            for each in view.waiting
        ),
        may_invite=bool(view.may_invite),
        said=said,
    )


def _may_withdraw(seat: Seat, view: PeopleView, role: Role, user: str) -> bool:
    return role in view.may_invite or user == seat.actor.id


def _invite_page(
    web: Web,
    seat: Seat,
    place: Place,
    *,
    form: Sequence[tuple[str, str]] = (),
    refusal: InvitationUnfit | None = None,
) -> InvitePage:
    view = web.console.people.look(seat.actor, place)
    if not view.may_invite:
        raise NotAllowed("check_may_invite")
    registry = web.snapshots.registry
    may_partner = Role.ICT_PARTNER in view.may_invite
    schools = schools_of(seat.actor, registry, Permission.INVITE) if may_partner else ()
    words = {"role": N_("Choose a role"), "last day": N_("Fill in a last day that is to come")}
    wrong = () if refusal is None else (refusal.subject,)
    return InvitePage(
        csrf=seat.csrf,
        place=write_place(place),
        place_name=name_place(place.kind, place.id, registry=registry),
        roles=tuple((each.value, ROLE_WORDS[each]) for each in view.may_invite),
        schools=tuple((each.id, each.name) for each in schools if each.id != place.id),
        suppliers=tuple(
            (each, registry.suppliers[each].display_name) for each in registry.idps_of_supplier
        )
        if may_partner
        else (),
        role=only(form, "role"),
        last_day=only(form, "last_day"),
        earliest=day_of(web.clock()).isoformat(),
        errors=tuple((each.replace(" ", "_"), words.get(each, words["role"])) for each in wrong),
    )


def _withdraw_page(web: Web, seat: Seat, query: Parameters) -> WithdrawPage:
    given = web.console.roles.find_role(_number(query))
    if given is None:
        raise NotAllowed("check_role_there")
    place = Place(given.held.kind, given.held.place)
    view = web.console.people.look(seat.actor, place)
    if not _may_withdraw(seat, view, given.held.role, given.user):
        raise NotAllowed("check_may_withdraw")
    return WithdrawPage(
        csrf=seat.csrf,
        action=WITHDRAW,
        number=given.number,
        spoken=person_code(given.user),
        role=ROLE_WORDS[given.held.role],
        place=write_place(place),
        place_name=name_place(place.kind, place.id, registry=web.snapshots.registry),
        is_me=given.user == seat.actor.id,
    )


def _read_wish(form: Parameters, place: Place) -> InvitationWish:
    try:
        role = Role(only(form, "role"))
    except ValueError:
        raise InvitationUnfit("check_role_known", subject="role") from None
    stated = only(form, "last_day")
    try:
        last_day = date.fromisoformat(stated) if stated else None
    except ValueError:
        raise InvitationUnfit("check_day_readable", subject="last day") from None
    login = only(form, "login")
    return InvitationWish(
        role=role,
        place=place,
        more_schools=tuple(value for name, value in form if name == "school")
        if role in ENDS
        else (),
        last_day=last_day,
        login=LoginPlace(PlaceKind.SUPPLIER, login) if login and role in ENDS else None,
    )


def _place_of(text: str) -> Place:
    place = read_place(text)
    if place is None:
        raise NotAllowed("check_place_there")
    return place


def _number(fields: Parameters) -> int:
    stated = only(fields, "number")
    if not (stated.isascii() and stated.isdigit() and len(stated) < 10):
        raise NotAllowed("check_number")
    return int(stated)


def _back_to(unverified_place: str, *, said: str) -> str:
    place = read_place(unverified_place)
    stated = {} if place is None else {"place": write_place(place)}
    return f"{PEOPLE}?{urlencode({**stated, 'said': said})}"


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(NETHERLANDS):%Y-%m-%d}"
