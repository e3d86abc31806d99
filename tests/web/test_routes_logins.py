"""The page that asks by which login of a school, and the cookie that remembers the answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from msgspec.structs import replace as replaced

from broker.domain.ids import SchoolId, SchoolIdpId
from tests.web.broker_site import Answer, Browser, Site, fields_of

KOMPAS = SchoolId("kompas")


@contextmanager
def several_logins(site: Site) -> Iterator[None]:
    """Let Het Kompas have its own login and one like it."""
    registry = site.web.snapshots.registry
    (own,) = registry.idps_of_school[KOMPAS]
    other = replaced(own, id=SchoolIdpId("leerplein"), name="Het leerplein")
    changed = replace(
        registry,
        idps={**registry.idps, other.id: other},
        idps_of_school={**registry.idps_of_school, KOMPAS: (own, other)},
    )
    with site.having(changed):
        yield


def ask(browser: Browser) -> Answer:
    """Choose Het Kompas, and arrive at the page that asks."""
    chosen = browser.post("/schools", fields_of(browser.choose()) | {"school": KOMPAS})
    location = chosen.response.headers["location"]
    assert location.startswith("/schools?login=")
    return browser.get(location)


def host_of(answer: Answer) -> str:
    return urlsplit(answer.response.headers["location"]).netloc


def test_of_several_logins_the_pupil_chooses_one(site: Site) -> None:
    browser = site.visit()
    with several_logins(site):
        page = ask(browser)
        assert (page.status, "Het leerplein" in page.response.text) == (200, True)
        chosen = browser.post("/schools", fields_of(page) | {"idp": "leerplein"})
    assert chosen.status == 303
    assert host_of(chosen)
    assert browser.cookies["idp"] == "leerplein"


def test_the_choice_is_remembered_and_can_be_changed_and_forgotten(site: Site) -> None:
    browser = site.visit()
    with several_logins(site):
        browser.post("/schools", fields_of(ask(browser)) | {"idp": "leerplein"})
        chooser = browser.choose()
        again = browser.post("/schools", fields_of(chooser) | {"school": KOMPAS})
        assert host_of(again)  # on to the school at once
        login = fields_of(chooser)["login"]
        assert f"/schools?login={login}&amp;school=kompas" in chooser.response.text
        other = browser.get(f"/schools?login={login}&school=kompas")
        assert 'value="leerplein"' in other.response.text
        browser.post("/schools/forget", fields_of(chooser, "/schools/forget"))
        assert "idp" not in browser.cookies


def test_a_login_that_nobody_offers_is_not_remembered(site: Site) -> None:
    browser = site.visit()
    with several_logins(site):
        page = browser.post("/schools", fields_of(ask(browser)) | {"idp": "nobody"})
    assert page.response.headers["location"].startswith("/schools?login=")
    assert "idp" not in browser.cookies


def test_a_school_with_one_login_is_not_asked_about(site: Site) -> None:
    browser = site.visit()
    login = fields_of(browser.choose())["login"]
    page = browser.get(f"/schools?login={login}&school=kompas")
    assert 'name="school"' in page.response.text
