"""Somebody looks at what was shared: of whom, through which school, and nothing is made by it."""

from dataclasses import replace as with_fields
from datetime import UTC, date, datetime

import pytest

from broker.domain.attributes import Population
from broker.domain.documents import AgreementDocument
from broker.domain.federation import Relation, RelationKind
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.held_state.handles import Handle
from broker.flow.me.me_refusals import DecisionNotFound, MeClosed, ReceiptsNotShown
from broker.flow.me.own_receipts import weeks_of_year
from broker.flow.receipts.receipts import ReceiptsUnavailable
from broker.flow.refusals import StoreUnavailable
from tests.flow.login_parties import BIOSFEER_OIDC, REKENRIJK, TAALTUIN
from tests.flow.login_world import DAAN, ELS, SANNE, SANNE_ELSEWHERE, LoginWorld
from tests.flow.me_desk import MeDesk


@pytest.fixture
def desk() -> MeDesk:
    return MeDesk()


def suppliers(year: object) -> list[str]:
    return [each.supplier for each in year.shares]  # type: ignore[attr-defined]


async def test_pupil_sees_each_supplier_with_names_days_and_the_pseudonym_that_it_got(
    desk: MeDesk,
) -> None:
    got = await desk.world.log_in(REKENRIJK)
    desk.wait_days(1)
    at_biosfeer = await desk.world.log_in(BIOSFEER_OIDC)
    await desk.world.log_in(REKENRIJK)
    year = await desk.look()
    assert sorted(suppliers(year)) == ["biosfeer", "rekenrijk"]
    share = next(each for each in year.shares if each.supplier == "rekenrijk")
    assert share.pseudonyms == (got.subject,)
    assert share.pseudonyms != (at_biosfeer.subject,)
    assert share.names == ("eduPersonAffiliation", "givenName")
    assert "sn" in share.kept
    assert share.count == 2
    assert [each.day for each in share.days] == [date(2026, 3, 3), date(2026, 3, 2)]
    assert share.decision.version == 1
    assert share.last == share.days[0].times[-1]
    assert not share.changes
    assert not share.without_name


async def test_looking_makes_no_row_and_no_receipt(desk: MeDesk) -> None:
    year = await desk.look(DAAN)
    assert (year.years, year.shares, year.unreadable) == ((), (), 0)
    assert await desk.visits.gather(year.visit) == ()
    await desk.world.log_in(REKENRIJK)
    rows, receipts = dict(desk.world.register.rows), list(desk.world.receipts.kept)
    written = desk.world.register.written
    await desk.look()
    await desk.look(DAAN)
    await desk.look(ELS)
    assert desk.world.register.rows == rows
    assert desk.world.register.written == written
    assert desk.world.receipts.kept == receipts


async def test_nobody_sees_what_was_shared_of_somebody_else(desk: MeDesk) -> None:
    await desk.world.log_in(REKENRIJK)
    await desk.world.log_in(TAALTUIN, DAAN)
    assert suppliers(await desk.look(DAAN)) == ["taaltuin"]
    assert suppliers(await desk.look(SANNE)) == ["rekenrijk"]


async def test_each_school_shows_what_went_through_it_alone(desk: MeDesk) -> None:
    """A false statement of one school opens nothing of another's."""
    await desk.world.log_in(REKENRIJK)
    nothing_yet = await desk.look(SANNE_ELSEWHERE)
    assert nothing_yet.years == ()
    await desk.world.log_in(BIOSFEER_OIDC, SANNE_ELSEWHERE)
    assert suppliers(await desk.look(SANNE_ELSEWHERE)) == ["biosfeer"]
    assert suppliers(await desk.look(SANNE)) == ["rekenrijk"]


async def test_number_alone_and_eck_id_alone_find_the_same(desk: MeDesk) -> None:
    await desk.world.log_in(REKENRIJK)
    assert suppliers(await desk.look(eck_id=False)) == ["rekenrijk"]
    assert suppliers(await desk.look(number=False)) == ["rekenrijk"]


async def test_what_a_number_got_before_its_eck_id_came_is_still_shown(desk: MeDesk) -> None:
    """Rules 9 and 11 of the rules on persons: the account stays, or is left behind."""
    without = {"eckId": None}
    await desk.world.log_in(REKENRIJK, stated=without)
    await desk.world.log_in(BIOSFEER_OIDC, stated={"employeeNumber": None})
    await desk.world.log_in(TAALTUIN)
    year = await desk.look()
    assert sorted(suppliers(year)) == ["biosfeer", "rekenrijk", "taaltuin"]


async def test_school_that_goes_on_for_another_one_shows_what_went_through_that(
    desk: MeDesk,
) -> None:
    world = desk.world
    await world.log_in(REKENRIJK)
    world.put(
        "merged",
        Relation(
            id="merged",
            kind=RelationKind.MERGE,
            old=(SchoolId("vuurvogel"),),
            new=(SchoolId("regenboog"),),
            first_day=date(2026, 1, 1),
            last_day=date(2027, 1, 1),
            brins_last_day=date(2027, 1, 1),
        ),
    )
    year = await desk.look(SANNE_ELSEWHERE)
    assert suppliers(year) == ["rekenrijk"]
    parent = await desk.look(SANNE_ELSEWHERE, visitor="parent")
    assert suppliers(parent) == []


async def test_staff_see_their_own(desk: MeDesk) -> None:
    await desk.world.log_in(REKENRIJK, ELS)
    assert suppliers(await desk.look(ELS, population=Population.STAFF)) == ["rekenrijk"]
    assert suppliers(await desk.look(ELS)) == []


async def test_school_years_are_pages_the_last_one_first(desk: MeDesk) -> None:
    await desk.world.log_in(REKENRIJK)
    desk.wait_days(365)
    await desk.world.log_in(BIOSFEER_OIDC)
    last = await desk.look()
    assert (last.year, last.years, suppliers(last)) == (2026, (2026, 2025), ["biosfeer"])
    assert suppliers(await desk.look(year="2025")) == ["rekenrijk"]
    assert suppliers(await desk.look(year="no year")) == ["biosfeer"]
    everything = await desk.visits.gather(last.visit)
    assert [each.year for each in everything] == [2025, 2026]
    assert [len(each.receipts) for each in everything] == [1, 1]


async def test_week_of_two_school_years_is_shown_day_by_day(desk: MeDesk) -> None:
    desk.world.now = datetime(2026, 7, 31, 8, tzinfo=UTC)
    await desk.world.log_in(REKENRIJK)
    desk.wait_days(1)
    await desk.world.log_in(BIOSFEER_OIDC)
    assert suppliers(await desk.look(year="2025")) == ["rekenrijk"]
    assert suppliers(await desk.look(year="2026")) == ["biosfeer"]


async def test_change_of_what_is_shared_is_told(desk: MeDesk) -> None:
    await desk.world.log_in(REKENRIJK)
    desk.wait_days(1)
    desk.world.change("vuurvogel/rekenrijk", version=2, approved=frozenset({"givenName"}))
    await desk.world.log_in(REKENRIJK)
    (share,) = (await desk.look()).shares
    (change,) = share.changes
    assert (change.day, change.more, change.less) == (
        date(2026, 3, 3), (), ("eduPersonAffiliation",)
    )  # fmt: skip
    assert share.decision.version == 2
    assert [each.decisions[0].version for each in share.days] == [2, 1]


async def test_name_of_before_a_rotation_is_shown_too(desk: MeDesk) -> None:
    world = desk.world
    before = await world.log_in(REKENRIJK)
    world.change("rekenrijk", **rotated(world))
    after = await world.log_in(REKENRIJK)
    (share,) = (await desk.look()).shares
    assert after.subject != before.subject
    assert share.pseudonyms == (after.subject, before.subject)


def rotated(world: LoginWorld) -> dict[str, object]:
    """Changes of a supplier that moves from epoch a to b."""
    supplier = world.snapshots.registry.suppliers[SupplierId("rekenrijk")]
    return {
        "epoch": "b",
        "previous_epoch": "a",
        "relying_parties": supplier.relying_parties,
    }


async def test_receipt_that_was_changed_is_counted_and_breaks_nothing(desk: MeDesk) -> None:
    await desk.world.log_in(REKENRIJK)
    await desk.world.log_in(BIOSFEER_OIDC)
    kept = desk.world.receipts.kept
    kept[0] = with_fields(kept[0], ciphertext=kept[0].ciphertext[:-1] + b"x")
    year = await desk.look()
    assert (suppliers(year), year.unreadable) == (["biosfeer"], 1)


async def test_receipts_that_cannot_be_read_are_refused_in_words(desk: MeDesk) -> None:
    await desk.world.log_in(REKENRIJK)

    async def down(locators: object) -> None:
        raise ReceiptsUnavailable("check_readable")

    find = desk.world.receipts.find
    desk.world.receipts.find = down  # type: ignore[method-assign, assignment]
    with pytest.raises(ReceiptsNotShown):
        await desk.look()
    desk.world.receipts.find = find  # type: ignore[method-assign]
    assert suppliers(await desk.look()) == ["rekenrijk"]


async def test_session_ends_after_a_quarter_of_an_hour_and_when_it_is_left(desk: MeDesk) -> None:
    handle = await desk.open()
    desk.world.wait(minutes=14)
    assert (await desk.visits.find(handle)).seconds_left == 60
    desk.world.wait(minutes=2)
    with pytest.raises(MeClosed):
        await desk.visits.find(handle)
    other = await desk.open()
    await desk.visits.leave(other)
    await desk.visits.leave("no handle of ours")
    with pytest.raises(MeClosed):
        await desk.visits.find(other)


async def test_login_at_school_opens_what_that_school_shared(desk: MeDesk) -> None:
    await desk.world.log_in(REKENRIJK)
    opened = await desk.visits.arrive(await desk.log_in())
    visit = await desk.visits.find(opened.handle.text)
    assert (visit.session.visitor, visit.session.first_name) == ("self", "Sanne")
    assert suppliers(await desk.visits.show(visit, unverified_year="")) == ["rekenrijk"]
    elsewhere = with_fields(await desk.log_in(), identity=None, school=None)
    with pytest.raises(MeClosed):
        await desk.visits.arrive(elsewhere)


async def test_page_that_was_left_closes_within_half_a_minute(desk: MeDesk) -> None:
    handle = await desk.open()
    await desk.visits.let_go(await desk.visits.find(handle), handle)
    desk.world.wait(seconds=29)
    assert (await desk.visits.find(handle)).seconds_left == 871
    desk.world.wait(seconds=31)  # somebody came back: it goes on to its own end
    await desk.visits.let_go(await desk.visits.find(handle), handle)
    desk.world.wait(seconds=31)
    with pytest.raises(MeClosed):
        await desk.visits.find(handle)


@pytest.mark.parametrize("handle", ["", "x", Handle(bytes(32)).text])
async def test_handle_of_nobody_opens_nothing(desk: MeDesk, handle: str) -> None:
    with pytest.raises(MeClosed):
        await desk.visits.find(handle)


async def test_school_that_is_switched_off_shows_nothing(desk: MeDesk) -> None:
    handle = await desk.open()
    desk.world.change("vuurvogel", enabled=False)
    with pytest.raises(MeClosed):
        await desk.visits.find(handle)
    desk.world.change("vuurvogel", enabled=True)
    assert (await desk.visits.find(handle)).school.id == "vuurvogel"


async def test_store_that_is_down_is_refused_in_words(desk: MeDesk) -> None:
    handle = await desk.open()
    desk.world.faults.start(fails_at=-1)
    for step in (desk.visits.find(handle), desk.visits.leave(handle)):
        with pytest.raises(StoreUnavailable):
            await step


def a_document(**changes: object) -> AgreementDocument:
    fields = {
        "school": "vuurvogel",
        "supplier": "rekenrijk",
        "version": 1,
        "from_day": date(2026, 8, 1),
        "approved": ("givenName",),
    }
    return AgreementDocument(**{**fields, **changes})


BOARD = "stichting-vuurvogel"


@pytest.mark.parametrize(
    ("day", "whose"),
    [("2026-09-07", "vuurvogel"), ("2025-09-07", None), ("", "vuurvogel"),
     ("1999-01-01", "vuurvogel")],
)  # fmt: skip
async def test_decision_is_the_one_that_held_that_day(
    desk: MeDesk, day: str, whose: str | None
) -> None:
    board = desk.world.snapshots.registry.schools[SchoolId("vuurvogel")].board
    desk.history.documents = [
        a_document(school=None, board=board, from_day=date(2025, 8, 1), until=date(2026, 7, 31)),
        a_document(),
    ]
    visit = await desk.visits.find(await desk.open())
    decision = await desk.visits.explain(
        visit,
        unverified_school="",
        unverified_supplier="rekenrijk",
        unverified_version="1",
        unverified_day=day,
    )
    assert decision.document.school == whose
    assert decision.supplier is not None


@pytest.mark.parametrize(
    ("school", "supplier", "version"),
    [("kompas", "rekenrijk", "1"), ("nowhere", "rekenrijk", "1"), ("vuurvogel", "biosfeer", "1"),
     ("vuurvogel", "rekenrijk", "2"), ("vuurvogel", "rekenrijk", "x"),
     ("vuurvogel", "rekenrijk", "")],
)  # fmt: skip
async def test_other_decisions_are_not_there(
    desk: MeDesk, school: str, supplier: str, version: str
) -> None:
    desk.history.documents = [a_document(), a_document(school="kompas")]
    visit = await desk.visits.find(await desk.open())
    with pytest.raises(DecisionNotFound):
        await desk.visits.explain(
            visit,
            unverified_school=school,
            unverified_supplier=supplier,
            unverified_version=version,
            unverified_day="2026-09-07",
        )


def test_weeks_of_a_school_year_that_goes_on_end_today() -> None:
    assert weeks_of_year(2026, today=date(2026, 8, 1)) == (202631,)
    assert weeks_of_year(2026, today=datetime(2026, 9, 7, tzinfo=UTC).date())[-1] == 202637


async def test_nothing_of_a_person_is_in_the_audit() -> None:
    telling = frozenset({"Sanne", *SANNE.attributes["employeeNumber"], *SANNE.attributes["eckId"]})
    desk = MeDesk(LoginWorld(telling))
    await desk.world.log_in(REKENRIJK)
    await desk.look(first_name="Sanne")
    assert desk.world.audit.actions()[-1] == "me-opened-self"
    assert "Sanne" not in repr(desk.session(first_name="Sanne"))
