"""Signing for a take-over by two persons, moving it by one, and what is refused on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from broker.domain.attributes import ECK_ID, UID
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.refusals import Refusal
from broker.domain.registry import Registry
from broker.domain.takeover import Takeover, TakeoverState
from broker.domain.takeover_refusals import (
    EckIdNotApproved,
    NotEntitled,
    NotNextState,
    NotSignedFor,
    TakeoverEnded,
    TakeoverMoved,
    TermsUnusable,
)
from broker.flow.operators.operator_refusals import (
    ActionUnknown,
    PreparedUnreadable,
    WrongOperatorKey,
)
from broker.flow.takeover.takeovers import (
    TakeoverBounds,
    TakeoverDesk,
    TakeoverSigning,
    check_may_release,
    read_terms,
    write_terms,
)
from tests.builders import a_declaration, a_takeover
from tests.flow.login_parties import every_party, registry_of
from tests.flow.memory_register import MemoryRegister
from tests.flow.operators import ANNA, BEA, NOW, Desk, a_desk, a_signer
from tests.flow.takeover_fakes import MemoryTakeovers

VUURVOGEL, REKENRIJK = SchoolId("vuurvogel"), SupplierId("rekenrijk")
TODAY = NOW.date()
LAST_DAY = TODAY + timedelta(days=90)
BOUNDS = TakeoverBounds(longest_days=400, asked_per_school=5000)
TERMS = a_takeover(TakeoverState.NONE, last_day=LAST_DAY, quota=500, signed_by="")


def entitled_parties(**agreed: Any) -> dict[str, Any]:
    """The parties of the journeys; RekenRijk may have the ECK iDs of De Vuurvogel's pupils."""
    records = every_party()
    declared = tuple(a_declaration(name=name) for name in (ECK_ID, UID))
    records["rekenrijk"] = replace(
        records["rekenrijk"],
        eck_id_entitled=True,
        attributes=(*records["rekenrijk"].attributes, *declared),
    )
    agreement = records["vuurvogel/rekenrijk"]
    terms = {"approved": agreement.approved | {ECK_ID, UID}, "last_day": TODAY + timedelta(365)}
    records["vuurvogel/rekenrijk"] = replace(agreement, **{**terms, **agreed})
    return records


@dataclass
class World:
    """A registry that follows the store, and the two desks."""

    records: dict[str, Any] = field(default_factory=entitled_parties)
    store: MemoryTakeovers = field(default_factory=MemoryTakeovers)
    desk: Desk = field(default_factory=lambda: a_desk(ANNA, BEA))

    @property
    def registry(self) -> Registry:
        signed: Mapping[str, Takeover] = {
            f"takeover {each.school} {each.supplier}": each for each in self.store.signed.values()
        }
        return registry_of({**self.records, **signed})

    @property
    def signing(self) -> TakeoverSigning:
        return TakeoverSigning(registry=self.registry, store=self.store, bounds=BOUNDS)

    @property
    def mover(self) -> TakeoverDesk:
        return TakeoverDesk(
            registry=self.registry,
            store=self.store,
            audit=self.desk.events,
            clock=lambda: self.desk.now,
            random=self.desk.draw,
            by="root",
        )

    async def sign(self, **changes: Any) -> None:
        prepared = self.desk.at.prepare_takeover(
            replace(TERMS, **changes), by=ANNA, signing=self.signing
        )
        await self.desk.at.confirm(
            prepared, by=BEA, register=MemoryRegister(), signing=self.signing
        )

    def move(self, *states: str) -> None:
        for state in states:
            self.mover.set_state(VUURVOGEL, REKENRIJK, TakeoverState(state))

    @property
    def state(self) -> TakeoverState:
        return self.store.signed[VUURVOGEL, REKENRIJK].state_on(self.desk.now.date())

    def refused(self) -> str:
        last = self.desk.events.seen[-1]
        assert last.action == "refused"
        return last.check


class TestSigning:
    async def test_two_persons_put_it_in_force(self) -> None:
        world = World()
        await world.sign()
        signed = world.store.signed[VUURVOGEL, REKENRIJK]
        assert signed == replace(TERMS, signed_by="anna and bea")
        assert world.state is TakeoverState.NONE
        assert world.desk.told() == ["action-prepared", "action-confirmed", "action-done"]
        assert world.desk.events.seen[0].school == VUURVOGEL

    async def test_other_terms_are_signed_likewise_and_leave_the_state(self) -> None:
        world = World()
        await world.sign()
        world.move("prepare")
        await world.sign(quota=900, last_day=TODAY + timedelta(days=120))
        assert world.state is TakeoverState.PREPARE
        assert world.store.signed[VUURVOGEL, REKENRIJK].quota == 900

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"school": SchoolId("nobody")}, NotSignedFor),
            ({"supplier": SupplierId("nobody")}, NotSignedFor),
            ({"supplier": SupplierId("taaltuin")}, NotEntitled),
            ({"last_day": TODAY - timedelta(days=1)}, TermsUnusable),
            ({"last_day": TODAY + timedelta(days=401)}, TermsUnusable),
            ({"quota": 0}, TermsUnusable),
            ({"quota": 5001}, TermsUnusable),
        ],
    )
    async def test_terms_that_nobody_can_sign_for(
        self, changes: dict[str, Any], refusal: type[Refusal]
    ) -> None:
        world = World()
        with pytest.raises(refusal):
            await world.sign(**changes)
        assert world.store.signed == {}
        assert world.desk.told() == ["refused"]

    async def test_what_is_signed_for_with_one_supplier_is_not_anothers(self) -> None:
        """Together no more than may be asked about the school: so nobody uses up what is theirs."""
        world = World()
        theirs = replace(TERMS, supplier=SupplierId("taaltuin"), quota=4000)
        elsewhere = replace(theirs, school=SchoolId("regenboog"))
        for each in (theirs, elsewhere):
            world.store.signed[each.school, each.supplier] = each
        with pytest.raises(TermsUnusable) as refused:
            await world.sign(quota=1001)
        assert refused.value.check == "check_quotas_of_school"
        await world.sign(quota=1000)
        await world.sign(quota=999)  # other terms of the same one
        # Once that one is closed, what it asked counts, and no more.
        ended = replace(theirs, last_day=TODAY - timedelta(days=1))
        world.store.signed[VUURVOGEL, theirs.supplier] = ended
        world.store.asked[VUURVOGEL, theirs.supplier] = 10
        with pytest.raises(TermsUnusable):
            await world.sign(quota=4991)
        await world.sign(quota=4990)

    @pytest.mark.parametrize("days", [0, 400])
    async def test_the_first_and_the_last_day_that_can_be(self, days: int) -> None:
        world = World()
        await world.sign(last_day=TODAY + timedelta(days=days), quota=5000)
        assert world.state is TakeoverState.NONE

    async def test_who_is_no_operator_prepares_nothing(self) -> None:
        world = World()
        with pytest.raises(WrongOperatorKey):
            world.desk.at.prepare_takeover(TERMS, by=a_signer("anna", 9), signing=world.signing)

    async def test_what_changed_between_the_two_is_seen(self) -> None:
        world = World()
        prepared = world.desk.at.prepare_takeover(TERMS, by=ANNA, signing=world.signing)
        world.records["rekenrijk"] = replace(world.records["rekenrijk"], eck_id_entitled=False)
        with pytest.raises(NotEntitled):
            await world.desk.at.confirm(
                prepared, by=BEA, register=MemoryRegister(), signing=world.signing
            )
        assert world.store.signed == {}

    async def test_a_desk_without_take_overs_signs_none(self) -> None:
        world = World()
        prepared = world.desk.at.prepare_takeover(TERMS, by=ANNA, signing=world.signing)
        with pytest.raises(ActionUnknown):
            await world.desk.at.confirm(prepared, by=BEA, register=MemoryRegister())

    def test_terms_are_read_as_they_were_written(self) -> None:
        assert read_terms(write_terms(TERMS), signed_by="") == TERMS

    @pytest.mark.parametrize(
        "changes", [{"last_day": "soon"}, {"quota": "many"}, {"document": "xyz"}, {"school": None}]
    )
    def test_terms_that_are_none(self, changes: dict[str, str | None]) -> None:
        stated = {**write_terms(TERMS), **changes}
        with pytest.raises(PreparedUnreadable):
            read_terms({name: each for name, each in stated.items() if each}, signed_by="")


class TestMoving:
    async def test_there_and_back_and_there_again(self) -> None:
        world = World()
        await world.sign()
        world.desk.events.seen.clear()
        world.move("prepare", "pilot", "prepare", "on", "back", "on", "back", "pilot", "on")
        assert world.state is TakeoverState.ON
        events = [(each.action, each.names) for each in world.desk.events.seen]
        assert events[0] == ("takeover-set", ("none", "prepare"))
        assert len(events) == 9

    async def test_a_step_that_leads_nowhere_is_one_event_and_no_change(self) -> None:
        world = World()
        await world.sign()
        world.desk.events.seen.clear()
        with pytest.raises(NotNextState):
            world.move("on")
        assert (world.desk.told(), world.refused()) == (["refused"], "check_next_state")
        assert world.state is TakeoverState.NONE

    @pytest.mark.parametrize("parties", [("nobody", "rekenrijk"), ("vuurvogel", "taaltuin")])
    async def test_what_nobody_signed_does_not_move(self, parties: tuple[str, str]) -> None:
        world = World()
        await world.sign()
        with pytest.raises(NotSignedFor):
            world.mover.set_state(
                SchoolId(parties[0]), SupplierId(parties[1]), TakeoverState.PREPARE
            )
        event = world.desk.events.seen[-1]
        assert (event.school is None) == (parties[0] == "nobody")

    async def test_a_school_that_is_gone_has_no_take_over(self) -> None:
        world = World()
        await world.sign()
        world.records["vuurvogel"] = None
        with pytest.raises(NotSignedFor):
            world.move("prepare")

    async def test_after_the_last_day_it_is_closed_for_good(self) -> None:
        world = World()
        await world.sign()
        world.move("prepare")
        world.desk.now += timedelta(days=91)
        assert world.state is TakeoverState.CLOSED
        with pytest.raises(TakeoverEnded):
            world.move("on")
        with pytest.raises(TakeoverEnded):
            await world.sign(last_day=TODAY + timedelta(days=200))
        assert world.refused() == "check_takeover_not_ended"

    async def test_of_two_who_move_it_the_second_is_refused(self) -> None:
        world = World()
        await world.sign()
        late = world.mover
        world.move("prepare")
        with pytest.raises(TakeoverMoved):
            late.set_state(VUURVOGEL, REKENRIJK, TakeoverState.PREPARE)
        assert world.refused() == "check_takeover_unchanged"

    @pytest.mark.parametrize(
        "agreed",
        [
            {"approved": frozenset()},
            {"last_day": None},
            {"first_day": TODAY + timedelta(days=1)},
            {"last_day": TODAY - timedelta(days=1)},
        ],
    )
    async def test_nothing_is_prepared_where_no_eck_id_may_go_out(
        self, agreed: dict[str, Any]
    ) -> None:
        world = World(records=entitled_parties(**agreed))
        await world.sign()
        with pytest.raises(EckIdNotApproved):
            world.move("prepare")
        assert world.state is TakeoverState.NONE

    async def test_nothing_is_prepared_without_agreement_or_entitlement(self) -> None:
        world = World()
        await world.sign()
        world.records["vuurvogel/rekenrijk"] = None
        with pytest.raises(EckIdNotApproved):
            world.move("prepare")
        world.records = entitled_parties()
        world.records["rekenrijk"] = replace(world.records["rekenrijk"], eck_id_entitled=False)
        with pytest.raises(NotEntitled):
            check_may_release(world.registry, world.store.signed[VUURVOGEL, REKENRIJK], today=TODAY)

    async def test_on_needs_no_approval_any_more(self) -> None:
        world = World()
        await world.sign()
        world.move("prepare")
        world.records["vuurvogel/rekenrijk"] = replace(
            world.records["vuurvogel/rekenrijk"], approved=frozenset()
        )
        world.move("on")
        with pytest.raises(EckIdNotApproved):
            world.move("back")


class TestDeletion:
    async def test_a_supplier_says_that_it_holds_none(self) -> None:
        world = World()
        await world.sign()
        world.move("prepare", "on")
        world.mover.confirm_deleted(VUURVOGEL, REKENRIJK, document=bytes(32))
        assert world.store.deleted == {(VUURVOGEL, REKENRIJK): TODAY}
        assert world.desk.told()[-1] == "takeover-deletion-confirmed"
        world.move("back")
        assert world.store.deleted == {}

    async def test_not_while_they_still_go_out(self) -> None:
        world = World()
        await world.sign()
        world.move("prepare")
        with pytest.raises(NotNextState):
            world.mover.confirm_deleted(VUURVOGEL, REKENRIJK, document=bytes(32))
        assert world.refused() == "check_gets_no_old_keys"
