"""Take-overs and their lists in memory, for flows; each keeps its port's contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from msgspec.structs import replace

from broker.domain.ids import SchoolId, SupplierId
from broker.domain.takeover import Takeover, TakeoverState
from broker.domain.takeover_refusals import (
    AskedTooMuch,
    NotSignedFor,
    TakeoverMoved,
    TakeoversUnavailable,
)
from broker.flow.takeover.takeover_lists import ListOf
from broker.flow.takeover.takeovers import StoredTakeover

Parties = tuple[SchoolId, SupplierId]


@dataclass
class MemoryTakeovers:
    """A `TakeoverStore`."""

    signed: dict[Parties, Takeover] = field(default_factory=dict)
    asked: dict[Parties, int] = field(default_factory=dict)
    deleted: dict[Parties, date] = field(default_factory=dict)
    steps: list[tuple[Parties, str]] = field(default_factory=list)

    def all(self) -> Sequence[StoredTakeover]:
        return [
            StoredTakeover(
                each, asked=self.asked.get(of, 0), deleted_on=self.deleted.get(of), steps=()
            )
            for of, each in sorted(self.signed.items())
        ]

    def sign(self, takeover: Takeover, *, by: str, at: datetime) -> None:
        of = (takeover.school, takeover.supplier)
        before = self.signed.get(of)
        state = takeover.state if before is None else before.state
        self.signed[of] = replace(takeover, state=state)
        self.steps.append((of, "signed"))

    def move(self, takeover: Takeover, *, to: TakeoverState, by: str, at: datetime) -> None:
        of = (takeover.school, takeover.supplier)
        if self.signed[of].state is not takeover.state:
            raise TakeoverMoved("check_takeover_unchanged")
        self.signed[of] = replace(takeover, state=to)
        self.deleted.pop(of, None)
        self.steps.append((of, to.value))

    def note_deleted(self, takeover: Takeover, *, document: bytes, by: str, at: datetime) -> None:
        self.deleted[takeover.school, takeover.supplier] = at.date()

    def reserve(self, takeover: Takeover, *, count: int, per_school: int) -> None:
        of = (takeover.school, takeover.supplier)
        if of not in self.signed:
            raise NotSignedFor("check_takeover_signed")
        of_school = sum(n for (school, _), n in self.asked.items() if school == takeover.school)
        if of_school + count > per_school:
            raise AskedTooMuch("check_quota_of_school")
        if self.asked.get(of, 0) + count > self.signed[of].quota:
            raise AskedTooMuch("check_quota_of_takeover")
        self.asked[of] = self.asked.get(of, 0) + count


@dataclass
class MemoryLists:
    """A `TakeoverLists`, that can be down."""

    tags: dict[ListOf, dict[bytes, bool]] = field(default_factory=dict)
    down: bool = False
    looked_up: int = 0

    async def find(self, tags: Sequence[bytes]) -> Mapping[bytes, bool]:
        self._check()
        self.looked_up += 1
        return {tag: listed[tag] for listed in self.tags.values() for tag in tags if tag in listed}

    async def replace(self, of: ListOf, tags: Sequence[bytes]) -> None:
        self._check()
        before = self.tags.get(of, {})
        self.tags[of] = {tag: before.get(tag, False) for tag in tags}

    async def note_arrived(self, tags: Sequence[bytes]) -> None:
        self._check()
        for listed in self.tags.values():
            listed.update(dict.fromkeys(listed.keys() & set(tags), True))

    async def counts(self) -> Mapping[ListOf, tuple[int, int]]:
        self._check()
        return {of: (len(each), sum(each.values())) for of, each in self.tags.items() if each}

    def _check(self) -> None:
        if self.down:
            raise TakeoversUnavailable("check_lists_readable")
