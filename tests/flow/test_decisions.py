"""Deciding: what is shown, prepared, signed and stopped, and what is refused."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from broker.domain.agreements import NoticeMode
from broker.domain.console_roles import HeldRole, PlaceKind, Role
from broker.domain.documents import AgreementDocument, Kind
from broker.domain.ids import BoardId, SchoolId
from broker.flow.console.actors import Actor
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.console.console_refusals import LevelNeeded, NotAllowed
from broker.flow.decisions.decision_refusals import (
    DecisionEditedMeanwhile,
    DecisionUnusable,
    FourEyesNeeded,
    ProcessorAgreementMissing,
)
from broker.flow.decisions.decision_signing import DecisionPorts
from broker.flow.decisions.decision_types import (
    DecidedBy,
    Decider,
    Draft,
    SignedDecision,
    Standing,
    choice_of,
)
from broker.flow.decisions.many_decisions import ActivatedService, Compared
from broker.flow.decisions.signed_documents import digest
from broker.flow.federation.change import check_apply
from tests.builders_saml import NOW as APPLIED
from tests.flow.decision_world import (
    ADMIN,
    BOARD_ADMIN,
    BOTH,
    ECHT,
    ECK,
    ELSEWHERE,
    GIVEN,
    LEESLUST,
    NOW,
    OFFICER,
    REGENBOOG,
    REKENRIJK,
    ROLE,
    SIGNER,
    SN,
    STICHTING,
    TODAY,
    VUURVOGEL,
    DecisionWorld,
    a_decision_world,
    a_draft,
    attributes,
    chosen,
    in_production,
)
from tests.flow.federation_builders import a_compiler, a_supplier, stated

DAY = timedelta(days=1)
ID = {"unverified_school": "vuurvogel"}
BOARD = {"unverified_board": "stichting"}
OF = {"unverified_supplier": "rekenrijk"}


@pytest.fixture
def world(tmp_path: Path) -> DecisionWorld:
    return a_decision_world(tmp_path)


async def decide(
    world: DecisionWorld, draft: Draft | None = None, signer: Actor = BOTH
) -> SignedDecision:
    prepared = await world.desk.prepare(BOARD_ADMIN, draft or a_draft())
    return await world.desk.sign(signer, prepared.number, revision=prepared.revision)


def agreed(world: DecisionWorld, decider: Decider = VUURVOGEL) -> AgreementDocument | None:
    key = decider.key(REKENRIJK)
    found = world.store.read_documents([key]).get(key)
    document = None if found is None else found.stated.document
    return document if isinstance(document, AgreementDocument) else None


class TestSigning:
    async def test_what_is_prepared_and_signed_is_in_force_and_kept(
        self, world: DecisionWorld
    ) -> None:
        draft = a_draft(
            choice=chosen(GIVEN, ROLE, staff=[ROLE], groups=[(["3A"], [ROLE])]),
            notice=NoticeMode.INFORM,
            until=date(2027, 7, 31),
        )
        before = world.registry.version
        prepared = await world.desk.prepare(ADMIN, draft)
        assert world.registry.version == before
        signed = await world.desk.sign(SIGNER, prepared.number, revision=prepared.revision)
        agreement = agreed(world)
        assert agreement is not None
        assert choice_of(agreement) == draft.choice
        assert (agreement.version, agreement.sheet, agreement.notice) == (1, 2, "inform")
        assert world.registry.version == before + 1
        kept = msgspec.json.decode(signed.document)
        assert kept["agreement"] == msgspec.json.decode(msgspec.json.encode(agreement))
        assert kept["signed"]["by"] == SIGNER.id
        assert kept["prepared"]["by"] == ADMIN.id
        assert signed.document_hash == digest(signed.document)
        (entry, *_) = (each.entry for each in world.audit.look().entries)
        assert (entry.action, entry.document_hash) == ("decision-signed", signed.document_hash)
        assert (entry.school, entry.supplier, entry.role) == ("vuurvogel", "rekenrijk", "signer")
        assert world.desk.signed(OFFICER, **ID, **OF) == (signed,)
        assert world.desk.waiting(ADMIN, **ID) == ()
        assert world.log.seen[-1].action == "console-decision-signed"

    async def test_twice_does_nothing_twice(self, world: DecisionWorld) -> None:
        prepared = await world.desk.prepare(BOARD_ADMIN, a_draft())
        first = await world.desk.sign(SIGNER, prepared.number, revision=1)
        version = world.registry.version
        assert await world.desk.sign(SIGNER, prepared.number, revision=1) == first
        assert world.registry.version == version
        with pytest.raises(NotAllowed):
            await world.desk.sign(ELSEWHERE, prepared.number, revision=1)
        with pytest.raises(NotAllowed):
            await world.desk.sign(SIGNER, 99, revision=1)

    async def test_needs_a_sure_login_of_a_signer(self, world: DecisionWorld) -> None:
        prepared = await world.desk.prepare(BOARD_ADMIN, a_draft())
        for actor, refusal in (
            (replace(SIGNER, may_sign_until=None), LevelNeeded),
            (ADMIN, NotAllowed),
            (ELSEWHERE, NotAllowed),
        ):
            with pytest.raises(refusal):
                await world.desk.sign(actor, prepared.number, revision=1)
        assert await world.desk.sign(SIGNER, prepared.number, revision=1)

    async def test_what_a_school_drafts_stands_in_no_log_of_the_supplier(
        self, world: DecisionWorld
    ) -> None:
        await world.desk.prepare(BOARD_ADMIN, a_draft())
        await world.desk.prepare(BOARD_ADMIN, a_draft(STICHTING))
        look = world.audit.look
        assert look(supplier=REKENRIJK).found == 0
        assert (
            look(schools=[SchoolId("vuurvogel")]).found
            == look(board=BoardId("stichting")).found
            == 1
        )
        own = ConsoleEntry(at=NOW, actor="x", role=None, action="sheet", supplier=REKENRIJK)
        await world.audit.record(own)
        assert look(supplier=REKENRIJK).found == 1

    async def test_four_eyes_where_the_school_wants_them(self, world: DecisionWorld) -> None:
        for wants in (True, False):
            await world.change(Kind.SCHOOL, "vuurvogel", four_eyes=wants)
            of = world.desk.look(BOTH, **ID, **OF)
            assert of.four_eyes is wants
        await world.change(Kind.SCHOOL, "vuurvogel", four_eyes=True)
        prepared = await world.desk.prepare(BOTH, a_draft())
        with pytest.raises(FourEyesNeeded):
            await world.desk.sign(BOTH, prepared.number, revision=1)
        twin = replace(SIGNER, also=frozenset({BOTH.id}))
        with pytest.raises(FourEyesNeeded):
            await world.desk.sign(twin, prepared.number, revision=1)
        assert await world.desk.sign(SIGNER, prepared.number, revision=1)

    async def test_in_production_after_the_processor_agreement(self, world: DecisionWorld) -> None:
        actor = in_production(BOTH)
        prepared = await world.desk.prepare(actor, self.real_draft())
        with pytest.raises(ProcessorAgreementMissing) as caught:
            await world.desk.sign(actor, prepared.number, revision=1)
        assert caught.value.subject == "De Vuurvogel"
        await world.change(Kind.SCHOOL, "echt", processor_agreement=TODAY)
        assert await world.desk.sign(actor, prepared.number, revision=1)

    @staticmethod
    def real_draft() -> Draft:
        return a_draft(ECHT, supplier="echt", choice=chosen(GIVEN), sheet=0)

    async def test_versions_only_go_up(self, world: DecisionWorld) -> None:
        assert (await decide(world)).version == 1
        assert (await decide(world, a_draft(based_on=1, choice=chosen(ROLE)))).version == 2
        gone = [
            each.stated
            for each in world.store.read_documents(
                [(Kind.SCHOOL, "vuurvogel"), (Kind.SUPPLIER, "rekenrijk")]
            ).values()
        ]
        change = check_apply(world.store, gone, prune=True, compiler=a_compiler())
        world.store.write(change, by="tester", at=APPLIED)
        assert agreed(world) is None
        assert (await decide(world)).version == 3


class TestMeanwhile:
    """What somebody else did is shown, never overwritten."""

    async def test_another_agreement(self, world: DecisionWorld) -> None:
        prepared = await world.desk.prepare(BOARD_ADMIN, a_draft())
        await world.desk.sign(SIGNER, prepared.number, revision=1)
        with pytest.raises(DecisionEditedMeanwhile) as caught:
            await world.desk.prepare(BOARD_ADMIN, a_draft(choice=chosen(ROLE)))
        assert caught.value.agreement == agreed(world)
        waiting = await world.desk.prepare(BOARD_ADMIN, a_draft(based_on=1, choice=chosen(ROLE)))
        await world.desk.stop(ADMIN, **ID, **OF, based_on=1)
        with pytest.raises(DecisionEditedMeanwhile):
            await world.desk.sign(SIGNER, waiting.number, revision=1)

    async def test_another_sheet(self, world: DecisionWorld) -> None:
        prepared = await world.desk.prepare(BOARD_ADMIN, a_draft())
        supplier = stated(Kind.SUPPLIER, a_supplier(sheet={"version": 3})).document
        await world.change(Kind.SUPPLIER, "rekenrijk", sheet=supplier.sheet)  # type: ignore[union-attr]
        with pytest.raises(DecisionEditedMeanwhile) as caught:
            await world.desk.sign(SIGNER, prepared.number, revision=1)
        assert caught.value.sheet is not None

    async def test_another_draft(self, world: DecisionWorld) -> None:
        mine = await world.desk.prepare(ADMIN, a_draft())
        assert await world.desk.prepare(BOARD_ADMIN, a_draft()) == mine  # the same once more
        with pytest.raises(DecisionEditedMeanwhile) as caught:
            await world.desk.prepare(BOARD_ADMIN, a_draft(choice=chosen(ROLE)))
        assert caught.value.draft == mine
        other = await world.desk.prepare(BOARD_ADMIN, a_draft(choice=chosen(ROLE)), replaces=1)
        assert (other.number, other.revision) == (mine.number, 2)
        with pytest.raises(DecisionEditedMeanwhile):
            await world.desk.sign(SIGNER, mine.number, revision=1)
        with pytest.raises(DecisionEditedMeanwhile):
            await world.desk.discard(ADMIN, mine.number, revision=1)
        await world.desk.discard(ADMIN, mine.number, revision=2)
        await world.desk.discard(ADMIN, mine.number, revision=2)
        with pytest.raises(DecisionEditedMeanwhile):
            await world.desk.prepare(ADMIN, a_draft(), replaces=2)
        assert world.actions() == [
            "decision-draft-discarded",
            "decision-prepared",
            "decision-prepared",
        ]


class TestUnusable:
    @pytest.mark.parametrize(
        "changes",
        [
            {"choice": chosen(ECK)},
            {"choice": chosen(GIVEN, groups=[((), ())])},
            {"choice": chosen(GIVEN, staff=[ECK])},
            {"choice": chosen(GIVEN, groups=[(("3A",), [ECK])])},
            {"until": TODAY - DAY},
            {"from_day": TODAY + DAY, "until": TODAY},
            {"supplier": LEESLUST, "choice": chosen(ECK), "sheet": 0},
        ],
    )
    async def test_is_said_before_it_waits(
        self, world: DecisionWorld, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(DecisionUnusable) as caught:
            await world.desk.prepare(BOARD_ADMIN, a_draft(**changes))
        assert caught.value.problems
        assert all(each.remedy for each in caught.value.problems)
        assert world.desk.waiting(ADMIN, **ID) == ()

    async def test_the_eck_id_with_an_end_can_be_decided(self, world: DecisionWorld) -> None:
        until = date(2027, 7, 31)
        draft = a_draft(supplier=LEESLUST, choice=chosen(ECK, staff=[]), sheet=0, until=until)
        await decide(world, draft)
        line = next(each for each in world.desk.catalogue(ADMIN, **ID) if each.supplier == LEESLUST)
        assert line.is_linkable

    async def test_a_later_beginning_would_shut_everybody_out(self, world: DecisionWorld) -> None:
        await decide(world, a_draft(from_day=TODAY + 3 * DAY))
        await decide(world, a_draft(based_on=1, from_day=TODAY))
        with pytest.raises(DecisionUnusable):
            await world.desk.prepare(BOARD_ADMIN, a_draft(based_on=2, from_day=TODAY + DAY))

    async def test_a_board_has_no_exception_from_itself(self, world: DecisionWorld) -> None:
        with pytest.raises(DecisionUnusable):
            await world.desk.prepare(BOARD_ADMIN, a_draft(STICHTING, not_here=True))


class TestNotTheirs:
    @pytest.mark.parametrize(
        "named",
        [
            {"unverified_school": "elders"},
            {"unverified_school": "nowhere"},
            {"unverified_board": "other"},
            {"unverified_board": "nobody"},
            {},
            {"unverified_school": "vuurvogel", "unverified_board": "stichting"},
        ],
    )
    async def test_another_school_or_board_is_not_there(
        self, world: DecisionWorld, named: dict[str, str]
    ) -> None:
        for look in (world.desk.catalogue, world.desk.waiting):
            with pytest.raises(NotAllowed):
                look(BOTH, **named)  # type: ignore[operator]
        with pytest.raises(NotAllowed):
            world.desk.look(BOTH, **named, **OF)
        with pytest.raises(NotAllowed):
            world.desk.signed(BOTH, **named, **OF)
        with pytest.raises(NotAllowed):
            await world.desk.stop(BOTH, **named, **OF, based_on=0)

    async def test_nor_a_supplier_of_another_state(self, world: DecisionWorld) -> None:
        for supplier in ("echt", "nobody"):
            with pytest.raises(NotAllowed):
                world.desk.look(BOTH, **ID, unverified_supplier=supplier)
            with pytest.raises(NotAllowed):
                await world.desk.prepare(BOTH, a_draft(supplier=supplier))

    async def test_who_may_not_prepare_does_not(self, world: DecisionWorld) -> None:
        for actor in (OFFICER, SIGNER, ELSEWHERE):
            with pytest.raises(NotAllowed):
                await world.desk.prepare(actor, a_draft())
        with pytest.raises(NotAllowed):
            await world.desk.prepare(ADMIN, a_draft(REGENBOOG))
        prepared = await world.desk.prepare(ADMIN, a_draft())
        assert world.desk.find_prepared(OFFICER, prepared.number) == prepared
        for actor, number in ((ELSEWHERE, prepared.number), (ADMIN, 99)):
            with pytest.raises(NotAllowed):
                world.desk.find_prepared(actor, number)
        with pytest.raises(NotAllowed):
            await world.desk.discard(ELSEWHERE, prepared.number, revision=1)

    async def test_the_federation_sees_no_board_that_is_not_there(
        self, world: DecisionWorld
    ) -> None:
        operator = replace(ADMIN, held=(HeldRole(Role.OPERATOR, PlaceKind.FEDERATION),))
        assert world.desk.catalogue(operator, unverified_board="stichting")
        with pytest.raises(NotAllowed):
            world.desk.catalogue(operator, unverified_board="nobody")


class TestStopping:
    async def test_at_once_by_the_school_and_on_by_a_new_version(
        self, world: DecisionWorld
    ) -> None:
        await decide(world)
        with pytest.raises(DecisionEditedMeanwhile):
            await world.desk.stop(ADMIN, **ID, **OF, based_on=0)
        assert await world.desk.stop(ADMIN, **ID, **OF, based_on=1) == 2
        stopped = agreed(world)
        assert stopped is not None
        assert stopped.stopped is not None
        assert (stopped.stopped.by, stopped.stopped.on) == ("school", TODAY)
        assert stopped.approved == (GIVEN, ROLE)
        assert await world.desk.stop(ADMIN, **ID, **OF, based_on=1) == 2  # pressed twice
        assert world.desk.look(ADMIN, **ID, **OF).standing is Standing.STOPPED
        assert world.actions()[0] == "decision-stopped"
        assert (await decide(world, a_draft(based_on=2))).version == 3
        assert world.desk.look(ADMIN, **ID, **OF).standing is Standing.IN_FORCE

    async def test_a_board_stops_for_all_and_a_school_for_itself(
        self, world: DecisionWorld
    ) -> None:
        await decide(world, a_draft(STICHTING))
        assert await world.desk.stop(ADMIN, **ID, **OF, based_on=0) == 1
        here = agreed(world)
        assert here is not None
        assert (here.approved, here.stopped.by) == ((), "school")  # type: ignore[union-attr]
        there = world.desk.look(BOTH, unverified_school="regenboog", **OF)
        assert (there.standing, there.decided_by) == (Standing.IN_FORCE, DecidedBy.BOARD)
        assert await world.desk.stop(BOARD_ADMIN, **BOARD, **OF, based_on=1) == 2
        board = agreed(world, STICHTING)
        assert board is not None
        assert board.stopped is not None
        assert board.stopped.by == "board"

    async def test_where_nothing_is_nothing_can_be_stopped(self, world: DecisionWorld) -> None:
        with pytest.raises(NotAllowed):
            await world.desk.stop(ADMIN, **ID, **OF, based_on=0)

    async def test_what_breaks_a_rule_by_now_is_said(
        self, world: DecisionWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A board of which no school is left has nothing that could be put in force."""
        await decide(world, a_draft(STICHTING))
        waiting = await world.desk.prepare(BOARD_ADMIN, a_draft(STICHTING, based_on=1, until=TODAY))
        monkeypatch.setattr(DecisionPorts, "schools_of_board", lambda self, board: ())
        with pytest.raises(DecisionUnusable):
            await world.desk.stop(BOARD_ADMIN, **BOARD, **OF, based_on=1)
        with pytest.raises(DecisionUnusable):
            await world.desk.sign(SIGNER, waiting.number, revision=1)


class TestLooking:
    async def test_the_catalogue_says_how_a_school_stands(self, world: DecisionWorld) -> None:
        def line() -> Any:
            found = world.desk.catalogue(ADMIN, **ID)
            assert [each.name for each in found] == ["LeesLust B.V.", "RekenRijk"]
            return found[1]

        none = line()
        assert (none.standing, none.decided_by, none.category) == ("none", "nobody", "practice")
        prepared = await world.desk.prepare(BOARD_ADMIN, a_draft(until=TODAY + 60 * DAY))
        assert line().draft == prepared.number
        await world.desk.sign(SIGNER, prepared.number, revision=1)
        signed = line()
        assert (signed.standing, signed.decided_by, signed.draft) == ("in-force", "itself", None)
        assert (signed.version, signed.last_day) == (1, TODAY + 60 * DAY)
        assert (signed.ends_soon, signed.is_linkable, signed.waiting) == (True, False, ())
        assert world.desk.expiring(ADMIN)[0].last_day == TODAY + 60 * DAY
        assert world.desk.expiring(ADMIN, days=59) == ()
        assert world.desk.expiring(ELSEWHERE) == ()
        world.now += 61 * DAY
        assert line().standing == "ended"
        later = a_draft(based_on=1, choice=chosen(SN, ROLE), from_day=TODAY + 99 * DAY)
        await decide(world, later, replace(BOTH, may_sign_until=world.now))
        assert line().standing == "later"
        world.now += 40 * DAY
        assert line().is_linkable

    async def test_a_new_sheet_leaves_the_old_set_and_the_new_waits(
        self, world: DecisionWorld
    ) -> None:
        await decide(world)
        document: Any = stated(
            Kind.SUPPLIER,
            a_supplier(
                attribute=[
                    *attributes(GIVEN, ROLE),
                    {"name": SN, "purpose": "x", "required": True, "required_since": 3},
                ],
                sheet={"version": 3},
            ),
        ).document
        await world.change(
            Kind.SUPPLIER, "rekenrijk", sheet=document.sheet, attribute=document.attribute
        )
        view = world.desk.look(ADMIN, **ID, **OF)
        assert (view.waiting, view.signed_on, view.standing) == ((SN,), 2, Standing.IN_FORCE)

    async def test_a_view_says_what_this_person_may(self, world: DecisionWorld) -> None:
        may = {
            actor.id: (of.may_prepare, of.may_sign, of.may_stop)
            for actor in (ADMIN, SIGNER, OFFICER, BOTH)
            for of in [world.desk.look(actor, **ID, **OF)]
        }
        assert may == {
            "admin": (True, False, True),
            "signer": (False, True, True),
            "officer": (False, False, False),
            "both": (True, True, True),
        }

    async def test_a_board_sees_its_exceptions(self, world: DecisionWorld) -> None:
        await decide(world, a_draft(STICHTING))
        await decide(world, a_draft(not_here=True, choice=chosen()))
        view = world.desk.look(BOTH, **BOARD, **OF)
        assert view.exceptions == {SchoolId("vuurvogel"): Standing.STOPPED}
        assert (view.decided_by, view.version) == (DecidedBy.ITSELF, 1)
        assert view.own == view.counting == agreed(world, STICHTING)
        school = world.desk.look(BOTH, **ID, **OF)
        assert (school.decided_by, school.exceptions) == (DecidedBy.ITSELF, {})


class TestMany:
    drafts = (a_draft(), a_draft(REGENBOOG), a_draft(STICHTING, choice=chosen(ROLE)))

    async def test_one_signature_for_all(self, world: DecisionWorld) -> None:
        batch = await world.desk.prepare_many(BOARD_ADMIN, self.drafts)
        assert batch.problems == ()
        assert world.desk.batch(OFFICER, "").prepared == ()
        assert world.desk.batch(BOTH, batch.batch).prepared == batch.prepared
        revisions = {each.number: each.revision for each in batch.prepared}
        before = world.registry.version
        with pytest.raises(DecisionEditedMeanwhile):
            await world.desk.sign_many(SIGNER, batch.batch, revisions={1: 1})
        signed = await world.desk.sign_many(SIGNER, batch.batch, revisions=revisions)
        assert len(signed) == 3
        assert world.registry.version == before + 1
        assert await world.desk.sign_many(SIGNER, batch.batch, revisions=revisions) == signed
        assert world.desk.batch(BOTH, batch.batch).prepared == ()
        assert await world.desk.sign_many(SIGNER, "none", revisions={}) == ()

    async def test_all_or_none(self, world: DecisionWorld) -> None:
        wrong = a_draft(REGENBOOG, choice=chosen(ECK))
        found = await world.desk.prepare_many(BOARD_ADMIN, [a_draft(), wrong])
        assert [(each.draft, each.refused_by) for each in found.problems] == [(wrong, "E-DECIDE-2")]
        late = a_draft(REGENBOOG, until=TODAY, from_day=TODAY + DAY)
        found = await world.desk.prepare_many(BOARD_ADMIN, [a_draft(), late])
        assert [each.draft for each in found.problems] == [late]
        assert (found.prepared, world.desk.waiting(BOTH, **ID)) == ((), ())
        assert await world.desk.prepare_many(BOARD_ADMIN, []) == found.__class__(
            batch="", prepared=()
        )
        with pytest.raises(NotAllowed):
            await world.desk.prepare_many(ADMIN, self.drafts)
        with pytest.raises(DecisionUnusable):
            await world.desk.prepare_many(BOARD_ADMIN, [a_draft(), a_draft(choice=chosen())])

    async def test_own_drafts_give_way_and_another_s_are_shown(self, world: DecisionWorld) -> None:
        await world.desk.prepare(BOARD_ADMIN, a_draft(choice=chosen(ROLE)))
        batch = await world.desk.prepare_many(BOARD_ADMIN, [a_draft()])
        assert batch.prepared[0].revision == 2
        found = await world.desk.prepare_many(ADMIN, [a_draft(choice=chosen())])
        assert [each.refused_by for each in found.problems] == ["E-DECIDE-1"]
        with pytest.raises(DecisionEditedMeanwhile):
            await world.desk.sign_many(SIGNER, batch.batch, revisions={batch.prepared[0].number: 1})


class TestCompare:
    async def test_what_is_shared_today_beside_what_would_be_decided(
        self, world: DecisionWorld
    ) -> None:
        async def compare(*pupils: Any, groups: Any = ()) -> Any:
            shared = chosen(*pupils, groups=groups)
            line = ActivatedService(school=SchoolId("vuurvogel"), supplier=REKENRIJK, shared=shared)
            (found,) = await world.desk.compare(BOTH, [line], from_day=TODAY, until=None)
            return found

        same = await compare(GIVEN, ROLE, groups=[(("3A",), [ROLE])])
        assert (same.compared, same.changes) == (Compared.SAME, ())
        assert (await compare(GIVEN, ROLE, ECK)).compared is Compared.LESS
        assert (await compare(GIVEN)).compared is Compared.MORE  # the role is required
        assert (await compare(ECK)).compared is Compared.OTHER
        assert same.differs_from_agreement
        await decide(world, same.draft)
        again = await compare(GIVEN, ROLE, groups=[(("3A",), [ROLE])])
        assert (again.differs_from_agreement, again.draft.based_on) == ((), 1)
        with pytest.raises(NotAllowed):
            await world.desk.compare(ELSEWHERE, [same.activated], from_day=TODAY, until=None)
