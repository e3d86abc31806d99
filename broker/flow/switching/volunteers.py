"""Volunteers rehearse a change of login: log in by the old login and by the new one, and see.

    begin    -> the old login
    finish   its answer -> a page with one button
    go_on    that button -> the new login
    finish   its answer -> "the same account", or why not

Nothing leaves for any supplier, the person register is read and not written, and what is kept is
one finding for each volunteer, under a keyed value that tells nothing else.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from broker.domain.dutch_days import day_of
from broker.domain.federation import School, SchoolIdp
from broker.domain.identity import read_identity
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.domain.registry import Registry
from broker.domain.relations import former_brins
from broker.domain.switches import LoginSwitch
from broker.flow.answers import PostMessage, Redirect
from broker.flow.at_school import NothingAsked, SchoolAnswer
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.flow.following.trail import LoginId, current_trail, make_login_id
from broker.flow.held_state.browser_steps import BrowserStep, store_in_words
from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import Claim
from broker.flow.held_state.sealed_state import SealedState, StateKind
from broker.flow.parties import find_idp, follow_idp
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_records import Presented
from broker.flow.persons.persons import present_person
from broker.flow.persons.register import PersonRegister
from broker.flow.ports import Clock, FlowKeys, Random, Snapshots
from broker.flow.random_texts import make_state
from broker.flow.school_side import SchoolSide
from broker.flow.switching.rehearsal import Finding, Foreseen, Oracle, compare, derive_volunteer
from broker.flow.switching.switch_checks import LoginPair, find_rehearsal
from broker.flow.switching.switch_refusals import OtherSchoolStated, RehearsalNotOpen
from broker.flow.switching.volunteer_records import (
    AT_SCHOOL,
    BETWEEN,
    VOLUNTEER_TTL_SECONDS,
    ByOldLogin,
    VolunteerAtSchool,
    VolunteerBetween,
    keep_presented,
    present_kept,
)

Record = TypeVar("Record", VolunteerAtSchool, VolunteerBetween)
Read = Callable[[VolunteerAtSchool, SchoolIdp], Awaitable[SchoolAnswer]]


class RehearsalLog(Protocol):
    """Where findings of volunteers rest."""

    async def keep_login(self, pair: LoginPair, volunteer: bytes, finding: Finding) -> None:
        """Keep what one volunteer found; twice counts once, and the last time counts.

        Raises:
            RegistryUnreadable: it is not kept.
        """
        ...


@dataclass(frozen=True, slots=True)
class VolunteerCookie:
    """Binds one step of a rehearsal to the browser; `name` may be seen."""

    name: str
    handle: Handle = field(repr=False)
    ttl_seconds: int = VOLUNTEER_TTL_SECONDS


@dataclass(frozen=True, slots=True)
class VolunteerStep:
    """What a volunteer's browser shows next.

    Attributes:
        leads_to: the browser goes to a school's login; None for a page of ours.
        finding: what came of it; None before the end.
        opened: the cookie to set; None at the end.
    """

    school: School
    new_login: SchoolIdp
    leads_to: Redirect | PostMessage | None = None
    finding: Finding | None = None
    opened: VolunteerCookie | None = None


@dataclass(frozen=True, slots=True)
class VolunteerPorts:
    """Where persons and findings rest, and what derives and seals."""

    snapshots: Snapshots
    schools: SchoolSide
    state: SealedState = field(repr=False)
    register: PersonRegister
    log: RehearsalLog
    keys: FlowKeys
    rules: JoinRules
    audit: AuditLog
    clock: Clock
    random: Random


class VolunteerFlow:
    """The journey of one rehearsal over its ports. Keeps nothing between steps."""

    def __init__(self, ports: VolunteerPorts) -> None:
        self._ports = ports

    def look(self, unverified_school: str) -> tuple[School, SchoolIdp, SchoolIdp]:
        """Return the school whose rehearsal is open, with its old and new login.

        Raises:
            RehearsalNotOpen, SchoolNotOpen
        """
        return _parties(self._ports.snapshots.registry, SchoolId(unverified_school))[:3]

    async def begin(self, unverified_school: str) -> VolunteerStep:
        """Send a volunteer to the old login.

        Raises:
            RehearsalNotOpen, SchoolNotOpen, StoreUnavailable
        """
        school, old, new, opened = _parties(
            self._ports.snapshots.registry, SchoolId(unverified_school)
        )
        login = make_login_id(self._ports.random)
        return await self._send(opened, school, old, new, login=login, before=None)

    async def finish_saml(
        self, step: BrowserStep, *, form: Sequence[tuple[str, str]]
    ) -> VolunteerStep:
        """Read the SAML response of one of the two logins."""

        async def read(sent: VolunteerAtSchool, idp: SchoolIdp) -> SchoolAnswer:
            return self._ports.schools.read_saml(sent, idp, form=form)

        return await self._finish(step, read)

    async def finish_oidc(
        self, step: BrowserStep, *, parameters: Sequence[tuple[str, str]]
    ) -> VolunteerStep:
        """Read the callback of one of the two logins."""

        async def read(sent: VolunteerAtSchool, idp: SchoolIdp) -> SchoolAnswer:
            return await self._ports.schools.read_oidc(sent, idp, parameters=parameters)

        return await self._finish(step, read)

    async def go_on(self, step: BrowserStep) -> VolunteerStep:
        """Send a volunteer on to the new login.

        Raises:
            RehearsalNotOpen, LoginStepAbsent, LoginStepUsed, StoreUnavailable
        """
        between = await self._take(BETWEEN, step)
        school, _, new, opened = _parties(self._ports.snapshots.registry, between.school)
        _check_same(opened, between)
        return await self._send(
            opened, school, new, new, login=between.login, before=between.before
        )

    async def _send(
        self,
        opened: LoginSwitch,
        school: School,
        idp: SchoolIdp,
        new: SchoolIdp,
        *,
        login: LoginId,
        before: ByOldLogin | None,
    ) -> VolunteerStep:
        follow_idp(idp)
        ports = self._ports
        name = make_state(ports.random)
        sent, answer = ports.schools.dispatch(
            NothingAsked(), school=school, idp=idp, state=name, ask_again=False, other_account=False
        )
        record = VolunteerAtSchool(
            login=login,
            school=school.id,
            from_idp=opened.from_idp,
            to_idp=opened.to_idp,
            request_id=sent.request_id,
            nonce=sent.nonce,
            code_verifier=sent.code_verifier,
            sent_at=sent.sent_at,
            force_login=sent.force_login,
            before=before,
        )
        cookie = await self._open(AT_SCHOOL, record, name=name)
        return VolunteerStep(school, new, leads_to=answer, opened=cookie)

    async def _finish(self, step: BrowserStep, read: Read) -> VolunteerStep:
        ports = self._ports
        sent = await self._take(AT_SCHOOL, step)
        registry = ports.snapshots.registry
        school, old, new, opened = _parties(registry, sent.school)
        _check_same(opened, sent)
        idp = old if sent.before is None else new
        follow_idp(idp)
        answer = await read(sent, idp)
        presented = self._present(answer, idp=idp, school=school, registry=registry)
        if sent.before is None:
            between = VolunteerBetween(
                login=sent.login,
                school=sent.school,
                from_idp=sent.from_idp,
                to_idp=sent.to_idp,
                before=keep_presented(presented),
            )
            name = make_state(ports.random)
            cookie = await self._open(BETWEEN, between, name=name, claims=answer.claims)
            return VolunteerStep(school, new, opened=cookie)
        if answer.claims:
            with store_in_words():
                await ports.state.put(claims=answer.claims)
        finding = await self._find(sent, sent.before, presented, school=school)
        return VolunteerStep(school, new, finding=finding)

    def _present(
        self, answer: SchoolAnswer, *, idp: SchoolIdp, school: School, registry: Registry
    ) -> Presented | None:
        """Return whom a login states; None when such a login is refused.

        Raises:
            OtherSchoolStated: it spoke for another school.
        """
        ports = self._ports
        try:
            identity = read_identity(
                answer.login,
                schools=registry.schools_of(idp),
                former=former_brins(registry, idp.schools, day_of(ports.clock())),
            )
            presented = present_person(identity, key=ports.keys.root)
        except Refusal:
            return None
        if identity.school != school.id:
            raise OtherSchoolStated("check_own_school_stated")
        return presented

    async def _find(
        self,
        sent: VolunteerAtSchool,
        kept: ByOldLogin,
        presented: Presented | None,
        *,
        school: School,
    ) -> Finding:
        ports = self._ports
        oracle = Oracle(
            school=school.id,
            eck_id_required=school.eck_id_required,
            register=ports.register,
            keys=ports.keys.register,
            rules=ports.rules,
            today=day_of(ports.clock()),
        )
        old = present_kept(kept)
        before = None if old is None else await oracle.foresee(old)
        after = None if presented is None else await oracle.foresee(presented)
        finding = compare(before, after)
        if before is not None:
            await self._count(sent, before, finding)
        return finding

    async def _count(self, sent: VolunteerAtSchool, before: Foreseen, finding: Finding) -> None:
        ports = self._ports
        volunteer = derive_volunteer(
            ports.keys.register,
            before,
            school=sent.school,
            from_idp=sent.from_idp,
            to_idp=sent.to_idp,
        )
        pair = LoginPair(sent.school, sent.from_idp, sent.to_idp)
        action = "rehearsed"
        try:
            await ports.log.keep_login(pair, volunteer, finding)
        except RegistryUnreadable:  # the volunteer sees what came of it all the same
            action = "rehearsal-not-counted"
        ports.audit.record(AuditEvent(action=action, school=sent.school, idp=sent.to_idp))

    async def _open(
        self,
        kind: StateKind[Record],
        record: Record,
        *,
        name: str,
        claims: Sequence[Claim] = (),
    ) -> VolunteerCookie:
        state = self._ports.state
        with store_in_words():
            handle, put = state.seal(kind, record)
            await state.put(put, claims=claims)
        current_trail().login = record.login
        return VolunteerCookie(name, handle)

    async def _take(self, kind: StateKind[Record], step: BrowserStep) -> Record:
        with store_in_words():
            record = await self._ports.state.take(kind, parse_handle(step.unverified_handle))
        current_trail().login = record.login
        return record


def _parties(
    registry: Registry, name: SchoolId
) -> tuple[School, SchoolIdp, SchoolIdp, LoginSwitch]:
    """Return the school whose rehearsal is open, its old and new login, and the rehearsal.

    Raises:
        RehearsalNotOpen, SchoolNotOpen
    """
    school, opened = registry.schools.get(name), find_rehearsal(registry.switches.get(name, ()))
    if school is None or not school.enabled:
        raise RehearsalNotOpen("check_school_rehearses")
    old, new = find_idp(registry, opened.from_idp), find_idp(registry, opened.to_idp)
    if not all(name in each.schools and each.state is school.state for each in (old, new)):
        raise RehearsalNotOpen("check_logins_of_school")
    return school, old, new, opened


def _check_same(opened: LoginSwitch, begun: VolunteerAtSchool | VolunteerBetween) -> None:
    """Refuse a volunteer of a rehearsal that was closed, and another opened, meanwhile."""
    if (opened.from_idp, opened.to_idp) != (begun.from_idp, begun.to_idp):
        raise RehearsalNotOpen("check_same_rehearsal")
