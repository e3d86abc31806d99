"""A browser without JavaScript, over the ASGI applications of the parties by host name."""

from collections.abc import Mapping
from urllib.parse import urljoin

import httpx2
from lxml import html
from starlette.types import ASGIApp, Receive, Scope, Send


class ByHost:
    """Hands each request to the application that its Host names."""

    def __init__(self, apps: Mapping[str, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = dict(scope["headers"])[b"host"].decode()
        await self._apps[host](scope, receive, send)


def browser(apps: Mapping[str, ASGIApp]) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(ByHost(apps)), follow_redirects=True)


async def press(
    client: httpx2.AsyncClient,
    page: httpx2.Response,
    button: tuple[str, str] | None = None,
    **changes: str,
) -> httpx2.Response:
    """Send the page's one form, by the button with this name and value, with changed fields."""
    (form,) = [
        each
        for each in html.fromstring(page.content).forms
        if button is None
        or each.xpath(".//button[@name=$n and @value=$v]", n=button[0], v=button[1])
    ]
    fields = dict(form.form_values()) | changes
    if button is not None:
        fields[button[0]] = button[1]
    return await client.post(urljoin(str(page.url), form.action or ""), data=fields)
