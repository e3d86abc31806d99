"""People of the console, at the edges: races, wrong wishes, and who may not."""

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import msgspec
import pytest

from broker.domain.console_roles import ConsoleUserId, HeldRole, LoginPlace, PlaceKind, Role
from broker.domain.ids import SchoolId, SchoolIdpId, SupplierId
from broker.domain.refusals import Refusal
from broker.flow.console.actors import Actor, ActorKind
from broker.flow.console.broken_logins import BrokenLogins, LinkPorts
from broker.flow.console.console_audit import MAX_SETTING_CHARACTERS, ConsoleEntry
from broker.flow.console.console_refusals import InvitationOver, InvitationUnfit, NotAllowed
from broker.flow.console.invitations import MAX_PLACES, PeopleDesk, PeoplePorts
from broker.flow.console.people_records import InvitationWish
from broker.flow.console.places import Place
from broker.flow.console.two_operators import ConsoleWork, read_invitation
from broker.flow.operators.operator_refusals import PreparedUnreadable
from broker.flow.operators.operators import OperatorName
from broker.flow.operators.two_persons import Action, ConfirmedAction
from tests.web.broker_site import Site
from tests.web.console_seats import SCHOOL_ADMIN, seat

VUURVOGEL = Place(PlaceKind.SCHOOL, "vuurvogel")
OFFICER = HeldRole(Role.PRIVACY_OFFICER, PlaceKind.SCHOOL, "vuurvogel")
BOARD_ADMIN = HeldRole(Role.BOARD_ADMIN, PlaceKind.BOARD, "stichting-vuurvogel")
ROOS = LoginPlace(PlaceKind.SUPPLIER, "rekenrijk")


@dataclass
class Racing:
    """A role book in which somebody else is always first."""

    book: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.book, name)

    async def accept(self, *_: object, **__: object) -> bool:
        return False

    async def use_link(self, *_: object, **__: object) -> None:
        return None


def actor(site: Site, *held: HeldRole, kind: ActorKind = ActorKind.PERSON) -> Actor:
    return Actor(ConsoleUserId("e" * 32), kind, held, site.web.clock())


def people(site: Site, roles: Any = None) -> PeopleDesk:
    web = site.web
    return PeopleDesk(
        PeoplePorts(
            snapshots=web.snapshots,
            roles=roles or web.console.roles,
            key=web.console.people._ports.key,
            audit=web.audit,
            clock=web.clock,
            random=web.random,
            invitation_days=14,
        )
    )


def links(site: Site, roles: Any = None) -> BrokenLogins:
    web = site.web
    key = web.console.people._ports.key
    return BrokenLogins(
        LinkPorts(roles or web.console.roles, key, web.audit, web.clock, web.random)
    )


def test_of_two_who_accept_at_once_one_is_too_late(site: Site) -> None:
    desk = people(site, Racing(site.web.console.roles))
    wish = InvitationWish(Role.PRIVACY_OFFICER, VUURVOGEL)
    made = site.run(desk.invite(actor(site, SCHOOL_ADMIN), wish))
    login = LoginPlace(PlaceKind.SCHOOL, "vuurvogel")
    with pytest.raises(InvitationOver, match="check_invitation_once"):
        site.run(desk.accept(made.code, user=ConsoleUserId("f" * 32), login=login))
    site.run(people(site).accept(made.code, user=ConsoleUserId("f" * 32), login=login))


def test_of_two_who_open_a_link_at_once_one_is_too_late(site: Site) -> None:
    seated, sessions = seat(site, SCHOOL_ADMIN), site.web.console.desk.sessions
    made = site.run(links(site).make(actor(site, kind=ActorKind.OPERATOR), seated.user))
    racing = links(site, Racing(site.web.console.roles))
    with pytest.raises(InvitationOver, match="check_link_once"):
        site.run(racing.enter(made, sessions=sessions, before=""))
    opened = site.run(links(site).enter(made, sessions=sessions, before=""))
    assert opened.session.by_link


def test_who_holds_no_role_gets_no_link(site: Site) -> None:
    by = actor(site, kind=ActorKind.OPERATOR)
    with pytest.raises(NotAllowed, match="check_person_holds_role"):
        site.run(links(site).make(by, ConsoleUserId("0" * 32)))
    assert site.run(links(site).make(by, seat(site, SCHOOL_ADMIN).user))


@pytest.mark.parametrize(
    ("wish", "check"),
    [
        (InvitationWish(Role.PRIVACY_OFFICER, VUURVOGEL, ("kompas",)), "check_one_place"),
        (
            InvitationWish(
                Role.ICT_PARTNER, VUURVOGEL, tuple(map(str, range(MAX_PLACES))), date(2099, 1, 1)
            ),
            "check_places_bounded",
        ),
        (
            InvitationWish(Role.PRIVACY_OFFICER, VUURVOGEL, login=LoginPlace(PlaceKind.BOARD, "x")),
            "check_login_of_place",
        ),
        (InvitationWish(Role.PRIVACY_OFFICER, VUURVOGEL, login=ROOS), "check_login_of_place"),
        (
            InvitationWish(
                Role.ICT_PARTNER,
                VUURVOGEL,
                (),
                date(2099, 1, 1),
                LoginPlace(PlaceKind.BOARD, "x"),
            ),
            "check_login_there",
        ),
    ],
)
def test_a_wish_that_does_not_fit_is_refused(site: Site, wish: InvitationWish, check: str) -> None:
    with pytest.raises(InvitationUnfit, match=check):
        site.run(people(site).invite(actor(site, SCHOOL_ADMIN), wish))


def test_a_role_of_another_kind_of_place_is_refused(site: Site) -> None:
    wish = InvitationWish(Role.SUPPLIER_ADMIN, VUURVOGEL)
    with pytest.raises(InvitationUnfit, match="check_role_of_place"):
        site.run(people(site).invite_by_two(actor(site, kind=ActorKind.OPERATOR), wish))
    right = InvitationWish(Role.SCHOOL_ADMIN, VUURVOGEL)
    with pytest.raises(NotAllowed, match="check_operators_invite"):
        site.run(people(site).invite_by_two(actor(site, SCHOOL_ADMIN), right))
    assert site.run(people(site).invite_by_two(actor(site, kind=ActorKind.OPERATOR), right))


def test_two_operators_let_nobody_decide_by_the_login_of_a_supplier(site: Site) -> None:
    two = actor(site, kind=ActorKind.OPERATOR)
    board = Place(PlaceKind.BOARD, "stichting-vuurvogel")
    wish = InvitationWish(Role.SIGNER, board, login=ROOS)
    with pytest.raises(InvitationUnfit, match="check_login_of_place"):
        site.run(people(site).invite_by_two(two, wish))
    made = site.run(people(site).invite_by_two(two, InvitationWish(Role.SIGNER, board)))
    assert made.invitation.login == LoginPlace(PlaceKind.BOARD, "stichting-vuurvogel")


def test_a_board_invites_an_ict_partner_of_a_supplier_for_its_schools(site: Site) -> None:
    wish = InvitationWish(Role.ICT_PARTNER, VUURVOGEL, ("vuurvogel",), date(2099, 1, 1), ROOS)
    made = site.run(people(site).invite(actor(site, BOARD_ADMIN), wish))
    site.run(people(site).accept(made.code, user=ConsoleUserId("9" * 32), login=ROOS))
    (given,) = site.web.console.roles.roles_of(ConsoleUserId("9" * 32))
    assert (given.login, given.held.last_day) == (ROOS, date(2099, 1, 1))


def test_an_ict_partner_is_invited_for_several_named_schools_at_once(site: Site) -> None:
    admin = actor(site, SCHOOL_ADMIN, HeldRole(Role.SCHOOL_ADMIN, PlaceKind.SCHOOL, "kompas"))
    wish = InvitationWish(Role.ICT_PARTNER, VUURVOGEL, ("kompas",), date(2099, 1, 1))
    made = site.run(people(site).invite(admin, wish))
    login = LoginPlace(PlaceKind.SCHOOL, "vuurvogel")
    site.run(people(site).accept(made.code, user=ConsoleUserId("8" * 32), login=login))
    given = site.web.console.roles.roles_of(ConsoleUserId("8" * 32))
    assert {each.held.place for each in given} == {"vuurvogel", "kompas"}


def test_one_s_own_role_may_be_laid_down_and_nobody_else_s(site: Site) -> None:
    officer, other = seat(site, OFFICER), seat(site, OFFICER)
    roles = site.web.console.roles
    (own,), (others,) = roles.roles_of(officer.user), roles.roles_of(other.user)
    me = Actor(officer.user, ActorKind.PERSON, (OFFICER,), site.web.clock())
    for number in (others.number, 999_999):
        with pytest.raises(NotAllowed):
            site.run(people(site).withdraw(me, number))
    site.run(people(site).withdraw(me, own.number))
    assert roles.roles_of(officer.user) == ()


def test_who_may_not_invite_takes_no_invitation_back(site: Site) -> None:
    wish = InvitationWish(Role.PRIVACY_OFFICER, VUURVOGEL)
    made = site.run(people(site).invite(actor(site, SCHOOL_ADMIN), wish))
    with pytest.raises(NotAllowed, match="check_may_take_back"):
        site.run(people(site).take_back(actor(site, OFFICER), made.invitation.number))
    site.run(people(site).take_back(actor(site, SCHOOL_ADMIN), made.invitation.number))


def test_a_board_sees_the_log_of_its_schools(site: Site) -> None:
    board = seat(site, BOARD_ADMIN)
    wish = InvitationWish(Role.PRIVACY_OFFICER, VUURVOGEL)
    site.run(people(site).invite(actor(site, SCHOOL_ADMIN), wish))
    page = board.get("/console/audit?place=board/stichting-vuurvogel&q=invited")
    assert "De Vuurvogel" in page.response.text
    nothing = board.get("/console/audit?place=board/stichting-vuurvogel&q=zzz&page=7")
    assert "Nothing was done here yet" in nothing.response.text


def test_an_entry_of_the_log_holds_no_lists(site: Site) -> None:
    stated: dict[str, Any] = {"at": site.web.clock(), "actor": "a", "role": None, "action": "x"}
    ConsoleEntry(**stated, after="a" * MAX_SETTING_CHARACTERS)
    with pytest.raises(ValueError, match="holds settings"):
        ConsoleEntry(**stated, after="a" * (MAX_SETTING_CHARACTERS + 1))


def test_a_prepared_action_that_names_nothing_is_refused(site: Site) -> None:
    for parameters in ({}, {"role": "none", "kind": "school", "place": "x"}):
        with pytest.raises(PreparedUnreadable):
            read_invitation(parameters)
    work = ConsoleWork(people(site), links(site), site.web.clock, lambda *_: None)
    nobody = ConfirmedAction(
        Action.LINK_TO_CONSOLE, {}, "1", OperatorName("anna"), OperatorName("ben")
    )
    with pytest.raises(PreparedUnreadable, match="check_names_person"):
        site.run(work.carry_out(nobody))


def test_a_supplier_s_employee_is_no_teacher(site: Site) -> None:
    held = HeldRole(Role.SUPPLIER_ADMIN, PlaceKind.SUPPLIER, "rekenrijk")
    page = seat(site, held, login=ROOS, idp="rekenrijk-staff").get("/console")
    assert "supplier administrator" in page.response.text
    assert "employee" not in page.response.text


def test_who_came_in_by_what_is_switched_off_is_out_at_once(site: Site) -> None:
    registry = site.web.snapshots.registry
    here, idp = registry.schools[SchoolId("vuurvogel")], registry.idps[SchoolIdpId("vuurvogel")]
    held = HeldRole(Role.SUPPLIER_ADMIN, PlaceKind.SUPPLIER, "rekenrijk")
    operator = HeldRole(Role.OPERATOR, PlaceKind.FEDERATION)
    at_school, at_supplier = seat(site, SCHOOL_ADMIN), seat(site, held, login=ROOS)
    at_federation = seat(site, operator, login=LoginPlace(PlaceKind.FEDERATION))
    made = site.run(links(site).make(actor(site, kind=ActorKind.OPERATOR), at_school.user))
    sessions = site.web.console.desk.sessions
    by_link = site.run(links(site).enter(made, sessions=sessions, before="")).handle.text
    off = {"enabled": False}
    schools = {**registry.schools, here.id: msgspec.structs.replace(here, **off)}
    supplier = registry.suppliers[SupplierId("rekenrijk")]
    suppliers = {**registry.suppliers, supplier.id: msgspec.structs.replace(supplier, **off)}
    idps = {**registry.idps, idp.id: msgspec.structs.replace(idp, **off)}
    everybody = (at_school, at_supplier, at_federation)
    for changed, statuses, linked in (
        (replace(registry, schools=schools), [303, 200, 200], False),
        (replace(registry, suppliers=suppliers), [200, 303, 200], True),
        (replace(registry, idps=idps), [303, 303, 303], True),
        (registry, [200, 200, 200], True),
    ):
        with site.having(changed):
            assert [each.get("/console").status for each in everybody] == statuses
            found = site.run(site.web.console.desk.find(by_link))
            assert (found is not None) is linked


def test_a_refusal_s_page_says_nothing_of_what_is_there(site: Site) -> None:
    admin = seat(site, SCHOOL_ADMIN)
    pages = [
        admin.get(f"/console/people?place=school/{each}").response.text
        for each in ("kompas", "nobody")
    ]
    hidden = [re.sub(r'reference="\w+"', "", each.partition("E-CONSOLE-1")[0]) for each in pages]
    assert hidden[0] == hidden[1]
    assert issubclass(NotAllowed, Refusal)
