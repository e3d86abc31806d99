"""Somebody looks at what was shared of them: one short visit after a login at school.

    open      who logged in -> a session of 15 minutes, under a new handle
    show      one school year: by supplier, then by day
    explain   what a decision of the school said that let something out
    gather    everything, to keep
    leave     the session is ended

Nothing is made by looking: no row, no receipt, and no pseudonym that no receipt names. What is read
went through the school of the login. Receipts of a former school open at that school's login, or
are asked of that school: a login can state anybody's ECK iD, and its word must not show where
somebody was before.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.documents import AgreementDocument
from broker.domain.dutch_days import day_of
from broker.domain.federation import School
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement
from broker.domain.relying_parties import RelyingParty, SamlServiceProvider
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.enrolment.enrolments import SchoolLists
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.handles import parse_handle
from broker.flow.held_state.login_store import Absent
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.me.me_arrivals import make_own_session
from broker.flow.me.me_records import LEFT_SECONDS, ME_SECONDS, ME_SESSION, MeSession
from broker.flow.me.me_refusals import DecisionNotFound, MeClosed
from broker.flow.me.me_views import AgreementHistory, Decision, OwnYear, Visit, VisitOpened
from broker.flow.me.own_receipts import OwnReceipts, read_own_receipts
from broker.flow.me.shares import arrange_shares
from broker.flow.own_logins.own_logins import OwnLoginResult
from broker.flow.parents.parent_codes import LetterBook, StoredLetter
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_reading import PersonReader, ReadPerson
from broker.flow.persons.person_records import as_root
from broker.flow.persons.register import PersonRegister, derive_tag
from broker.flow.persons.successors import find_succession
from broker.flow.ports import Clock, FlowKeys, Snapshots
from broker.flow.receipts.receipts import ReceiptLog
from broker.saml_idp.name_ids import tells_pseudonym

MAX_VERSION_DIGITS = 9


@dataclass(frozen=True, slots=True)
class MePorts:
    """Where persons, receipts and sessions rest, and what opens them."""

    snapshots: Snapshots
    state: SealedState = field(repr=False)
    register: PersonRegister
    receipts: ReceiptLog
    history: AgreementHistory
    lists: SchoolLists
    keys: FlowKeys
    rules: JoinRules
    letters: LetterBook
    audit: AuditLog
    clock: Clock


class MeVisits:
    """The journey of one visit over its ports. Keeps nothing between steps."""

    def __init__(self, ports: MePorts) -> None:
        self._ports = ports

    async def arrive(self, result: OwnLoginResult) -> VisitOpened:
        """Begin a session of somebody who logged in at a school.

        Raises:
            Refusal: of `make_own_session`.
            StoreUnavailable: nobody knows whether it began.
        """
        ports = self._ports
        session = await make_own_session(
            result,
            registry=ports.snapshots.registry,
            lists=ports.lists,
            key=ports.keys.root,
            now=ports.clock(),
        )
        return await self.open(session)

    async def open(self, session: MeSession) -> VisitOpened:
        """Begin a session under a new handle.

        Raises:
            StoreUnavailable: nobody knows whether it began.
        """
        ports = self._ports
        with store_in_words():
            handle, put = ports.state.seal(ME_SESSION, session)
            await ports.state.put(put)
        ports.audit.record(AuditEvent(action=f"me-opened-{session.visitor}", school=session.school))
        return VisitOpened(handle)

    async def find(self, unverified_handle: str) -> Visit:
        """Return whose session a browser shows.

        Raises:
            MeClosed: none, or its school is switched off.
            StoreUnavailable
        """
        ports = self._ports
        try:
            with store_in_words(known=(Absent,)):
                session = await ports.state.get(ME_SESSION, parse_handle(unverified_handle))
        except Absent:
            raise MeClosed("check_me_session") from None
        school = ports.snapshots.registry.schools.get(session.school)
        if school is None or not school.enabled:
            raise MeClosed("check_me_school_enabled")
        letter = ports.letters.find(session.code) if session.code else None
        if session.code and (letter is None or letter.withdrawn):
            raise MeClosed("check_me_letter_in_force")
        lasted = ports.clock() - session.began_at
        visit = Visit(session, school, max(1, ME_SECONDS - int(lasted.total_seconds())))
        if session.is_left:
            await self._keep(visit, unverified_handle, is_left=False, seconds=visit.seconds_left)
        return visit

    async def let_go(self, visit: Visit, unverified_handle: str) -> None:
        """Let a session end soon, whose page was left, unless somebody comes back to it.

        Raises:
            StoreUnavailable: nobody knows whether it will.
        """
        seconds = min(LEFT_SECONDS, visit.seconds_left)
        await self._keep(visit, unverified_handle, is_left=True, seconds=seconds)

    async def _keep(
        self, visit: Visit, unverified_handle: str, *, is_left: bool, seconds: int
    ) -> None:
        state, session = self._ports.state, replace(visit.session, is_left=is_left)
        with store_in_words():
            handle = parse_handle(unverified_handle)
            await state.put(state.seal_under(handle, ME_SESSION, session, ttl_seconds=seconds))

    async def leave(self, unverified_handle: str) -> None:
        """End a session, whether or not it is there.

        Raises:
            StoreUnavailable: nobody knows whether it ended.
        """
        try:
            with store_in_words(known=(Absent,)):
                await self._ports.state.delete(ME_SESSION, parse_handle(unverified_handle))
        except Absent:
            pass  # no handle of ours, so nothing to end

    async def show(self, visit: Visit, *, unverified_year: str) -> OwnYear:
        """Return what was shared in a school year; of the last one unless another one is named.

        Raises:
            ReceiptsNotShown, RegisterUnavailable
        """
        person = await self._read(visit)
        if person is None:
            return OwnYear(visit, 0, (), ())
        years = tuple(reversed(person.years))
        year = next((each for each in years if str(each) == unverified_year), years[0])
        found = await self._receipts(visit, person, year)
        return OwnYear(visit, year, years, arrange_shares(found.receipts), found.unreadable)

    async def gather(self, visit: Visit) -> tuple[OwnReceipts, ...]:
        """Return the receipts of every school year, the first one first.

        Raises:
            ReceiptsNotShown, RegisterUnavailable
        """
        person = await self._read(visit)
        if person is None:
            return ()
        return tuple([await self._receipts(visit, person, each) for each in person.years])

    async def explain(
        self,
        visit: Visit,
        *,
        unverified_school: str,
        unverified_supplier: str,
        unverified_version: str,
        unverified_day: str,
    ) -> Decision:
        """Return what a decision said that let something out on a day.

        Raises:
            DecisionNotFound: none of this school, or of one that it goes on for.
            RegistryUnreadable
        """
        ports = self._ports
        registry = ports.snapshots.registry
        school = registry.schools.get(SchoolId(unverified_school or visit.school.id))
        if school is None or school.id not in self._schools(visit):
            raise DecisionNotFound("check_decision_of_own_school")
        day = _read_day(unverified_day)
        supplier = SupplierId(unverified_supplier)
        version = unverified_version
        is_number = version.isascii() and version.isdigit() and len(version) <= MAX_VERSION_DIGITS
        found = await ports.history.find(
            school=school.id,
            board=school.board,
            supplier=supplier,
            version=int(version) if is_number else 0,
        )
        held = [each for each in found if day is None or _held(each, day)] or list(found)
        if not held:
            raise DecisionNotFound("check_decision_known")
        own_first = sorted(held, key=lambda each: each.school is None)
        return Decision(own_first[0], school, registry.suppliers.get(supplier))

    def _schools(self, visit: Visit) -> tuple[SchoolId, ...]:
        """Return the schools whose receipts a visit may read."""
        if visit.session.visitor == "parent":
            return (visit.school.id,)
        registry, today = self._ports.snapshots.registry, day_of(self._ports.clock())
        succession = find_succession(registry, visit.school.id, today, visit.session.old_roots)
        return (visit.school.id, *sorted(succession.predecessors))

    async def _read(self, visit: Visit) -> ReadPerson | None:
        ports, session, today = self._ports, visit.session, day_of(self._ports.clock())
        reader = PersonReader(ports.register, ports.keys.register, ports.rules)
        person = await reader.read(
            session.presented,
            school=visit.school,
            today=today,
            succession=find_succession(
                ports.snapshots.registry, visit.school.id, today, session.old_roots
            ),
        )
        return (
            None
            if person is None
            else _of_schools(person, self._schools(visit), self.hidden_from(visit))
        )

    def hidden_from(self, visit: Visit) -> frozenset[SupplierId]:
        """Return the suppliers of which nothing is shown: a parent's school may leave some out."""
        if visit.session.visitor != "parent":
            return frozenset()
        return self._ports.letters.rules(visit.school.id).hidden

    def letters_about(self, visit: Visit) -> tuple[StoredLetter, ...]:
        """Return the letters that parents got about the pupil who looks, where the school lets
        pupils see that.

        Raises:
            RegisterUnavailable
        """
        ports, session = self._ports, visit.session
        sees = session.visitor == "self" and session.population is Population.PUPIL
        if session.local_root is None or not sees:
            return ()
        if not ports.letters.rules(visit.school.id).pupils_see:
            return ()
        tag = derive_tag(ports.keys.register, as_root(session.local_root))
        return tuple(ports.letters.of_persons((tag,)))

    async def _receipts(self, visit: Visit, person: ReadPerson, year: int) -> OwnReceipts:
        ports, today = self._ports, day_of(self._ports.clock())
        hidden = self.hidden_from(visit)
        unnamed = suppliers_without_name(ports.snapshots.registry, visit.school, today)
        return await read_own_receipts(
            person,
            year=year,
            suppliers=(each for each in unnamed if each not in hidden),
            receipts=ports.receipts,
            receipt_key=ports.keys.receipts,
            pairwise=ports.keys.pairwise,
            today=today,
        )


def suppliers_without_name(registry: Registry, school: School, today: date) -> Iterator[SupplierId]:
    """Yield the suppliers that this school agreed with and that may be told without a pseudonym:
    they stand in no row of a person."""
    for each in registry.suppliers.values():
        if any(map(_may_go_without, each.relying_parties)) and (
            find_agreement(registry, school, each.id, today) is not None
        ):
            yield each.id


def _may_go_without(party: RelyingParty) -> bool:
    provider = party.protocol
    return isinstance(provider, SamlServiceProvider) and not tells_pseudonym(
        provider, transient_asked=True
    )


def _of_schools(
    person: ReadPerson, schools: tuple[SchoolId, ...], hidden: frozenset[SupplierId]
) -> ReadPerson:
    return ReadPerson(person.accounts, person.suppliers - hidden, schools, person.years)


def _read_day(unverified: str) -> date | None:
    try:
        return datetime.strptime(unverified, "%Y-%m-%d").date()  # noqa: DTZ007 -- a day alone
    except ValueError:
        return None


def _held(document: AgreementDocument, day: date) -> bool:
    return document.from_day <= day and (document.until is None or day <= document.until)
