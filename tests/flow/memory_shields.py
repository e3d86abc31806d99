"""`ShieldBook` and `RequestBook` in memory, one beside the other as on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from broker.domain.ids import SchoolId
from broker.domain.shielding import ShieldedBy
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.requests.person_requests import (
    KEPT_DAYS,
    Filing,
    RequestId,
    RequestKind,
    RequestMove,
    RequestState,
    StoredRequest,
    TooManyRequests,
)
from broker.flow.shielding.shields import StoredShield
from tests.flow.port_fakes import Faults


class MemoryShields:
    """Keeps both ports' contracts."""

    def __init__(self, faults: Faults | None = None) -> None:
        self._faults = faults or Faults()
        self.schools: set[SchoolId] = set()
        self.shields: dict[tuple[bytes, str], tuple[SchoolId, StoredShield]] = {}
        self.requests: dict[RequestId, StoredRequest] = {}
        self.same: dict[RequestId, bytes] = {}
        self.persons: dict[RequestId, tuple[bytes, ...]] = {}

    def has_any(self, school: SchoolId) -> bool:
        return school in self.schools

    async def find(self, tags: Sequence[bytes]) -> Sequence[StoredShield]:
        self._faults.before("shields.find", RegisterUnavailable)
        return [
            each
            for (tag, _), (_, each) in self.shields.items()
            if tag in tags and (each.by is ShieldedBy.SCHOOL or self._holds(RequestId(each.id)))
        ]

    async def put(self, school: SchoolId, rows: Sequence[StoredShield]) -> None:
        self._faults.before("shields.put", RegisterUnavailable)
        self._remove([each.tag for each in rows])
        self._put(school, rows)
        self._faults.after(RegisterUnavailable)

    async def add(self, school: SchoolId, rows: Sequence[StoredShield]) -> None:
        self._faults.before("shields.add", RegisterUnavailable)
        self._put(school, rows)
        self._faults.after(RegisterUnavailable)

    async def remove(self, tags: Sequence[bytes]) -> int:
        self._faults.before("shields.remove", RegisterUnavailable)
        return self._remove(tags)

    async def tags_of(self, school: SchoolId) -> Mapping[bytes, str]:
        self._faults.before("shields.tags_of", RegisterUnavailable)
        return {
            tag: name
            for (tag, name), (of, each) in self.shields.items()
            if of == school and each.by is ShieldedBy.SCHOOL
        }

    async def file(self, filing: Filing) -> RequestId:
        self._faults.before("requests.file", RegisterUnavailable)
        filed = filing.request
        self._forget(filed)
        for name, same in self.same.items():
            if same == filing.same and self.requests[name].state is RequestState.OPEN:
                return name
        for tag in filing.persons:
            opened = [each for each in await self.of_persons([tag]) if _is_open(each)]
            if len(opened) >= filing.most_open:
                raise TooManyRequests("check_few_requests_open")
        self.requests[filed.id], self.same[filed.id] = filed, filing.same
        self.persons[filed.id] = filing.persons
        objection = ShieldedBy.OBJECTION
        rows = [StoredShield(tag, filed.id, objection, sealed) for tag, sealed in filing.shields]
        self._put(filed.school, rows)
        self._faults.after(RegisterUnavailable)
        return filed.id

    async def of_persons(self, tags: Sequence[bytes]) -> Sequence[StoredRequest]:
        found = [
            each for name, each in self.requests.items() if set(tags) & set(self.persons[name])
        ]
        return sorted(found, key=lambda each: (-each.filed_on.toordinal(), each.id))

    async def of_school(self, school: SchoolId) -> Sequence[StoredRequest]:
        found = [each for each in self.requests.values() if each.school == school]
        return sorted(found, key=lambda each: (each.deadline, each.id))

    async def persons_of(self, school: SchoolId) -> Mapping[bytes, Sequence[RequestId]]:
        found: dict[bytes, list[RequestId]] = {}
        for name, tags in self.persons.items():
            for tag in tags if self.requests[name].school == school else ():
                found.setdefault(tag, []).append(name)
        return found

    async def move(self, move: RequestMove) -> bool:
        self._faults.before("requests.move", RegisterUnavailable)
        found = self.requests.get(move.id)
        if found is None or found.school != move.school or found.state is not move.before:
            return False
        self.requests[move.id] = replace(
            found, state=move.after, decided_on=move.on, grounds=move.grounds
        )
        self._faults.after(RegisterUnavailable)
        return True

    def erase(self, tags: Sequence[bytes]) -> None:
        """As the register's erasure does."""
        for name in [each for each, whose in self.persons.items() if set(tags) & set(whose)]:
            self._forget_request(name)
        gone = {name for tag, name in self.shields if tag in tags}
        self.shields = {key: each for key, each in self.shields.items() if key[1] not in gone}

    def _holds(self, name: RequestId) -> bool:
        found = self.requests[name]
        return found.state is RequestState.GRANTED or (_is_open(found) and found.blocks)

    def _put(self, school: SchoolId, rows: Sequence[StoredShield]) -> None:
        self.shields |= {(each.tag, each.id): (school, each) for each in rows}
        if rows:
            self.schools.add(school)

    def _remove(self, tags: Sequence[bytes]) -> int:
        own = {
            name
            for (tag, name), (_, each) in self.shields.items()
            if tag in tags and each.by is ShieldedBy.SCHOOL
        }
        self.shields = {key: each for key, each in self.shields.items() if key[1] not in own}
        return len(own)

    def _forget(self, filed: StoredRequest) -> None:
        before = filed.filed_on - timedelta(days=KEPT_DAYS)
        for name, each in list(self.requests.items()):
            lasts = each.kind is RequestKind.OBJECTION and each.state is RequestState.GRANTED
            if each.decided_on is not None and each.decided_on < before and not lasts:
                self._forget_request(name)

    def _forget_request(self, name: RequestId) -> None:
        del self.requests[name], self.same[name], self.persons[name]
        self.shields = {key: each for key, each in self.shields.items() if key[1] != name}


def _is_open(request: StoredRequest) -> bool:
    return request.state is RequestState.OPEN
