"""People of the console over HTTP: inviting, accepting, taking away, the log, and links."""

from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html

from broker.domain.console_roles import ConsoleUserId, HeldRole, LoginPlace, PlaceKind, Role
from broker.flow.console.actors import Actor, ActorKind
from broker.flow.console.console_refusals import InvitedElsewhere, NotAllowed
from broker.flow.console.invitations import PeopleDesk
from broker.flow.console.people_records import InvitationWish
from broker.flow.console.places import Place
from tests.web.broker_site import Answer, Site
from tests.web.console_seats import SCHOOL_ADMIN, SeatedBrowser, form_of, seat

PEOPLE, INVITE = "/console/people", "/console/people/invite"
AT_VUURVOGEL = f"{INVITE}?place=school/vuurvogel"
SIGNER = HeldRole(Role.SIGNER, PlaceKind.BOARD, "stichting-vuurvogel")
BOARD_ADMIN = HeldRole(Role.BOARD_ADMIN, PlaceKind.BOARD, "stichting-vuurvogel")
OFFICER = HeldRole(Role.PRIVACY_OFFICER, PlaceKind.SCHOOL, "vuurvogel")
PARTNER = HeldRole(Role.ICT_PARTNER, PlaceKind.SCHOOL, "vuurvogel", date(2099, 1, 1))
SUPPLIER_ADMIN = HeldRole(Role.SUPPLIER_ADMIN, PlaceKind.SUPPLIER, "rekenrijk")
OPERATOR = HeldRole(Role.OPERATOR, PlaceKind.FEDERATION)


def invite(seated: SeatedBrowser, **fields: str) -> Answer:
    return seated.post(AT_VUURVOGEL, INVITE, **fields)


def code_of(answer: Answer) -> str:
    (field,) = html.fromstring(answer.response.content).xpath("//input[@name='link']")
    return parse_qs(urlsplit(field.get("value")).query)["code"][0]


def accept(site: Site, code: str, user: str = "b" * 32, login: str = "vuurvogel") -> None:
    people: PeopleDesk = site.web.console.people
    place = LoginPlace(PlaceKind.SCHOOL, login)
    site.run(people.accept(code, user=ConsoleUserId(user), login=place))


def test_an_invitation_gives_a_role_once(site: Site) -> None:
    admin = seat(site, SCHOOL_ADMIN)
    code = code_of(invite(admin, role="privacy-officer"))
    page = site.visit().get("/console/invitation", params={"code": code, "lang": "en"})
    assert "privacy officer" in page.response.text
    user = ConsoleUserId("c" * 32)
    accept(site, code, user)
    (given,) = site.web.console.roles.roles_of(user)
    assert given.held == OFFICER
    again = site.visit().get("/console/invitation", params={"code": code})
    assert (again.status, again.refused) == (403, ["check_invitation_waits"])


def test_an_invitation_leads_to_the_login_of_its_place(site: Site) -> None:
    code = code_of(invite(seat(site, SCHOOL_ADMIN), role="privacy-officer"))
    browser = site.visit()
    form = form_of(browser.get("/console/invitation", params={"code": code}), "/console/invitation")
    begun = browser.post("/console/invitation", form | {"login": "vuurvogel/vuurvogel"})
    assert begun.status == 303
    other = browser.post("/console/invitation", form | {"login": "kompas/kompas"})
    assert other.refused == ["check_login_of_invitation"]
    forged = browser.post("/console/invitation", form | {"csrf": "x"})
    assert forged.refused == ["check_csrf_token"]


def test_a_made_up_code_is_refused(site: Site) -> None:
    for path in ("/console/invitation", "/console/link"):
        answer = site.visit().get(path, params={"code": "A" * 43})
        assert (answer.status, len(answer.refused)) == (403, 1), path


@pytest.mark.parametrize(
    ("held", "role", "may"),
    [
        (SCHOOL_ADMIN, "privacy-officer", True),
        (SCHOOL_ADMIN, "school-admin", False),
        (SCHOOL_ADMIN, "signer", False),
        (BOARD_ADMIN, "school-admin", True),
        (BOARD_ADMIN, "operator", False),
    ],
)
def test_who_may_invite_whom(site: Site, held: HeldRole, role: str, may: bool) -> None:
    answer = invite(seat(site, held), role=role)
    assert (answer.status == 200) is may
    assert answer.refused == ([] if may else ["check_may_invite"])


@pytest.mark.parametrize("held", [OFFICER, PARTNER, SIGNER, SUPPLIER_ADMIN])
def test_others_invite_nobody(site: Site, held: HeldRole) -> None:
    assert seat(site, held).get(AT_VUURVOGEL).status == 404
    assert seat(site, SCHOOL_ADMIN).get(AT_VUURVOGEL).status == 200


def test_an_ict_partner_has_an_end_and_named_schools(site: Site) -> None:
    admin = seat(site, SCHOOL_ADMIN)
    without = invite(admin, role="ict-partner")
    assert without.status == 400
    assert "Fill in a last day" in without.response.text
    past = invite(admin, role="ict-partner", last_day="2001-01-01")
    assert past.status == 400
    elsewhere = invite(admin, role="ict-partner", last_day="2099-01-01", school="kompas")
    assert elsewhere.refused == ["check_may_invite"]
    assert code_of(invite(admin, role="ict-partner", last_day="2099-01-01"))


def test_another_place_is_not_there_whoever_asks(site: Site) -> None:
    admin = seat(site, SCHOOL_ADMIN)
    for place in ("school/kompas", "school/nobody", "board/stichting-kompas", "supplier/rekenrijk"):
        assert admin.get(f"{PEOPLE}?place={place}").status == 404, place
        assert admin.get(f"{INVITE}?place={place}").status == 404, place
        assert admin.get(f"/console/audit?place={place}").status == 404, place
        answer = invite(admin, place=place, role="privacy-officer")
        assert answer.status == 404, place
    assert admin.get(f"{PEOPLE}?place=school/vuurvogel").status == 200


def test_a_role_is_taken_away_at_once_and_the_log_tells(site: Site) -> None:
    admin, officer = seat(site, SCHOOL_ADMIN), seat(site, OFFICER)
    (given,) = site.web.console.roles.roles_of(officer.user)
    page = f"/console/people/withdraw?number={given.number}"
    done = admin.post(page, "/console/people/withdraw")
    assert done.status == 303
    assert "privacy officer" not in officer.get("/console").response.text
    assert admin.get(page).status == 404
    log = admin.get("/console/audit?q=role-withdrawn").response.text
    assert "role-withdrawn" in log
    assert officer.user in log


def test_another_school_s_role_is_not_taken_away(site: Site) -> None:
    other = seat(site, HeldRole(Role.SCHOOL_ADMIN, PlaceKind.SCHOOL, "kompas"))
    officer = seat(site, OFFICER)
    (given,) = site.web.console.roles.roles_of(officer.user)
    assert other.get(f"/console/people/withdraw?number={given.number}").status == 404
    form = form_of(other.get("/console/me"), "/console/sign-out")
    sent = other.browser.post("/console/people/withdraw", form | {"number": str(given.number)})
    assert sent.refused == ["check_may_withdraw"]
    assert site.web.console.roles.roles_of(officer.user) == (given,)


def test_an_invitation_is_taken_back(site: Site) -> None:
    admin = seat(site, SCHOOL_ADMIN)
    code = code_of(invite(admin, role="privacy-officer"))
    back = "/console/people/take-back"
    number = site.web.console.people.read(code).number
    form = form_of(admin.get(PEOPLE), back) | {"number": str(number)}
    assert admin.browser.post(back, form).status == 303
    assert site.visit().get("/console/invitation", params={"code": code}).status == 403
    assert admin.browser.post(back, form).refused == ["check_invitation_there"]


def test_markup_in_a_field_stays_text(site: Site) -> None:
    admin = seat(site, SCHOOL_ADMIN)
    page = admin.get("/console/audit?q=%3Cscript%3Ealert(1)%3C/script%3E").response.text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def a_link(site: Site, seated: SeatedBrowser) -> str:
    by = Actor(ConsoleUserId("anna, ben"), ActorKind.OPERATOR, (), site.web.clock())
    made: str = site.run(site.web.console.links.make(by, seated.user))
    return made


def test_a_one_time_link_lets_in_once_and_signs_nothing(site: Site) -> None:
    seated = seat(site, SCHOOL_ADMIN)
    code, browser = a_link(site, seated), site.visit()
    form = form_of(browser.get("/console/link", params={"code": code}), "/console/link")
    assert browser.post("/console/link", form).status == 303
    assert "school administrator" in browser.get("/console?lang=en").response.text
    assert "one-time link" in browser.get("/console/me?lang=en").response.text
    again = site.visit()
    assert again.get("/console/link", params={"code": code}).status == 403
    assert browser.post("/console/link", form).refused == ["check_link_waits"]
    log = seat(site, SCHOOL_ADMIN).get("/console/audit?q=login-link").response.text
    assert "login-link-made" in log
    assert "login-link-used" in log


def test_who_is_no_operator_makes_no_link(site: Site) -> None:
    seated = seat(site, OPERATOR)
    by = Actor(seated.user, ActorKind.PERSON, (OPERATOR,), site.web.clock())
    with pytest.raises(NotAllowed, match="check_operators_make_links"):
        site.run(site.web.console.links.make(by, seated.user))
    assert a_link(site, seated)


def test_the_federation_invites_a_board_s_first_administrator(site: Site) -> None:
    wish = InvitationWish(Role.BOARD_ADMIN, Place(PlaceKind.BOARD, "stichting-kompas"))
    operator = Actor(ConsoleUserId("d" * 32), ActorKind.PERSON, (OPERATOR,), site.web.clock())
    made = site.run(site.web.console.people.invite(operator, wish))
    assert made.invitation.expires_at - site.web.clock() > timedelta(days=13)
    with pytest.raises(InvitedElsewhere, match="check_accepted_where_invited"):
        accept(site, made.code, login="vuurvogel")
    accept(site, made.code, login="kompas")
