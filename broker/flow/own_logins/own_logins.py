"""Somebody logs in to pages of our own: the console, or what is kept of a pupil.

    logins_at   the logins of a school, a supplier or the federation
    begin       -> one of them
    finish      its answer, checked as at any login -> who this is, there

Nothing leaves for a supplier and there is no receipt; the person register is neither asked nor
written. What becomes of the result is its purpose's, so nothing of the person is kept here.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from broker.domain.assurance import read_level
from broker.domain.attributes import AttributeName, Population
from broker.domain.console_roles import LoginPlace, PlaceKind
from broker.domain.dutch_days import day_of
from broker.domain.federation import School, SchoolIdp
from broker.domain.identifiers import read_single
from broker.domain.identity import (
    Identity,
    PersonNotStated,
    StatedLogin,
    identity_at,
    map_attributes,
    read_population,
    read_stated,
)
from broker.domain.ids import SchoolId
from broker.domain.relations import former_brins
from broker.domain.stated_schools import SchoolNotStated
from broker.flow.answers import PostMessage, Redirect
from broker.flow.at_school import LevelAsked, SchoolAnswer
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.enrolment.enrolments import SchoolLists, meet_list
from broker.flow.following.trail import current_trail, make_login_id
from broker.flow.held_state.browser_steps import BrowserStep, store_in_words
from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.own_logins.login_places import choose_of, find_logins
from broker.flow.own_logins.own_login_records import (
    OWN_LOGIN,
    OWN_LOGIN_TTL_SECONDS,
    OwnLoginSent,
    OwnPurpose,
)
from broker.flow.parties import find_idp, follow_idp
from broker.flow.ports import Clock, FlowKeys, Random, Snapshots
from broker.flow.random_texts import make_state
from broker.flow.refusals import SchoolNotOpen
from broker.flow.school_side import SchoolSide

Read = Callable[[OwnLoginSent, SchoolIdp], Awaitable[SchoolAnswer]]

FIRST_NAME = AttributeName("givenName")
NOTHING_MORE = LevelAsked()


@dataclass(frozen=True, slots=True)
class OwnLoginCookie:
    """Binds such a login to the browser; `name` may be seen."""

    name: str
    handle: Handle = field(repr=False)
    ttl_seconds: int = OWN_LOGIN_TTL_SECONDS


@dataclass(frozen=True, slots=True)
class OwnLoginBegun:
    """The browser goes to the login."""

    leads_to: Redirect | PostMessage
    opened: OwnLoginCookie


@dataclass(frozen=True, slots=True)
class OwnLoginResult:
    """Who logged in, where. Holds values of the person, and is not kept.

    Attributes:
        place: where: the school, supplier or federation.
        identifier: the lasting number, exact as sent; None where an ECK iD alone names a pupil.
        population: None when the login states no role, or both.
        level: of `assurance.ACR_VALUES`, or "".
        at: when we took it in, aware.
        is_forced: the login was made to ask anew.
        school, stated, identity: of a school's login; None elsewhere.
    """

    purpose: OwnPurpose
    place: LoginPlace
    idp: SchoolIdp
    identifier: str | None = field(repr=False)
    population: Population | None
    first_name: str = field(repr=False)
    level: str
    at: datetime
    is_forced: bool
    back: str = field(repr=False)
    carried: str = field(repr=False)
    school: School | None = None
    stated: StatedLogin | None = field(default=None, repr=False)
    identity: Identity | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class OwnLoginPorts:
    """Where schools and lists rest, and what derives and seals."""

    snapshots: Snapshots
    schools: SchoolSide
    state: SealedState = field(repr=False)
    lists: SchoolLists
    keys: FlowKeys
    audit: AuditLog
    clock: Clock
    random: Random


class OwnLoginFlow:
    """The journey of one such login over its ports. Keeps nothing between steps."""

    def __init__(self, ports: OwnLoginPorts) -> None:
        self._ports = ports

    def logins_at(self, place: LoginPlace) -> tuple[SchoolIdp, ...]:
        """Return the logins at a place, the first one first.

        Raises:
            SchoolNotOpen: there is no such place, it is switched off, or it has no login.
        """
        today = day_of(self._ports.clock())
        return find_logins(self._ports.snapshots.registry, place, today=today)

    async def begin(
        self,
        purpose: OwnPurpose,
        place: LoginPlace,
        *,
        unverified_idp: str = "",
        asked: LevelAsked = NOTHING_MORE,
        other_account: bool = False,
        back: str,
        carried: str = "",
    ) -> OwnLoginBegun:
        """Send a browser to a login.

        Args:
            unverified_idp: which of the place's; "" for the first.
            other_account: the login is to ask who this is.

        Raises:
            SchoolNotOpen, StatesDiffer, ProviderUnreachable, StoreUnavailable
            ReauthenticationUnavailable: a new login is asked, and it cannot ask for one.
        """
        ports = self._ports
        idp = choose_of(self.logins_at(place), unverified_idp)
        school = ports.snapshots.registry.schools.get(SchoolId(place.place))
        school = school if place.kind is PlaceKind.SCHOOL else None
        follow_idp(idp)
        name = make_state(ports.random)
        sent, answer = ports.schools.dispatch(
            asked, school=school, idp=idp, state=name, ask_again=False, other_account=other_account
        )
        record = OwnLoginSent(
            login=make_login_id(ports.random),
            purpose=purpose,
            place=place,
            idp=idp.id,
            request=asked,
            back=back,
            carried=carried,
            request_id=sent.request_id,
            nonce=sent.nonce,
            code_verifier=sent.code_verifier,
            sent_at=sent.sent_at,
            force_login=sent.force_login,
        )
        with store_in_words():
            handle, put = ports.state.seal(OWN_LOGIN, record)
            await ports.state.put(put)
        current_trail().login = record.login
        return OwnLoginBegun(answer, OwnLoginCookie(name, handle))

    async def finish_saml(
        self, step: BrowserStep, *, form: Sequence[tuple[str, str]]
    ) -> OwnLoginResult:
        """Return who a SAML response is about.

        Raises: as `_finish`.
        """

        async def read(sent: OwnLoginSent, idp: SchoolIdp) -> SchoolAnswer:
            return self._ports.schools.read_saml(sent, idp, form=form)

        return await self._finish(step, read)

    async def finish_oidc(
        self, step: BrowserStep, *, parameters: Sequence[tuple[str, str]]
    ) -> OwnLoginResult:
        """Return who a callback is about.

        Raises: as `_finish`.
        """

        async def read(sent: OwnLoginSent, idp: SchoolIdp) -> SchoolAnswer:
            return await self._ports.schools.read_oidc(sent, idp, parameters=parameters)

        return await self._finish(step, read)

    async def _finish(self, step: BrowserStep, read: Read) -> OwnLoginResult:
        """Take the step, read what came, and say who it is about.

        Raises:
            LoginStepAbsent, LoginStepUsed, StoreUnavailable: not of this browser, or not now.
            SchoolNotOpen, StatesDiffer: switched off since.
            Refusal: of the answer, or of `read_stated` and `identity_at`.
        """
        ports = self._ports
        with store_in_words():
            sent = await ports.state.take(OWN_LOGIN, parse_handle(step.unverified_handle))
        current_trail().login = sent.login
        idp = find_idp(ports.snapshots.registry, sent.idp)
        if idp.id not in {each.id for each in self.logins_at(sent.place)}:
            raise SchoolNotOpen("check_login_still_of_place")
        follow_idp(idp)
        answer = await read(sent, idp)
        if answer.claims:
            with store_in_words():
                await ports.state.put(claims=answer.claims)
        if sent.place.kind is PlaceKind.SCHOOL:
            result = await self._at_school(sent, answer, idp)
        else:
            result = self._elsewhere(sent, answer, idp)
        ports.audit.record(
            AuditEvent(
                action="own-login",
                school=None if result.school is None else result.school.id,
                idp=idp.id,
                names=(sent.purpose.value,),
            )
        )
        return result

    async def _at_school(
        self, sent: OwnLoginSent, answer: SchoolAnswer, idp: SchoolIdp
    ) -> OwnLoginResult:
        """Return who logged in at a school: the one that the login states, and not another one.

        Raises:
            SchoolNotStated: it states other schools than the one that was chosen.
        """
        ports = self._ports
        registry, today = ports.snapshots.registry, day_of(ports.clock())
        schools, former = registry.schools_of(idp), former_brins(registry, idp.schools, today)
        stated = read_stated(answer.login, schools=schools, former=former)
        school = registry.schools[SchoolId(sent.place.place)]
        if school.id not in stated.schools:
            raise SchoolNotStated("check_chosen_school_stated")
        identity = identity_at(stated, school.id, schools=schools)
        identity, _, _ = await meet_list(
            identity, idp=idp, lists=ports.lists, root=ports.keys.root, today=today
        )
        return self._result(
            sent,
            answer,
            idp,
            identifier=identity.identifier,
            population=identity.population,
            first_name=" ".join(identity.attributes.get(FIRST_NAME, ())[:1]),
            school=school,
            stated=stated,
            identity=identity,
        )

    def _elsewhere(
        self, sent: OwnLoginSent, answer: SchoolAnswer, idp: SchoolIdp
    ) -> OwnLoginResult:
        """Return which employee logged in at a supplier or at the federation.

        Raises:
            PersonNotStated: no lasting number, or no employee.
            IdentifierUnusable, ValueTooLong
        """
        attributes, _ = map_attributes(answer.login)
        identifier = read_single(attributes, idp.identifier)
        if identifier is None:
            raise PersonNotStated("check_employee_number_stated", subject=idp.identifier)
        return self._result(
            sent,
            answer,
            idp,
            identifier=identifier,
            population=read_population(attributes),
            first_name=" ".join(attributes.get(FIRST_NAME, ())[:1]),
        )

    def _result(
        self,
        sent: OwnLoginSent,
        answer: SchoolAnswer,
        idp: SchoolIdp,
        *,
        identifier: str | None,
        population: Population | None,
        first_name: str,
        school: School | None = None,
        stated: StatedLogin | None = None,
        identity: Identity | None = None,
    ) -> OwnLoginResult:
        return OwnLoginResult(
            purpose=sent.purpose,
            place=sent.place,
            idp=idp,
            identifier=identifier,
            population=population,
            first_name=first_name,
            level=read_level(answer.login.acr, meanings=idp.acr),
            at=self._ports.clock(),
            is_forced=sent.force_login,
            back=sent.back,
            carried=sent.carried,
            school=school,
            stated=stated,
            identity=identity,
        )
