"""A school sends its list: checked, planned, and put in force whole or not at all.

The plan comes first and says what would change. People who vanish from a list are as good as
strangers at the next login, so a list that lets too many vanish is refused: half a file looks like
that. Somebody whose login is another person by now counts as vanished too: a list that slipped by
one line looks like that.

What it says of pupils whom the register knows is noted after that
(`broker.flow.persons.listed_moves`).
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from broker.domain.attributes import Population
from broker.domain.enrolment import (
    FeedLine,
    FeedRefused,
    LineProblem,
    ListedPerson,
    OwnBrins,
    read_list,
)
from broker.domain.federation import School
from broker.domain.ids import Brin, SchoolId
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.enrolment.enrolment_records import (
    EnrolmentKeys,
    EnrolmentRecord,
    derive_login_tag,
    derive_person_tag,
    derive_school_tag,
    open_enrolment,
    seal_enrolment,
)
from broker.flow.enrolment.enrolments import EnrolmentBook, EnrolmentRules, FeedChange
from broker.flow.held_state.framing import NONCE_BYTES, UnreadableRecord
from broker.flow.persons.listed_moves import (
    ListedMoves,
    ListOfSchool,
    Noted,
    confirms_moves,
    protects_at_most,
)
from broker.flow.persons.person_records import as_root
from broker.flow.persons.register import RegisterUnavailable
from broker.pseudonyms.derivation import (
    EckIdUnusable,
    PersonRoot,
    RootKey,
    parse_eckid,
    root_from_eckid,
    root_from_local,
    root_from_local_staff,
)

AT_A_TIME = 16
"""Lines of a list, some milliseconds of work, between two turns of everybody else."""

WHOLE_PERCENT = 100


class TooManyVanish(Refusal):
    code = "E-ENROLMENT-3"
    whose_task = WhoseTask.SCHOOL
    what = "This list would let too many people vanish, so nothing of it was taken over."
    remedy = "Is it the whole list? If so, an operator can allow it with --allow-vanishing."
    http_status = 409


class FeedOvertaken(Refusal):
    code = "E-ENROLMENT-4"
    whose_task = WhoseTask.SCHOOL
    what = "Another list of this school came between, so nothing of this one was taken over."
    remedy = "Send the list once more."
    http_status = 409
    may_retry = True


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """What a list changes: counts, and what to store; nothing of it names anybody.

    Attributes:
        new, changed, unchanged, gone: persons.
        others: of `changed`, those whose login is another person's by now.
        confirms: whether the list ends holds of arrivals at this school.
        listed: roots of the pupils' ECK iDs, with whether a move of theirs needs both schools.
    """

    new: int
    changed: int
    unchanged: int
    gone: int
    others: int
    confirms: bool
    change: FeedChange = field(repr=False)
    listed: tuple[tuple[PersonRoot, bool], ...] = field(repr=False)

    @property
    def resting(self) -> int:
        """How many rest now."""
        return self.changed + self.unchanged + self.gone

    def counts(self) -> dict[str, int]:
        """Return what may be told."""
        return {
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "gone": self.gone,
        }


Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class EnrolmentDesk:
    """Where lists come in.

    Attributes:
        root: the key of person roots.
        moves: what notes that pupils are listed.
        random: returns that many unpredictable bytes.
    """

    book: EnrolmentBook
    root: RootKey = field(repr=False)
    keys: EnrolmentKeys = field(repr=False)
    rules: EnrolmentRules
    audit: AuditLog
    random: Callable[[int], bytes] = field(repr=False)
    moves: ListedMoves

    async def plan(
        self,
        lines: Sequence[FeedLine],
        *,
        school: School,
        today: date,
        former: Collection[Brin] = (),
        number_schools: Collection[SchoolId] = (),
        progress: Progress = lambda _done: None,
    ) -> FeedPlan:
        """Return what a list would change.

        Args:
            former: BRINs of schools that this one goes on for.
            number_schools: schools whose numbers go on at this one, now or later.
            progress: told how many lines were done since the last call.

        Raises:
            FeedRefused: lines that cannot be used, with all of them.
            RegisterUnavailable: what rests cannot be read.
        """
        own = OwnBrins(frozenset({school.brin, *former}), school.branch)
        problems: list[LineProblem] = []
        records: dict[str, EnrolmentRecord] = {}
        read = read_list(lines, own=own)
        while part := list(islice(read, AT_A_TIME)):
            for each in part:
                if isinstance(each, LineProblem):
                    problems.append(each)
                    continue
                number, person = each
                record = self._record_of(
                    person, number, school, problems, number_schools=number_schools
                )
                if record is not None:
                    records[person.login] = record
            progress(len(part))
            await asyncio.sleep(0)
        if problems:
            raise FeedRefused("check_lines", problems=problems)
        return await self._compare(records, school=school, today=today)

    async def put_in_force(
        self, plan: FeedPlan, *, school: School, allow_vanishing: bool = False
    ) -> None:
        """Let a list be the one that logins are looked up in.

        Raises:
            TooManyVanish: and `allow_vanishing` was not said.
            FeedOvertaken: another list came between.
            RegisterUnavailable: nobody knows whether it is in force; send it again.
        """
        check_vanishing(plan, rules=self.rules, allowed=allow_vanishing)
        if not await self.book.replace(plan.change):
            raise FeedOvertaken("check_feed_not_overtaken")
        self.audit.record(AuditEvent(action="enrolled", school=school.id))
        of = ListOfSchool(
            school=school.id,
            today=plan.change.sent_on,
            confirms=plan.confirms,
            settled_after_days=self.moves.rules.settled_after_days,
            protects_at_most=protects_at_most(school, rules=self.moves.rules),
        )
        noted = set()
        for root, protected in plan.listed:
            noted.add(await self.moves.note_listed(root, of=of, protected=protected))
            await asyncio.sleep(0)
        if Noted.PROTECTS_TOO_MANY in noted:
            self.audit.record(AuditEvent(action="protections-over-budget", school=school.id))

    def _record_of(
        self,
        person: ListedPerson,
        number: int,
        school: School,
        problems: list[LineProblem],
        *,
        number_schools: Collection[SchoolId],
    ) -> EnrolmentRecord | None:
        """Return what will rest of a person; a problem when an ECK iD is none."""
        eck_root = local_root = None
        old_roots: dict[SchoolId, bytes] = {}
        try:
            if person.eck_id is not None:
                eck_root = root_from_eckid(parse_eckid(person.eck_id), key=self.root)
            if person.number is not None:
                derive = root_from_local
                if person.population is Population.STAFF:
                    derive = root_from_local_staff
                local_root = derive(school.id, person.number, key=self.root)
                old_roots = {
                    each: derive(each, person.number, key=self.root) for each in number_schools
                }
        except EckIdUnusable:
            problems.append(LineProblem(number, "eck_id is not in the agreed form"))
        else:
            return EnrolmentRecord(
                population=person.population,
                eck_root=eck_root,
                local_root=local_root,
                branch=person.branch,
                groups=person.groups,
                until=person.until,
                protected=person.protected,
                old_roots=old_roots,
            )
        return None

    async def _compare(
        self, records: Mapping[str, EnrolmentRecord], *, school: School, today: date
    ) -> FeedPlan:
        """Return what is other than what rests."""
        of = derive_school_tag(self.keys, school.id)
        resting = await self.book.read_feed(of)
        put: list[tuple[bytes, bytes]] = []
        tags: set[bytes] = set()
        persons: list[tuple[bytes, bytes]] = []
        new = changed = others = 0
        for login, record in records.items():
            tag = derive_login_tag(self.keys, school.id, login)
            tags.add(tag)
            persons += (
                (tag, derive_person_tag(self.keys, school.id, each)) for each in record.roots
            )
            before = self._open(resting.rows.get(tag), school.id, login)
            if before is None:
                new += 1
            elif before != record:
                changed += 1
                others += not is_same_person(before, record)
            if before != record:
                sealed = seal_enrolment(
                    record,
                    school=school.id,
                    login=login,
                    keys=self.keys,
                    nonce=self.random(NONCE_BYTES),
                )
                put.append((tag, sealed))
            if len(tags) % AT_A_TIME == 0:
                await asyncio.sleep(0)
        gone = [tag for tag in resting.rows if tag not in tags]
        return FeedPlan(
            new=new,
            changed=changed,
            unchanged=len(records) - new - changed,
            gone=len(gone),
            others=others,
            confirms=confirms_moves(
                school,
                pupils=sum(each.population is Population.PUPIL for each in records.values()),
                rules=self.moves.rules,
                today=today,
            ),
            change=FeedChange(
                of=of,
                replaces=resting.version,
                sent_on=today,
                put=put,
                remove=gone,
                persons=persons,
            ),
            listed=tuple(
                (as_root(each.eck_root), each.protected)
                for each in records.values()
                if each.eck_root is not None
            ),
        )

    def _open(self, sealed: bytes | None, school: SchoolId, login: str) -> EnrolmentRecord | None:
        if sealed is None:
            return None
        try:
            return open_enrolment(sealed, school=school, login=login, keys=self.keys)
        except UnreadableRecord:
            raise RegisterUnavailable("check_enrolment_opens") from None


def is_same_person(before: EnrolmentRecord, after: EnrolmentRecord) -> bool:
    """Tell whether a login is still the same person's: what it opened, it opens, or more."""
    if before.population is not after.population:
        return False
    pairs = ((before.eck_root, after.eck_root), (before.local_root, after.local_root))
    return all(was in (None, now) for was, now in pairs)


def check_vanishing(plan: FeedPlan, *, rules: EnrolmentRules, allowed: bool) -> None:
    """Refuse a list of which more than so many percent are gone, or are somebody else.

    Raises:
        TooManyVanish
    """
    vanishing = (plan.gone + plan.others) * WHOLE_PERCENT
    if not allowed and vanishing > rules.vanishing_percent * plan.resting:
        raise TooManyVanish("check_vanishing_bounded")
