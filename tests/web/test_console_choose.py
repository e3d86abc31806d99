"""Deciding over HTTP: from the catalogue to what is in force, and all that is refused."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from lxml import html

from broker.domain.agreements import Agreement
from broker.domain.console_roles import HeldRole, PlaceKind, Role
from broker.domain.ids import SchoolId, SupplierId
from tests.web.broker_site import Answer, Site
from tests.web.console_seats import SCHOOL_ADMIN, SeatedBrowser, seat

PLACE = "/console/decide/school/vuurvogel"
SERVICE = f"{PLACE}/with/rekenrijk"
ENGLISH = {"accept-language": "en"}
MARKUP = "<script>alert(1)</script>"
Fields = dict[str, Any]


@pytest.fixture
def site(deciding_site: Site) -> Site:
    return deciding_site


def the_board(site: Site) -> str:
    return site.web.snapshots.registry.schools[SchoolId("vuurvogel")].board


def a_signer(site: Site) -> HeldRole:
    return HeldRole(Role.SIGNER, PlaceKind.BOARD, the_board(site))


def admin(site: Site, **how: Any) -> SeatedBrowser:
    return seat(site, SCHOOL_ADMIN, **how)


def both(site: Site, **how: Any) -> SeatedBrowser:
    return seat(site, SCHOOL_ADMIN, a_signer(site), **how)


def fields_of(answer: Answer, action: str) -> Fields:
    """Return the fields of a form, several values of one name as a list."""
    page = html.fromstring(answer.response.content)
    form = next(each for each in page.forms if urlsplit(each.action).path == action)
    found: Fields = {}
    for name, value in form.form_values():
        found.setdefault(name, []).append(value)
    return found


def send(seated: SeatedBrowser, page: str, action: str, **changes: Any) -> Answer:
    fields = fields_of(seated.get(page), action) | {
        name.replace("_", "-"): value for name, value in changes.items()
    }
    return post(seated, action, fields)


def post(seated: SeatedBrowser, action: str, fields: Mapping[str, Any]) -> Answer:
    return seated.browser.post(action, fields, headers=ENGLISH)


def place_of(answer: Answer) -> str:
    assert answer.status == 303, answer.response.text
    return answer.response.headers["location"]


def prepare(seated: SeatedBrowser, **changes: Any) -> str:
    return place_of(send(seated, SERVICE, SERVICE, **changes))


def sign(seated: SeatedBrowser, draft: str) -> str:
    return place_of(send(seated, draft, f"{draft}/sign"))


def approved(site: Site, supplier: str = "rekenrijk") -> frozenset[str]:
    """Return what is approved of vuurvogel's pupils for the next login."""
    return frozenset(agreed(site, supplier).approved)


def agreed(site: Site, supplier: str = "rekenrijk") -> Agreement:
    """Return what holds for the next login, once this worker has read it."""
    site.run(site.web.snapshots.refresh())
    registry = site.web.snapshots.registry
    agreement = registry.agreement(registry.schools[SchoolId("vuurvogel")], SupplierId(supplier))
    assert agreement is not None
    return agreement


def test_who_decides_at_one_place_comes_to_its_catalogue_at_once(site: Site) -> None:
    assert place_of(admin(site).get("/console/decide")) == PLACE
    page = both(site).get("/console/decide")
    assert page.status == 200
    assert "De Vuurvogel" in page.response.text


def test_the_catalogue_says_how_it_stands_with_each_service(site: Site) -> None:
    page = admin(site).get(PLACE)
    assert page.status == 200
    assert "RekenRijk" in page.response.text
    assert "In force" in page.response.text


def test_the_catalogue_is_searched_and_narrowed_and_takes_nonsense_for_nothing(site: Site) -> None:
    seated = admin(site)
    assert "RekenRijk" not in seated.get(f"{PLACE}?q=taal").response.text
    assert "RekenRijk" in seated.get(f"{PLACE}?q=REKEN").response.text
    assert "RekenRijk" not in seated.get(f"{PLACE}?q=REKEN&state=ended").response.text
    page = seated.get(f"{PLACE}?q={MARKUP}&state=zzz&category=zzz&page=zzz")
    assert page.status == 200
    assert MARKUP not in page.response.text


def test_approve_with_one_attribute_off_and_the_next_login_follows(site: Site) -> None:
    seated = both(site)
    sign(seated, prepare(seated, pupil=["givenName"], staff=[]))
    assert "givenName" in approved(site)
    draft = prepare(seated, pupil=[], staff=[])
    page = seated.get(draft)
    assert "Pupils: first name is not shared any more." in page.response.text
    assert "givenName" in approved(site), "a draft is not in force"
    done = sign(seated, draft)
    assert "givenName" not in approved(site)
    page = seated.get(done)
    assert page.status == 200
    assert "Signed" in page.response.text
    again = prepare(seated, pupil=["givenName"])
    sign(seated, again)
    assert "givenName" in approved(site)


def test_a_class_may_have_it_otherwise(site: Site) -> None:
    seated = both(site)
    draft = prepare(seated, pupil=["givenName"], group1="3A, 3B", group1_gets=[])
    assert "Pupils of 3A and 3B" in seated.get(draft).response.text
    sign(seated, draft)
    assert agreed(site).group_rules[0].groups == {"3A", "3B"}
    page = seated.get(SERVICE)
    assert 'value="3A, 3B"' in page.response.text


def test_fields_for_one_more_class_are_offered_and_nothing_is_saved(site: Site) -> None:
    seated = both(site)
    form = fields_of(seated.get(SERVICE), SERVICE) | {"add-group": "yes", "pupil": ["givenName"]}
    page = post(seated, SERVICE, form)
    assert page.status == 200
    groups = [each for each in fields_of(page, SERVICE) if each.startswith("group")]
    assert len(groups) > len([each for each in form if each.startswith("group")])


def test_what_was_signed_is_a_document_to_keep_and_the_same_each_time(site: Site) -> None:
    seated = both(site)
    done = sign(seated, prepare(seated, notice="inform"))
    pdf = seated.browser.get(f"{done}.pdf?lang=nl")
    assert pdf.response.headers["content-type"] == "application/pdf"
    assert pdf.response.content.startswith(b"%PDF-1.7")
    assert pdf.response.content == seated.browser.get(f"{done}.pdf?lang=nl").response.content
    assert pdf.response.content != seated.browser.get(f"{done}.pdf?lang=en").response.content
    document = seated.browser.get(f"{done}.json").response
    assert document.headers["content-disposition"].startswith("attachment")
    assert json.loads(document.content)["supplier"]["id"] == "rekenrijk"


def test_the_history_tells_each_version_and_the_annex_stands_beside(site: Site) -> None:
    seated = both(site)
    sign(seated, prepare(seated, pupil=[]))
    sign(seated, prepare(seated, pupil=["givenName"]))
    page = seated.get(f"{SERVICE}/history")
    assert "from now on first name is shared too" in page.response.text
    assert seated.get(f"{SERVICE}/annex").status == 200
    assert seated.get(f"{SERVICE}/annex.pdf").response.content.startswith(b"%PDF")


def test_stopping_ends_it_at_once_and_beginning_again_goes_on(site: Site) -> None:
    seated = both(site)
    sign(seated, prepare(seated, pupil=["givenName"]))
    page = seated.get(f"{SERVICE}/stop")
    assert "nobody logs in there" in page.response.text
    assert place_of(send(seated, f"{SERVICE}/stop", f"{SERVICE}/stop")) == f"{SERVICE}/stopped"
    assert "Nobody logs in there any more" in seated.get(f"{SERVICE}/stopped").response.text
    assert agreed(site).stopped is not None
    assert place_of(seated.get(f"{SERVICE}/stop")) == SERVICE
    again = prepare(seated)
    told = seated.get(again).response.text  # of what was stopped nothing is shared today
    assert "from now on first name is shared too" in told
    assert "What is shared stays as it is" not in told
    sign(seated, again)
    assert place_of(seated.get(f"{SERVICE}/stopped")) == SERVICE


def test_what_waits_is_listed_and_may_be_thrown_away(site: Site) -> None:
    seated = both(site)
    draft = prepare(seated, pupil=[])
    page = seated.get(f"{PLACE}/waiting")
    assert draft in page.response.text
    assert place_of(send(seated, draft, f"{draft}/discard")) == SERVICE
    assert draft not in seated.get(f"{PLACE}/waiting").response.text
    assert seated.get(draft).status == 404


def test_pressing_twice_does_nothing_twice(site: Site) -> None:
    seated = both(site)
    form = fields_of(seated.get(SERVICE), SERVICE) | {"pupil": []}
    first, second = post(seated, SERVICE, form), post(seated, SERVICE, form)
    assert place_of(first) == place_of(second)
    draft = place_of(first)
    form = fields_of(seated.get(draft), f"{draft}/sign")
    first, second = post(seated, f"{draft}/sign", form), post(seated, f"{draft}/sign", form)
    assert place_of(first) == place_of(second)


def test_a_form_that_is_out_of_date_shows_what_changed_and_saves_nothing(site: Site) -> None:
    seated = both(site)
    form = fields_of(seated.get(SERVICE), SERVICE)
    sign(seated, prepare(seated, pupil=[]))
    before = approved(site)
    page = post(seated, SERVICE, form | {"pupil": ["givenName"]})
    assert page.status == 409
    assert "Somebody changed this meanwhile" in page.response.text
    assert "first name is not shared any more" in page.response.text
    assert approved(site) == before


def test_signing_another_draft_than_was_read_is_refused(site: Site) -> None:
    seated = both(site)
    draft = prepare(seated, pupil=[])
    form = fields_of(seated.get(draft), f"{draft}/sign")
    assert prepare(seated, pupil=["givenName"]) == draft
    answer = post(seated, f"{draft}/sign", form)
    assert answer.status == 409
    send(seated, draft, f"{draft}/discard")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"from": ""}, "Fill in from which day it holds."),
        ({"until": "morgen"}, "Fill in a day, or leave it empty."),
        ({"until": "2001-01-01"}, "The last day is before the first one."),
        ({"from": "2001-01-01", "until": "2002-01-01"}, "The last day lies before today"),
        ({"pupil": ["birthDate"]}, "This cannot be decided so."),
        ({"group1": "", "group1-gets": ["givenName"]}, "Fill in for which classes this is."),
        ({"group1": "3A", "group2": "3A"}, "A class stands here that stands above."),
        ({"group1": ",".join(map(str, range(61)))}, "Name at most 60 classes, briefly."),
        ({"pupil": ["eckId"], "until": ""}, "What identifies a person everywhere needs"),
    ],
)
def test_a_mistake_is_told_at_its_field_and_nothing_is_saved(
    site: Site, fields: Fields, words: str
) -> None:
    seated = both(site)
    form = fields_of(seated.get(SERVICE), SERVICE) | fields
    page = post(seated, SERVICE, form)
    assert page.status == 422
    assert words in page.response.text
    assert "This is not complete yet" in page.response.text


def test_markup_in_a_class_is_shown_as_text(site: Site) -> None:
    seated = both(site)
    page = post(
        seated,
        SERVICE,
        fields_of(seated.get(SERVICE), SERVICE) | {"group1": MARKUP, "from": ""},
    )
    assert MARKUP not in page.response.text
    assert "&lt;script&gt;" in page.response.text
    draft = prepare(seated, group1=MARKUP, group1_gets=[])
    assert MARKUP not in seated.get(draft).response.text
    send(seated, draft, f"{draft}/discard")


PAGES = (
    PLACE,
    f"{PLACE}/waiting",
    f"{PLACE}/import",
    SERVICE,
    f"{SERVICE}/stop",
    f"{SERVICE}/stopped",
    f"{SERVICE}/history",
    f"{SERVICE}/annex",
    f"{SERVICE}/annex.pdf",
    f"{SERVICE}/signed/1",
    f"{SERVICE}/signed/1.pdf",
    f"{SERVICE}/signed/1.json",
)


@pytest.mark.parametrize("page", PAGES)
def test_another_school_has_none_of_it(site: Site, page: str) -> None:
    elsewhere = seat(site, HeldRole(Role.SCHOOL_ADMIN, PlaceKind.SCHOOL, "kompas"))
    assert elsewhere.get(page).status == 404
    assert elsewhere.get(page.replace("vuurvogel", "bestaat-niet")).status == 404
    assert elsewhere.get(page.replace("school/vuurvogel", "board/vuurvogel")).status == 404


@pytest.mark.parametrize("page", PAGES)
def test_who_is_not_logged_in_is_sent_to_the_sign_in(site: Site, page: str) -> None:
    assert place_of(site.visit().get(page)).startswith("/console/sign-in")


def test_a_draft_and_a_form_of_another_school_are_refused(site: Site) -> None:
    seated = both(site)
    draft = prepare(seated, pupil=[])
    elsewhere = seat(
        site,
        HeldRole(Role.SCHOOL_ADMIN, PlaceKind.SCHOOL, "kompas"),
        HeldRole(Role.SIGNER, PlaceKind.BOARD, "another-board"),
    )
    assert elsewhere.get(draft).status == 404
    kompas = "/console/decide/school/kompas/with/rekenrijk"
    own = fields_of(elsewhere.get(kompas), kompas)
    for action in (SERVICE, f"{draft}/sign", f"{draft}/discard", f"{SERVICE}/stop"):
        assert post(elsewhere, action, own | {"revision": "1"}).status == 404, action
    send(seated, draft, f"{draft}/discard")


def test_who_may_not_sign_or_prepare_cannot_by_sending_the_form(site: Site) -> None:
    prepares, signs = admin(site), seat(site, a_signer(site))
    draft = prepare(prepares, pupil=[])
    form = fields_of(prepares.get(draft), f"{draft}/discard")
    assert post(prepares, f"{draft}/sign", form).status == 404
    assert "Somebody else signs this" in prepares.get(draft).response.text
    page = signs.get(SERVICE)
    assert "Prepare, and see what changes" not in page.response.text
    token = fields_of(signs.get(draft), f"{draft}/sign")
    assert post(signs, SERVICE, token | {"from": "2027-01-01"}).status == 404
    sign(signs, draft)


def test_a_login_that_is_not_sure_does_not_sign(site: Site) -> None:
    seated = both(site, is_forced=False)
    draft = prepare(seated, pupil=[])
    page = seated.get(draft)
    assert "Log in once more" in page.response.text
    form = fields_of(page, f"{draft}/discard")
    assert place_of(post(seated, f"{draft}/sign", form)).startswith("/console/step-up")
    send(seated, draft, f"{draft}/discard")


def test_a_form_of_another_session_or_site_is_refused(site: Site) -> None:
    seated, other = both(site), both(site)
    form = fields_of(other.get(SERVICE), SERVICE)
    assert post(seated, SERVICE, form).status == 403
    own = fields_of(seated.get(SERVICE), SERVICE)
    crossed = seated.browser.post(SERVICE, own, headers={"sec-fetch-site": "cross-site"})
    assert crossed.status == 403
