"""A school makes letters for parents over HTTP: codes are shown once, to that school alone."""

from asyncio import _get_running_loop

import pytest
from lxml import html

from broker.domain.console_roles import HeldRole, PlaceKind, Role
from broker.flow.parents.letters import Letter
from broker.web.console import letters_routes
from broker.web.console.letters_pages import PrintedLetter, print_letter
from tests.web.broker_site import Site, fields_of
from tests.web.console_seats import SCHOOL_ADMIN, form_of, seat
from tests.web.me_visitors import share
from tests.web.test_console_pupils import upload

HERE = "/console/letters/vuurvogel"
WORDS = {"accept-language": "en"}
OFFICER = HeldRole(Role.PRIVACY_OFFICER, PlaceKind.SCHOOL, "vuurvogel")
ELSEWHERE = HeldRole(Role.SCHOOL_ADMIN, PlaceKind.SCHOOL, "kompas")


def codes_of(page: bytes) -> list[str]:
    found = html.fromstring(page).find_class("schuilnaam-letter__code")
    return [" ".join(each.text_content().split()) for each in found]


def test_letters_are_printed_used_and_taken_back(site: Site) -> None:
    share(site, "letters-1")
    seated = seat(site, SCHOOL_ADMIN)
    assert seated.get("/console/letters").response.headers["location"] == HERE
    made = upload(
        seated, HERE, f"{HERE}/make",
        {"file": "leerlingnummer;naam\nletters-1;<b>Sanne\nletters-2;Daan\n", "households": "2"},
    )  # fmt: skip
    assert made.status == 200
    assert made.response.headers["cache-control"] == "no-store"
    codes = codes_of(made.response.content)
    assert len(set(codes)) == 4
    assert "<b>Sanne" not in made.response.text
    assert not [line for line in made.lines if codes[0].split()[0] in repr(line)]
    parent = site.visit()
    form = fields_of(parent.get("/me/parent"), "/me/parent") | {"code": codes[0]}
    assert parent.post("/me/parent", form).status == 303
    assert "RekenRijk" in parent.get("/me", headers=WORDS).response.text
    looked = upload(seated, HERE, f"{HERE}/find", {"pasted": "letters-1\nletters-3", "do": "find"})
    assert "Used" in looked.response.text
    out = upload(seated, HERE, f"{HERE}/find", {"pasted": "letters-2", "do": "exclude"})
    assert out.response.headers["location"] == f"{HERE}?done=excluded"
    other = site.visit()
    late = fields_of(other.get("/me/parent"), "/me/parent") | {"code": codes[2]}
    assert other.post("/me/parent", late).status == 403
    allowed = upload(seated, HERE, f"{HERE}/find", {"pasted": "letters-2", "do": "allow"})
    assert allowed.response.headers["location"] == f"{HERE}?done=allowed"
    back = seated.post(HERE, f"{HERE}/withdraw")
    assert back.response.headers["location"] == f"{HERE}?done=withdrawn"
    assert "Choose your school" in parent.get("/me", headers=WORDS).response.text


def test_pictures_are_drawn_beside_the_logins(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    held_up = []

    def watched(letter: Letter, *, address: str) -> PrintedLetter:
        held_up.append(_get_running_loop() is not None)
        return print_letter(letter, address=address)

    monkeypatch.setattr(letters_routes, "print_letter", watched)
    made = upload(seat(site, SCHOOL_ADMIN), HERE, f"{HERE}/make", {"pasted": "letters-6"})
    assert len(codes_of(made.response.content)) == 1
    assert held_up == [False]


def test_same_form_twice_makes_letters_once(site: Site) -> None:
    seated = seat(site, SCHOOL_ADMIN)
    form = form_of(seated.get(HERE), f"{HERE}/make") | {"pasted": "letters-4"}
    assert upload(seated, HERE, f"{HERE}/make", form).status == 200
    again = upload(seated, HERE, f"{HERE}/make", form)
    assert (again.status, again.refused) == (409, ["check_letters_form_once"])


def test_letters_as_a_table(site: Site) -> None:
    seated = seat(site, SCHOOL_ADMIN)
    table = upload(seated, HERE, f"{HERE}/make", {"pasted": "letters-5", "as": "csv", "once": "no"})
    assert table.response.headers["content-disposition"] == 'attachment; filename="letters.csv"'
    assert "letters-5" in table.response.text


def test_list_that_cannot_be_used_is_told_on_the_page(site: Site) -> None:
    seated = seat(site, SCHOOL_ADMIN)
    for wrong in ({"pasted": ""}, {"file": "\x00\x01"}, {"pasted": "1", "last_day": "soon"}):
        told = upload(seated, HERE, f"{HERE}/make", wrong)
        assert told.status in (400, 413, 422), wrong
        assert codes_of(told.response.content) == []
    assert upload(seated, HERE, f"{HERE}/find", {"pasted": "", "do": "find"}).status == 422


def test_rules_are_kept(site: Site) -> None:
    seated = seat(site, SCHOOL_ADMIN)
    assert seated.post(HERE, f"{HERE}/rules", hidden="biosfeer").status == 303
    page = html.fromstring(seated.get(HERE).response.content)
    assert page.xpath("//input[@name='hidden'][@checked]/@value") == ["biosfeer"]
    form = form_of(seated.get(HERE), f"{HERE}/rules")
    form = {name: value for name, value in form.items() if name == "csrf"} | {"pupils_see": "yes"}
    assert seated.browser.post(f"{HERE}/rules", form).status == 303


def test_nobody_else_makes_letters_of_this_school(site: Site) -> None:
    for stranger in (seat(site, ELSEWHERE), seat(site, OFFICER), seat(site)):
        assert stranger.get(HERE).status == 404
    seated = seat(site, SCHOOL_ADMIN)
    assert seated.get("/console/letters/kompas").status == 404
    foreign = seated.browser.post(f"{HERE}/withdraw", {"csrf": "x", "batch": "y"})
    assert foreign.refused == ["check_csrf_token"]
    assert seated.get(HERE).status == 200


def test_officer_reads_what_was_shared_of_a_pupil(site: Site) -> None:
    share(site, "letters-9")
    seated = seat(site, OFFICER)
    here = "/console/receipts/vuurvogel"
    assert seated.get("/console/receipts").response.headers["location"] == here
    found = seated.post(here, here, number="letters-9", reason="request")
    assert "RekenRijk" in found.response.text
    assert seated.post(here, here, number="letters-9", reason="").status == 422
    assert seat(site, SCHOOL_ADMIN).get(here).status == 404
