"""Forms with a file: read whole and in memory, and refused when they are none or too large."""

from collections.abc import Iterable
from tempfile import SpooledTemporaryFile

import pytest
from starlette.requests import Request

from broker.web.requests import RequestTooLarge, RequestUnreadable
from broker.web.uploads import FORM_BYTES, MAX_FIELD_BYTES, Upload, read_upload

BOUNDARY = "boundary"
FILE_BYTES = 2 * 1024 * 1024


def a_part(name: str, value: bytes, filename: str = "") -> bytes:
    of_file = f'; filename="{filename}"' if filename else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{of_file}\r\n\r\n'
    return head.encode() + value + b"\r\n"


def a_form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


async def read(body: bytes, *, kind: str = f"multipart/form-data; boundary={BOUNDARY}") -> Upload:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    chunks: Iterable[bytes] = iter([body])

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": next(iter(chunks), b""), "more_body": False}

    scope = {"type": "http", "method": "POST", "headers": headers, "query_string": b""}
    return await read_upload(Request(scope, receive), max_file_bytes=FILE_BYTES)


async def test_fields_and_files_are_read() -> None:
    upload = await read(
        a_form(a_part("csrf", b"token"), a_part("list", b"dienst\nA\n", "lijst.csv"))
    )
    assert upload.fields == [("csrf", "token")]
    assert upload.file("list") == b"dienst\nA\n"
    assert upload.file("other") == b""
    assert "dienst" not in repr(upload)


@pytest.mark.parametrize("stated", ["idna", "undefined", "utf-7", "unicode_escape", "UTF-8"])
async def test_a_form_that_states_its_own_encoding_is_refused(stated: str) -> None:
    kind, form = f"multipart/form-data; boundary={BOUNDARY}", a_form(a_part("x", b"\\ud83d+2D0-"))
    with pytest.raises(RequestUnreadable, match="check_form_in_utf8"):
        await read(form, kind=f"{kind}; Charset={stated}")
    assert (await read(form, kind=kind)).fields


async def test_a_large_file_is_never_laid_on_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def rollover(self: object) -> None:
        raise AssertionError("on disk")

    monkeypatch.setattr(SpooledTemporaryFile, "rollover", rollover)
    content = b"x" * FILE_BYTES
    upload = await read(a_form(a_part("list", content, "lijst.csv")))
    assert upload.file("list") == content


@pytest.mark.parametrize(
    "body",
    [
        b"no form at all",
        a_form(a_part("a", b"x" * (MAX_FIELD_BYTES + 1))),
        a_form(*[a_part(f"a{at}", b"x") for at in range(101)]),
        a_form(*[a_part(f"f{at}", b"x", "f.csv") for at in range(3)]),
        a_form(a_part("f", b"x", "f.csv"), a_part("f", b"y", "g.csv")),
        b"--boundary\r\nContent-Disposition: form-data\r\n\r\nx\r\n--boundary--\r\n",
    ],
)
async def test_what_is_no_form_of_ours_is_refused(body: bytes) -> None:
    with pytest.raises(RequestUnreadable):
        await read(body)


@pytest.mark.parametrize("kind", ["multipart/form-data", "text/csv", ""])
async def test_another_type_is_refused(kind: str) -> None:
    with pytest.raises(RequestUnreadable):
        await read(a_form(a_part("csrf", b"token")), kind=kind)


async def test_more_than_may_be_is_refused() -> None:
    with pytest.raises(RequestTooLarge):
        await read(a_form(a_part("list", b"x" * (FILE_BYTES + FORM_BYTES), "f.csv")))
