"""Two workers over one login store that fails: a state machine over whole logins.

Persons log in at several suppliers in several browsers; every request may come again, at any worker
and at both at once, with another browser's cookie or another login's message; workers restart,
their clocks differ, the store loses what it held or goes back to what it held before, and each of
its operations may fail in any of the ways of `failing_store.KINDS`. Whatever happens:

    once        -- no code, step, assertion or client assertion is honoured twice
    own         -- nobody gets the pseudonym or an attribute of another person
    receipt     -- every answer that names a person has its receipt
    way on      -- what fails ends in a page with a way on or in an answer to the supplier
    recovery    -- then, a login that begins anew succeeds

Without that, `Violated` is raised. `test_two_workers` shows that planted faults are found.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from broker.demo.people import PEOPLE
from broker.domain.ids import RelyingPartyId
from broker.flow.held_state.browser_steps import BrowserStep
from broker.oidc_op.caller_proof import CallerProof
from tests.flow.failing_store import KINDS, FailingStore, Fault
from tests.flow.login_answers import (
    Received,
)
from tests.flow.watched_logins import (
    BROWSERS,
    PARTIES,
    SKEW_SECONDS,
    WORKERS,
    Violated,
    WatchedLogins,
    must,
    newest,
)

RuleT = TypeVar("RuleT", bound=Callable[..., None])

LOSSES = ("flush", "fail over")

ANY = st.integers(0, 6)
"""Which of what there is, counted from the newest."""
PERSON = st.integers(0, len(PEOPLE) - 1)
WORKER = st.integers(0, WORKERS - 1)
BROWSER = st.integers(0, BROWSERS - 1)
FAULT = st.none() | st.builds(Fault, st.integers(1, 3), st.sampled_from(KINDS))


def needs(held: str) -> Callable[[RuleT], RuleT]:
    """Let a rule do nothing while there is none of these yet.

    Not a precondition: on a real server it may differ from run to run what there is, and hypothesis
    takes that for its own mistake.
    """

    def decorate(carry_out: RuleT) -> RuleT:
        @wraps(carry_out)
        def unless_empty(self: Any, *given: Any, **drawn: Any) -> None:
            if getattr(self, held):
                carry_out(self, *given, **drawn)

        return cast("RuleT", unless_empty)

    return decorate


class TwoWorkers(WatchedLogins):
    """The rules."""

    @rule(number=WORKER, skew=st.sampled_from(SKEW_SECONDS))
    def restart(self, number: int, skew: int) -> None:
        """End a worker and start another; what it had under way still reaches the store."""
        late = self.stores[number].late
        self.stores[number] = FailingStore(self.backend.open())
        self.stores[number].late = late
        self.skews[number] = skew
        self.workers[number] = self.make_worker(number)

    @rule(seconds=st.sampled_from((1, 20, 61, 400, 1801)))
    def wait(self, seconds: int) -> None:
        self.world.wait(seconds=seconds)
        self.runner.run(self.backend.pass_time(seconds))

    @rule()
    def keep(self) -> None:
        self.runner.run(self.backend.keep())

    @rule(how=st.sampled_from(LOSSES), workers_look=st.booleans())
    def lose(self, how: str, workers_look: bool) -> None:
        # A one-shot value of before may be shown again, but only beside a handle of now.
        for value in [each for each in self.honoured if each.startswith(("assertion", "jti"))]:
            del self.honoured[value]
        self.runner.run(self.backend.lose(how))
        if workers_look:
            self.look()

    @rule()
    def look(self) -> None:
        for store in self.stores:
            self.runner.run(self.backend.look(store.inner))

    @rule()
    def carry_out_late(self) -> None:
        for store in self.stores:
            while store.late:
                self.attempt(store.late.pop(0)())

    @rule(
        browser=BROWSER,
        person=PERSON,
        party=st.sampled_from(PARTIES),
        worker=WORKER,
        fault=FAULT,
    )
    def begin(
        self, browser: int, person: int, party: RelyingPartyId, worker: int, fault: Fault | None
    ) -> None:
        asked = self.world.ask_hinting(party, PEOPLE[person].school.id)
        step = self.act(worker, lambda each: each.flow.begin(asked), fault)
        if step is not None:
            self.arrive_at_school(browser, party, PEOPLE[person], step)

    @rule(which=ANY, worker=WORKER, fault=FAULT)
    @needs("retries")
    def try_again(self, which: int, worker: int, fault: Fault | None) -> None:
        """Press the button of a page that says what went wrong."""
        page = newest(self.retries, which)
        school = page.trip.person.school.id
        step = self.act(
            worker, lambda each: each.flow.choose(page.step, unverified_school=school), fault
        )
        if step is not None:
            self.arrive_at_school(page.trip.browser, page.trip.party, page.trip.person, step)

    @rule(
        which=ANY,
        other=ANY,
        again=st.booleans(),
        mixed=st.sampled_from(("", "", "cookie", "message")),
        old_id=st.booleans(),
        worker=WORKER,
        fault=FAULT,
    )
    @needs("trips")
    def come_back(
        self,
        which: int,
        other: int,
        again: bool,
        mixed: str,
        old_id: bool,
        worker: int,
        fault: Fault | None,
    ) -> None:
        """Bring an answer of the school back: a new one or one that was brought before.

        Mixed: with the cookie, or with the message, of another login.
        """
        trip, another = (newest(self.trips, each) for each in (which, other))
        cookie = another if mixed == "cookie" else trip
        said = another if mixed == "message" else trip
        form, once = self.message_of(said, again=again, old_id=old_id)
        shown = BrowserStep(trip.step.state, cookie.step.unverified_handle)
        step = self.act(worker, lambda each: self.finish(each, said, shown, form), fault)
        self.take_in(cookie, said, step, once)

    @rule(person=PERSON, party=st.sampled_from(PARTIES), old_id=st.booleans(), worker=WORKER)
    def arrive(self, person: int, party: RelyingPartyId, old_id: bool, worker: int) -> None:
        """Begin and come back at once, without faults, so that there is much to show again."""
        trips = len(self.trips)
        self.begin(0, person, party, worker, None)
        if len(self.trips) > trips:
            self.come_back(0, 0, False, "", old_id, worker, None)

    @rule(which=ANY, again=st.booleans())
    @needs("trips")
    def come_back_twice_at_once(self, which: int, again: bool) -> None:
        """A double click that reaches both workers."""
        trip = newest(self.trips, which)
        form, once = self.message_of(trip, again=again)
        for step in self.act_at_once(lambda each: self.finish(each, trip, trip.step, form)):
            self.take_in(trip, trip, step, once)

    @rule(which=ANY, other=ANY, mixed=st.booleans(), worker=WORKER, fault=FAULT)
    @needs("pages")
    def go_on(self, which: int, other: int, mixed: bool, worker: int, fault: Fault | None) -> None:
        page = newest(self.pages, which)
        cookie = newest(self.pages, other) if mixed else page
        shown = BrowserStep(page.step.state, cookie.step.unverified_handle)
        step = self.act(worker, lambda each: each.flow.go_on(shown), fault)
        self.released(cookie, step)

    @rule(which=ANY)
    @needs("pages")
    def go_on_twice_at_once(self, which: int) -> None:
        page = newest(self.pages, which)
        for step in self.act_at_once(lambda each: each.flow.go_on(page.step)):
            self.released(page, step)

    @rule(which=ANY, form_of=st.sampled_from(("new", "same", "other")), worker=WORKER, fault=FAULT)
    @needs("codes")
    def redeem(self, which: int, form_of: str, worker: int, fault: Fault | None) -> None:
        """Redeem a code, with a new client assertion, that of before, or that of another code."""
        code = newest(self.codes, which)
        form = self.token_form(code, form_of)
        answer = self.act(worker, lambda each: self.ask_tokens(each, form), fault)
        self.redeemed(code, form, answer)
        code.shown += fault is None and self.is_fresh(form)

    @rule(which=ANY, form_of=st.sampled_from(("new", "same")))
    @needs("codes")
    def redeem_twice_at_once(self, which: int, form_of: str) -> None:
        code = newest(self.codes, which)
        form = self.token_form(code, form_of)
        for answer in self.act_at_once(lambda each: self.ask_tokens(each, form)):
            self.redeemed(code, form, answer)
        code.shown += 2 * self.is_fresh(form)

    @rule(person=PERSON, party=st.sampled_from(PARTIES), how=st.sampled_from(LOSSES), worker=WORKER)
    def show_again_after_a_loss(
        self, person: int, party: RelyingPartyId, how: str, worker: int
    ) -> None:
        """Log in, and do its second half again after the store lost that it was done."""
        self.begin(0, person, party, worker, None)
        codes = len(self.codes)
        for _ in range(2):
            self.keep()
            if self.trips:
                self.come_back(0, 0, True, "", False, worker, None)
            if len(self.codes) > codes:
                self.redeem(0, "new", worker, None)
            self.lose(how, workers_look=False)

    @rule(
        persons=st.tuples(PERSON, PERSON),
        party=st.sampled_from(PARTIES),
        mixed=st.sampled_from(("message", "cookie", "")),
        worker=WORKER,
    )
    def swap(
        self, persons: tuple[int, int], party: RelyingPartyId, mixed: str, worker: int
    ) -> None:
        """Log two persons in side by side, and let what proves one of them come with the other."""
        trips, codes = len(self.trips), len(self.codes)
        for browser, person in enumerate(persons):
            self.begin(browser, person, party, worker, None)
        if len(self.trips) == trips + 2:
            self.come_back(0, 1, True, mixed, False, worker, None)
            self.come_back(1, 0, True, mixed, False, worker, None)
        if len(self.codes) == codes + 2:
            self.redeem(0, "new", worker, None)
            self.redeem(1, "other", worker, None)

    @rule(person=PERSON, party=st.sampled_from(PARTIES), at_once=st.booleans(), worker=WORKER)
    def do_all_twice(self, person: int, party: RelyingPartyId, at_once: bool, worker: int) -> None:
        trips, codes, tokens = len(self.trips), len(self.codes), len(self.tokens)
        self.begin(0, person, party, worker, None)
        if at_once and len(self.trips) > trips:
            self.come_back_twice_at_once(0, False)
        elif len(self.trips) > trips:
            self.come_back(0, 0, False, "", False, worker, None)
            self.come_back(0, 0, True, "", False, worker, None)
        if at_once and len(self.codes) > codes:
            self.redeem_twice_at_once(0, "new")
        elif len(self.codes) > codes:
            self.redeem(0, "new", worker, None)
            self.redeem(0, "new", worker, None)
        if len(self.tokens) > tokens:
            self.ask_userinfo(0, worker, None)

    @rule(which=ANY, worker=WORKER, fault=FAULT)
    @needs("tokens")
    def ask_userinfo(self, which: int, worker: int, fault: Fault | None) -> None:
        token = newest(self.tokens, which)
        authorization = f"Bearer {token.text}"
        claims = self.act(
            worker, lambda each: each.token.userinfo([], CallerProof(authorization)), fault
        )
        if claims is not None:
            must(token.code.shown < 2, "once: a second use of a code ends its access token")
            self.check_received(
                token.code.trip, Received(None, subject=str(claims.pop("sub")), claims=claims)
            )

    @rule(person=PERSON, party=st.sampled_from(PARTIES), first=WORKER)
    def log_in_anew(self, person: int, party: RelyingPartyId, first: int) -> None:
        """A login that begins now, without faults, each of its steps at another worker."""
        self.look()
        if len(set(self.skews)) > 1:  # until their clocks agree that it began after any loss
            self.wait(max(SKEW_SECONDS) - min(SKEW_SECONDS))
            self.look()
        second = (first + 1) % WORKERS
        trips, pages, codes, tokens, answers = self.counts()
        self.begin(0, person, party, first, None)
        must(len(self.trips) == trips + 1, "recovery: it reaches the school")
        trip = self.trips[-1]
        form, once = self.message_of(trip, again=False)
        step = self.act(second, lambda each: self.finish(each, trip, trip.step, form), None)
        self.take_in(trip, trip, step, once)
        if len(self.pages) > pages:
            shown = self.pages[-1]
            self.released(shown, self.act(first, lambda each: each.flow.go_on(shown.step), None))
        must(self.answers == answers + 1, "recovery: it reaches the supplier")
        if len(self.codes) > codes:
            self.redeem(0, "new", first, None)
            must(len(self.tokens) == tokens + 1, "recovery: its code is redeemed")

    @invariant()
    def every_answer_has_its_receipt(self) -> None:
        must(len(self.world.receipts.kept) >= self.answers, "receipt")


def what_is_found(planted: type[TwoWorkers], *, within_examples: int) -> str:
    """Return which promise the machine finds broken; the same one each time."""
    with pytest.raises(Violated) as found:
        run_state_machine_as_test(
            planted,
            settings=settings(
                max_examples=within_examples,
                stateful_step_count=40,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.generate],  # to find it is enough
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
    return str(found.value)
