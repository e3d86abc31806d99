"""A school's administrator tests a login: what it states, and what would become of it.

    look     the school's logins and the suppliers to choose from
    begin    -> the login that is tested
    finish   its answer -> a page with a verdict on each attribute, and what suppliers would get

Who logs in there sees only what that login stated of them. The person register is neither asked
nor written, so a false statement about somebody else opens nothing of theirs; nothing leaves for a
supplier, and there is no receipt and no session. What is kept is, of a school and a day, how many
tests ended how. An answer that is refused is a result as well: it is then that the page is needed.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

from broker.domain.attribute_verdicts import AttributeVerdict, Verdict, judge_attributes
from broker.domain.dutch_days import day_of
from broker.domain.federation import School, SchoolIdp, Supplier
from broker.domain.identity import Identity, identity_at, read_stated
from broker.domain.ids import SchoolId, SchoolIdpId, SupplierId
from broker.domain.refusals import Refusal
from broker.domain.registry import Registry
from broker.domain.relations import former_brins
from broker.domain.tolerances import Tolerance
from broker.flow.answers import PostMessage, Redirect
from broker.flow.at_school import NothingAsked, SchoolAnswer
from broker.flow.audit import AuditEvent, AuditLog, make_reference, note_refusal
from broker.flow.enrolment.enrolments import SchoolLists, meet_list
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.flow.following.trail import current_trail, make_login_id
from broker.flow.held_state.browser_steps import BrowserStep, store_in_words
from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.login_tests.sent_records import (
    LOGIN_TEST_TTL_SECONDS,
    LOGIN_TESTED,
    LoginTestSent,
)
from broker.flow.login_tests.supplier_outlook import SupplierOutlook, look_ahead, wanted_names
from broker.flow.parties import find_idp, follow_idp
from broker.flow.ports import Clock, FlowKeys, Random, Snapshots
from broker.flow.random_texts import make_state
from broker.flow.refusals import SchoolNotOpen, StatesDiffer
from broker.flow.school_side import SchoolSide
from broker.pseudonyms.derivation import EckIdUnusable, parse_eckid

Read = Callable[[LoginTestSent, SchoolIdp], Awaitable[SchoolAnswer]]


class LoginTestOutcome(StrEnum):
    """What is kept of a login test."""

    FINE = "fine"
    INCOMPLETE = "incomplete"
    """The login works, and something is missing, or a supplier with an agreement gets nobody."""


class LoginTestLog(Protocol):
    """Where it rests how many tests of a school ended how."""

    async def keep(
        self, school: SchoolId, idp: SchoolIdpId, outcome: LoginTestOutcome, day: date
    ) -> None:
        """Count one more.

        Raises:
            RegistryUnreadable: it is not counted.
        """
        ...


@dataclass(frozen=True, slots=True)
class LoginTestCookie:
    """Binds a login test to the browser; `name` may be seen."""

    name: str
    handle: Handle = field(repr=False)
    ttl_seconds: int = LOGIN_TEST_TTL_SECONDS


@dataclass(frozen=True, slots=True)
class LoginTestBegun:
    """The browser goes to the login that is tested."""

    leads_to: Redirect | PostMessage
    opened: LoginTestCookie


@dataclass(frozen=True, slots=True)
class LoginTestResult:
    """What came of a login test; it holds values of the person who logged in, and is not kept.

    Attributes:
        refusal: why such a login is refused; None when it is not.
        reference: that finds the event of the refusal; "" without one.
        attributes: nothing when the answer itself was refused: what is not verified is not shown.
        exceptions: of the login's document, without which the answer would be refused.
        identity: None when the login names nobody that we can use.
    """

    school: School
    idp: SchoolIdp
    day: date
    refusal: Refusal | None = None
    reference: str = ""
    attributes: tuple[AttributeVerdict, ...] = field(default=(), repr=False)
    exceptions: tuple[Tolerance, ...] = ()
    outlooks: tuple[SupplierOutlook, ...] = ()
    identity: Identity | None = field(default=None, repr=False)

    @property
    def outcome(self) -> LoginTestOutcome | None:
        """Return how it ended; None: refused. Nobody counts that, for anybody can bring it."""
        return None if self.refusal is not None else self.weigh()

    def weigh(self) -> LoginTestOutcome:
        """Return how a test ended whose login is not refused."""
        refused = any(each.refusal is not None for each in self.outlooks)
        lacks = any(each.verdict is Verdict.MISSING for each in self.attributes)
        return LoginTestOutcome.INCOMPLETE if refused or lacks else LoginTestOutcome.FINE


@dataclass(frozen=True, slots=True)
class LoginTestPorts:
    """Where schools, lists and counts rest, and what derives and seals."""

    snapshots: Snapshots
    schools: SchoolSide
    state: SealedState = field(repr=False)
    lists: SchoolLists
    log: LoginTestLog
    keys: FlowKeys
    audit: AuditLog
    clock: Clock
    random: Random


class LoginTestFlow:
    """The journey of one login test over its ports. Keeps nothing between steps."""

    def __init__(self, ports: LoginTestPorts) -> None:
        self._ports = ports

    def look(self, unverified_school: str) -> tuple[School, tuple[SchoolIdp, ...]]:
        """Return a school with its logins that can be tested, those for rehearsal only as well.

        Raises:
            SchoolNotOpen: no such school, it is switched off, or it has no login.
        """
        return _find_school(self._ports.snapshots.registry, SchoolId(unverified_school))

    def suppliers_of(self, school: School) -> tuple[Supplier, ...]:
        """Return the suppliers of a school's state, by name: one may be chosen before the login."""
        suppliers = self._ports.snapshots.registry.suppliers.values()
        open_here = (each for each in suppliers if each.enabled and each.state is school.state)
        return tuple(sorted(open_here, key=lambda each: each.display_name))

    async def begin(
        self, unverified_school: str, *, unverified_idp: str, unverified_supplier: str
    ) -> LoginTestBegun:
        """Send a browser to the login that is tested.

        Raises:
            SchoolNotOpen, StatesDiffer, ProviderUnreachable, StoreUnavailable
        """
        ports = self._ports
        school, logins = self.look(unverified_school)
        named = SchoolIdpId(unverified_idp) if unverified_idp else logins[0].id
        idp = _find_login(ports.snapshots.registry, school, named)
        follow_idp(idp)
        name = make_state(ports.random)
        sent, answer = ports.schools.dispatch(
            NothingAsked(), school=school, idp=idp, state=name, ask_again=False, other_account=False
        )
        supplier = SupplierId(unverified_supplier)
        record = LoginTestSent(
            login=make_login_id(ports.random),
            school=school.id,
            idp=idp.id,
            supplier=supplier if supplier in ports.snapshots.registry.suppliers else None,
            request_id=sent.request_id,
            nonce=sent.nonce,
            code_verifier=sent.code_verifier,
            sent_at=sent.sent_at,
            force_login=sent.force_login,
        )
        with store_in_words():
            handle, put = ports.state.seal(LOGIN_TESTED, record)
            await ports.state.put(put)
        current_trail().login = record.login
        return LoginTestBegun(answer, LoginTestCookie(name, handle))

    async def finish_saml(
        self, step: BrowserStep, *, form: Sequence[tuple[str, str]]
    ) -> LoginTestResult:
        """Say what came of a SAML response."""

        async def read(sent: LoginTestSent, idp: SchoolIdp) -> SchoolAnswer:
            return self._ports.schools.read_saml(sent, idp, form=form)

        return await self._finish(step, read)

    async def finish_oidc(
        self, step: BrowserStep, *, parameters: Sequence[tuple[str, str]]
    ) -> LoginTestResult:
        """Say what came of a callback."""

        async def read(sent: LoginTestSent, idp: SchoolIdp) -> SchoolAnswer:
            return await self._ports.schools.read_oidc(sent, idp, parameters=parameters)

        return await self._finish(step, read)

    async def _finish(self, step: BrowserStep, read: Read) -> LoginTestResult:
        """Take the step, read what came, and say what would become of it.

        Raises:
            LoginStepAbsent, LoginStepUsed, StoreUnavailable: not of this browser, or not now.
            SchoolNotOpen, StatesDiffer: switched off since.
        """
        ports = self._ports
        with store_in_words():
            sent = await ports.state.take(LOGIN_TESTED, parse_handle(step.unverified_handle))
        current_trail().login = sent.login
        registry, today = ports.snapshots.registry, day_of(ports.clock())
        school, _ = _find_school(registry, sent.school)
        idp = _find_login(registry, school, sent.idp)
        follow_idp(idp)
        try:
            answer = await read(sent, idp)
            if answer.claims:
                with store_in_words():
                    await ports.state.put(claims=answer.claims)
        except Refusal as refusal:
            result = LoginTestResult(school, idp, today, refusal, make_reference(ports.random))
        else:
            result = await self._judge(sent, answer, school, idp, registry, today)
        await self._note(result)
        return result

    async def _judge(
        self,
        sent: LoginTestSent,
        answer: SchoolAnswer,
        school: School,
        idp: SchoolIdp,
        registry: Registry,
        today: date,
    ) -> LoginTestResult:
        ports = self._ports
        schools, former = registry.schools_of(idp), former_brins(registry, idp.schools, today)
        identity: Identity | None = None
        refused: Refusal | None = None
        outlooks: tuple[SupplierOutlook, ...] = ()
        try:
            stated = read_stated(answer.login, schools=schools, former=former)
            identity = identity_at(stated, school.id, schools=schools)
            identity, _, _ = await meet_list(
                identity, idp=idp, lists=ports.lists, root=ports.keys.root, today=today
            )
        except Refusal as refusal:
            refused = refusal
        else:
            outlooks = look_ahead(
                identity,
                school,
                chosen=sent.supplier,
                registry=registry,
                today=today,
                random=ports.random,
            )
        verdicts = judge_attributes(
            answer.login,
            school=school,
            schools=schools,
            former=former,
            wanted=wanted_names(school, registry=registry, today=today),
            unreadable=answer.unreadable,
            is_eck_id=_is_eck_id,
        )
        return LoginTestResult(
            school,
            idp,
            today,
            refusal=refused,
            reference="" if refused is None else make_reference(ports.random),
            attributes=verdicts,
            exceptions=answer.exceptions,
            outlooks=outlooks,
            identity=identity,
        )

    async def _note(self, result: LoginTestResult) -> None:
        """Leave one event that names nobody, and count what the school's own login brought."""
        ports, school, idp = self._ports, result.school.id, result.idp.id
        if result.refusal is not None:
            note_refusal(
                ports.audit, result.refusal, reference=result.reference, school=school, idp=idp
            )
            return
        action = "login-tested"
        try:
            await ports.log.keep(school, idp, result.weigh(), result.day)
        except RegistryUnreadable:  # the page says what came of it all the same
            action = "login-test-not-counted"
        ports.audit.record(AuditEvent(action=action, school=school, idp=idp))


def _find_school(registry: Registry, name: SchoolId) -> tuple[School, tuple[SchoolIdp, ...]]:
    school = registry.schools.get(name)
    if school is None or not school.enabled:
        raise SchoolNotOpen("check_school_enabled")
    offered = registry.idps_of_school.get(name, ())
    others = (each for each in registry.idps.values() if name in each.schools and each.enabled)
    logins = (*offered, *(each for each in others if each not in offered))
    if not logins:
        raise SchoolNotOpen("check_school_has_login")
    return school, logins


def _find_login(registry: Registry, school: School, name: SchoolIdpId) -> SchoolIdp:
    """Return a login of a school that is switched on; test and production never meet."""
    idp = find_idp(registry, name)
    if school.id not in idp.schools:
        raise SchoolNotOpen("check_login_of_school")
    if idp.state is not school.state:
        raise StatesDiffer("check_states_equal")
    return idp


def _is_eck_id(text: str) -> bool:
    try:
        parse_eckid(text)
    except EckIdUnusable:
        return False
    return True
