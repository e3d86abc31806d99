"""What the state machine `two_workers` knows of its logins, and what must hold of every answer."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol, TypeVar

from hypothesis.stateful import RuleBasedStateMachine

from broker.demo.people import PEOPLE, Person
from broker.domain.agreements import NoticeMode
from broker.domain.ids import RelyingPartyId
from broker.domain.refusals import Refusal
from broker.flow.answers import Answer, PostMessage, Redirect, Refused, Step, Welcome
from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.held_state.login_store import LoginStore, LoginStoreRefusal
from broker.jose.keys import key_set_of
from broker.jose.tokens import verify_token
from broker.oidc_op.caller_proof import NO_PROOF
from broker.oidc_op.token import TokenResponse
from tests import builders_oidc as oidc
from tests import builders_saml as saml
from tests.flow.failing_store import FailingStore, Fault
from tests.flow.login_answers import (
    AtSchool,
    Browser,
    Received,
    read_at_school,
    read_redirect,
    read_response,
)
from tests.flow.login_parties import BIOSFEER_OIDC, BIOSFEER_SAML, REKENRIJK, TAALTUIN
from tests.flow.login_world import LoginWorld, Worker

PARTIES = (REKENRIJK, TAALTUIN, BIOSFEER_OIDC, BIOSFEER_SAML)
WORKERS = BROWSERS = 2
SKEW_SECONDS = (0, 20, -20)

AnyT = TypeVar("AnyT")


class Violated(AssertionError):  # noqa: N818 -- says what happened
    """One of the promises does not hold."""


def newest(among: Sequence[AnyT], back: int) -> AnyT:
    """Return the one that came so many before the newest; hypothesis likes small numbers."""
    return among[-1 - back % len(among)]


def must(holds: bool, promise: str) -> None:
    """Raise `Violated` unless it holds."""
    if not holds:
        raise Violated(promise)


class Backend(Protocol):
    """The store that the workers share."""

    def open(self) -> LoginStore:
        """Return it as a worker that starts now sees it."""

    def lose(self, how: str) -> Awaitable[None]:
        """Lose what it holds: "flush", or "fail over" to what it held at the last `keep`."""

    def keep(self) -> Awaitable[None]: ...

    def pass_time(self, seconds: int) -> Awaitable[None]: ...

    def look(self, store: LoginStore) -> Awaitable[None]:
        """Let a worker look at the store, as it does once a second."""

    def close(self) -> Awaitable[None]: ...


@dataclass
class Trip:
    """A login that is at school.

    Attributes:
        step: what its browser shows, kept to be shown again.
        messages: what the school answered, each with the values in it that are used once.
    """

    browser: int
    party: RelyingPartyId
    person: Person
    at_school: AtSchool
    step: BrowserStep
    messages: list[tuple[Any, list[str]]] = field(default_factory=list)


@dataclass
class Page:
    """A page with one button, or one that offers another try."""

    trip: Trip
    step: BrowserStep
    school: str = ""


@dataclass
class TokenForm:
    """A request with a code; `jti` is of its client assertion, which lives a minute."""

    parameters: Any
    jti: str
    made_at: datetime


@dataclass
class Code:
    """A code that came back to a supplier, each request with it, and how often it was shown."""

    text: str
    trip: Trip
    forms: list[TokenForm] = field(default_factory=list)
    shown: int = 0


@dataclass
class Token:
    text: str
    code: Code


def expected(trip: Trip) -> Received:
    """Return what a login brings where nothing fails."""
    return _expected(PEOPLE.index(trip.person), trip.party)


@cache
def _expected(person: int, party: RelyingPartyId) -> Received:
    with asyncio.Runner() as runner:
        return runner.run(LoginWorld().log_in(party, PEOPLE[person]))


class WatchedLogins(RuleBasedStateMachine):
    """Workers over one store, everything that was sent, and what must hold of each answer.

    Subclasses say over which store (`open_backend`) and may plant a fault (`make_worker`).
    """

    open_backend: Callable[[LoginWorld], Backend]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = LoginWorld()
        self.world.change("regenboog", shared_devices=True)
        self.world.change("kompas/rekenrijk", notice=NoticeMode.INFORM)
        self.backend = type(self).open_backend(self.world)
        self.skews = [0] * WORKERS
        self.stores = [FailingStore(self.backend.open()) for _ in range(WORKERS)]
        self.workers = [self.make_worker(number) for number in range(WORKERS)]
        self.browsers = [Browser() for _ in range(BROWSERS)]
        self.trips: list[Trip] = []
        self.pages: list[Page] = []
        self.retries: list[Page] = []
        self.codes: list[Code] = []
        self.tokens: list[Token] = []
        self.assertion_ids: list[tuple[str, datetime]] = []
        self.honoured: Counter[str] = Counter()
        self.answers = 0

    def make_worker(self, number: int) -> Worker:
        def clock() -> Any:
            return self.world.now + timedelta(seconds=self.skews[number])

        return self.world.make_worker(self.stores[number], clock=clock)

    def teardown(self) -> None:
        self.runner.run(self.backend.close())
        self.runner.close()

    def counts(self) -> tuple[int, ...]:
        return (
            *(len(each) for each in (self.trips, self.pages, self.codes, self.tokens)),
            self.answers,
        )

    def arrive_at_school(
        self, browser: int, party: RelyingPartyId, person: Person, step: Step
    ) -> None:
        answer = self.browsers[browser].follow(step)
        self.check_way_on(answer)
        if isinstance(answer, Redirect):
            at_school = read_at_school(answer)
            shown = self.browsers[browser].step(at_school.state)
            self.trips.append(Trip(browser, party, person, at_school, shown))

    async def finish(self, worker: Worker, said: Trip, shown: BrowserStep, form: Any) -> Step:
        if said.at_school.nonce:
            return await worker.flow.finish_oidc(shown, parameters=form)
        return await worker.flow.finish_saml(shown, form=form)

    def message_of(self, trip: Trip, *, again: bool, old_id: bool = False) -> tuple[Any, list[str]]:
        if again and trip.messages:
            return trip.messages[-1]
        if trip.at_school.nonce:
            made: tuple[Any, list[str]] = self.world.oidc_answer(trip.at_school, trip.person), []
        else:
            own_id = f"_answer-{len(self.assertion_ids)}"
            others = [each for each, until in self.assertion_ids if self.world.now < until]
            if old_id and others:  # a school that numbers its assertions badly
                own_id = others[-1]
            self.assertion_ids.append((own_id, self.world.now + 5 * saml.MINUTE))
            form = self.world.saml_answer(
                trip.at_school,
                trip.person,
                edit_assertion=lambda assertion: assertion.set("ID", own_id),
            )
            made = form, [f"assertion {own_id}"]
        trip.messages.append(made)
        return made

    def take_in(self, cookie: Trip, said: Trip, step: Step | None, once: Iterable[str]) -> None:
        """Look at what a browser got for an answer of the school."""
        if step is None:
            return
        answer = step.answer
        if isinstance(answer, Refused) and answer.retry is not None:
            self.retries.append(
                Page(cookie, BrowserStep(answer.retry.name, answer.retry.handle.text))
            )
        if self.check_way_on(answer):
            return
        must(cookie is said, "own: an answer of the school counts in its own login alone")
        self.honour(f"step {cookie.step.unverified_handle}", *once)
        if isinstance(answer, Welcome):
            must(step.opened is not None, "way on: a page has its button")
            assert step.opened is not None
            shown = BrowserStep(step.opened.name, step.opened.handle.text)
            self.pages.append(Page(cookie, shown))
        else:
            self.deliver(cookie, answer)

    def released(self, page: Page, step: Step | None) -> None:
        """Look at what a browser got for a button; the record is that of its cookie."""
        if step is not None and not self.check_way_on(step.answer):
            self.honour(f"step {page.step.unverified_handle}")
            self.deliver(page.trip, step.answer)

    def deliver(self, trip: Trip, answer: Answer) -> None:
        """Look at what reaches a supplier through a browser."""
        self.answers += 1
        if isinstance(answer, PostMessage):
            self.check_received(trip, read_response(answer))
            return
        code = read_redirect(answer).code
        must(bool(code), "way on: an answer is a code or an error")
        self.codes.append(Code(code, trip))

    async def ask_tokens(self, worker: Worker, form: TokenForm) -> TokenResponse:
        return await worker.token.redeem(form.parameters, NO_PROOF)

    def is_fresh(self, form: TokenForm) -> bool:
        """Tell whether the client assertion holds, so that the code in it is looked at."""
        return self.world.now - form.made_at < timedelta(seconds=60 - max(SKEW_SECONDS))

    def token_form(self, code: Code, form_of: str) -> TokenForm:
        if form_of == "same" and code.forms:
            return code.forms[-1]
        others = [
            each
            for each in self.codes
            if each.forms and each is not code and each.trip.party == code.trip.party
        ]
        jti = others[-1].forms[-1].jti if form_of == "other" and others else ""
        jti = jti or f"jti-{self.world.random(8).hex()}"
        parameters = self.world.token_form(code.text, code.trip.party, jti=jti)
        code.forms.append(TokenForm(parameters, jti, self.world.now))
        return code.forms[-1]

    def redeemed(self, code: Code, form: TokenForm, answer: TokenResponse | None) -> None:
        if answer is None:
            return
        self.honour(f"code {code.text}", f"jti {code.trip.party} {form.jti}")
        claims = verify_token(
            answer.id_token, keys=key_set_of([oidc.BROKER_KEY]), algorithms=("ES256",)
        ).claims
        wanted = expected(code.trip)
        must(claims["sub"] == wanted.subject, "own: the pseudonym")
        must(all(claims[name] == value for name, value in wanted.claims.items()), "own: claims")
        self.tokens.append(Token(answer.access_token, code))

    def honour(self, *values: str) -> None:
        for value in values:
            self.honoured[value] += 1
            must(self.honoured[value] == 1, f"once: {value.partition(' ')[0]}")

    def check_received(self, trip: Trip, received: Received) -> None:
        wanted = expected(trip)
        must(received.subject == wanted.subject, "own: the pseudonym")
        must(dict(received.claims) == dict(wanted.claims), "own: the attributes")

    def check_way_on(self, answer: Answer) -> bool:
        """Tell whether an answer is a refusal; one of ours leads back or on."""
        if isinstance(answer, Refused):
            must(bool(answer.way_back or answer.retry), "way on")
            return True
        if isinstance(answer, PostMessage):
            return bool(read_response(answer).error)
        if isinstance(answer, Redirect) and "iss=" in answer.url:
            return bool(read_redirect(answer).error)
        return False

    def act(
        self, number: int, step: Callable[[Worker], Awaitable[AnyT]], fault: Fault | None
    ) -> AnyT | None:
        """Let a worker do a step; None when it is refused, or nobody waits for it any more."""
        self.stores[number].start(fault)
        return self.attempt(step(self.workers[number]))

    def act_at_once(self, step: Callable[[Worker], Awaitable[AnyT]]) -> list[AnyT | None]:
        """Let all workers do the same step at once."""

        async def all_of_them() -> list[AnyT | BaseException]:
            return await asyncio.gather(*map(step, self.workers), return_exceptions=True)

        for store in self.stores:
            store.start(None)
        return [self.unless_refused(each) for each in self.runner.run(all_of_them())]

    def attempt(self, step: Awaitable[AnyT]) -> AnyT | None:
        async def carry_out() -> AnyT | BaseException:
            try:
                return await step
            except (Exception, asyncio.CancelledError) as raised:
                return raised

        return self.unless_refused(self.runner.run(carry_out()))

    def unless_refused(self, answer: AnyT | BaseException) -> AnyT | None:
        """Every refusal that a flow raises becomes a page or an OAuth error at the edge; the
        store's own are raised by what comes late, to nobody."""
        if isinstance(answer, Refusal | LoginStoreRefusal | asyncio.CancelledError):
            return None
        if isinstance(answer, BaseException):
            raise Violated("way on: an exception") from answer
        return answer
