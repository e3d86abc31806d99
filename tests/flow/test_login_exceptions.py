"""A login that lives by an exception of its document: it works, and every login says so."""

from datetime import date

from broker.domain.tolerances import IdpException, Tolerance
from broker.flow.following.trail import following
from broker.saml_sp.refusals import ExceptionEnded, NameIdUnusable
from tests.flow.login_answers import Browser, refused
from tests.flow.login_parties import SAML_IDP
from tests.flow.login_world import LoginWorld

NO_NAME_ID = IdpException(
    name=Tolerance.NO_NAME_ID, last_day=date(2026, 3, 2), reason="ADFS rule, till the spring"
)


async def test_each_login_that_needs_it_leaves_a_line(world: LoginWorld) -> None:
    world.change(SAML_IDP, exceptions=(NO_NAME_ID,))
    plain = await world.log_in()
    assert not [each for each in world.audit.events if each.action == "exception-needed"]
    excepted = await world.log_in(name_id=None)
    assert excepted.subject == plain.subject  # no NameID ever named a person
    (event,) = [each for each in world.audit.events if each.action == "exception-needed"]
    assert (event.school, event.idp, event.names) == ("vuurvogel", SAML_IDP, ("no-name-id",))


async def test_the_request_that_needed_it_is_counted(world: LoginWorld, browser: Browser) -> None:
    world.change(SAML_IDP, exceptions=(NO_NAME_ID,))
    for changes, counted in (({}, ()), ({"name_id": None}, ("no-name-id",))):
        at_school = await world.go_to_school(browser)
        with following() as trail:
            await world.come_back(browser, at_school, **changes)
        assert trail.exceptions == counted


async def test_the_day_after_its_end_it_is_off_and_says_so(
    world: LoginWorld, browser: Browser
) -> None:
    world.change(SAML_IDP, exceptions=(NO_NAME_ID,))
    world.wait(days=1)
    page = refused(await world.arrive(browser, name_id=None))
    assert isinstance(page.refusal, ExceptionEnded)
    assert (world.audit.last.code, world.audit.last.check) == ("E-SAML-36", "check_name_id_stated")
    assert (await world.log_in()).subject


async def test_it_is_of_no_other_login(world: LoginWorld, browser: Browser) -> None:
    page = refused(await world.arrive(browser, name_id=None))
    assert isinstance(page.refusal, NameIdUnusable)
