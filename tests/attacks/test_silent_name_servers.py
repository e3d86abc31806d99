"""A school whose name servers do not answer: its own logins fail, and nobody else's.

The look-up of `silent.example` takes until the test lets go, as the system's resolver would.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from broker.adapters.calls import name_look_up
from broker.adapters.calls.http_fetch import Fetcher
from broker.adapters.calls.name_look_up import NameLookUp, NotLookedUp
from broker.flow.ports import SchoolUnanswered
from tests.adapters.answering_server import an_answer, answering

PUBLIC = "93.184.216.34"
SILENT = "https://silent.example/token"


@dataclass(slots=True)
class Names:
    """A resolver of which some names wait for `speak`."""

    speak: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def look_up(self, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        self.asked.append(host)
        if host.endswith("unknown.example"):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        if host.endswith(".example"):
            self.speak.wait()
        where = PUBLIC if host.endswith(".example") else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (where, port))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    made = Names()
    monkeypatch.setattr(socket, "getaddrinfo", made.look_up)
    yield made
    made.speak.set()


async def test_other_schools_are_reached_meanwhile(names: Names) -> None:
    async with answering(an_answer(b"{}")) as server:
        fetcher = Fetcher(allowed_hosts=["localhost"], timeout_seconds=60)
        crowd = [asyncio.create_task(fetcher.get(SILENT, headers={})) for _ in range(90)]
        while not names.asked:
            await asyncio.sleep(0)
        assert await fetcher.get(f"http://localhost:{server.port}/", headers={}) == b"{}"
        for each in crowd:
            each.cancel()
        await asyncio.wait(crowd)
        await fetcher.close()
    assert names.asked == ["silent.example", "localhost"]  # one look-up for the whole crowd


async def test_who_waits_for_it_waits_no_longer_than_for_any_school(names: Names) -> None:
    fetcher = Fetcher(allowed_hosts=[], timeout_seconds=0.05)
    for _ in range(3):
        with pytest.raises(SchoolUnanswered):
            await fetcher.get(SILENT, headers={})
    assert names.asked == ["silent.example"]


async def test_all_who_wait_get_the_answer_and_the_next_looks_up_anew(names: Names) -> None:
    look_up = NameLookUp()
    waiting = [asyncio.create_task(look_up.find("silent.example", 443)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    names.speak.set()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting[0]
    assert [await each for each in waiting[1:]] == [[PUBLIC], [PUBLIC]]
    assert await look_up.find("silent.example", 443) == [PUBLIC]
    assert names.asked == ["silent.example"] * 2


async def test_a_name_that_is_not_known_is_refused_each_time(names: Names) -> None:
    look_up = NameLookUp()
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await look_up.find("unknown.example", 443)
    assert len(names.asked) == 2


async def test_silent_names_have_a_bound(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_look_up, "MAX_LOOK_UPS", 3)
    look_up = NameLookUp()
    waiting = [asyncio.create_task(look_up.find(f"{number}.example", 443)) for number in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(NotLookedUp):
        await look_up.find("another.example", 443)
    names.speak.set()
    assert await asyncio.gather(*waiting) == [[PUBLIC]] * 3
    assert await look_up.find("localhost", 443) == ["127.0.0.1"]


async def test_a_system_without_threads_is_no_fault_of_ours(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    look_up = NameLookUp()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", none_left)
        with pytest.raises(NotLookedUp):
            await look_up.find("localhost", 443)
    assert await look_up.find("localhost", 443) == ["127.0.0.1"]
