"""A parent gets in by the code of a letter: to what went through this school, for 15 minutes.

A letter opens once, or until its last day at most `MOST_USES_A_DAY` times a day, as the school
chose when it made it. Once is what it is by default: whoever finds that it was used before knows
that somebody else read it. There is no second code to keep. Each use is counted, for the school
and, if the school lets it, for the pupil.

Tries are counted by the part that finds the row, right or wrong, known or unknown, on all workers,
in one step with the try: ten within an hour. So neither does a part of a code that somebody saw
help to find the rest, nor does trying tell which ones there are.
"""

from dataclasses import dataclass, field

from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.dutch_days import day_of
from broker.flow.audit import AuditLog
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.framing import NONCE_BYTES
from broker.flow.held_state.login_store import ClaimedBefore
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.me.me_records import MeSession
from broker.flow.parents.parent_codes import (
    MOST_USES_A_DAY,
    CodeNotOpen,
    LetterBook,
    LetterContent,
    ParentCode,
    StoredLetter,
    TooManyCodes,
    open_letter,
    parse_code,
    pupil_of,
    seal_letter,
    tag_of,
)
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_reading import PersonReader
from broker.flow.persons.person_records import Presented
from broker.flow.persons.register import PersonRegister
from broker.flow.ports import Clock, FlowKeys, Random, Snapshots

TRIES_AN_HOUR = 10
TRY_SECONDS = 60 * 60
PARENT_TRY = "parent-try"


@dataclass(frozen=True, slots=True)
class ParentPorts:
    """Where letters and persons rest, and what opens them."""

    snapshots: Snapshots
    state: SealedState = field(repr=False)
    register: PersonRegister
    letters: LetterBook
    keys: FlowKeys
    rules: JoinRules
    audit: AuditLog
    clock: Clock
    random: Random


class ParentVisits:
    """Lets parents in. Keeps nothing between steps."""

    def __init__(self, ports: ParentPorts) -> None:
        self._ports = ports

    async def enter(self, unverified_code: str) -> MeSession:
        """Return who looks, after counting the use of the letter.

        Raises:
            TooManyCodes, CodeNotOpen
            RegisterUnavailable, StoreUnavailable: nobody knows whether it was used.
        """
        ports, keys = self._ports, self._ports.keys.register
        code = parse_code(unverified_code)
        await self._count_try(code)
        letter = ports.letters.find(tag_of(keys, code))
        if letter is None:
            raise CodeNotOpen("check_code_known")
        content = open_letter(letter.sealed, code=code, keys=keys)
        today = day_of(ports.clock())
        if not letter.is_open(today) or self._is_excluded(letter):
            raise CodeNotOpen("check_code_in_force")
        content = await self._of_same_pupil(content)
        used = await ports.letters.use(
            letter,
            sealed=seal_letter(content, code=code, keys=keys, nonce=ports.random(NONCE_BYTES)),
            today=today,
            most=MOST_USES_A_DAY,
        )
        if not used:
            raise CodeNotOpen("check_code_not_used_up")
        return MeSession(
            visitor="parent",
            school=content.school,
            population=Population.PUPIL,
            eck_root=None,
            local_root=content.local,
            old_roots={},
            first_name="",
            began_at=ports.clock(),
            code=letter.tag,
        )

    async def _count_try(self, code: ParentCode) -> None:
        """Take one of the places of this hour; several workers never give one twice.

        Raises:
            TooManyCodes: all are taken.
        """
        state, hour = self._ports.state, int(self._ports.clock().timestamp()) // TRY_SECONDS
        for place in range(TRIES_AN_HOUR):
            claims = state.claims_for(
                PARENT_TRY,
                issuer=code.finding,
                value=f"{hour}/{place}",
                ttl_seconds=TRY_SECONDS,
            )
            try:
                with store_in_words(known=(ClaimedBefore,)):
                    await state.put(claims=claims)
            except ClaimedBefore:
                continue
            return
        raise TooManyCodes("check_code_tries")

    async def _of_same_pupil(self, content: LetterContent) -> LetterContent:
        """Return what the letter holds, now with the account that the number opens.

        Raises:
            CodeNotOpen: it opens another one than at first, or its school is switched off.
        """
        ports = self._ports
        school = ports.snapshots.registry.schools.get(content.school)
        if school is None or not school.enabled:
            raise CodeNotOpen("check_code_of_open_school")
        reader = PersonReader(ports.register, ports.keys.register, ports.rules)
        presented = Presented(Population.PUPIL, eck_id=None, local=pupil_of(content))
        person = await reader.read(presented, school=school, today=day_of(ports.clock()))
        account = None if person is None else bytes(person.accounts[0].root)
        if content.account is not None and content.account != account:
            raise CodeNotOpen("check_code_of_same_pupil")
        return replace(content, account=account)

    def _is_excluded(self, letter: StoredLetter) -> bool:
        excluded = self._ports.letters.excluded((letter.person,)).get(letter.person, ())
        return 0 in excluded or letter.household in excluded
