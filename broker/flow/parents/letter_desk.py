"""A school makes letters for parents, sees what became of them, and takes them back.

A list of numbers is uploaded or pasted, used and forgotten: what rests is found by keyed references
of those numbers (`parent_codes`). So the school sees what became of whose letter by bringing its
list again, and nobody else does. The audit holds counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import msgspec

from broker.domain.console_roles import Permission, Role
from broker.domain.dutch_days import day_of
from broker.domain.federation import School
from broker.domain.ids import SupplierId
from broker.flow.console.actors import Actor, check_may, find_school
from broker.flow.console.console_audit import ConsoleAudit, entry_of
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.framing import NONCE_BYTES
from broker.flow.held_state.login_store import ClaimedBefore
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.parents.letters import (
    LONGEST_DAYS,
    MAX_PUPILS,
    Letter,
    LettersMade,
    LettersMadeAlready,
    LettersNotPossible,
    LetterWish,
    ListedPupil,
    PupilLetters,
)
from broker.flow.parents.parent_codes import (
    LetterBatch,
    LetterBook,
    LetterContent,
    NewLetter,
    ParentRules,
    make_code,
    seal_letter,
    tag_of,
)
from broker.flow.persons.register import derive_tag
from broker.flow.ports import Clock, FlowKeys, Random, Snapshots
from broker.pseudonyms.derivation import IdentifierNotDerivable, PersonRoot, root_from_local

BATCH_BYTES = 6
LETTERS_MADE = "letters-made"
FORM_SECONDS = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class LetterDesk:
    """Where a school makes letters. Each call asks first what the actor may."""

    snapshots: Snapshots
    state: SealedState = field(repr=False)
    book: LetterBook
    keys: FlowKeys
    audit: ConsoleAudit
    clock: Clock
    random: Random

    def look(
        self, actor: Actor, unverified_school: str
    ) -> tuple[School, Sequence[LetterBatch], ParentRules]:
        """Return the batches of a school, and what it decided.

        Raises:
            NotAllowed, RegisterUnavailable
        """
        school, _ = self._find(actor, unverified_school)
        return school, self.book.batches(school.id), self.book.rules(school.id)

    async def make(self, actor: Actor, unverified_school: str, wish: LetterWish) -> LettersMade:
        """Make letters; what is returned can be shown now and never again.

        Raises:
            NotAllowed, LettersNotPossible, LettersMadeAlready
            RegistryUnreadable, RegisterUnavailable, StoreUnavailable
        """
        school, role = self._find(actor, unverified_school)
        today = day_of(self.clock())
        days = (wish.last_day - today).days
        if not 0 <= days <= LONGEST_DAYS or wish.households not in (1, 2):
            raise LettersNotPossible("check_letters_last_day")
        roots = self._roots(school, wish.pupils)
        await self._claim(wish.form)
        excluded = self.book.excluded([self._tag(each) for each in roots])
        wanted = [
            (pupil, root, household)
            for pupil, root in zip(wish.pupils, roots, strict=True)
            for household in range(1, wish.households + 1)
        ]
        kept = [
            each for each in wanted if not {0, each[2]} & set(excluded.get(self._tag(each[1]), ()))
        ]
        told = {"letters": len(kept), "until": str(wish.last_day), "once": wish.once}
        await self._record(actor, role, school, "letters-made", told)
        batch = self.random(BATCH_BYTES).hex()
        letters = await self._store(school, wish, kept, batch=batch, today=today)
        return LettersMade(school, letters, len(wanted) - len(kept), wish.last_day, wish.once)

    def find(
        self, actor: Actor, unverified_school: str, pupils: Sequence[ListedPupil]
    ) -> tuple[PupilLetters, ...]:
        """Return what became of the letters about the pupils of a list.

        Raises:
            NotAllowed, LettersNotPossible, RegisterUnavailable
        """
        school, _ = self._find(actor, unverified_school)
        tags = [self._tag(each) for each in self._roots(school, pupils)]
        excluded = self.book.excluded(tags)
        return tuple(
            PupilLetters(
                pupil,
                tuple(self.book.of_persons((tag,))),
                tuple(sorted(excluded.get(tag, ()))),
            )
            for pupil, tag in zip(pupils, tags, strict=True)
        )

    async def withdraw_batch(self, actor: Actor, unverified_school: str, batch: str) -> int:
        """Take back the letters that were made together; return how many.

        Raises:
            NotAllowed, RegistryUnreadable, RegisterUnavailable
        """
        school, role = self._find(actor, unverified_school)
        await self._record(actor, role, school, "letters-withdrawn", {"batch": batch[:40]})
        return await self.book.withdraw(school.id, batch=batch or "-")

    async def exclude(
        self,
        actor: Actor,
        unverified_school: str,
        pupils: Sequence[ListedPupil],
        *,
        household: int,
        on: bool,
    ) -> None:
        """Take back the letters about pupils and make no more, for one household or all; or again.

        Raises:
            NotAllowed, LettersNotPossible, RegistryUnreadable, RegisterUnavailable
        """
        school, role = self._find(actor, unverified_school)
        tags = [self._tag(each) for each in self._roots(school, pupils)]
        action = "letters-excluded" if on else "letters-allowed"
        await self._record(actor, role, school, action, {"pupils": len(tags)})
        await self.book.exclude(school.id, tags, household=household, on=on)
        if on:
            await self.book.withdraw(school.id, persons=tags, household=household)

    async def set_rules(
        self, actor: Actor, unverified_school: str, *, hidden: Sequence[str], pupils_see: bool
    ) -> None:
        """Put in force what parents and pupils see.

        Raises:
            NotAllowed, RegistryUnreadable, RegisterUnavailable
        """
        school, role = self._find(actor, unverified_school)
        suppliers = self.snapshots.registry.suppliers
        named = {SupplierId(each) for each in hidden}
        before = self.book.rules(school.id)
        after = ParentRules(frozenset(each for each in named if each in suppliers), pupils_see)
        await self._record(actor, role, school, "letters-rules", _told(after), _told(before))
        await self.book.set_rules(school.id, after)

    def _find(self, actor: Actor, unverified_school: str) -> tuple[School, Role]:
        registry = self.snapshots.registry
        school = find_school(
            actor,
            Permission.ISSUE_CODES,
            unverified_school=unverified_school,
            registry=registry,
        )
        return school, check_may(actor, Permission.ISSUE_CODES, school=school, registry=registry)

    async def _record(
        self,
        actor: Actor,
        role: Role,
        school: School,
        action: str,
        after: object,
        before: object = None,
    ) -> None:
        entry = entry_of(
            actor,
            role,
            action,
            at=self.clock(),
            school=school.id,
            before="" if before is None else msgspec.json.encode(before).decode(),
            after=msgspec.json.encode(after).decode(),
        )
        await self.audit.record(entry)

    def _roots(self, school: School, pupils: Sequence[ListedPupil]) -> list[PersonRoot]:
        if not 1 <= len(pupils) <= MAX_PUPILS:
            raise LettersNotPossible("check_letters_count")
        try:
            return [root_from_local(school.id, each.number, key=self.keys.root) for each in pupils]
        except IdentifierNotDerivable:
            raise LettersNotPossible("check_letters_numbers") from None

    def _tag(self, root: PersonRoot) -> bytes:
        return derive_tag(self.keys.register, root)

    async def _claim(self, form: str) -> None:
        claims = self.state.claims_for(
            LETTERS_MADE, issuer="console", value=form, ttl_seconds=FORM_SECONDS
        )
        try:
            with store_in_words(known=(ClaimedBefore,)):
                await self.state.put(claims=claims)
        except ClaimedBefore:
            raise LettersMadeAlready("check_letters_form_once") from None

    async def _store(
        self,
        school: School,
        wish: LetterWish,
        wanted: Sequence[tuple[ListedPupil, PersonRoot, int]],
        *,
        batch: str,
        today: date,
    ) -> tuple[Letter, ...]:
        """Store letters; one whose code begins like that of another letter gets a new one."""
        keys, codes = self.keys.register, [make_code(self.random) for _ in wanted]
        left = list(range(len(wanted)))
        while left:
            rows = {}
            for index in left:
                _, root, household = wanted[index]
                content = LetterContent(school=school.id, local=root, household=household)
                rows[index] = NewLetter(
                    tag=tag_of(keys, codes[index]),
                    person=derive_tag(keys, root),
                    sealed=seal_letter(
                        content, code=codes[index], keys=keys, nonce=self.random(NONCE_BYTES)
                    ),
                    school=school.id,
                    batch=batch,
                    household=household,
                    issued_on=today,
                    last_day=wish.last_day,
                    once=wish.once,
                )
            taken = set(await self.book.add(list(rows.values())))
            left = [index for index, row in rows.items() if row.tag in taken]
            for index in left:
                codes[index] = make_code(self.random)
        return tuple(
            Letter(pupil, household, code)
            for (pupil, _, household), code in zip(wanted, codes, strict=True)
        )


def _told(rules: ParentRules) -> dict[str, object]:
    return {"hidden": sorted(rules.hidden), "pupils_see": rules.pupils_see}
