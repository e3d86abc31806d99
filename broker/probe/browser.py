"""The probe's browser: one request at a time to one broker, with its cookies.

It connects to the address that it was given and asks there for the issuer, whose certificate that
address must show. It follows no redirect and goes nowhere else.
"""

import asyncio
import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlencode, urlsplit

import h11

MAX_ANSWER_BYTES = 1024 * 1024
DEFAULT_PORTS = {"https": 443, "http": 80}
FORM_TYPE = "application/x-www-form-urlencoded"

_READ_BYTES = 65536


class NoAnswer(Exception):  # noqa: N818 -- says what happened
    """The broker does not answer, or not in HTTP. Args: what happened, in a few words."""


@dataclass(frozen=True, slots=True)
class BrowserAnswer:
    """What the broker answered."""

    status: int
    location: str
    body: bytes = field(repr=False)


class Browser:
    """Asks one broker.

    Args:
        issuer: of the broker.
        address: where it is reached: scheme, host and port of a URL.
        ca_file: authorities that may vouch for it; the system's by default.
    """

    def __init__(self, *, issuer: str, address: str, ca_file: str | None = None) -> None:
        self._issuer = urlsplit(issuer)
        self._address = urlsplit(address)
        self._tls = (
            ssl.create_default_context(cafile=ca_file) if self._address.scheme == "https" else None
        )
        self._cookies: dict[str, str] = {}

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> BrowserAnswer:
        """Ask for an address of the issuer.

        Raises:
            NoAnswer
        """
        return await self._ask("GET", url, headers=headers or {}, body=b"")

    async def post(
        self,
        url: str,
        fields: Iterable[tuple[str, str]],
        *,
        headers: Mapping[str, str] | None = None,
    ) -> BrowserAnswer:
        """Post a form to an address of the issuer. Raises as `get`."""
        body = urlencode(list(fields)).encode()
        return await self._ask(
            "POST", url, headers={"Content-Type": FORM_TYPE, **(headers or {})}, body=body
        )

    async def _ask(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes
    ) -> BrowserAnswer:
        target = urlsplit(url)
        if (target.scheme, target.netloc) != (self._issuer.scheme, self._issuer.netloc):
            raise NoAnswer("leads away from the issuer")
        try:
            reader, writer = await asyncio.open_connection(
                self._address.hostname,
                port_of(self._address),
                ssl=self._tls,
                server_hostname=None if self._tls is None else self._issuer.hostname,
            )
        except ssl.SSLError:
            raise NoAnswer("cannot be trusted: TLS fails") from None
        except OSError:
            raise NoAnswer("cannot be reached") from None
        try:
            writer.write(self._write_request(method, target, headers=headers, body=body))
            answer, cookies = await _read_answer(reader)
        except (OSError, h11.RemoteProtocolError):
            raise NoAnswer("does not answer in HTTP") from None
        finally:
            writer.close()
        self._keep(cookies)
        return answer

    def _write_request(
        self, method: str, target: SplitResult, *, headers: Mapping[str, str], body: bytes
    ) -> bytes:
        connection = h11.Connection(h11.CLIENT)
        named = {
            "Host": self._issuer.netloc,
            "Accept": "*/*",
            "Accept-Language": "en",
            "Connection": "close",
            "Content-Length": str(len(body)),
            **({"Cookie": self._cookie_header()} if self._cookies else {}),
            **headers,
        }
        request = h11.Request(
            method=method,
            target=(target.path or "/") + (f"?{target.query}" if target.query else ""),
            headers=list(named.items()),
        )
        parts = [connection.send(each) for each in (request, h11.Data(body), h11.EndOfMessage())]
        return b"".join(each or b"" for each in parts)

    def _cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def _keep(self, cookies: Iterable[str]) -> None:
        for each in cookies:
            pair, *attributes = each.split(";")
            name, _, value = pair.partition("=")
            ended = any(re.fullmatch(r"\s*max-age=0\s*", one, re.IGNORECASE) for one in attributes)
            self._cookies[name.strip()] = value.strip()
            if ended:
                del self._cookies[name.strip()]


def port_of(url: SplitResult) -> int:
    """Return the port that a URL means."""
    return DEFAULT_PORTS[url.scheme] if url.port is None else url.port


async def _read_answer(reader: asyncio.StreamReader) -> tuple[BrowserAnswer, list[str]]:
    """Return an answer and the cookies that it sets.

    Raises:
        OSError, h11.RemoteProtocolError
    """
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "read-only")]))
    connection.send(h11.EndOfMessage())
    status, headers, body = 0, list[tuple[bytes, bytes]](), b""
    while True:
        event = connection.next_event()
        match event:
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(_READ_BYTES))
            case h11.Response():
                status, headers = event.status_code, list(event.headers)
            case h11.Data():
                body += event.data
                if len(body) > MAX_ANSWER_BYTES:
                    raise h11.RemoteProtocolError("too long")
            case h11.EndOfMessage() | h11.ConnectionClosed() | h11.PAUSED:
                break
    if not status:
        raise h11.RemoteProtocolError("ended")
    named = {name: value.decode("latin-1") for name, value in headers}
    cookies = [value.decode("latin-1") for name, value in headers if name == b"set-cookie"]
    return BrowserAnswer(status, named.get(b"location", ""), body), cookies
