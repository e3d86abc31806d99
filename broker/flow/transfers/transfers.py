"""A pupil goes to another education sector and keeps the work at a named supplier.

    offer     the old school's side     -> a code, which two persons put in force
    accept    the new school's side     -> with the code and the pupil's new number or ECK iD;
                                           two persons again

From then on the new account's row says which account this supplier knew before
(`SupplierSeen.previous`), and the pupil's next logins there tell it as `previous_sub`, until the
last day. Nobody else learns it: the new school sees no number or ECK iD of before, the old school
does not hear where the pupil went, and other suppliers get nothing.

Two persons on each side, since whoever could do this alone could give one pupil's work to another.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as change
from datetime import date, datetime
from hashlib import sha256

from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.domain.transfer_refusals import (
    NothingToTransfer,
    TransferDoubled,
    TransferInCircle,
    TransferOtherSupplier,
    TransferUnknown,
    TransferUsed,
)
from broker.domain.transfers import (
    check_last_day,
    check_next_sector,
    check_not_over,
    find_transfer_parties,
)
from broker.flow.held_state.framing import NONCE_BYTES
from broker.flow.operators.operator_refusals import PersonNotKnown, PreparedUnreadable
from broker.flow.operators.two_persons import Action, ConfirmedAction
from broker.flow.persons.announcements import (
    announce,
    announcements_of,
    drop_ended,
    is_transfer,
)
from broker.flow.persons.person_records import (
    Announcement,
    Change,
    Presented,
    SupplierSeen,
    as_root,
)
from broker.flow.persons.person_rows import LookedUp, look_up, store_changes
from broker.flow.persons.person_suppliers import Holder, find_supplier_seen, holder_found
from broker.flow.persons.persons import MAX_ATTEMPTS
from broker.flow.persons.register import PersonRegister, RegisterKeys, RegisterUnavailable
from broker.flow.transfers.transfer_offers import (
    CODE_BYTES,
    AcceptingPerson,
    OfferedAccount,
    OfferStage,
    StoredOffer,
    TransferCode,
    TransferOffers,
    derive_offer_tag,
    make_code,
    open_accepting,
    open_offer,
    read_code,
    seal_accepting,
    seal_offer,
)
from broker.pseudonyms.derivation import PersonRoot

TRANSFER_ACTIONS = (Action.OFFER_TRANSFER, Action.ACCEPT_TRANSFER)
NOT_BEEN_THERE = ""
"""Epoch of a supplier that got no pseudonym of this pupil yet."""

MOST_STEPS_BACK = 16  # sectors there are four; more accounts are a circle or a mistake


@dataclass(frozen=True, slots=True)
class _AtSchool:
    """A pupil as one school knows them."""

    account: PersonRoot = field(repr=False)
    holder: Holder


@dataclass(frozen=True, slots=True)
class TransferDesk:
    """Where transfers are offered and accepted, over the ports."""

    offers: TransferOffers
    register: PersonRegister
    keys: RegisterKeys
    registry: Registry
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]

    @property
    def _today(self) -> date:
        return day_of(self.clock())

    async def offer(
        self,
        presented: Presented,
        *,
        school: SchoolId,
        supplier: SupplierId,
        last_day: date,
    ) -> tuple[TransferCode, Mapping[str, str]]:
        """Return a code that works once it is confirmed, and what the second person confirms.

        Raises:
            TransferNotAgreed, TransferDayUnusable, PersonNotKnown, NothingToTransfer
            TransferDoubled: this account has a transfer to this supplier that counts.
            RegisterUnavailable, TransfersUnavailable
        """
        find_transfer_parties(self.registry, school, supplier, today=self._today)
        check_last_day(last_day, today=self._today)
        person = await self._find(presented, school)
        if supplier not in person.holder.record.suppliers:
            raise NothingToTransfer("check_supplier_knows_person")
        code = make_code(self.random(CODE_BYTES))
        offered = OfferedAccount(
            account=person.account, school=school, supplier=supplier, last_day=last_day
        )
        stored = seal_offer(offered, code=code, keys=self.keys, nonce=self.random(NONCE_BYTES))
        if not self.offers.add(stored, today=self._today):
            raise TransferDoubled("check_one_offer_per_account")
        return code, {"transfer": stored.tag.hex()}

    async def accept(
        self, typed_code: str, presented: Presented, *, school: SchoolId, supplier: SupplierId
    ) -> Mapping[str, str]:
        """Return what the second person confirms.

        Raises:
            Refusal: one of `transfer_refusals`, `PersonNotKnown`, or the register's.
        """
        code = read_code(typed_code)
        stored = self._find_offer(derive_offer_tag(self.keys, code))
        offered = open_offer(stored, code=code, keys=self.keys)
        person = await self._find(presented, school)
        if stored.stage is OfferStage.USED:
            self._check_goes_on(stored, person, code=code, school=school)
        await self._check(offered, person, school=school, supplier=supplier)
        if stored.accepting is not None and stored.stage is OfferStage.USED:
            return {"code": code, "accepting": sha256(stored.accepting).hexdigest()}
        accepting = AcceptingPerson(
            account=person.account, holder=person.holder.root, school=school
        )
        sealed = seal_accepting(
            accepting,
            tag=stored.tag,
            code=code,
            keys=self.keys,
            nonce=self.random(NONCE_BYTES),
        )
        if not self.offers.change(stored, change(stored, accepting=sealed)):
            raise TransferUsed("check_transfer_unchanged")
        return {"code": code, "accepting": sha256(sealed).hexdigest()}

    async def carry_out(self, confirmed: ConfirmedAction) -> None:
        """Put in force what two persons want.

        Raises:
            PreparedUnreadable: it names no transfer.
            Refusal: as `accept`; nothing was done.
        """
        try:
            if confirmed.action is Action.OFFER_TRANSFER:
                self._put_in_force(bytes.fromhex(confirmed.parameters["transfer"]))
                return
            code = read_code(confirmed.parameters["code"])
            mark = confirmed.parameters["accepting"]
        except (KeyError, ValueError):
            raise PreparedUnreadable("check_names_transfer") from None
        await self._join(code, mark)

    def _put_in_force(self, tag: bytes) -> None:
        stored = self.offers.find(tag)
        if stored is None or stored.stage is not OfferStage.PREPARED:
            raise TransferUnknown("check_transfer_prepared")
        check_not_over(stored.last_day, today=self._today)
        if not self.offers.change(stored, change(stored, stage=OfferStage.OFFERED)):
            raise TransferUnknown("check_transfer_unchanged")

    async def _join(self, code: TransferCode, mark: str) -> None:
        """Use the transfer up, then write it down; what cannot be written is given back.

        Used up, and still naming who accepts: so what was cut off between the two can be prepared
        and confirmed once more, by this one pupil and nobody else.
        """
        stored = self._find_offer(derive_offer_tag(self.keys, code))
        if sha256(stored.accepting or b"").hexdigest() != mark:
            raise TransferUnknown("check_accepted_unchanged")
        offered = open_offer(stored, code=code, keys=self.keys)
        accepting = open_accepting(stored, code=code, keys=self.keys)
        account, root = as_root(accepting.account), as_root(accepting.holder)
        record = (await self._look_up_row(root)).records.eck_id
        if record is None:
            raise PersonNotKnown("check_person_known")
        person = _AtSchool(account, Holder(root, record))
        await self._check(offered, person, school=accepting.school, supplier=offered.supplier)
        used = change(stored, stage=OfferStage.USED)
        if not self.offers.change(stored, used):
            raise TransferUsed("check_transfer_unchanged")
        try:
            await self._write(offered, root, beside=account)
        except RegisterUnavailable:
            self.offers.change(used, stored)
            raise
        self.offers.change(used, change(used, accepting=None))

    async def _write(self, offered: OfferedAccount, root: PersonRoot, *, beside: bytes) -> None:
        """Note in the new pupil's row of which account the supplier is told."""
        for _ in range(MAX_ATTEMPTS):
            looked_up = await self._look_up_row(root)
            record = looked_up.records.eck_id
            if record is None:
                raise RegisterUnavailable("check_person_unchanged")
            known = record.suppliers.get(offered.supplier, SupplierSeen(epoch=NOT_BEEN_THERE))
            seen = announce(
                known,
                Announcement(previous=offered.account, until=offered.last_day, beside=beside),
            )
            suppliers = {**record.suppliers, offered.supplier: seen}
            if await store_changes(
                (Change(root, replace(record, suppliers=suppliers)),),
                looked_up.rows,
                register=self.register,
                keys=self.keys,
                random=self.random,
            ):
                return
        raise RegisterUnavailable("check_register_converges")

    async def _check(
        self, offered: OfferedAccount, person: _AtSchool, *, school: SchoolId, supplier: SupplierId
    ) -> None:
        """Refuse a transfer that the law, the schools or the accounts do not allow."""
        today = self._today
        check_not_over(offered.last_day, today=today)
        if offered.supplier != supplier:
            raise TransferOtherSupplier("check_supplier_of_transfer")
        new = find_transfer_parties(self.registry, school, supplier, today=today)
        old = find_transfer_parties(self.registry, offered.school, supplier, today=today)
        check_next_sector(old=old.school, new=new.school)
        seen = person.holder.record.suppliers.get(supplier)
        pending = () if seen is None else announcements_of(drop_ended(seen, today=today))
        if any(is_transfer(each) and each.previous != offered.account for each in pending):
            raise TransferDoubled("check_one_account_told")
        await self._check_no_circle(offered, person)

    async def _check_no_circle(self, offered: OfferedAccount, person: _AtSchool) -> None:
        """Refuse when the old account leads, by transfers and joins, to the new one."""
        steps = [as_root(offered.account)]
        for _ in range(MOST_STEPS_BACK):
            step = steps.pop(0)
            if step == person.account:
                raise TransferInCircle("check_no_circle")
            seen = await find_supplier_seen(
                step, supplier=offered.supplier, register=self.register, keys=self.keys
            )
            if seen is None:  # erased, or split from its row, since it was offered
                raise NothingToTransfer("check_old_account_known")
            steps += [as_root(each.previous) for each in announcements_of(seen)]
            if not steps:
                return
        raise TransferInCircle("check_no_circle")

    def _find_offer(self, tag: bytes) -> StoredOffer:
        stored = self.offers.find(tag)
        if stored is None or stored.stage is OfferStage.PREPARED:
            raise TransferUnknown("check_transfer_offered")
        if stored.stage is OfferStage.USED and stored.accepting is None:
            raise TransferUsed("check_transfer_unused")
        return stored

    def _check_goes_on(
        self, stored: StoredOffer, person: _AtSchool, *, code: TransferCode, school: SchoolId
    ) -> None:
        """Hold that a transfer that was cut off goes on for the pupil who accepted it."""
        begun = open_accepting(stored, code=code, keys=self.keys)
        goes_on = AcceptingPerson(account=person.account, holder=person.holder.root, school=school)
        if begun != goes_on:
            raise TransferUsed("check_transfer_unused")

    async def _find(self, presented: Presented, school: SchoolId) -> _AtSchool:
        """Return a pupil whom this school stated at a login, and whose arrival nobody doubts.

        Raises:
            PersonNotKnown: nobody learns from us whether an identifier is known elsewhere.
        """
        looked_up = await look_up(presented, register=self.register, keys=self.keys)
        record = looked_up.records.eck_id or looked_up.records.local
        holder = holder_found(presented, looked_up.records)
        seen = None if record is None else record.seen.get(school)
        if seen is None or holder is None or seen.objected:
            raise PersonNotKnown("check_person_known")
        if seen.held_since is not None and not seen.confirmed:
            raise PersonNotKnown("check_arrival_settled")
        return _AtSchool(as_root(seen.account), holder)

    async def _look_up_row(self, root: PersonRoot) -> LookedUp:
        """Return one row, whichever kind of identifier it is of."""
        alone = Presented(Population.PUPIL, eck_id=root, local=None)
        return await look_up(alone, register=self.register, keys=self.keys)
