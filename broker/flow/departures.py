"""From a supplier's request to a school's login, or to the page on which the pupil chooses one.

    ask_school    nobody said which school    -> the chooser
    go_to         a school                    -> its login, or which of its logins
    send          one of its logins           -> the browser goes there

Refusals go up: `broker.flow.login` turns them into answers.
"""

from broker.domain.dutch_days import day_of
from broker.domain.federation import School, SchoolIdp
from broker.flow.answers import ChooseLogin, ChooseSchool, Step
from broker.flow.held_state.browser_steps import BrowserSteps
from broker.flow.held_state.records import CHOOSING, PENDING, ChoosingLogin, PendingLogin
from broker.flow.parties import Parties, check_school_open, find_idp, follow_idp
from broker.flow.ports import Clock, Snapshots
from broker.flow.refusals import SchoolNotOpen
from broker.flow.school_logins import LoginWish, choose_login
from broker.flow.school_side import SchoolSide


class Departures:
    """Sends browsers to schools. Keeps nothing between steps."""

    def __init__(
        self, *, snapshots: Snapshots, steps: BrowserSteps, schools: SchoolSide, clock: Clock
    ) -> None:
        self._snapshots = snapshots
        self._steps = steps
        self._schools = schools
        self._clock = clock

    async def ask_school(self, login: ChoosingLogin) -> Step:
        """Keep the request and show the chooser.

        Raises:
            StoreUnavailable
        """
        cookie = await self._steps.open(CHOOSING, login)
        return Step(ChooseSchool(cookie.name), opened=cookie)

    async def go_to(
        self,
        school: School,
        login: ChoosingLogin,
        parties: Parties,
        *,
        named: SchoolIdp | None,
        wish: LoginWish,
    ) -> Step:
        """Go to the login of a school; where the pupil must choose one, keep the request and ask.

        Args:
            named: the login that the request names.

        Raises:
            Refusal: the school or its login is not open to this supplier; `StoreUnavailable`.
        """
        idp = choose_login(
            self._snapshots.registry,
            school,
            named=named,
            wish=wish,
            may_ask=not login.request.passive,
            today=day_of(self._clock()),
        )
        if idp is not None:
            return await self.send(login, parties, school, idp)
        cookie = await self._steps.open(CHOOSING, login)
        return Step(ChooseLogin(cookie.name, school.id), opened=cookie)

    async def send_without_level(
        self, login: ChoosingLogin, of: PendingLogin, parties: Parties, *, closed: str
    ) -> Step:
        """Send the browser once more to the login that it came from, asking for no level now.

        Raises:
            Refusal: as of `go_to`.
        """
        registry = self._snapshots.registry
        school = registry.schools.get(of.school)
        if school is None:
            raise SchoolNotOpen("check_school_known")
        return await self.send(login, parties, school, find_idp(registry, of.idp), closed=closed)

    async def send(
        self,
        login: ChoosingLogin,
        parties: Parties,
        school: School,
        idp: SchoolIdp,
        *,
        closed: str = "",
    ) -> Step:
        """Send the browser to one login, and keep which answer we expect from it.

        Args:
            closed: the step that was taken.

        Raises:
            Refusal: as of `go_to`.
        """
        follow_idp(idp)
        check_school_open(school, parties.supplier, idp)
        state = self._steps.make_state()
        pending, answer = self._schools.send(login, school=school, idp=idp, state=state)
        cookie = await self._steps.open(PENDING, pending, state=state)
        return Step(answer, opened=cookie, closed=closed)
