"""Bringing in what is shared today: compared, chosen at once, and signed by one signature."""

from typing import Any

import pytest
from lxml import html

from broker.domain.activated_file import MAX_BYTES
from broker.domain.console_roles import HeldRole, PlaceKind, Role
from broker.domain.ids import BoardId, SchoolId, SupplierId
from tests.web.broker_site import Answer, Site
from tests.web.console_seats import SCHOOL_ADMIN, SeatedBrowser, seat
from tests.web.test_console_choose import ENGLISH, MARKUP, fields_of, place_of, post

PLACE = "/console/decide/school/vuurvogel"
IMPORT = f"{PLACE}/import"


@pytest.fixture
def site(deciding_site: Site) -> Site:
    return deciding_site


def the_board(site: Site) -> str:
    return site.web.snapshots.registry.schools[SchoolId("vuurvogel")].board


def a_signer(site: Site) -> HeldRole:
    return HeldRole(Role.SIGNER, PlaceKind.BOARD, the_board(site))


def both(site: Site) -> SeatedBrowser:
    return seat(site, SCHOOL_ADMIN, a_signer(site))


def upload(seated: SeatedBrowser, body: bytes, *, address: str = IMPORT, **changes: Any) -> Answer:
    fields = fields_of(seated.get(address), address) | changes
    files = {"list": ("lijst.csv", body, "text/csv")}
    return seated.browser.send("POST", address, data=fields, files=files, headers=ENGLISH)


def test_a_list_is_compared_and_signed_at_once(site: Site) -> None:
    seated = both(site)
    page = upload(seated, "dienst;kenmerken\nRekenRijk;voornaam, achternaam\n".encode("cp1252"))
    assert page.status == 200
    assert "Less than today" in page.response.text
    assert "surname is not shared any more" in page.response.text
    form = fields_of(page, f"{IMPORT}/prepare")
    batch = place_of(post(seated, f"{IMPORT}/prepare", form))
    shown = seated.get(batch)
    assert "Sign 1 decision" in shown.response.text
    assert "up to and including" in shown.response.text  # whoever signs reads how long
    signed = place_of(post(seated, f"{batch}/sign", fields_of(shown, f"{batch}/sign")))
    assert "1 decision signed" in seated.get(signed).response.text
    site.run(site.web.snapshots.refresh())
    registry = site.web.snapshots.registry
    agreement = registry.school_agreements[SchoolId("vuurvogel"), SupplierId("rekenrijk")]
    assert agreement.approved == {"givenName"}


def test_no_more_than_needed_and_leaving_out_are_chosen_at_once(site: Site) -> None:
    seated = both(site)
    table = "dienst;voornaam;rol\nRekenRijk;ja;ja\nBiosfeer;ja;ja\n"
    form = fields_of(upload(seated, table.encode()), f"{IMPORT}/prepare")
    chosen = form | {"mode": "required", "leave-out": ["rekenrijk"]}
    batch = place_of(post(seated, f"{IMPORT}/prepare", chosen))
    page = seated.get(batch)
    assert "Sign 1 decision" in page.response.text
    assert "RekenRijk" not in page.response.text
    assert "first name is not shared any more" in page.response.text
    nothing = form | {"leave-out": ["rekenrijk", "biosfeer"]}
    assert place_of(post(seated, f"{IMPORT}/prepare", nothing)) == IMPORT


def test_a_list_of_a_board_becomes_a_decision_of_the_board_with_exceptions(site: Site) -> None:
    board = the_board(site)
    seated = seat(site, HeldRole(Role.BOARD_ADMIN, PlaceKind.BOARD, board), a_signer(site))
    schools = [
        each.id for each in site.web.snapshots.registry.schools.values() if each.board == board
    ]
    table = "school;dienst;voornaam\n" + "".join(f"{each};Taaltuin;nee\n" for each in schools)
    address = f"/console/decide/board/{board}/import"
    page = upload(seated, table.encode(), address=address)
    assert page.status == 200, page.response.text
    form = fields_of(page, f"{address}/prepare")
    batch = place_of(post(seated, f"{address}/prepare", form))
    shown = seated.get(batch)
    place_of(post(seated, f"{batch}/sign", fields_of(shown, f"{batch}/sign")))
    site.run(site.web.snapshots.refresh())
    assert (BoardId(board), SupplierId("taaltuin")) in site.web.snapshots.registry.board_agreements


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "Choose a file."),
        (b"PK\x03\x04\0workbook", "This file is no table that we can read."),
        (b"naam;rol\nA;ja\n", "is missing"),
        (b"dienst;rol\nA\n", "another number of columns"),
        (b"dienst\n" + b"A\n" * 10_001, "larger than we read at once"),
        (b"dienst\nBestaat niet\n", "Line 2: we do not know the service"),
    ],
)
def test_what_is_no_list_is_refused_on_the_page(site: Site, body: bytes, words: str) -> None:
    page = upload(both(site), body)
    assert page.status == 422
    assert words in page.response.text


def test_a_huge_file_is_refused_before_it_is_read(site: Site) -> None:
    assert upload(both(site), b"x" * (MAX_BYTES * 2)).status == 413


def test_lines_that_mean_nothing_are_told_as_text_and_the_others_are_compared(site: Site) -> None:
    seated = both(site)
    page = upload(seated, f"dienst;voornaam\nRekenRijk;ja\n{MARKUP};ja\nTaaltuin;ooit\n".encode())
    assert page.status == 200
    assert MARKUP not in page.response.text
    assert "Line 3: we do not know the service" in page.response.text
    assert "Line 4: we expected yes or no" in page.response.text


@pytest.mark.parametrize(
    "carried",
    ["", "{", "[[1]]", '[["rekenrijk",[],[],["kompas"]]]', '[["nobody",[],[],["vuurvogel"]]]'],
)
def test_a_list_that_was_changed_on_its_way_is_refused(site: Site, carried: str) -> None:
    seated = both(site)
    form = fields_of(upload(seated, b"dienst\nRekenRijk\n"), f"{IMPORT}/prepare")
    answer = post(seated, f"{IMPORT}/prepare", form | {"carried": carried})
    assert answer.status in (400, 404)


def test_days_that_make_no_sense_become_this_school_year(site: Site) -> None:
    page = upload(both(site), b"dienst\nRekenRijk\n", **{"from": "2027-01-02", "until": "gisteren"})
    until = html.fromstring(page.response.content).xpath("//input[@name='until']/@value")
    assert until[0].endswith("-07-31")


def test_who_may_not_prepare_and_whose_school_it_is_not_are_refused(site: Site) -> None:
    signs = seat(site, a_signer(site))
    elsewhere = seat(site, HeldRole(Role.SCHOOL_ADMIN, PlaceKind.SCHOOL, "kompas"))
    for each in (signs, elsewhere):
        assert each.get(IMPORT).status == 404
    batch = place_of(
        post(
            seated := both(site),
            f"{IMPORT}/prepare",
            fields_of(upload(seated, b"dienst\nRekenRijk\n"), f"{IMPORT}/prepare"),
        )
    )
    assert elsewhere.get(batch).status == 404
    assert "Nothing waits" in both(site).get("/console/decide/batches/none").response.text
