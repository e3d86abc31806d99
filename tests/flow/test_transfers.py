"""A pupil goes to another sector: one supplier is told of the account of before, once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import replace as change
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from broker.demo.people import Person
from broker.domain import transfer_refusals as t
from broker.domain.attributes import Population
from broker.domain.dutch_days import day_of
from broker.domain.federation import Sector, State
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.refusals import Refusal
from broker.flow.operators.operator_actions import present_stated
from broker.flow.operators.operator_refusals import (
    ActionUnknown,
    PersonNotKnown,
    PreparedUnreadable,
)
from broker.flow.operators.operators import OperatorName
from broker.flow.operators.two_persons import Action, ConfirmedAction
from broker.flow.persons.person_erasure import erase_person
from broker.flow.persons.person_records import Change, Presented
from broker.flow.persons.person_rows import look_up, store_changes
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.transfers.transfer_offers import OfferStage, TransferCode, group_code
from broker.flow.transfers.transfers import TransferDesk
from tests.flow.login_parties import (
    BIOSFEER_OIDC,
    BIOSFEER_SAML,
    OIDC_SCHOOL,
    OTHER_SCHOOL,
    REKENRIJK,
    SAML_SCHOOL,
)
from tests.flow.login_world import DAAN, NOOR, SANNE, SANNE_ELSEWHERE, LoginWorld
from tests.flow.memory_transfers import MemoryOffers
from tests.flow.operators import ANNA, BEA, a_desk

BIOSFEER = SupplierId("biosfeer")


@dataclass
class Move:
    """Sanne of De Vuurvogel (po) becomes, with another ECK iD, who Noor of Het Kompas (vo) is."""

    world: LoginWorld
    offers: MemoryOffers = field(default_factory=MemoryOffers)

    @property
    def desk(self) -> TransferDesk:
        return TransferDesk(
            offers=self.offers,
            register=self.world.register,
            keys=self.world.keys.register,
            registry=self.world.snapshots.registry,
            clock=self.world.clock,
            random=self.world.random,
        )

    @property
    def today(self) -> date:
        return day_of(self.world.now)

    def presented(self, person: Person, *, by: str = "eckId", school: str = "") -> Presented:
        return present_stated(
            person.attributes[by][0],
            school=SchoolId(school or person.school.id),
            population=Population.PUPIL,
            key=self.world.keys.root,
        )

    async def prepare_offer(
        self,
        person: Person = SANNE,
        *,
        school: str = SAML_SCHOOL,
        supplier: str = BIOSFEER,
        days: int = 60,
        by: str = "eckId",
    ) -> tuple[TransferCode, Mapping[str, str]]:
        return await self.desk.offer(
            self.presented(person, by=by),
            school=SchoolId(school),
            supplier=SupplierId(supplier),
            last_day=self.today + timedelta(days=days),
        )

    async def offer(self, person: Person = SANNE, **how: Any) -> TransferCode:
        code, stated = await self.prepare_offer(person, **how)
        await self.confirm(Action.OFFER_TRANSFER, stated)
        return code

    async def prepare_accept(
        self,
        code: str,
        person: Person = NOOR,
        *,
        school: str = OIDC_SCHOOL,
        supplier: str = BIOSFEER,
        by: str = "eckId",
    ) -> Mapping[str, str]:
        return await self.desk.accept(
            code,
            self.presented(person, by=by),
            school=SchoolId(school),
            supplier=SupplierId(supplier),
        )

    async def accept(self, code: str, person: Person = NOOR, **how: Any) -> None:
        stated = await self.prepare_accept(code, person, **how)
        await self.confirm(Action.ACCEPT_TRANSFER, stated)

    async def confirm(self, action: Action, stated: Mapping[str, str]) -> None:
        anna, bea = OperatorName("anna"), OperatorName("bea")
        await self.desk.carry_out(ConfirmedAction(action, stated, "0" * 32, anna, bea))

    def previous(self, received: Any) -> str | None:
        told = received.claims.get("previous_sub")
        return told[0] if isinstance(told, list) else told


@pytest.fixture
async def move(world: LoginWorld) -> Move:
    """Both logged in at school before: Sanne at Biosfeer too, Noor at another supplier."""
    await world.log_in(BIOSFEER_OIDC, SANNE)
    await world.log_in(REKENRIJK, NOOR)
    return Move(world)


class TestTransfer:
    @pytest.mark.parametrize("party", [BIOSFEER_OIDC, BIOSFEER_SAML])
    async def test_tells_that_supplier_the_pseudonym_of_before(
        self, world: LoginWorld, move: Move, party: str
    ) -> None:
        before = await world.log_in(BIOSFEER_OIDC, SANNE)
        await move.accept(await move.offer())
        after = await world.log_in(party, NOOR)
        assert move.previous(after) == before.subject != after.subject
        again = await world.log_in(party, NOOR)
        assert move.previous(again) == before.subject

    async def test_tells_nobody_else(self, world: LoginWorld, move: Move) -> None:
        await move.accept(await move.offer())
        assert move.previous(await world.log_in(REKENRIJK, NOOR)) is None
        assert move.previous(await world.log_in(BIOSFEER_OIDC, SANNE)) is None

    async def test_reaches_one_who_was_there_already(self, world: LoginWorld, move: Move) -> None:
        fresh = await world.log_in(BIOSFEER_OIDC, NOOR)
        old = await world.log_in(BIOSFEER_OIDC, SANNE)
        await move.accept(await move.offer())
        told = await world.log_in(BIOSFEER_OIDC, NOOR)
        assert (told.subject, move.previous(told)) == (fresh.subject, old.subject)

    async def test_ends_after_its_last_day(self, world: LoginWorld, move: Move) -> None:
        await move.accept(await move.offer(days=5))
        world.wait(days=5)
        assert move.previous(await world.log_in(BIOSFEER_OIDC, NOOR))
        world.wait(days=1)
        assert move.previous(await world.log_in(BIOSFEER_OIDC, NOOR)) is None

    async def test_waits_while_that_suppliers_key_is_rotated(
        self, world: LoginWorld, move: Move
    ) -> None:
        await move.accept(await move.offer())
        supplier = world.records["biosfeer"]
        world.put("biosfeer", replace(supplier, previous_epoch="a"))
        assert move.previous(await world.log_in(BIOSFEER_OIDC, NOOR)) is None
        world.put("biosfeer", supplier)
        assert move.previous(await world.log_in(BIOSFEER_OIDC, NOOR))

    async def test_works_by_the_schools_own_numbers(self, world: LoginWorld, move: Move) -> None:
        await world.log_in(BIOSFEER_OIDC, DAAN)
        old = await world.log_in(BIOSFEER_OIDC, DAAN)
        code = await move.offer(DAAN, by="employeeNumber")
        await move.accept(code, by="employeeNumber")
        assert move.previous(await world.log_in(BIOSFEER_OIDC, NOOR)) == old.subject

    async def test_a_code_may_be_typed_as_it_is_read_out(self, move: Move) -> None:
        code = await move.offer()
        await move.accept(group_code(code).upper())

    async def test_leads_on_from_sector_to_sector(self, world: LoginWorld, move: Move) -> None:
        await move.accept(await move.offer())
        vo = await world.log_in(BIOSFEER_OIDC, NOOR)
        world.change(OTHER_SCHOOL, sector=Sector.MBO)
        stated = {"eckId": (SANNE.attributes["eckId"][0].replace("a", "b"),)}
        mbo = change(SANNE_ELSEWHERE, attributes={**SANNE_ELSEWHERE.attributes, **stated})
        await world.log_in(REKENRIJK, mbo)
        await move.accept(await move.offer(NOOR, school=OIDC_SCHOOL), mbo, school=OTHER_SCHOOL)
        assert move.previous(await world.log_in(BIOSFEER_OIDC, mbo)) == vo.subject

    async def test_neither_school_sees_the_other(self, move: Move) -> None:
        code, offered = await move.prepare_offer()
        await move.confirm(Action.OFFER_TRANSFER, offered)
        accepted = await move.prepare_accept(code)
        hidden = [
            *SANNE.attributes["eckId"],
            *NOOR.attributes["eckId"],
            *(SAML_SCHOOL, OIDC_SCHOOL),
        ]
        shown = f"{code}{dict(offered)}{dict(accepted)}{move.offers.rows}"
        assert [each for each in hidden if each in shown] == []
        (row,) = move.offers.rows.values()
        assert move.presented(SANNE).roots[0] not in row.sealed
        assert code not in f"{move.offers.rows}{row.tag!r}{row.person_tag!r}"


class TestOffer:
    async def refused(self, move: Move, **how: Any) -> type[Refusal]:
        with pytest.raises(Refusal) as caught:
            await move.prepare_offer(**how)
        assert move.offers.rows == {}
        return type(caught.value)

    async def test_is_for_a_pupil_of_this_school(self, move: Move) -> None:
        assert await self.refused(move, school=OTHER_SCHOOL) is PersonNotKnown
        assert await self.refused(move, person=NOOR) is PersonNotKnown
        assert await self.refused(move, person=DAAN, by="employeeNumber") is PersonNotKnown

    async def test_is_not_for_one_whose_arrival_waits(self, move: Move) -> None:
        await hold(move, SANNE, SAML_SCHOOL)
        assert await self.refused(move) is PersonNotKnown
        await hold(move, SANNE, SAML_SCHOOL, held_since=None, objected=True)
        assert await self.refused(move) is PersonNotKnown
        await hold(move, SANNE, SAML_SCHOOL, objected=False)
        assert await move.offer()

    async def test_is_for_an_account_at_that_supplier(self, move: Move) -> None:
        assert await self.refused(move, supplier="rekenrijk") is t.NothingToTransfer

    @pytest.mark.parametrize("days", [0, -1, 367])
    async def test_is_for_a_year_at_most(self, move: Move, days: int) -> None:
        assert await self.refused(move, days=days) is t.TransferDayUnusable

    async def test_needs_an_agreement_in_force(self, world: LoginWorld, move: Move) -> None:
        world.change("vuurvogel/biosfeer", last_day=move.today - timedelta(days=1))
        assert await self.refused(move) is t.TransferNotAgreed
        world.put("vuurvogel/biosfeer", None)
        assert await self.refused(move) is t.TransferNotAgreed

    async def test_needs_parties_that_are_open(self, world: LoginWorld, move: Move) -> None:
        assert await self.refused(move, supplier="nobody") is t.TransferNotAgreed
        assert await self.refused(move, school="nowhere") is t.TransferNotAgreed
        world.change("vuurvogel", state=State.PRODUCTION)
        assert await self.refused(move) is t.TransferNotAgreed
        world.change("vuurvogel", state=State.TEST, enabled=False)
        assert await self.refused(move) is t.TransferNotAgreed

    async def test_is_one_for_each_account_and_supplier(
        self, world: LoginWorld, move: Move
    ) -> None:
        await world.log_in(REKENRIJK, SANNE)
        await move.offer()
        with pytest.raises(t.TransferDoubled):
            await move.prepare_offer()
        with pytest.raises(t.TransferDoubled):
            await move.prepare_offer(by="employeeNumber")
        await move.offer(supplier="rekenrijk")

    async def test_is_made_anew_when_nobody_confirmed_or_came(
        self, world: LoginWorld, move: Move
    ) -> None:
        _, first = await move.prepare_offer()
        _, second = await move.prepare_offer(days=3)
        with pytest.raises(t.TransferUnknown):
            await move.confirm(Action.OFFER_TRANSFER, first)
        await move.confirm(Action.OFFER_TRANSFER, second)
        world.wait(days=4)
        await move.accept(await move.offer())

    async def test_is_not_made_anew_once_it_was_used(self, world: LoginWorld, move: Move) -> None:
        await move.accept(await move.offer(days=3))
        world.wait(days=4)
        with pytest.raises(t.TransferDoubled):
            await move.prepare_offer()

    async def test_works_only_once_it_is_confirmed(self, move: Move) -> None:
        code, stated = await move.prepare_offer()
        with pytest.raises(t.TransferUnknown):
            await move.prepare_accept(code)
        await move.confirm(Action.OFFER_TRANSFER, stated)
        with pytest.raises(t.TransferUnknown):
            await move.confirm(Action.OFFER_TRANSFER, stated)
        assert await move.prepare_accept(code)

    async def test_confirmed_too_late_is_over(self, world: LoginWorld, move: Move) -> None:
        _, stated = await move.prepare_offer(days=1)
        world.wait(days=2)
        with pytest.raises(t.TransferExpired):
            await move.confirm(Action.OFFER_TRANSFER, stated)

    async def test_that_somebody_else_changed_meanwhile_is_not_put_in_force(
        self, move: Move, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, stated = await move.prepare_offer()
        monkeypatch.setattr(move.offers, "change", lambda *_: False)
        with pytest.raises(t.TransferUnknown):
            await move.confirm(Action.OFFER_TRANSFER, stated)


async def hold(move: Move, person: Person, school: str, **changes: Any) -> None:
    """Let a pupil's arrival at a school wait, or settle it otherwise."""
    presented = move.presented(person)
    ports: dict[str, Any] = {"register": move.world.register, "keys": move.world.keys.register}
    looked_up = await look_up(presented, **ports)
    record, root = looked_up.records.eck_id, presented.roots[0]
    assert record is not None
    how = changes or {"held_since": move.today, "confirmed": False}
    held = replace(record.seen[SchoolId(school)], **how)
    record = replace(record, seen={**record.seen, SchoolId(school): held})
    assert await store_changes(
        [Change(root, record)], looked_up.rows, random=move.world.random, **ports
    )


class TestAcceptance:
    async def refused(self, move: Move, code: str, **how: Any) -> type[Refusal]:
        """Return how it is refused; nothing is used up by that."""
        before = dict(move.offers.rows)
        with pytest.raises(Refusal) as caught:
            await move.prepare_accept(code, **how)
        assert move.offers.rows == before
        return type(caught.value)

    async def test_works_once(self, move: Move) -> None:
        code = await move.offer()
        await move.accept(code)
        assert await self.refused(move, code) is t.TransferUsed

    async def test_needs_the_code(self, move: Move) -> None:
        code = await move.offer()
        other = "a" * 32
        for wrong in (other, "", code[:-1], f"{code}a", code.replace(code[0], "1")):
            assert await self.refused(move, wrong) is t.TransferUnknown

    async def test_is_of_that_supplier(self, move: Move) -> None:
        code = await move.offer()
        assert await self.refused(move, code, supplier="rekenrijk") is t.TransferOtherSupplier

    async def test_is_by_a_school_that_knows_the_pupil(self, move: Move) -> None:
        code = await move.offer()
        assert await self.refused(move, code, school=SAML_SCHOOL) is PersonNotKnown
        assert await self.refused(move, code, person=SANNE) is PersonNotKnown
        await hold(move, NOOR, OIDC_SCHOOL)
        assert await self.refused(move, code) is PersonNotKnown

    async def test_is_in_another_sector(self, world: LoginWorld, move: Move) -> None:
        code = await move.offer()
        world.change(OIDC_SCHOOL, sector=Sector.PO)
        assert await self.refused(move, code) is t.SameSector

    async def test_is_not_the_other_way_round(self, world: LoginWorld, move: Move) -> None:
        await world.log_in(BIOSFEER_OIDC, NOOR)
        code = await move.offer(NOOR, school=OIDC_SCHOOL)
        assert await self.refused(move, code, person=SANNE, school=SAML_SCHOOL) is (
            t.TransferReversed
        )

    async def test_is_in_time(self, world: LoginWorld, move: Move) -> None:
        code = await move.offer(days=3)
        world.wait(days=4)
        assert await self.refused(move, code) is t.TransferExpired
        world.wait(days=400)
        assert await self.refused(move, code) is t.TransferExpired

    @pytest.mark.parametrize("school", [SAML_SCHOOL, OIDC_SCHOOL])
    async def test_needs_both_schools_agreements(
        self, world: LoginWorld, move: Move, school: str
    ) -> None:
        code = await move.offer()
        world.put(f"{school}/biosfeer", None)
        assert await self.refused(move, code) is t.TransferNotAgreed

    async def test_is_one_for_each_pupil_and_supplier(self, world: LoginWorld, move: Move) -> None:
        await world.log_in(BIOSFEER_OIDC, DAAN)
        codes = [await move.offer(), await move.offer(DAAN, by="employeeNumber")]
        await move.accept(codes[0])
        assert await self.refused(move, codes[1]) is t.TransferDoubled

    async def test_never_goes_in_a_circle(self, world: LoginWorld, move: Move) -> None:
        await move.accept(await move.offer())
        await world.log_in(BIOSFEER_OIDC, NOOR)
        # The same ECK iD at a school of a later sector: it would be told of itself.
        world.change(OTHER_SCHOOL, sector=Sector.MBO)
        stated = {"eckId": SANNE.attributes["eckId"]}
        await world.log_in(REKENRIJK, SANNE_ELSEWHERE, stated=stated)
        await hold(move, SANNE_ELSEWHERE, OTHER_SCHOOL, confirmed=True)
        code = await move.offer(NOOR, school=OIDC_SCHOOL)
        refusal = await self.refused(move, code, person=SANNE_ELSEWHERE, school=OTHER_SCHOOL)
        assert refusal is t.TransferInCircle

    async def test_ends_when_the_way_back_does_not(
        self, move: Move, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        code = await move.offer()
        monkeypatch.setattr("broker.flow.transfers.transfers.MOST_STEPS_BACK", 0)
        assert await self.refused(move, code) is t.TransferInCircle

    async def test_of_one_who_was_erased_since_is_nothing(self, move: Move) -> None:
        code = await move.offer()
        await erase_person(
            move.presented(SANNE), register=move.world.register, keys=move.world.keys.register
        )
        assert await self.refused(move, code) is t.NothingToTransfer

    async def test_two_at_once_are_one(self, move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
        code = await move.offer()
        first, second = await move.prepare_accept(code), await move.prepare_accept(code)
        with pytest.raises(t.TransferUnknown):  # what the other file holds is not there any more
            await move.confirm(Action.ACCEPT_TRANSFER, first)
        monkeypatch.setattr(move.offers, "change", lambda *_: False)
        with pytest.raises(t.TransferUsed):
            await move.confirm(Action.ACCEPT_TRANSFER, second)
        with pytest.raises(t.TransferUsed):
            await move.prepare_accept(code)

    async def test_the_rules_hold_at_the_confirmation_too(
        self, world: LoginWorld, move: Move
    ) -> None:
        stated = await move.prepare_accept(await move.offer())
        agreement = world.records["kompas/biosfeer"]
        world.put("kompas/biosfeer", None)
        with pytest.raises(t.TransferNotAgreed):
            await move.confirm(Action.ACCEPT_TRANSFER, stated)
        world.put("kompas/biosfeer", agreement)
        await move.confirm(Action.ACCEPT_TRANSFER, stated)

    async def test_nobody_is_told_of_one_who_was_erased_meanwhile(self, move: Move) -> None:
        stated = await move.prepare_accept(await move.offer())
        await erase_person(
            move.presented(NOOR), register=move.world.register, keys=move.world.keys.register
        )
        with pytest.raises(PersonNotKnown):
            await move.confirm(Action.ACCEPT_TRANSFER, stated)

    async def test_a_lost_race_is_run_again(
        self, world: LoginWorld, move: Move, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stated = await move.prepare_accept(await move.offer())
        apply, losses = world.register.apply, [False]

        async def losing(*writes: Any, **more: Any) -> bool:
            return losses.pop() if losses else await apply(*writes, **more)

        monkeypatch.setattr(world.register, "apply", losing)
        await move.confirm(Action.ACCEPT_TRANSFER, stated)
        assert move.previous(await world.log_in(BIOSFEER_OIDC, NOOR))

    async def test_what_could_not_be_written_is_given_back(
        self, world: LoginWorld, move: Move, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stated = await move.prepare_accept(await move.offer())

        async def losing(*_: Any, **__: Any) -> bool:
            return False

        with monkeypatch.context() as patched:
            patched.setattr(world.register, "apply", losing)
            with pytest.raises(RegisterUnavailable):
                await move.confirm(Action.ACCEPT_TRANSFER, stated)
        await move.confirm(Action.ACCEPT_TRANSFER, stated)
        assert move.previous(await world.log_in(BIOSFEER_OIDC, NOOR))

    async def test_one_who_is_erased_amid_it_is_given_back(
        self, world: LoginWorld, move: Move, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stated = await move.prepare_accept(await move.offer())
        change_offer = move.offers.change

        def and_erase(before: Any, after: Any) -> bool:
            world.register.rows.clear()
            return change_offer(before, after)

        monkeypatch.setattr(move.offers, "change", and_erase)
        with pytest.raises(RegisterUnavailable):
            await move.confirm(Action.ACCEPT_TRANSFER, stated)
        assert [each.stage for each in move.offers.rows.values()] == [OfferStage.OFFERED]


class TestRows:
    async def test_one_that_was_changed_opens_nothing(self, move: Move) -> None:
        code = await move.offer()
        (tag,) = move.offers.rows
        move.offers.rows[tag] = change(move.offers.rows[tag], sealed=b"\x01" + bytes(60))
        with pytest.raises(t.TransfersUnavailable):
            await move.prepare_accept(code)

    @pytest.mark.parametrize(
        ("action", "stated"),
        [
            (Action.OFFER_TRANSFER, {}),
            (Action.OFFER_TRANSFER, {"transfer": "no hex"}),
            (Action.ACCEPT_TRANSFER, {"code": "a" * 32}),
        ],
    )
    async def test_a_prepared_action_names_its_transfer(
        self, move: Move, action: Action, stated: Mapping[str, str]
    ) -> None:
        with pytest.raises(PreparedUnreadable):
            await move.confirm(action, stated)


class TestTwoPersons:
    async def test_prepare_and_confirm_and_leave_a_trace(self, move: Move) -> None:
        desk = a_desk(ANNA, BEA)

        async def state() -> Mapping[str, str]:
            return (await move.prepare_offer())[1]

        prepared = await desk.at.prepare_stated(
            Action.OFFER_TRANSFER, school=SAML_SCHOOL, by=ANNA, state=state
        )
        await desk.at.confirm(prepared, by=BEA, register=move.world.register, transfers=move.desk)
        assert desk.told() == ["action-prepared", "action-confirmed", "action-done"]
        assert [each.stage for each in move.offers.rows.values()] == [OfferStage.OFFERED]

    async def test_a_refusal_is_one_event(self, move: Move) -> None:
        desk = a_desk(ANNA, BEA)

        async def state() -> Mapping[str, str]:
            return await move.prepare_accept("a" * 32)

        with pytest.raises(t.TransferUnknown):
            await desk.at.prepare_stated(
                Action.ACCEPT_TRANSFER, school=OIDC_SCHOOL, by=ANNA, state=state
            )
        assert [each.code for each in desk.events.seen] == ["E-SECTOR-1"]

    async def test_where_no_transfers_are_none_is_done(self, move: Move) -> None:
        desk = a_desk(ANNA, BEA)

        async def state() -> Mapping[str, str]:
            return {}

        prepared = await desk.at.prepare_stated(
            Action.OFFER_TRANSFER, school=SAML_SCHOOL, by=ANNA, state=state
        )
        with pytest.raises(ActionUnknown):
            await desk.at.confirm(prepared, by=BEA, register=move.world.register)
