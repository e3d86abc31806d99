"""What two persons do: register another operator, and erase a person. The journey over the ports.

One person prepares, another confirms, and the confirming command carries it out. Each step, also a
refused one, leaves a line in the audit, with the action's id as its reference.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.domain.takeover import Takeover
from broker.flow.audit import AuditEvent, AuditLog, note_refusal
from broker.flow.console.two_operators import CONSOLE_ACTIONS, ConsoleWork
from broker.flow.held_state.framing import NONCE_BYTES
from broker.flow.operators.concealed import conceal, reveal, said_to_two
from broker.flow.operators.listed_action import LISTED_ACTIONS, ListWork
from broker.flow.operators.operator_parameters import (
    check_operator_new,
    read_erasure,
    read_operator,
    write_erasure,
)
from broker.flow.operators.operator_refusals import (
    ActionUnknown,
    PersonNotKnown,
    PreparedUnreadable,
    SecondPersonNeeded,
)
from broker.flow.operators.operators import Operator, OperatorName, Operators, Signer, check_signer
from broker.flow.operators.two_persons import (
    Action,
    ConfirmedAction,
    PreparedAction,
    UsedActions,
    confirm_action,
    prepare_action,
)
from broker.flow.persons.person_changes import PERSON_CHANGES, PlannedChange, read_rewrites
from broker.flow.persons.person_erasure import FoundPerson, find_person
from broker.flow.persons.person_records import Presented
from broker.flow.persons.register import PersonRegister, RegisterKeys
from broker.flow.switching.switch_action import carry_out_switch, write_switch
from broker.flow.switching.switch_checks import LoginPair
from broker.flow.switching.switching import SwitchDesk
from broker.flow.takeover.takeovers import TakeoverSigning, write_terms
from broker.flow.transfers.transfers import TRANSFER_ACTIONS, TransferDesk
from broker.pseudonyms.derivation import (
    RootKey,
    parse_eckid,
    root_from_eckid,
    root_from_local,
    root_from_local_staff,
)

FIRST_OPERATORS = 2  # before there are two, nobody could confirm


def present_stated(
    stated: str, *, school: SchoolId, population: Population, key: RootKey
) -> Presented:
    """Return the root of the person whom somebody at a desk names by one identifier.

    Args:
        stated: the school's own number; for a pupil also the ECK iD, which is a URI.

    Raises:
        EckIdUnusable, IdentifierNotDerivable: it is neither.
    """
    if population is Population.STAFF:
        local = root_from_local_staff(school, stated, key=key)
        return Presented(population, eck_id=None, local=local)
    if "://" in stated:
        eck_id = root_from_eckid(parse_eckid(stated), key=key)
        return Presented(population, eck_id=eck_id, local=None)
    return Presented(population, eck_id=None, local=root_from_local(school, stated, key=key))


@dataclass(frozen=True, slots=True)
class OperatorDesk:
    """Where operators prepare and confirm.

    Attributes:
        issuer: of this broker.
        clock: returns the aware time.
        random: returns that many unpredictable bytes.
        register_keys: returns what seals the parameters about a person; asked for only then.
    """

    issuer: str
    operators: Operators
    used: UsedActions
    audit: AuditLog
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    register_keys: Callable[[], RegisterKeys] = field(repr=False)

    def add_first_operator(self, operator: Operator) -> None:
        """Register one of the first two operators, which one person may do.

        Raises:
            SecondPersonNeeded, OperatorExists, OperatorRecordsUnavailable.
        """
        with self._refusals_noted(operator.name):
            registered = self.operators.registered()
            if len(registered) >= FIRST_OPERATORS:
                raise SecondPersonNeeded("check_first_operators")
            check_operator_new(operator, registered=registered)
            self.operators.add(operator)
        self.audit.record(AuditEvent(action="operator-added", operators=(operator.name,)))

    def prepare_operator(self, operator: Operator, *, by: Signer) -> PreparedAction:
        """Return the registering of another operator, for a second person to confirm.

        Raises:
            OperatorExists, OperatorUnknown, WrongOperatorKey, OperatorRecordsUnavailable.
        """
        with self._refusals_noted(by.name):
            check_operator_new(operator, registered=self.operators.registered())
            stated = {"name": str(operator.name), "public_key": operator.public_key.hex()}
            return self._prepare(Action.ADD_OPERATOR, stated, by=by)

    async def prepare_erasure(
        self,
        presented: Presented,
        *,
        school: SchoolId,
        by: Signer,
        register: PersonRegister,
        keys: RegisterKeys,
        beside: Callable[[FoundPerson], Iterable[bytes]] = lambda _found: (),
    ) -> PreparedAction:
        """Return the erasing of a person, for a second person to confirm.

        The signer is checked before anything is looked up, and a person whom this school never
        stated is not known: nobody learns from us whether an identifier is known elsewhere.

        Args:
            beside: returns under which other tags something may rest of the person.

        Raises:
            PersonNotKnown: nothing rests of such a person at this school.
            OperatorUnknown, WrongOperatorKey, OperatorRecordsUnavailable, RegisterUnavailable.
        """
        with self._refusals_noted(by.name, school=school):
            check_signer(by, operators=self.operators.registered())
            found = await find_person(presented, register=register, keys=keys)
            if school not in found.schools:
                raise PersonNotKnown("check_person_known")
            action, said = Action.ERASE_PERSON, write_erasure(found, beside=beside(found))
            return self._prepare(action, self._conceal(action, said), by=by, school=school)

    def prepare_takeover(
        self, terms: Takeover, *, by: Signer, signing: TakeoverSigning
    ) -> PreparedAction:
        """Return the take-over that a school signed for, for a second person to confirm.

        Raises:
            OperatorUnknown, WrongOperatorKey, OperatorRecordsUnavailable.
            Refusal: as `TakeoverSigning.check`.
        """
        with self._refusals_noted(by.name):
            check_signer(by, operators=self.operators.registered())
            signing.check(terms, now=self.clock())
            stated = write_terms(terms)
            return self._prepare(Action.SIGN_TAKEOVER, stated, by=by, school=terms.school)

    def prepare_switch(
        self,
        pair: LoginPair,
        *,
        classes: tuple[str, ...],
        first_day: date | None,
        by: Signer,
        switches: SwitchDesk,
    ) -> PreparedAction:
        """Return a change of login despite what its rehearsal shows, for a second person.

        Raises:
            SwitchRefusal, OperatorUnknown, WrongOperatorKey, OperatorRecordsUnavailable.
        """
        with self._refusals_noted(by.name, school=pair.school):
            check_signer(by, operators=self.operators.registered())
            switches.check_may_switch(pair)
            stated = write_switch(pair, classes=classes, first_day=first_day)
            return self._prepare(Action.SWITCH_LOGIN, stated, by=by, school=pair.school)

    async def prepare_change(
        self,
        action: Action,
        *,
        school: SchoolId,
        by: Signer,
        plan: Callable[[], Awaitable[PlannedChange]],
    ) -> tuple[PreparedAction, PlannedChange]:
        """Return a decision about one person, for a second person to confirm, and its plan.

        The signer is checked before anything is looked up. What states a number and an ECK iD is
        prepared even if it is refused, with an empty plan: it is refused when it is confirmed.

        Raises:
            Refusal: of the plan.
            OperatorUnknown, WrongOperatorKey, OperatorRecordsUnavailable, RegisterUnavailable.
        """
        with self._refusals_noted(by.name, school=school):
            check_signer(by, operators=self.operators.registered())
            planned, said = await said_to_two(action, plan)
            stated = self._conceal(action, said)
            return self._prepare(action, stated, by=by, school=school), planned

    async def prepare_stated(
        self,
        action: Action,
        *,
        school: SchoolId | None = None,
        by: Signer,
        state: Callable[[], Awaitable[Mapping[str, str]]],
    ) -> PreparedAction:
        """Return a transfer's offer or acceptance, or a list, as `prepare_change`."""
        with self._refusals_noted(by.name, school=school):
            check_signer(by, operators=self.operators.registered())
            return self._prepare(action, await state(), by=by, school=school)

    async def confirm(
        self,
        unverified: PreparedAction,
        *,
        by: Signer,
        register: PersonRegister,
        signing: TakeoverSigning | None = None,
        switches: SwitchDesk | None = None,
        transfers: TransferDesk | None = None,
        listed: ListWork | ConsoleWork | None = None,
    ) -> ConfirmedAction:
        """Carry out what another operator prepared.

        It is used up before it is carried out: what fails half-way is prepared anew.

        Args:
            signing: where take-overs are put in force, for an action that is one.
            listed: what is done with a list, or in the console, for an action that needs it.

        Raises:
            Refusal: of `confirm_action`, or of the action itself.
        """
        with self._refusals_noted(by.name, reference=unverified.body.id):
            confirmed = confirm_action(
                unverified,
                by=by,
                operators=self.operators.registered(),
                used=self.used,
                expected_issuer=self.issuer,
                now=self.clock(),
            )
            self._note("action-confirmed", confirmed)
            if confirmed.action is Action.SIGN_TAKEOVER:
                self._sign(confirmed, signing=signing)
            elif confirmed.action in (*TRANSFER_ACTIONS, *LISTED_ACTIONS, *CONSOLE_ACTIONS):
                desk = transfers if confirmed.action in TRANSFER_ACTIONS else listed
                if desk is None:
                    raise ActionUnknown("check_action_possible_here")
                await desk.carry_out(confirmed)
            else:
                await self._carry_out(confirmed, register=register, switches=switches)
        self._note("action-done", confirmed)
        return confirmed

    async def _carry_out(
        self,
        confirmed: ConfirmedAction,
        *,
        register: PersonRegister,
        switches: SwitchDesk | None,
    ) -> None:
        if confirmed.action is Action.ADD_OPERATOR:
            operator = read_operator(confirmed.parameters)
            check_operator_new(operator, registered=self.operators.registered())
            self.operators.add(operator)
        elif confirmed.action is Action.SWITCH_LOGIN:
            if switches is None:
                raise PreparedUnreadable("check_switch_here")
            carry_out_switch(confirmed.parameters, switches=switches)
        elif confirmed.action in PERSON_CHANGES:
            await register.rewrite(read_rewrites(reveal(confirmed, keys=self.register_keys())))
        else:
            erasure = read_erasure(reveal(confirmed, keys=self.register_keys()))
            await register.erase(erasure.marks, erasure.moves, closes=erasure.closes)

    def _sign(self, confirmed: ConfirmedAction, *, signing: TakeoverSigning | None) -> None:
        if signing is None:
            raise ActionUnknown("check_action_possible_here")
        by = (confirmed.prepared_by, confirmed.confirmed_by)
        signing.carry_out(confirmed.parameters, by=by, now=self.clock())

    def _conceal(self, action: Action, said: Mapping[str, str]) -> dict[str, str]:
        return conceal(action, said, keys=self.register_keys(), nonce=self.random(NONCE_BYTES))

    def _prepare(
        self,
        action: Action,
        parameters: Mapping[str, str],
        *,
        by: Signer,
        school: SchoolId | None = None,
    ) -> PreparedAction:
        prepared = prepare_action(
            action,
            parameters,
            by=by,
            operators=self.operators.registered(),
            issuer=self.issuer,
            now=self.clock(),
            random=self.random,
        )
        self.audit.record(
            AuditEvent(
                action="action-prepared",
                reference=prepared.body.id,
                school=school,
                names=(action.value,),
                operators=(by.name,),
            )
        )
        return prepared

    def _note(self, event: str, confirmed: ConfirmedAction) -> None:
        self.audit.record(
            AuditEvent(
                action=event,
                reference=confirmed.id,
                names=(confirmed.action.value,),
                operators=(confirmed.prepared_by, confirmed.confirmed_by),
            )
        )

    @contextmanager
    def _refusals_noted(
        self, operator: OperatorName, *, reference: str = "", school: SchoolId | None = None
    ) -> Iterator[None]:
        try:
            yield
        except Refusal as refusal:
            note_refusal(
                self.audit, refusal, reference=reference, school=school, operators=(operator,)
            )
            raise
