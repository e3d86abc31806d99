"""Pages about single pupils over HTTP: by forms of ours alone, of one's own school alone."""

import re
from collections.abc import Mapping

import pytest

from broker.domain.console_roles import HeldRole, LoginPlace, PlaceKind, Role
from tests.web.broker_site import Answer, Site
from tests.web.console_seats import SCHOOL_ADMIN, SeatedBrowser, form_of, seat

OFFICER = HeldRole(Role.PRIVACY_OFFICER, PlaceKind.SCHOOL, "vuurvogel")
TEACHER = HeldRole(Role.TEACHER, PlaceKind.SCHOOL, "vuurvogel")
ELSEWHERE = HeldRole(Role.SCHOOL_ADMIN, PlaceKind.SCHOOL, "regenboog")
NUMBER = "1100417"
BOUNDARY = "a-boundary"


def upload(seated: SeatedBrowser, page: str, action: str, fields: Mapping[str, str]) -> Answer:
    """Send a form of a page as one with files."""
    form = {**form_of(seated.get(page), action), **fields}
    parts = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
        f"{_filename(name)}\r\n\r\n{value}\r\n"
        for name, value in form.items()
    )
    body = f"{parts}--{BOUNDARY}--\r\n".encode()
    return seated.browser.send(
        "POST",
        action,
        content=body,
        headers={
            "accept-language": "en",
            "content-type": f"multipart/form-data; boundary={BOUNDARY}",
        },
    )


def _filename(name: str) -> str:
    return '; filename="list.csv"' if name == "file" else ""


def test_a_pupil_is_shielded_and_let_go_without_a_number_in_any_address(site: Site) -> None:
    seated = seat(site, SCHOOL_ADMIN)
    chosen = seated.get("/console/pupils")
    assert chosen.response.headers["location"] == "/console/pupils/vuurvogel"
    here = "/console/pupils/vuurvogel"
    looked = seated.post(here, f"{here}/look", identifier=f" {NUMBER} ")
    assert looked.status == 200
    assert "Nobody with this number has logged in here yet" in looked.response.text
    form = form_of(looked, f"{here}/shield")
    assert form["identifier"] == NUMBER
    done = seated.browser.post(f"{here}/shield", form)
    assert (done.status, done.response.headers["location"]) == (303, f"{here}?done=shielded")
    assert "The pupil is shielded" in seated.get(f"{here}?done=shielded").response.text
    again = seated.post(here, f"{here}/look", identifier=NUMBER)
    assert "all suppliers" in again.response.text
    seated.browser.post(f"{here}/unshield", form_of(again, f"{here}/unshield"))
    ended = seated.post(here, f"{here}/look", identifier=NUMBER)
    assert "Nothing is kept back" in ended.response.text


def test_at_named_suppliers_one_must_be_named(site: Site) -> None:
    seated, here = seat(site, SCHOOL_ADMIN), "/console/pupils/vuurvogel"
    looked = seated.post(here, f"{here}/look", identifier="77")
    form = form_of(looked, f"{here}/shield") | {"where": "named", "level": "no-login"}
    refused = seated.browser.post(f"{here}/shield", form, headers={"accept-language": "en"})
    assert refused.status == 400
    assert "You did not say at which suppliers" in refused.response.text
    unknown = seated.browser.post(f"{here}/shield", form | {"suppliers": "unknown"})
    assert unknown.status == 400
    named = seated.browser.post(f"{here}/shield", form | {"suppliers": "rekenrijk"})
    assert named.status == 303
    again = seated.post(here, f"{here}/look", identifier="77")
    assert "Do not let this pupil log in there" in again.response.text
    matched = upload(seated, here, f"{here}/match", {"pasted": "76\n77", "file": ""})
    assert "77" in matched.response.text
    assert "Your school shields these pupils" in matched.response.text


@pytest.mark.parametrize("identifier", ["", "  "])
def test_nobody_is_named(site: Site, identifier: str) -> None:
    seated, here = seat(site, SCHOOL_ADMIN), "/console/pupils/vuurvogel"
    answer = seated.post(here, f"{here}/look", identifier=identifier)
    assert answer.status == 400
    assert "cannot be a number or login" in answer.response.text


def test_an_officer_reads_and_is_offered_no_button(site: Site) -> None:
    seated, here = seat(site, OFFICER), "/console/pupils/vuurvogel"
    looked = seated.post(here, f"{here}/look", identifier=NUMBER)
    assert f"{here}/shield" not in looked.response.text
    form = form_of(looked, f"{here}/look") if f"{here}/look" in looked.response.text else {}
    csrf = form_of(seated.get(here), f"{here}/look")["csrf"]
    refused = seated.browser.post(f"{here}/shield", form | {"csrf": csrf, "identifier": NUMBER})
    assert refused.status == 404


@pytest.mark.parametrize(
    "path",
    [
        *("/console/pupils/vuurvogel", "/console/requests/vuurvogel"),
        *("/console/pseudonyms/vuurvogel", "/console/pupils/nowhere"),
        "/console/requests/vuurvogel/befoheko-befoheko",
    ],
)
def test_another_schools_pages_are_not_there(site: Site, path: str) -> None:
    login = LoginPlace(PlaceKind.SCHOOL, "regenboog")  # whoever logs in at a school teaches there
    answer = seat(site, ELSEWHERE, login=login).get(path)
    assert answer.status == 404
    assert "E-CONSOLE-1" in answer.response.text


@pytest.mark.parametrize(
    ("here", "action"),
    [
        *(("/console/pupils", "look"), ("/console/pupils", "shield")),
        *(("/console/pupils", "unshield"), ("/console/requests", "befoheko/decide")),
        ("/console/requests", "befoheko/end"),
    ],
)
def test_a_form_for_another_school_is_refused(site: Site, here: str, action: str) -> None:
    role = HeldRole(Role.PRIVACY_OFFICER, PlaceKind.SCHOOL, "regenboog")
    seated = seat(site, ELSEWHERE, role)
    csrf = form_of(seated.get("/console/pupils/regenboog"), "/console/pupils/regenboog/look")
    answer = seated.browser.post(f"{here}/vuurvogel/{action}", csrf | {"identifier": NUMBER})
    assert answer.status == 404


def test_a_form_of_elsewhere_changes_nothing(site: Site) -> None:
    seated, here = seat(site, SCHOOL_ADMIN), "/console/pupils/vuurvogel"
    answer = seated.browser.post(f"{here}/shield", {"identifier": NUMBER, "csrf": "made up"})
    assert answer.status in (400, 403)


def test_where_nobody_asked_anything(site: Site) -> None:
    seated = seat(site, OFFICER)
    assert seated.get("/console/requests").response.headers["location"].endswith("/vuurvogel")
    assert "Nobody asked anything yet" in seated.get("/console/requests/vuurvogel").response.text
    answer = seated.get("/console/requests/vuurvogel/befoheko-befoheko")
    assert (answer.status, "E-PUPIL-2" in answer.response.text) == (404, True)


class TestPseudonyms:
    HERE = "/console/pseudonyms/vuurvogel"
    ASKED: Mapping[str, str] = {
        "supplier": "rekenrijk",
        "reason": "results",
        "pasted": f"{NUMBER}\n999",
        "file": "",
        "pseudonyms": "",
        "as": "page",
    }

    def test_are_shown_or_saved(self, site: Site) -> None:
        seated = seat(site, SCHOOL_ADMIN)
        shown = upload(seated, self.HERE, f"{self.HERE}/find", self.ASKED)
        assert shown.status == 200
        assert "Has not logged in here" in shown.response.text
        assert shown.response.headers["cache-control"] == "no-store"
        saved = upload(
            seated, self.HERE, f"{self.HERE}/find", {**self.ASKED, "as": "csv", "pasted": "=1+1"}
        )
        assert saved.response.headers["content-type"].startswith("text/csv")
        assert '"\'=1+1"' in saved.response.text
        assert "attachment" in saved.response.headers["content-disposition"]

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"reason": ""}, "You did not say why"),
            ({"reason": "curiosity"}, "You did not say why"),
            ({"supplier": "unknown"}, "has no agreement with this supplier"),
            ({"pasted": ""}, "no table that we can read"),
            ({"pasted": "", "file": "nothing;that\nwe;know\n"}, "no table that we can read"),
        ],
    )
    def test_need_a_supplier_a_reason_and_a_list(
        self, site: Site, changes: Mapping[str, str], words: str
    ) -> None:
        seated = seat(site, SCHOOL_ADMIN)
        answer = upload(seated, self.HERE, f"{self.HERE}/find", {**self.ASKED, **changes})
        assert answer.status >= 400
        assert words in re.sub(r"\s+", " ", answer.response.text)

    def test_of_a_pseudonym_that_is_nobodys(self, site: Site) -> None:
        asked = {**self.ASKED, "pseudonyms": "a" * 53}
        answer = upload(seat(site, SCHOOL_ADMIN), self.HERE, f"{self.HERE}/find", asked)
        assert "None of these pseudonyms" in answer.response.text

    def test_a_file_that_is_too_large(self, site: Site) -> None:
        asked = {**self.ASKED, "pasted": "", "file": "number\n" + "1\n" * 400_000}
        answer = upload(seat(site, SCHOOL_ADMIN), self.HERE, f"{self.HERE}/find", asked)
        assert answer.status == 413

    def test_a_teacher_reads_whose_pupils_are_found(self, site: Site) -> None:
        page = seat(site, TEACHER, groups=("7B",)).get(self.HERE)
        assert "You find pupils of your own groups" in page.response.text
        assert "7B" in page.response.text
        answer = upload(
            seat(site, TEACHER, groups=("7B",)), self.HERE, f"{self.HERE}/find", self.ASKED
        )
        assert "Not in your groups" in answer.response.text
