"""A `LetterBook` in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date

from broker.domain.ids import SchoolId
from broker.flow.parents.parent_codes import LetterBatch, NewLetter, ParentRules, StoredLetter


class MemoryLetters:
    """Keeps the port's contract (`tests/adapters/test_letters.py` runs it on both)."""

    def __init__(self) -> None:
        self.rows: dict[bytes, StoredLetter] = {}
        self.used_today: dict[bytes, int] = {}
        self.left_out: dict[bytes, set[int]] = {}
        self.ruled: dict[SchoolId, ParentRules] = {}

    async def add(self, letters: Sequence[NewLetter]) -> Collection[bytes]:
        taken = []
        for each in letters:
            if each.tag in self.rows:
                taken.append(each.tag)
                continue
            self.rows[each.tag] = StoredLetter(
                *(each.tag, each.person, each.sealed, each.school, each.batch, each.household),
                *(each.issued_on, each.last_day, each.once, False, 0, None),
            )
        return taken

    def find(self, tag: bytes) -> StoredLetter | None:
        return self.rows.get(tag)

    async def use(self, letter: StoredLetter, *, sealed: bytes, today: date, most: int) -> bool:
        there = self.rows[letter.tag]
        used = self.used_today.get(letter.tag, 0) if there.used_on == today else 0
        if not there.is_open(today) or there.sealed != letter.sealed or used >= most:
            return False
        self.used_today[letter.tag] = used + 1
        self.rows[letter.tag] = replace(there, sealed=sealed, uses=there.uses + 1, used_on=today)
        return True

    def of_persons(self, persons: Sequence[bytes]) -> Sequence[StoredLetter]:
        found = [each for each in self.rows.values() if each.person in persons]
        return sorted(found, key=lambda each: each.issued_on, reverse=True)

    def batches(self, school: SchoolId) -> Sequence[LetterBatch]:
        found: dict[str, list[StoredLetter]] = {}
        for each in self.rows.values():
            if each.school == school:
                found.setdefault(each.batch, []).append(each)
        made = [
            LetterBatch(
                batch,
                min(each.issued_on for each in rows),
                max(each.last_day for each in rows),
                len(rows),
                sum(each.uses > 0 for each in rows),
                sum(each.withdrawn for each in rows),
            )
            for batch, rows in found.items()
        ]
        return sorted(made, key=lambda each: (-each.issued_on.toordinal(), each.id))

    async def withdraw(
        self,
        school: SchoolId,
        *,
        batch: str = "",
        persons: Sequence[bytes] = (),
        household: int = 0,
    ) -> int:
        meant = [
            each
            for each in self.rows.values()
            if each.school == school
            and not each.withdrawn
            and (each.batch == batch if batch else each.person in persons)
            and household in (0, each.household)
        ]
        self.rows |= {each.tag: replace(each, withdrawn=True) for each in meant}
        return len(meant)

    async def exclude(
        self, school: SchoolId, persons: Sequence[bytes], *, household: int, on: bool
    ) -> None:
        for each in persons:
            found = self.left_out.setdefault(each, set())
            (found.add if on else found.discard)(household)

    def excluded(self, persons: Sequence[bytes]) -> Mapping[bytes, Collection[int]]:
        return {each: self.left_out.get(each, set()) for each in persons}

    def rules(self, school: SchoolId) -> ParentRules:
        return self.ruled.get(school, ParentRules())

    async def set_rules(self, school: SchoolId, rules: ParentRules) -> None:
        self.ruled[school] = rules
