"""Reading what is sent: bounded in size and time, and nothing twice."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from broker.oidc_op.caller_proof import NO_PROOF, CallerProof
from broker.web import requests
from broker.web.requests import (
    MAX_FIELDS,
    RequestTooLarge,
    RequestUnreadable,
    only,
    read_caller_proof,
    read_form,
    read_query,
)
from tests.web.broker_site import FORM_TYPE, a_scope

MAX_BYTES = 1000


def a_post(
    *bodies: bytes, query: bytes = b"", headers: Sequence[tuple[bytes, bytes]] | None = None
) -> Request:
    """Return a posted form that arrives in these pieces."""
    pieces: list[Message] = [
        {"type": "http.request", "body": each, "more_body": True} for each in bodies
    ]
    pieces.append({"type": "http.request", "body": b"", "more_body": False})
    return a_request(pieces, query=query, headers=headers)


def a_request(
    messages: Sequence[Mapping[str, Any]],
    *,
    query: bytes = b"",
    headers: Sequence[tuple[bytes, bytes]] | None = None,
) -> Request:
    waiting = list(messages)

    async def receive() -> Message:
        return dict(waiting.pop(0))

    sent = [(b"content-type", FORM_TYPE.encode())] if headers is None else list(headers)
    return Request(a_scope(method="POST", query_string=query, headers=sent), receive)


async def refused(request: Request) -> str:
    with pytest.raises(RequestUnreadable) as refusal:
        await read_form(request, max_bytes=MAX_BYTES)
    return refusal.value.check


async def test_fields_come_in_order_with_doubles_and_empty_ones() -> None:
    form = await read_form(a_post(b"b=1&a=%C3%A9+x", b"&b=&c"), max_bytes=MAX_BYTES)
    assert form == [("b", "1"), ("a", "é x"), ("b", ""), ("c", "")]


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded; charset=UTF-8", "Application/X-WWW-Form-URLencoded"],
)
async def test_a_form_may_say_its_charset(content_type: str) -> None:
    request = a_post(b"a=b", headers=[(b"content-type", content_type.encode())])
    assert await read_form(request, max_bytes=MAX_BYTES) == [("a", "b")]


@pytest.mark.parametrize(
    "content_type", [b"", b"application/json", b"multipart/form-data; boundary=x", b"text/plain"]
)
async def test_check_content_type(content_type: bytes) -> None:
    request = a_post(b"a=b", headers=[(b"content-type", content_type)])
    assert await refused(request) == "check_content_type"
    assert await refused(a_post(b"a=b", headers=[])) == "check_content_type"


@pytest.mark.parametrize("length", [b"abc", b"-1", b"1.0", b"\xb2", b"+1", b"", b"1 "])
async def test_check_content_length(length: bytes) -> None:
    headers = [(b"content-type", FORM_TYPE.encode()), (b"content-length", length)]
    assert await refused(a_post(b"a=b", headers=headers)) == "check_content_length"


@pytest.mark.parametrize("length", [b"1001", b"9" * 20, b"9" * 5000])
async def test_check_body_size_by_what_is_said(length: bytes) -> None:
    headers = [(b"content-type", FORM_TYPE.encode()), (b"content-length", length)]
    with pytest.raises(RequestTooLarge):
        await read_form(a_request([], headers=headers), max_bytes=MAX_BYTES)


async def test_check_body_size_by_what_is_sent() -> None:
    fitting = await read_form(a_post(b"a=", b"x" * 998), max_bytes=MAX_BYTES)
    assert len(fitting[0][1]) == 998
    with pytest.raises(RequestTooLarge):
        await read_form(a_post(b"a=", b"x" * 999), max_bytes=MAX_BYTES)


async def test_a_sender_who_leaves_is_refused_in_silence() -> None:
    messages = [{"type": "http.request", "body": b"a", "more_body": True}]
    assert await refused(a_request([*messages, {"type": "http.disconnect"}])) == (
        "check_body_complete"
    )


async def test_a_sender_who_stops_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BODY_WITHIN_SECONDS", 0)

    async def receive() -> Message:
        return await asyncio.Event().wait()  # type: ignore[return-value]

    headers = [(b"content-type", FORM_TYPE.encode())]
    request = Request(a_scope(method="POST", headers=headers), receive)
    assert await refused(request) == "check_body_complete"


@pytest.mark.parametrize("body", [b"a=%ff", b"a=\xc3\xa9", b"%ed%a0%80=1"])
async def test_check_parameters_encoded(body: bytes) -> None:
    assert await refused(a_post(body)) == "check_parameters_encoded"
    with pytest.raises(RequestUnreadable):
        read_query(Request(a_scope(query_string=body)))


async def test_so_many_fields_and_no_more() -> None:
    fitting = b"&".join([b"a=1"] * MAX_FIELDS)
    assert len(await read_form(a_post(fitting), max_bytes=MAX_BYTES)) == MAX_FIELDS
    assert await refused(a_post(fitting + b"&a=1")) == "check_parameters_encoded"


async def test_check_parameter_in_one_place() -> None:
    assert await refused(a_post(b"code=x", query=b"code=y")) == "check_parameter_in_one_place"
    assert await refused(a_post(b"code=x", query=b"%63ode=x")) == "check_parameter_in_one_place"
    apart = await read_form(a_post(b"code=x", query=b"lang=en"), max_bytes=MAX_BYTES)
    assert apart == [("code", "x")]


def test_check_parameter_once() -> None:
    assert only([("a", "1"), ("b", "2")], "a") == "1"
    assert only([("b", "2")], "a") == ""
    with pytest.raises(RequestUnreadable) as refusal:
        only([("a", "1"), ("a", "1")], "a")
    assert refusal.value.check == "check_parameter_once"


def test_check_authorization_once() -> None:
    header = (b"authorization", b"Bearer x")
    assert read_caller_proof(Request(a_scope())) == NO_PROOF
    shown = read_caller_proof(Request(a_scope(headers=[header])))
    assert shown == CallerProof("Bearer x")
    assert "Bearer" not in repr(shown)
    with pytest.raises(RequestUnreadable) as refusal:
        read_caller_proof(Request(a_scope(headers=[header, header])))
    assert refusal.value.check == "check_authorization_once"


def test_every_proof_of_possession_stays_visible() -> None:
    headers = [(b"dpop", b"a"), (b"dpop", b"b")]
    assert read_caller_proof(Request(a_scope(headers=headers))).dpop == ("a", "b")


@given(st.binary(max_size=200))
def test_any_query_is_read_or_refused(query: bytes) -> None:
    try:
        found = read_query(Request(a_scope(query_string=query)))
    except RequestUnreadable as refusal:
        found, left = [], refusal.__context__  # the codec's error holds what was sent
    else:
        left = None
    assert left is None
    assert all("\ufffd" not in value or b"%EF%BF%BD" in query.upper() for _, value in found)
