"""Asking for SAML metadata: large documents, conditional requests, files of this machine.

Behind the egress guard as every call; each on a connection of its own, a few at a time, bounded in
size and time. Redirects are not followed: a document names where its metadata are.
"""

import asyncio
import os
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

from broker.adapters.calls.egress_guard import EgressGuard
from broker.adapters.calls.http_connection import (
    NOT_MODIFIED,
    OK,
    HttpConnection,
    NoGoodAnswer,
)
from broker.adapters.calls.http_fetch import LOOPBACK_HOSTS, build_request, read_address
from broker.adapters.xml.xml_parsing import AGGREGATE
from broker.flow.federation.discovery import FetchFailed
from broker.flow.federation.source_reading import Answer, Ask, Asked

SECONDS_FOR_ONE = 60.0
"""For a whole federation's metadata over a slow line; one party's take a blink."""
AT_ONCE = 8
GONE = frozenset({404, 410})
MARK_MAX_CHARACTERS = 512  # of an ETag or a date that we send back

_ACCEPT = "application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.9"


def make_ask(*, allowed_hosts: Collection[str], ca_file: str | None = None) -> Ask:
    """Return how commands ask for metadata; it blocks.

    Args:
        allowed_hosts: hosts that may be on a private address; those of loopback without TLS, too.
        ca_file: certificate authorities; the system's by default.
    """

    def ask(asked: Sequence[Asked]) -> Sequence[Answer | FetchFailed]:
        return asyncio.run(_ask_all(asked, frozenset(allowed_hosts), ca_file))

    return ask


async def _ask_all(
    asked: Sequence[Asked], allowed_hosts: frozenset[str], ca_file: str | None
) -> list[Answer | FetchFailed]:
    guard = EgressGuard(allowed_hosts=allowed_hosts, ca_file=ca_file)
    turns = asyncio.Semaphore(AT_ONCE)

    async def ask_one(each: Asked) -> Answer | FetchFailed:
        async with turns:
            try:
                if each.place.startswith("/"):
                    return await asyncio.to_thread(_read_file, each)
                async with asyncio.timeout(SECONDS_FOR_ONE):
                    return await _fetch(each, guard, allowed_hosts & LOOPBACK_HOSTS)
            except FetchFailed as why:
                return why
            except (TimeoutError, OSError, NoGoodAnswer, ValueError):
                return FetchFailed(
                    "gives no answer 200 in time, is larger than we take, or is on a private "
                    "address that fetch_allowed_hosts lacks"
                )

    return list(await asyncio.gather(*map(ask_one, asked)))


async def _fetch(each: Asked, guard: EgressGuard, without_tls: frozenset[str]) -> Answer:
    origin, target = read_address(each.place)
    if not origin.secure and origin.host not in without_tls:
        raise FetchFailed("is http, which fetch_allowed_hosts does not allow for that host")
    marks = {"If-None-Match": each.etag, "If-Modified-Since": each.last_modified}
    headers = {
        "Accept": _ACCEPT,
        "Connection": "close",
        **{name: value for name, value in marks.items() if value},
    }
    request = build_request("GET", target, origin, headers=headers, content=b"")
    protocol = partial(
        HttpConnection,
        max_answer_bytes=AGGREGATE.max_bytes,
        told=GONE | {NOT_MODIFIED},
    )
    connection = await guard.connect(
        origin.host, origin.port, secure=origin.secure, protocol=protocol
    )
    try:
        body = await connection.call(request)
    finally:
        connection.close()
    if connection.status == NOT_MODIFIED:
        return Answer("same")
    if connection.status in GONE:
        return Answer("absent")
    if connection.status != OK:
        raise FetchFailed("gives an empty answer")
    return Answer(
        "new",
        body,
        etag=_mark(connection.headers.get("etag", "")),
        last_modified=_mark(connection.headers.get("last-modified", "")),
    )


def _mark(value: str) -> str:
    """Return a mark that can be sent back, or none."""
    fits = len(value) <= MARK_MAX_CHARACTERS and value.isascii() and value.isprintable()
    return value if fits else ""


def _read_file(each: Asked) -> Answer:
    """Return a file of this machine; time and size say whether it is another one."""
    try:
        found = os.stat(each.place)
        mark = f"{found.st_mtime_ns}-{found.st_size}"
        if mark == each.etag:
            return Answer("same")
        if found.st_size > AGGREGATE.max_bytes:
            raise FetchFailed("is larger than we take")
        return Answer("new", Path(each.place).read_bytes(), etag=mark)
    except FileNotFoundError:
        return Answer("absent")
    except OSError as error:
        raise FetchFailed(f"cannot be read ({error.strerror})") from None
