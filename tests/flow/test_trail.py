"""One login is followed over all its requests by an id that nobody outside ever sees."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from broker.demo.people import Person
from broker.domain.agreements import NoticeMode
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.flow.audit import AuditEvent, note_refusal
from broker.flow.following.trail import Outcome, Trail, current_trail, following, make_login_id
from broker.flow.refusals import SchoolUnknown
from broker.oidc_op.parameters import DuplicatedParameter
from broker.oidc_op.token import GrantRefused
from tests.flow.login_answers import Browser, read_at_school, read_redirect, refused, welcomed
from tests.flow.login_parties import REKENRIJK, TAALTUIN
from tests.flow.login_world import NOOR, SANNE, LoginWorld
from tests.flow.port_fakes import ListAudit
from tests.flow.test_login_combinations import every_combination


class Followed:
    """A journey each of whose calls is a request with a trail of its own."""

    def __init__(self, journey: Any, trails: list[Trail]) -> None:
        self._journey, self._trails = journey, trails

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def call(*arguments: Any, **named: Any) -> Any:
            with following() as trail:
                self._trails.append(trail)
                return await getattr(self._journey, name)(*arguments, **named)

        return call


@pytest.fixture
def trails(world: LoginWorld) -> list[Trail]:
    """Return where each request of the world leaves its trail."""
    kept: list[Trail] = []
    world.flow = Followed(world.flow, kept)  # type: ignore[assignment]
    world.token = Followed(world.token, kept)  # type: ignore[assignment]
    return kept


def logins(trails: list[Trail]) -> set[str]:
    return {each.login for each in trails}


@every_combination
async def test_every_request_of_a_login_has_its_id(
    world: LoginWorld, trails: list[Trail], person: Person, party: str
) -> None:
    await world.log_in(party, person)
    assert len(trails) == (3 if party == TAALTUIN else 5)
    (login,) = logins(trails)
    assert len(login) == 16
    assert {each.relying_party for each in trails} == {party}
    supplier = "saml" if party == TAALTUIN else "oidc"
    assert {each.supplier_protocol for each in trails} == {supplier}
    begun, chosen, finished = trails[:3]
    school = "saml" if person is SANNE else "oidc"
    assert (begun.school_protocol, begun.idp) == ("", "")
    assert chosen.school_protocol == finished.school_protocol == school
    assert chosen.idp == finished.idp != ""
    expected = [Outcome.BEGUN, Outcome.NONE, Outcome.RELEASED, Outcome.REDEEMED, Outcome.NONE]
    assert [each.outcome for each in trails] == expected[: len(trails)]


async def test_two_logins_of_one_person_share_nothing(
    world: LoginWorld, trails: list[Trail]
) -> None:
    browser = Browser()
    for _ in range(2):
        await world.log_in(browser=browser)
    assert len(logins(trails)) == 2


async def test_another_try_is_the_same_login(world: LoginWorld, trails: list[Trail]) -> None:
    browser = Browser()
    at_school = await world.go_to_school(browser, REKENRIJK, "kompas")
    world.faults.start(fails_at=2)  # the school's token endpoint
    page = refused(await world.come_back(browser, at_school, NOOR))
    world.faults.start()
    assert page.retry is not None
    assert (trails[-1].code, trails[-1].reference) == (page.refusal.code, page.reference)
    assert trails[-1].outcome is Outcome.REFUSED
    again = read_at_school(await world.choose(browser, page.retry.name, "kompas"))
    await world.receive(await world.come_back(browser, again, NOOR))
    assert trails[-1].outcome is Outcome.NONE  # userinfo
    assert len(logins(trails)) == 1


async def test_not_me_is_the_same_login(world: LoginWorld, trails: list[Trail]) -> None:
    world.change("vuurvogel", shared_devices=True)
    browser = Browser()
    page = welcomed(await world.arrive(browser))
    at_school = read_at_school(await world.press(browser, "not_me", page.login))
    page = welcomed(await world.come_back(browser, at_school))
    await world.receive(await world.press(browser, "go_on", page.login))
    assert len(trails) == 8
    assert len(logins(trails)) == 1


async def test_a_try_after_a_page_is_the_same_login(world: LoginWorld, trails: list[Trail]) -> None:
    world.change("vuurvogel/rekenrijk", notice=NoticeMode.INFORM)
    browser = Browser()
    page = welcomed(await world.arrive(browser))
    world.change("vuurvogel/rekenrijk", version=2)
    changed = refused(await world.press(browser, "go_on", page.login))
    assert changed.retry is not None
    await world.choose(browser, changed.retry.name, "vuurvogel")
    assert len(logins(trails)) == 1


async def test_a_supplier_that_is_told_is_another_outcome(
    world: LoginWorld, trails: list[Trail]
) -> None:
    told = read_redirect(await world.begin(Browser(), prompt="none"))
    assert told.error == "login_required"
    assert trails[-1].outcome is Outcome.TOLD
    assert trails[-1].login


async def test_a_refusal_that_belongs_to_no_login_has_no_id(
    world: LoginWorld, trails: list[Trail]
) -> None:
    with pytest.raises(GrantRefused):
        await world.redeem("A" * 43)
    assert trails[-1].login == ""


async def test_no_answer_shows_the_id(world: LoginWorld, trails: list[Trail]) -> None:
    browser = Browser()
    chooser = await world.begin(browser)
    at_school = await world.choose(browser, chooser.login, "vuurvogel")  # type: ignore[union-attr]
    back = await world.come_back(browser, read_at_school(at_school))
    received = await world.receive(back)
    (login,) = logins(trails)
    cookies = [(each.name, each.handle.text) for each in browser.cookies.values()]
    shown = [dataclasses.asdict(each) for each in (chooser, at_school, back, received)]  # type: ignore[call-overload]
    assert login not in repr((shown, cookies))


def test_the_id_is_drawn_and_nothing_else() -> None:
    drawn: list[int] = []

    def random(count: int) -> bytes:
        drawn.append(count)
        return bytes(count)

    assert make_login_id(random) == "a" * 16
    assert drawn == [10]


def test_trails_do_not_mix() -> None:
    with following() as outer:
        with following() as inner:
            assert current_trail() is inner
        assert current_trail() is outer
    assert current_trail() is not current_trail()  # nobody reads those


@pytest.mark.parametrize(
    ("refusal", "subject"),
    [
        (SchoolUnknown("check_school_known"), ""),
        (SchoolUnknown("check_school_known", subject="givenName"), "givenName"),
        (DuplicatedParameter("check_parameter_once", subject="sanne@nowhere.example"), ""),
    ],
)
def test_of_a_refusal_only_an_attribute_is_named(refusal: Refusal, subject: str) -> None:
    audit = ListAudit(frozenset())
    with following() as trail:
        note_refusal(audit, refusal, reference="befoheko", school=SchoolId("kompas"))
    (event,) = audit.events
    assert isinstance(event, AuditEvent)
    assert event.subject == subject
    assert (trail.check, trail.reference) == (refusal.check, "befoheko")


async def test_what_stays_is_told_with_its_reason(world: LoginWorld) -> None:
    await world.log_in()
    (event,) = [each for each in world.audit.events if each.action == "released"]
    withheld = dict(event.withheld)
    assert withheld["sn"] == "not-declared"
    assert not set(withheld) & set(event.names)
