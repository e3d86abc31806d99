"""From the ECK iDs that a supplier keeps accounts under to that supplier's own pseudonyms.

An ECK iD is known to former schools and to all suppliers, so a mapping that answers for any of them
would undo what pseudonyms are for. It answers a supplier about pupils of one school that signed for
it, until the last day that it signed for, within a number that is counted before anything is
answered. Of whom it answers, and with which account:

| The ECK iD's row | Answer |
|---|---|
| was stated by a login at this school, and does not wait | the account that is pinned here |
| is not there, and the ECK iD stands in the school's signed list | its own account: a promise |
| anything else: unknown, of another school, waiting to be confirmed | none, all the same |

Who is not answered costs the same look-ups and the same derivation as who is.

What is pinned at a school is what a login there opens, so both always agree.
A pupil whom nobody stated anything of yet has no row, and take-over is prepared before all pupils
logged in: the account then follows from the ECK iD itself. But such a pupil may already have an
account under the school's number, and the first login that states both would open that one (rule 9
of `person_rules`): the supplier would hold a name under which nobody ever arrives. So the answer is
written down first, as a promise in the ECK iD's row: at this school it opens its own account, and
the number is bound to it (rule 11 tells the suppliers that knew the other name). At other schools
a promise says nothing: no school can spoil a pupil of another one by listing all ECK iDs it knows.
The row is written or the answer is not given; a login that comes in between wins, and is asked.

That the ECK iD is in the signed list while its row says another school alone is answered with
nothing: the pupil moved and has not logged in here, or the school lists whom it does not have. The
first login here decides that, by the rules for newcomers.
"""

from asyncio import gather, sleep, to_thread
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.dutch_days import day_of
from broker.domain.federation import Supplier
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.domain.takeover import Takeover
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.persons.person_arrivals import is_settled
from broker.flow.persons.person_records import (
    SALT_BYTES,
    Change,
    PersonRecord,
    Presented,
    SupplierSeen,
    as_root,
    school_year_of,
)
from broker.flow.persons.person_rows import look_up, store_changes
from broker.flow.persons.register import PersonRegister, RegisterKeys, RegisterUnavailable
from broker.flow.ports import Clock
from broker.flow.takeover.takeover_asking import check_may_ask
from broker.flow.takeover.takeover_lists import (
    ListedLine,
    ListKind,
    ListOf,
    TakeoverLists,
    derive_list_tag,
    read_list,
)
from broker.flow.takeover.takeovers import TakeoverStore
from broker.pseudonyms.derivation import PersonRoot, Pseudonym, RootKey, derive_pseudonym
from broker.pseudonyms.epochs import PairwiseKeys, select_key

MAX_ATTEMPTS = 8  # as for logins: races end at the second
AT_ONCE = 200
"""ECK iDs that are asked about at a time: their rows share commits, and logins go between."""


@dataclass(frozen=True, slots=True)
class MappingPorts:
    """What a mapping works with.

    Attributes:
        settled_after_days: without objection a pupil's arrival at a school is settled then.
    """

    register: PersonRegister
    lists: TakeoverLists
    keys: RegisterKeys = field(repr=False)
    root: RootKey = field(repr=False)
    pairwise: PairwiseKeys = field(repr=False)
    settled_after_days: int
    random: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class TakeoverMapping:
    """Answers suppliers; the command and the API ask here.

    Attributes:
        asked_per_school: bound on what is asked about one school's pupils in all.
    """

    ports: MappingPorts
    store: TakeoverStore
    asked_per_school: int
    audit: AuditLog
    clock: Clock

    def count(
        self, stated: Sequence[str], *, school: SchoolId, supplier: SupplierId, registry: Registry
    ) -> int:
        """Return how many lines of a list would be asked about; nothing is looked up or counted.

        Raises:
            Refusal: of `check_may_ask`, `ListUnusable`.
        """
        today = day_of(self.clock())
        check_may_ask(registry, school=school, supplier=supplier, today=today)
        return len(read_list(stated, school=school, key=self.ports.root))

    async def answer(
        self,
        stated: Sequence[str],
        *,
        school: SchoolId,
        supplier: SupplierId,
        registry: Registry,
        progress: Callable[[int], object] = lambda _done: None,
    ) -> list[tuple[ListedLine, Pseudonym | None]]:
        """Return the lines with the supplier's own pseudonym for each, None where none is answered.

        Counted before anything is answered: what fails after that was asked all the same.

        Args:
            stated: lines as `read_list` takes them.
            progress: told how many more are done.

        Raises:
            Refusal: of `check_may_ask`, `ListUnusable`, `AskedTooMuch`; or what rests cannot be
                used. Nothing is answered then.
        """
        today = day_of(self.clock())
        takeover = check_may_ask(registry, school=school, supplier=supplier, today=today)
        lines = await to_thread(read_list, stated, school=school, key=self.ports.root)
        await to_thread(
            self.store.reserve, takeover, count=len(lines), per_school=self.asked_per_school
        )
        answers = await map_lines(
            lines,
            takeover=takeover,
            supplier=registry.suppliers[supplier],
            ports=self.ports,
            today=today,
            progress=progress,
        )
        # A long list is answered for minutes: what ended meanwhile is shut, whoever asked before.
        check_may_ask(registry, school=school, supplier=supplier, today=day_of(self.clock()))
        answered = sum(each is not None for each in answers)
        self.audit.record(
            AuditEvent(
                action="takeover-mapped",
                school=school,
                supplier=supplier,
                names=(f"asked {len(lines)}", f"answered {answered}"),
            )
        )
        return list(zip(lines, answers, strict=True))


async def map_lines(
    lines: Sequence[ListedLine],
    *,
    takeover: Takeover,
    supplier: Supplier,
    ports: MappingPorts,
    today: date,
    progress: Callable[[int], object] = lambda _done: None,
) -> list[Pseudonym | None]:
    """Return the supplier's pseudonym for each ECK iD, in order; None where none is answered.

    Asked only after `check_may_ask` and after the quota was taken.

    Raises:
        RegisterUnavailable, TakeoversUnavailable: some may be promised by now; none is answered.
    """
    key = select_key(ports.pairwise, pinned=supplier.epoch)
    answers: list[Pseudonym | None] = []
    for start in range(0, len(lines), AT_ONCE):
        accounts = await gather(
            *(
                find_account(
                    each.root, takeover=takeover, epoch=supplier.epoch, ports=ports, today=today
                )
                for each in lines[start : start + AT_ONCE]
            )
        )
        for line, account in zip(lines[start : start + AT_ONCE], accounts, strict=True):
            # Derived for everybody, also when it is not answered: so the time tells nothing.
            of = line.root if account is None else account
            derived = derive_pseudonym(of, supplier=supplier.id, key=key)
            answers.append(None if account is None else derived)
        await sleep(0)  # logins of this worker go between
        progress(len(accounts))
    return answers


async def find_account(
    root: PersonRoot, *, takeover: Takeover, epoch: str, ports: MappingPorts, today: date
) -> PersonRoot | None:
    """Return the account that a login with this ECK iD opens at the school; None when it is not
    answered, by the table above.

    Raises:
        RegisterUnavailable, TakeoversUnavailable
    """
    presented = Presented(Population.PUPIL, eck_id=root, local=None)
    for _ in range(MAX_ATTEMPTS):
        looked_up = await look_up(presented, register=ports.register, keys=ports.keys)
        known = looked_up.records.eck_id
        # Looked up for everybody: unknown, of another school and waiting take the same steps.
        is_listed = await _is_listed(root, takeover=takeover, ports=ports)
        if known is not None and known.seen:
            here = known.seen.get(takeover.school)
            if here is None or not is_settled(
                here,
                protected=known.protected,
                today=today,
                after_days=ports.settled_after_days,
            ):
                return None
            account = as_root(here.account)
        elif is_listed and root not in looked_up.records.closed:
            account = root
            known = known or _unseen(root, salt=ports.random(SALT_BYTES), today=today)
            if takeover.school not in known.promised:
                known = replace(known, promised=(*known.promised, takeover.school))
        else:
            return None
        told = _with_supplier(known, takeover.supplier, epoch=epoch)
        changes = () if told == looked_up.records.eck_id else (Change(root, told),)
        if await store_changes(
            changes,
            looked_up.rows,
            register=ports.register,
            keys=ports.keys,
            random=ports.random,
        ):
            return account
    raise RegisterUnavailable("check_register_converges")


async def _is_listed(root: PersonRoot, *, takeover: Takeover, ports: MappingPorts) -> bool:
    of = ListOf(ListKind.PUPILS, takeover.school, takeover.supplier)
    tag = derive_list_tag(ports.keys, of, root)
    return tag in await ports.lists.find((tag,))


def _unseen(root: PersonRoot, *, salt: bytes, today: date) -> PersonRecord:
    """Return the row of an ECK iD that no login stated yet."""
    return PersonRecord(
        population=Population.PUPIL,
        account=root,
        salt=salt,
        seen={},
        school_year=school_year_of(today),
    )


def _with_supplier(record: PersonRecord, supplier: SupplierId, *, epoch: str) -> PersonRecord:
    """Return the record in which this supplier knows the person: it will, by the answer."""
    known = record.suppliers.get(supplier)
    seen = SupplierSeen(epoch=epoch) if known is None else replace(known, epoch=epoch)
    return (
        record if seen == known else replace(record, suppliers={**record.suppliers, supplier: seen})
    )
