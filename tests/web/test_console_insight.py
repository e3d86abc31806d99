"""What would be sent, and who could be recognised, over HTTP."""

from asyncio import _get_running_loop
from typing import Any

import pytest

from broker.domain.console_roles import HeldRole, PlaceKind, Role
from broker.flow.insight.list_meter import ListMeter, Measured
from tests.web.broker_site import Answer, Site
from tests.web.console_seats import SCHOOL_ADMIN, SeatedBrowser, form_of, seat

SUPPLIER_ADMIN = HeldRole(Role.SUPPLIER_ADMIN, PlaceKind.SUPPLIER, "rekenrijk")
LIST = "Roepnaam;Klas\nMaartje;7B\nJoost;7B\nJoost;8A\n"


def upload(seated: SeatedBrowser, body: bytes, **fields: str) -> Answer:
    form = form_of(seated.get("/console/linkability"), "/console/linkability")
    form.pop("list", None)
    stated = {**form, "supplier": "rekenrijk", **fields}
    return seated.browser.send(
        "POST",
        "/console/linkability",
        data=stated,
        files={"list": ("list.csv", body, "text/csv")},
        headers={"accept-language": "en"},
    )


def test_what_would_be_sent_is_shown(site: Site) -> None:
    seated = seat(site, SCHOOL_ADMIN)
    empty = seated.get("/console/simulator")
    assert empty.status == 200
    assert "RekenRijk" in empty.response.text
    assert "Fenna&#34;" not in empty.response.text
    page = seated.get("/console/simulator?school=vuurvogel&supplier=rekenrijk").response.text
    assert "given_name&#34;: &#34;Fenna" in page
    assert "The school did not approve it." in page or "The supplier does not ask for it." in page
    saml = seated.get("/console/simulator?school=vuurvogel&supplier=taaltuin&population=staff")
    assert "&lt;saml:Assertion" in saml.response.text or "Assertion" in saml.response.text


def test_what_the_login_does_not_state_is_not_sent(site: Site) -> None:
    query = "school=vuurvogel&supplier=rekenrijk&states_asked=yes&states=eduPersonAffiliation"
    more = "&states=employeeNumber&states=nlEduPersonHomeOrganizationId&groups=7B,%208A"
    page = seat(site, SCHOOL_ADMIN).get(f"/console/simulator?{query}{more}").response.text
    assert "Fenna&#34;" not in page
    assert "Your login does not send it" in page
    refused = seat(site, SCHOOL_ADMIN).get(f"/console/simulator?{query}").response.text
    assert "the login would be refused" in refused


@pytest.mark.parametrize(
    "query",
    [
        "school=regenboog",
        "school=nowhere",
        "school=vuurvogel&supplier=nobody",
        "school=vuurvogel&supplier=rekenrijk&system=taaltuin",
        "school=vuurvogel&supplier=rekenrijk&login=kompas",
    ],
)
def test_what_is_somebody_elses_is_not_there(site: Site, query: str) -> None:
    answer = seat(site, SCHOOL_ADMIN).get(f"/console/simulator?{query}")
    assert (answer.status, "E-CONSOLE-1" in answer.response.text) == (404, True)


@pytest.mark.parametrize("path", ["/console/simulator", "/console/linkability"])
def test_who_has_no_school_is_told_that_it_is_not_there(site: Site, path: str) -> None:
    assert seat(site, SUPPLIER_ADMIN).get(path).status == 404
    assert seat(site, SCHOOL_ADMIN).get(path).status == 200


def test_a_list_is_counted_and_no_value_of_it_is_shown(site: Site) -> None:
    seated = seat(site, SCHOOL_ADMIN)
    answer = upload(seated, LIST.encode())
    assert answer.status == 200
    assert "1 of 3 can be recognised" in answer.response.text
    assert "Joost" not in answer.response.text
    both = upload(seated, LIST.encode(), other="biosfeer").response.text
    assert "Between the two" in both


def test_a_list_is_counted_beside_the_logins(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    held_up, measure = [], ListMeter.measure

    def watched(self: ListMeter, *told: Any, **more: Any) -> Measured:
        held_up.append(_get_running_loop() is not None)
        return measure(self, *told, **more)

    monkeypatch.setattr(ListMeter, "measure", watched)
    assert upload(seat(site, SCHOOL_ADMIN), LIST.encode()).status == 200
    assert held_up == [False]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "no table"),
        (b"PK\x03\x04\x00", 400, "no table"),
        (b"Klas;BSN\n7B;1\n", 400, "citizen service number"),
        (b"Klas;Roepnaam\n7B\n", 400, "Line 2:"),
        (b"Klas\n" + b"7B\n" * 5001, 413, "larger than we read"),
    ],
)
def test_what_is_no_list_is_said_beside_the_form(
    site: Site, body: bytes, status: int, code: str
) -> None:
    answer = upload(seat(site, SCHOOL_ADMIN), body)
    assert answer.status == status
    assert code in answer.response.text
    assert 'name="list"' in answer.response.text


def test_a_list_for_another_school_or_from_elsewhere_is_refused(site: Site) -> None:
    seated = seat(site, SCHOOL_ADMIN)
    assert upload(seated, LIST.encode(), school="regenboog").status == 404
    assert upload(seated, LIST.encode(), supplier="nobody").status == 404
    assert upload(seated, LIST.encode(), csrf="made-up").status == 403
    assert upload(seated, b"x" * (3 * 2**20)).status == 413
