"""Putting pupils on the lists of a take-over: whole lists, with a plan first.

The list of pupils is the one that the school signed, so one operator takes it in. A pilot may name
a pupil by number or by ECK iD, and what it counts would tell which two are one pupil: two do that.
"""

from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import dataclass, field

from broker.domain.dutch_days import day_of
from broker.domain.registry import Registry
from broker.domain.takeover import Takeover, TakeoverState
from broker.domain.takeover_refusals import OtherListSigned, TakeoverEnded
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.persons.person_records import as_root
from broker.flow.persons.person_rows import find_records
from broker.flow.persons.register import PersonRegister, RegisterKeys
from broker.flow.ports import Clock, Random
from broker.flow.takeover.takeover_lists import (
    ListedLine,
    ListKind,
    ListOf,
    TakeoverLists,
    derive_list_tag,
    read_list,
    refuse_lines,
)
from broker.flow.takeover.takeovers import find_takeover, noting_refusals
from broker.pseudonyms.derivation import PersonRoot, RootKey


@dataclass(frozen=True, slots=True)
class ListPlan:
    """What putting a list in place of the one of before changes.

    Attributes:
        tags: of all lines.
        kept: how many of them are listed already.
        removed: how many others are listed, and will not be.
    """

    of: ListOf
    tags: tuple[bytes, ...] = field(repr=False)
    kept: int
    removed: int

    @property
    def new(self) -> int:
        """How many are not listed yet."""
        return len(self.tags) - self.kept


@dataclass(frozen=True, slots=True)
class ListDesk:
    """Where an operator takes lists in."""

    registry: Registry
    lists: TakeoverLists
    register: PersonRegister
    register_keys: RegisterKeys = field(repr=False)
    root: RootKey = field(repr=False)
    audit: AuditLog
    clock: Clock
    random: Random

    async def put_pupils(
        self, of: ListOf, stated: Sequence[str], *, digest: bytes, dry_run: bool
    ) -> ListPlan:
        """Put the list that the school signed in place of the one of before, and return the plan.
        One event, or none when nothing is to be changed.

        Args:
            stated: lines as `read_list` takes them.
            digest: SHA-256 of the file that they stand in.

        Raises:
            Refusal: of `broker.domain.takeover_refusals`, or what rests cannot be used.
        """
        with noting_refusals(self.audit, self.registry, of.school, of.supplier, random=self.random):
            check_list_signed(self._find_open(of), digest=digest)
            lines = await to_thread(read_list, stated, school=of.school, key=self.root)
            plan = await self._plan([each.root for each in lines], of=of)
            if dry_run:
                return plan
            await self.lists.replace(of, plan.tags)
        self._note(plan)
        return plan

    def count_pilot(self, of: ListOf, stated: Sequence[str]) -> int:
        """Return how many lines of a pilot name somebody; nothing is looked up.

        Raises:
            Refusal: of `broker.domain.takeover_refusals`.
        """
        self._find_open(of)
        return len(read_list(stated, school=of.school, key=self.root, numbers=True))

    async def put_pilot(self, of: ListOf, stated: Sequence[str]) -> ListPlan:
        """Put a pilot in place of the one of before, which two operators want; return the plan.

        Whoever calls notes a refusal.

        Raises:
            Refusal: of `broker.domain.takeover_refusals`, or what rests cannot be used.
        """
        self._find_open(of)
        lines = await to_thread(read_list, stated, school=of.school, key=self.root, numbers=True)
        plan = await self._plan(await self._find_accounts(lines, of=of), of=of)
        await self.lists.replace(of, plan.tags)
        self._note(plan)
        return plan

    def _find_open(self, of: ListOf) -> Takeover:
        takeover = find_takeover(self.registry, of.school, of.supplier)
        if takeover.state_on(day_of(self.clock())) is TakeoverState.CLOSED:
            raise TakeoverEnded("check_takeover_not_ended")
        return takeover

    def _note(self, plan: ListPlan) -> None:
        of = plan.of
        self.audit.record(
            AuditEvent(
                action="takeover-listed",
                school=of.school,
                supplier=of.supplier,
                names=(of.kind.value, f"listed {len(plan.tags)}"),
            )
        )

    async def _plan(self, roots: Sequence[PersonRoot], *, of: ListOf) -> ListPlan:
        once = dict.fromkeys(roots)  # a pilot may name somebody by ECK iD and by number
        tags = tuple(derive_list_tag(self.register_keys, of, each) for each in once)
        kept = len(await self.lists.find(tags))
        listed, _ = (await self.lists.counts()).get(of, (0, 0))
        return ListPlan(of, tags, kept=kept, removed=listed - kept)

    async def _find_accounts(self, lines: Sequence[ListedLine], *, of: ListOf) -> list[PersonRoot]:
        """Return the account of each pupil at this school; each must be this school's: stated by
        a login here, or on its signed list.

        A number is this school's by its derivation; one that no login stated is a typing error.

        Raises:
            ListUnusable: lines of others, and lines of nobody, in the same words.
        """
        pupils = ListOf(ListKind.PUPILS, of.school, of.supplier)
        accounts: list[PersonRoot] = []
        problems = []
        for each in lines:
            rows = await find_records((each.root,), register=self.register, keys=self.register_keys)
            record = rows.get(each.root)
            if record is not None and of.school in record.seen:
                accounts.append(as_root(record.seen[of.school].account))
                continue
            accounts.append(each.root)
            tag = derive_list_tag(self.register_keys, pupils, each.root)
            if tag not in await self.lists.find((tag,)):
                problems.append(f"line {each.number} is not known at this school")
        refuse_lines(problems, check="check_lines_of_school")
        return accounts


def check_list_signed(takeover: Takeover, *, digest: bytes) -> None:
    """Hold that this is the list of pupils that the school signed with its take-over.

    Raises:
        OtherListSigned: it is another one, or there is none.
    """
    if takeover.pupils != digest:
        raise OtherListSigned("check_list_signed")
