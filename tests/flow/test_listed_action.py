"""A list that two persons look up: nothing before the second one, who has the same list."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from broker.domain.ids import SchoolId
from broker.domain.takeover_refusals import NotSignedFor
from broker.flow.operators.listed_action import (
    LISTED_ACTIONS,
    ListWork,
    digest_list,
    write_listed,
)
from broker.flow.operators.operator_refusals import (
    ActionUnknown,
    ActionUsed,
    OtherListPrepared,
    PreparedUnreadable,
    SamePerson,
)
from broker.flow.operators.operators import Signer
from broker.flow.operators.two_persons import Action, PreparedAction, encode_prepared
from broker.flow.persons.register import derive_register_keys
from tests.flow.memory_register import MemoryRegister
from tests.flow.operators import ANNA, BEA, Desk, a_desk

KEYS = derive_register_keys(bytes(range(32)))
ECK_ID = "https://ketenid.nl/201703/" + "ab" * 64
LISTED, OTHER = f"{ECK_ID}\n".encode(), b"1100417\n"
NAMES = {"school": "vuurvogel", "supplier": "rekenrijk"}


@dataclass
class Work:
    """Two operators, and what was done with their list."""

    desk: Desk = field(default_factory=lambda: a_desk(ANNA, BEA))
    done: list[Mapping[str, str]] = field(default_factory=list)

    async def prepare(
        self,
        action: Action = Action.MAP_TAKEOVER,
        stated: Mapping[str, str] | None = None,
    ) -> PreparedAction:
        async def state() -> Mapping[str, str]:
            if stated is not None:
                return stated
            return write_listed(NAMES, lines=1, digest=digest_list(LISTED, keys=KEYS))

        return await self.desk.at.prepare_stated(
            action, school=SchoolId("vuurvogel"), by=ANNA, state=state
        )

    async def confirm(
        self, prepared: PreparedAction, content: bytes | None = LISTED, by: Signer = BEA
    ) -> None:
        async def work(names: Mapping[str, str]) -> None:
            self.done.append(names)

        listed = None
        if content is not None:
            digest = digest_list(content, keys=KEYS)
            listed = ListWork(digest=digest, names=frozenset(NAMES), work=work)
        await self.desk.at.confirm(prepared, by=by, register=MemoryRegister(), listed=listed)


@pytest.mark.parametrize("action", sorted(LISTED_ACTIONS))
async def test_nothing_is_done_before_the_second_person(action: Action) -> None:
    work = Work()
    prepared = await work.prepare(action)
    assert work.done == []
    with pytest.raises(SamePerson):
        await work.confirm(prepared, by=ANNA)
    assert work.done == []
    await work.confirm(prepared)
    assert work.done == [NAMES]
    with pytest.raises(ActionUsed):
        await work.confirm(prepared)
    assert work.done == [NAMES]
    told = ["action-prepared", "refused", "action-confirmed", "action-done", "refused"]
    assert work.desk.told() == told


async def test_what_is_handed_over_tells_a_count_and_a_keyed_digest() -> None:
    document = encode_prepared(await Work().prepare())
    assert b'"lines": "1"' in document
    assert ECK_ID.encode() not in document
    other_keys = derive_register_keys(bytes(range(1, 33)))
    assert digest_list(LISTED, keys=KEYS) != digest_list(LISTED, keys=other_keys)


async def test_another_list_is_not_looked_up() -> None:
    work = Work()
    with pytest.raises(OtherListPrepared):
        await work.confirm(await work.prepare(), OTHER)
    assert work.done == []
    assert work.desk.told() == ["action-prepared", "action-confirmed", "refused"]


async def test_without_a_list_nothing_is_done() -> None:
    work = Work()
    with pytest.raises(ActionUnknown):
        await work.confirm(await work.prepare(), None)


@pytest.mark.parametrize(
    "stated",
    [
        {},
        NAMES,
        {**NAMES, "digest": "x", "lines": "1"},
        {**NAMES, "digest": digest_list(LISTED, keys=KEYS).hex()},
        {"school": "a", "digest": digest_list(LISTED, keys=KEYS).hex(), "lines": "1"},
    ],
)
async def test_an_action_names_its_list_and_whose_it_is(stated: Mapping[str, str]) -> None:
    work = Work()
    with pytest.raises(PreparedUnreadable):
        await work.confirm(await work.prepare(stated=stated))
    assert work.done == []


async def test_a_refusal_of_the_first_person_is_one_event() -> None:
    work = Work()

    async def state() -> Mapping[str, str]:
        raise NotSignedFor("check_takeover_signed")

    with pytest.raises(NotSignedFor):
        await work.desk.at.prepare_stated(
            Action.MAP_TAKEOVER, school=SchoolId("vuurvogel"), by=ANNA, state=state
        )
    assert work.desk.told() == ["refused"]
