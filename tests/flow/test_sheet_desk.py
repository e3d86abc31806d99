"""A supplier's people write, check and publish their service sheet; others read it."""

import json
from typing import Any

import pytest

from broker.domain.attributes import Population
from broker.domain.console_roles import Role
from broker.domain.documents import SupplierDocument
from broker.domain.sheets import ServiceSheet
from broker.flow.console.actors import Actor
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.sheets.sheet_desk import FormBasis, hash_sheet
from broker.flow.sheets.sheet_lacks import NoReason, NothingChanged
from broker.flow.sheets.sheet_refusals import (
    SheetEditedMeanwhile,
    SheetFieldUnusable,
    SheetNotAccepted,
    SheetNotReady,
    SheetVersionUnknown,
)
from broker.flow.sheets.sheet_store import SheetDraft, StoredForm
from tests.flow.sheet_builders import a_sheet, a_supplier_document, an_attribute, words
from tests.flow.sheet_desk_builders import (
    NOBODY,
    REKENRIJK,
    MemorySheets,
    SheetWorld,
    a_sheet_world,
    an_actor,
)

ELS = an_actor()
SCHOOL = an_actor(Role.SCHOOL_ADMIN, "vuurvogel")
OPERATOR = an_actor(Role.OPERATOR, "")
OF_BIOSFEER = an_actor(place="biosfeer")
FRESH = FormBasis(revision=0, based_on=1)
FIRST = FormBasis(revision=1, based_on=1)
CLASS_TOO = a_sheet(an_attribute(), an_attribute("nlEduPersonUnit", required=True))


async def a_draft(content: ServiceSheet = CLASS_TOO) -> SheetWorld:
    world = a_sheet_world(a_sheet())
    await world.desk.save(ELS, "rekenrijk", content, basis=FRESH)
    return world


def test_without_a_draft_one_begins_with_the_sheet_in_force() -> None:
    asked = an_attribute(asked_since={Population.PUPIL: 1})
    view = a_sheet_world(a_sheet(asked)).desk.look(ELS, "rekenrijk")
    assert not view.has_draft
    assert (view.revision, view.based_on) == (0, 1)
    assert view.content == a_sheet()
    assert view.problems == ()
    assert view.changes.changes == ()


def test_a_supplier_without_a_sheet_begins_with_what_it_asks() -> None:
    view = a_sheet_world(attribute=(an_attribute(),)).desk.look(ELS, "rekenrijk")
    assert view.based_on == 0
    assert view.content.attributes == (an_attribute(),)


async def test_a_draft_waits_and_says_what_it_would_change() -> None:
    world = await a_draft()
    view = world.desk.look(ELS, "rekenrijk")
    assert view.has_draft
    assert not view.is_overtaken
    assert (view.revision, view.problems) == (1, ())
    assert [each.subject for each in view.changes.asks_more] == ["nlEduPersonUnit"] * 2
    assert view.changed_in == "2026-11-27T13Z"
    assert world.in_force() == a_supplier_document(a_sheet())


async def test_each_change_stands_in_the_audit_with_before_and_after() -> None:
    world = await a_draft()
    await world.desk.save(ELS, "rekenrijk", a_sheet(an_attribute("sn")), basis=FIRST)
    first, second = world.sheets.entries
    assert (first.action, first.before) == ("sheet-draft-saved", "")
    assert second.before == first.after
    assert json.loads(second.after)["attributes"] == {
        "sn": {"required": False, "of": ["pupil", "staff"]}
    }
    assert (second.actor, second.role, second.supplier) == (ELS.id, Role.SUPPLIER_ADMIN, REKENRIJK)
    assert second.document_hash == hash_sheet(a_sheet(an_attribute("sn")))


async def test_saving_the_same_again_does_nothing() -> None:
    world = await a_draft()
    view = await world.desk.save(ELS, "rekenrijk", CLASS_TOO, basis=FRESH)
    assert view.revision == 1
    assert len(world.sheets.entries) == 1


async def test_a_form_of_before_somebody_elses_change_saves_nothing() -> None:
    world = await a_draft()
    with pytest.raises(SheetEditedMeanwhile) as refused:
        await world.desk.save(ELS, "rekenrijk", a_sheet(an_attribute("mail")), basis=FRESH)
    assert refused.value.others is not None
    assert {each.subject for each in refused.value.others.changes} == {
        "mail",
        "givenName",
        "nlEduPersonUnit",
    }
    assert world.sheets.drafts[REKENRIJK].content == CLASS_TOO


async def test_two_who_save_at_once_do_not_overwrite_each_other() -> None:
    world = a_sheet_world(a_sheet())

    class Hurried(MemorySheets):
        async def save(self, draft: SheetDraft, **entry: Any) -> bool:
            return False

    hurried = Hurried(world.sheets.forms)
    world.desk._drafts = hurried
    with pytest.raises(SheetEditedMeanwhile):
        await world.desk.save(ELS, "rekenrijk", CLASS_TOO, basis=FRESH)
    assert hurried.drafts == {}


async def test_a_draft_of_the_wrong_form_is_not_kept() -> None:
    world = a_sheet_world(a_sheet())
    for content in (
        a_sheet(an_attribute(purpose="x" * 501)),
        a_sheet(an_attribute(purpose="")),
        a_sheet(retention=words("x" * 2000)),
        a_sheet(countries=("Nederland",)),
    ):
        with pytest.raises(SheetFieldUnusable):
            await world.desk.save(ELS, "rekenrijk", content, basis=FRESH)
    assert world.sheets.drafts == {}
    await world.desk.save(ELS, "rekenrijk", a_sheet(an_attribute(purpose="x" * 500)), basis=FRESH)


async def test_a_draft_can_be_thrown_away_once() -> None:
    world = await a_draft()
    with pytest.raises(SheetEditedMeanwhile):
        await world.desk.discard(ELS, "rekenrijk", basis=FRESH)
    assert world.desk.look(ELS, "rekenrijk").has_draft
    for _ in range(2):
        await world.desk.discard(ELS, "rekenrijk", basis=FIRST)
    assert not world.desk.look(ELS, "rekenrijk").has_draft
    assert [each.action for each in world.sheets.entries] == [
        "sheet-draft-saved",
        "sheet-draft-discarded",
    ]


async def test_a_published_draft_is_the_next_version_and_marks_what_is_new() -> None:
    world = await a_draft()
    assert await world.desk.publish(ELS, "rekenrijk", basis=FIRST) == 2
    document = world.in_force()
    assert document.sheet is not None
    assert document.sheet.version == 2
    old, new = document.attribute
    assert (old.required_since, old.asked_since) == (None, {})
    assert new.required_since == 2
    assert new.asked_since == {Population.PUPIL: 2, Population.STAFF: 2}
    assert not world.desk.look(ELS, "rekenrijk").has_draft
    entry = world.sheets.entries[1]
    assert entry.action == "sheet-published"
    assert json.loads(entry.before)["version"] == 1
    assert json.loads(entry.after)["version"] == 2
    [event] = world.events
    assert (event.action, event.names) == (
        "console-sheet-published",
        ("givenName", "nlEduPersonUnit"),
    )


async def test_publishing_twice_makes_one_version() -> None:
    world = await a_draft()
    for _ in range(2):
        assert await world.desk.publish(ELS, "rekenrijk", basis=FIRST) == 2
    assert len(world.sheets.forms[REKENRIJK]) == 2


async def test_a_sheet_that_lacks_something_is_not_published() -> None:
    world = await a_draft(a_sheet(an_attribute(purpose_en=None)))
    with pytest.raises(SheetNotReady) as refused:
        await world.desk.publish(ELS, "rekenrijk", basis=FIRST)
    assert [each.lack for each in refused.value.problems] == [NoReason]
    assert world.in_force() == a_supplier_document(a_sheet())


async def test_nothing_to_publish_is_no_version() -> None:
    world = a_sheet_world(a_sheet())
    with pytest.raises(SheetNotReady) as refused:
        await world.desk.publish(ELS, "rekenrijk", basis=FRESH)
    assert [each.lack for each in refused.value.problems] == [NothingChanged]


async def test_a_complete_first_sheet_may_be_published_as_the_document_states_what_is_asked() -> (
    None
):
    world = a_sheet_world(attribute=(an_attribute(),))
    basis = FormBasis(revision=0, based_on=0)
    await world.desk.save(ELS, "rekenrijk", a_sheet(), basis=basis)
    begun = FormBasis(revision=1, based_on=0)
    assert await world.desk.publish(ELS, "rekenrijk", basis=begun) == 1
    assert world.in_force().attribute[0].asked_since == {}


async def test_a_draft_on_a_sheet_that_was_overtaken_is_published_knowingly_alone() -> None:
    world = await a_draft()
    overtaking = a_sheet(an_attribute(), retention=words("Two years"), version=2)
    world.sheets.put(a_supplier_document(overtaking))
    with pytest.raises(SheetEditedMeanwhile):
        await world.desk.publish(ELS, "rekenrijk", basis=FIRST)
    view = world.desk.look(ELS, "rekenrijk")
    assert view.is_overtaken
    shown = FormBasis(revision=view.revision, based_on=view.based_on)
    assert await world.desk.publish(ELS, "rekenrijk", basis=shown) == 3


@pytest.mark.parametrize("actor", [OF_BIOSFEER, SCHOOL, NOBODY])
async def test_nobody_else_writes_or_sees_the_draft(actor: Actor) -> None:
    world = await a_draft()
    desk = world.desk
    with pytest.raises(NotAllowed):
        desk.look(actor, "rekenrijk")
    for refused in (
        desk.save(actor, "rekenrijk", a_sheet(), basis=FIRST),
        desk.discard(actor, "rekenrijk", basis=FIRST),
        desk.publish(actor, "rekenrijk", basis=FIRST),
    ):
        with pytest.raises(NotAllowed):
            await refused
    assert world.sheets.drafts[REKENRIJK].content == CLASS_TOO


async def test_an_operator_sees_and_writes_nothing() -> None:
    world = await a_draft()
    assert world.desk.look(OPERATOR, "rekenrijk").has_draft
    with pytest.raises(NotAllowed):
        await world.desk.publish(OPERATOR, "rekenrijk", basis=FIRST)


def test_anybody_with_a_role_reads_what_is_published() -> None:
    reader = a_sheet_world(a_sheet()).desk.reader
    for actor in (ELS, SCHOOL, OF_BIOSFEER, OPERATOR):
        found = reader.read(actor, "rekenrijk")
        assert found.is_published
        assert found.sheet == a_sheet()
        assert found.published_in == "2026-11-01T09Z"
        assert not reader.read(actor, "biosfeer").is_published
    for who, supplier in ((NOBODY, "rekenrijk"), (SCHOOL, "nobody")):
        with pytest.raises(NotAllowed):
            reader.read(who, supplier)


def history_world() -> SheetWorld:
    world = a_sheet_world(a_sheet())
    for document in (
        a_supplier_document(a_sheet(), display_name="RekenRijk"),  # no new version of the sheet
        a_supplier_document(a_sheet(an_attribute(), an_attribute("sn"), version=2)),
        a_supplier_document(a_sheet(an_attribute("sn"), version=3)),
    ):
        world.sheets.put(document)
    return world


def test_the_history_has_each_version_once_with_what_it_changed() -> None:
    world = history_world()
    found = world.desk.reader.history(SCHOOL, "rekenrijk")
    assert [each.version for each in found] == [3, 2, 1]
    assert [each.published_in for each in found] == [
        "2026-11-05T09Z",
        "2026-11-04T09Z",
        "2026-11-01T09Z",
    ]
    assert [each.kind for each in found[0].changes.changes] == ["gone"]
    assert [each.kind for each in found[1].changes.changes] == ["added"]
    assert found[2].changes.from_version == 0
    assert world.desk.reader.read(SCHOOL, "rekenrijk").published_in == "2026-11-05T09Z"


def test_a_version_of_before_can_be_read() -> None:
    reader = history_world().desk.reader
    assert reader.read_version(SCHOOL, "rekenrijk", 2).version == 2
    with pytest.raises(SheetVersionUnknown):
        reader.read_version(SCHOOL, "rekenrijk", 4)


def test_changes_since_a_signed_version_are_told() -> None:
    reader = history_world().desk.reader
    since_one = reader.changes_since(SCHOOL, "rekenrijk", 1)
    assert [(each.kind, each.subject) for each in since_one.changes] == [
        ("gone", "givenName"),
        ("added", "sn"),
    ]
    assert reader.changes_since(SCHOOL, "rekenrijk", 3).changes == ()
    assert reader.changes_since(SCHOOL, "rekenrijk", 0).from_version == 0


def test_a_supplier_that_was_removed_meanwhile_is_not_there() -> None:
    world = a_sheet_world(a_sheet())
    world.sheets.forms.clear()
    with pytest.raises(NotAllowed):
        world.desk.reader.read(SCHOOL, "rekenrijk")


def test_a_form_without_a_sheet_has_version_none() -> None:
    document: SupplierDocument = a_supplier_document()
    sheets = MemorySheets()
    sheets.put(document)
    form = sheets.read(REKENRIJK)
    assert isinstance(form, StoredForm)
    assert (form.sheet, form.sheet_version) == (None, 0)


def test_what_the_federation_does_not_accept_is_said_in_its_words() -> None:
    assert SheetNotAccepted("check_links", why=["x is missing."]).why == ("x is missing.",)
