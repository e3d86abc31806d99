"""Asking for metadata: large documents, conditional requests, files; all of it bounded."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from broker.adapters.calls import metadata_fetch
from broker.adapters.calls.http_connection import MAX_ANSWER_BYTES
from broker.adapters.calls.metadata_fetch import make_ask
from broker.adapters.xml.xml_parsing import Limits
from broker.flow.federation.discovery import FetchFailed
from broker.flow.federation.source_reading import Answer, Asked
from tests.adapters.answering_server import Say, an_answer, answering

HERE = ("127.0.0.1", "localhost")
NOT_MODIFIED = "304 Not Modified"


async def asking(
    say: Say, *, etag: str = "", last_modified: str = "", allowed: Sequence[str] = HERE
) -> tuple[Answer | FetchFailed, bytes]:
    """Return what came of one question, and the head of the request."""
    async with answering(say) as server:
        asked = Asked(server.url, etag, last_modified)
        (answer,) = await asyncio.to_thread(make_ask(allowed_hosts=allowed), [asked])
    return answer, b"".join(server.heads)


async def test_a_document_comes_with_its_marks() -> None:
    marks = 'ETag: "a-1"', "Last-Modified: Mon, 02 Mar 2026 08:00:00 GMT"
    body = b"x" * (2 * MAX_ANSWER_BYTES)
    answer, head = await asking(an_answer(body, headers=marks))
    assert answer == Answer(
        "new", body, etag='"a-1"', last_modified="Mon, 02 Mar 2026 08:00:00 GMT"
    )
    assert b"Accept: application/samlmetadata+xml" in head
    assert b"If-" not in head


async def test_the_same_document_is_not_sent_again() -> None:
    answer, head = await asking(
        an_answer(b"", status=NOT_MODIFIED), etag='"a-1"', last_modified="then"
    )
    assert answer == Answer("same")
    assert b'If-None-Match: "a-1"\r\n' in head
    assert b"If-Modified-Since: then\r\n" in head


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
async def test_nothing_there(status: str) -> None:
    answer, _ = await asking(an_answer(status=status))
    assert answer == Answer("absent")


@pytest.mark.parametrize("status", ["500 Oops", "302 Found", "204 No Content"])
async def test_any_other_answer_is_none(status: str) -> None:
    answer, _ = await asking(an_answer(status=status, headers=("Location: http://127.0.0.1/",)))
    assert isinstance(answer, FetchFailed)


@pytest.mark.parametrize("mark", ["x" * 513, "caf\xe9"])
async def test_a_mark_that_cannot_be_sent_back_is_none(mark: str) -> None:
    async def say(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nETag: {mark}\r\n\r\nx"
        writer.write(head.encode("latin-1"))

    answer, _ = await asking(say)
    assert answer == Answer("new", b"x")


async def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Limits(1000, max_tags=1, max_attributes=1, max_namespaces=1, comments=True)
    monkeypatch.setattr(metadata_fetch, "AGGREGATE", small)
    answer, _ = await asking(an_answer(b"x" * 1001))
    assert isinstance(answer, FetchFailed)
    fits, _ = await asking(an_answer(b"x" * 1000))
    assert isinstance(fits, Answer)


async def test_a_private_address_that_is_not_allowed() -> None:
    answer, head = await asking(an_answer(), allowed=())
    assert isinstance(answer, FetchFailed)
    assert head == b""


async def test_each_has_an_answer_of_its_own() -> None:
    async with answering(an_answer(b"x")) as server:
        asked = [Asked(server.url), Asked("https://127.0.0.1:1/"), Asked("no address")]
        answers = await asyncio.to_thread(make_ask(allowed_hosts=HERE), asked)
    assert answers[0] == Answer("new", b"x")
    assert all(isinstance(each, FetchFailed) for each in answers[1:])


class TestFiles:
    def ask(self, file: Path, etag: str = "") -> Answer | FetchFailed:
        (answer,) = make_ask(allowed_hosts=())([Asked(str(file), etag)])
        return answer

    def test_a_file_is_read_once_for_each_change(self, tmp_path: Path) -> None:
        file = tmp_path / "all.xml"
        file.write_bytes(b"one")
        first = self.ask(file)
        assert isinstance(first, Answer)
        assert (first.what, first.content) == ("new", b"one")
        assert self.ask(file, first.etag) == Answer("same")
        file.write_bytes(b"three")
        assert self.ask(file, first.etag) != Answer("same")

    def test_what_cannot_be_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.ask(tmp_path / "nowhere.xml") == Answer("absent")
        assert isinstance(self.ask(tmp_path), FetchFailed)
        small = Limits(1, max_tags=1, max_attributes=1, max_namespaces=1, comments=True)
        monkeypatch.setattr(metadata_fetch, "AGGREGATE", small)
        (tmp_path / "large.xml").write_bytes(b"xx")
        assert isinstance(self.ask(tmp_path / "large.xml"), FetchFailed)
