"""Changes that are taken back at once, and accounts that go along to another education sector."""

from collections.abc import Callable
from datetime import date, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from broker.adapters.databases.sql_transfers import SqliteTransfers
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.refusals import Refusal
from broker.flow.operators.two_persons import Action
from broker.flow.transfers.transfers import TransferDesk
from tests.flow import continuity_promises as promises
from tests.flow.continuity_known import PUPILS, Left
from tests.flow.continuity_parties import HONEST, KOMPAS, LIAR, REKENRIJK_ID, VUURVOGEL, eck_id_at
from tests.flow.continuity_promises import Stated, must
from tests.flow.continuity_rotations import SUPPLIER
from tests.flow.continuity_takeovers import TakeOvers
from tests.flow.operators import ANNA, BEA

PUPIL = st.sampled_from(PUPILS)


class ChangesAreUndone(TakeOvers):
    """What is changed and taken back leaves every honest pupil the names of before."""

    transferred_on = date.min

    @rule(
        of=st.sampled_from(("protection", "rotation", "take-over", "login", "join")),
        pupil=PUPIL,
        school=st.sampled_from(HONEST),
    )
    def change_and_undo(self, of: str, pupil: str, school: SchoolId) -> None:
        self.what_honest_pupils_open()  # daily logins may confirm what waited
        before = self.what_honest_pupils_open()
        ways: dict[str, Callable[[], None]] = {
            "protection": lambda: self._protect_and_back(pupil, school),
            "rotation": self._rotate_and_back,
            "take-over": self._take_over_and_back,
            "login": self._switch_and_back,
            "join": lambda: self._join_and_back(pupil, school),
        }
        ways[of]()
        promises.what_is_undone_leaves_no_trace(before, self.what_honest_pupils_open())

    def _protect_and_back(self, pupil: str, school: SchoolId) -> None:
        stated = self.ledger.stated[eck_id_at(pupil, school)]
        if not stated.protected and school in stated.arrivals:
            self.protect(pupil, school, school, True)
            self.protect(pupil, school, school, False)

    def _rotate_and_back(self) -> None:
        if self.epochs[REKENRIJK_ID][1] is None:
            self.rotate(REKENRIJK_ID)
            self.what_honest_pupils_open()
            self.turn_back(REKENRIJK_ID)

    def _take_over_and_back(self) -> None:
        self.sign_takeover(VUURVOGEL)
        for state in ("prepare", "on", "back", "on", "back"):
            self.move_takeover(VUURVOGEL, state)

    def _switch_and_back(self) -> None:
        self.switch_login((), False)
        self.what_honest_pupils_open()
        self.switch_login((), True)

    def _join_and_back(self, pupil: str, school: SchoolId) -> None:
        number = self.numbers[pupil, school]
        if (school, number) in self.own_account:
            self.join(pupil, school, school, number)
            if (school, number) in self.bound:
                self.split(pupil, school, number, True)
                must((school, number) in self.own_account, "undo: a join can be undone")

    # Another education sector ----------------------------------------------------------------

    @property
    def transfers(self) -> TransferDesk:
        return TransferDesk(
            offers=SqliteTransfers(self.world.folder / "register.db"),
            register=self.world.register,
            keys=self.world.keys.register,
            registry=self.world.sights[0].registry,
            clock=self.world.clock,
            random=self.world.random,
        )

    @rule(
        pupil=PUPIL,
        supplier=SUPPLIER,
        old=st.sampled_from((VUURVOGEL, LIAR)),
        new=st.sampled_from((KOMPAS, KOMPAS, LIAR)),
        again=st.booleans(),
    )
    def sector_transfer(
        self, pupil: str, supplier: SupplierId, old: SchoolId, new: SchoolId, again: bool
    ) -> None:
        """An account goes along at one supplier, once; the liar offers and accepts for others."""
        stated = self.ledger.stated[eck_id_at(pupil, old)]
        later = self.ledger.stated[eck_id_at(pupil, new)]
        last_day = self.today + timedelta(days=100)
        account = self.opened_at(stated, old)
        code = ""

        async def offer() -> dict[str, str]:
            nonlocal code
            code, confirmed = await self.transfers.offer(
                self.present(eck_id=stated.eck_id, number=None),
                school=old,
                supplier=supplier,
                last_day=last_day,
            )
            return dict(confirmed)

        async def accept() -> dict[str, str]:
            accepted = await self.transfers.accept(
                code,
                self.present(eck_id=later.eck_id, number=None),
                school=new,
                supplier=supplier,
            )
            return dict(accepted)

        async def agreed(action: Action, school: SchoolId, transfer: Callable[..., object]) -> None:
            desk = self.operators.at
            prepared = await desk.prepare_stated(
                action,
                school=school,
                by=ANNA,
                state=transfer,  # type: ignore[arg-type]
            )
            await desk.confirm(
                prepared, by=BEA, register=self.world.register, transfers=self.transfers
            )

        self.operators.now = self.world.now
        try:
            self.world.run(agreed(Action.OFFER_TRANSFER, old, offer))
            self.world.run(agreed(Action.ACCEPT_TRANSFER, new, accept))
        except Refusal:
            return
        must(new == KOMPAS, "transfer: to another sector alone")
        for at, of in ((old, stated), (new, later)):
            must(self.is_there_for_sure(at, of), "transfer: both schools have the pupil")
        key = (later.eck_id, supplier)
        told = self.left.get(key)
        over = told is not None and told.until is not None and self.today > told.until
        is_join = told is not None and told.told_at is not None
        must(told is None or over or is_join, "transfer: one account is told")
        must(supplier in stated.known_at, "transfer: of a pupil whom it knows")
        assert account is not None
        # It may know another account of this pupil's: which one is kept of none. It is told of
        # this one at the next login.
        self.ledger.told[supplier].add(account)
        self.left[key] = Left(
            account,
            told_at=None,
            beside=self.opened_at(later, new),
            until=last_day,
            also=None if told is None or over else told.account,
        )
        later.known_at.add(supplier)
        self.transferred_on = self.today
        if again:
            try:
                self.world.run(agreed(Action.ACCEPT_TRANSFER, new, accept))
            except Refusal:
                return
            must(False, "transfer: once")

    def is_there_for_sure(self, school: SchoolId, stated: Stated) -> bool:
        """Tell whether a school stated a pupil and nobody doubts it."""
        return school in stated.arrivals and (
            school in (*stated.first_at, *stated.confirmed) and school not in stated.closed_to
        )
