"""A pupil with a simple browser: follows redirects, keeps cookies, runs no script."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http.cookiejar import Cookie, DefaultCookiePolicy
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit
from urllib.request import Request

import httpx2
from lxml import html

from broker.demo.addresses import Addresses, Party
from broker.demo.peers import tls_trust

TIMEOUT_SECONDS = 30  # only a fault takes so long
MAX_PAGES = 8


class NotThere(AssertionError):  # noqa: N818 -- says what happened
    """The page has no such button; the text is what it says instead."""


Stated = str | Sequence[str]
"""One value of a form field or attribute, or several."""


@dataclass(slots=True)
class Visitor:
    """One browser, with the page that it shows.

    Attributes:
        page: the page in this tab.
    """

    addresses: Addresses
    client: httpx2.AsyncClient
    page: httpx2.Response = field(init=False)

    def another_tab(self) -> "Visitor":
        """Return a tab that shares this browser's cookies."""
        return Visitor(self.addresses, self.client)

    async def visit(self, party: Party, path: str = "/", **query: str) -> None:
        """Type an address."""
        url = self.addresses[party] + path
        self.page = await self.client.get(url, params=query or None)

    async def open_material(self, party: Party, **query: str) -> None:
        """Press "log in" at a supplier."""
        await self.visit(party, "/login", **query)

    async def press(self, name: str, value: str | None = None, /, **changed: Stated) -> None:
        """Send the form that has this button."""
        document = html.fromstring(self.page.content)
        buttons = [
            each
            for each in document.iter("button")
            if each.get("name") == name and value in (None, each.get("value"))
        ]
        if not buttons:
            raise NotThere(f"no button {name}={value} on: {self.text}")
        form = next(buttons[0].iterancestors("form"))
        await self._send(form, {name: buttons[0].get("value", ""), **changed})

    async def pass_on(self) -> None:
        """Press the one button of each page that only passes a message on."""
        for _ in range(MAX_PAGES):
            if not self.is_passing_on:
                return
            (form,) = html.fromstring(self.page.content).forms
            await self._send(form, {})
        raise AssertionError("in circles")

    async def choose(self, school: str) -> None:
        """Choose a school, up to its login form."""
        await self.press("school", school)
        await self.pass_on()

    async def log_in_at_school(
        self, pupil: str, *, scenario: str = "fine", **stated: Stated
    ) -> None:
        """Log in at school, up to the next page with a choice.

        Args:
            stated: Entree name -> value that the school states instead of its own.
        """
        hidden = {f"state.{name}": value for name, value in stated.items()}
        await self.press("pupil", pupil, scenario=scenario, **hidden)
        await self.pass_on()

    async def go_on(self) -> None:
        """Press "continue" when that is asked, up to the supplier."""
        if self.shows("continue"):
            await self.press("continue")
            await self.pass_on()

    async def log_in(
        self,
        party: Party,
        school: str,
        pupil: str,
        *,
        scenario: str = "fine",
        **stated: Stated,
    ) -> dict[str, Any]:
        """Do it all and return what the supplier received."""
        await self.open_material(party)
        await self.choose(school)
        await self.log_in_at_school(pupil, scenario=scenario, **stated)
        await self.go_on()
        assert self.is_at(party), self.text
        return await self.received(party)

    async def try_to_log_in(
        self,
        party: Party,
        school: str,
        pupil: str,
        *,
        scenario: str = "fine",
        **stated: Stated,
    ) -> None:
        """Do it all up to where it ends."""
        await self.open_material(party)
        await self.choose(school)
        await self.log_in_at_school(pupil, scenario=scenario, **stated)
        await self.go_on()

    async def received(self, party: Party) -> dict[str, Any]:
        """Return what this browser's session at a supplier's system received."""
        answer = await self.client.get(self.addresses[party] + "/received.json")
        told: dict[str, Any] = answer.json()
        return told

    def is_at(self, party: Party) -> bool:
        """Tell whether the page is this party's."""
        at, of = urlsplit(str(self.page.url)), urlsplit(self.addresses[party])
        return (at.scheme, at.netloc) == (of.scheme, of.netloc)

    def shows(self, button: str, value: str | None = None) -> bool:
        """Tell whether the page has this button."""
        return any(
            each.get("name") == button and value in (None, each.get("value"))
            for each in html.fromstring(self.page.content).iter("button")
        )

    @property
    def text(self) -> str:
        """What a person reads."""
        return " ".join(html.fromstring(self.page.content).text_content().split())

    @property
    def path(self) -> str:
        """Path of the page's address."""
        return urlsplit(str(self.page.url)).path

    def parameter(self, name: str) -> str:
        """Return a parameter of the page's address."""
        (value,) = parse_qs(urlsplit(str(self.page.url)).query)[name]
        return value

    @property
    def is_passing_on(self) -> bool:
        """Tell whether the page only passes a protocol's message on."""
        if not self.page.headers.get("content-type", "").startswith("text/html"):
            return False
        inputs = html.fromstring(self.page.content).iter("input")
        return any(each.get("name") in {"SAMLRequest", "SAMLResponse"} for each in inputs)

    async def _send(self, form: html.FormElement, changed: dict[str, str]) -> None:
        fields = {name: value or "" for name, value in form.form_values()} | changed
        url = urljoin(str(self.page.url), form.get("action", ""))
        if form.method == "POST":
            self.page = await self.client.post(url, data=fields)
        else:
            self.page = await self.client.get(url, params=fields)


class BrowserPolicy(DefaultCookiePolicy):
    """Takes a cookie with `Domain=localhost` from localhost, as browsers do."""

    def set_ok(self, cookie: Cookie, request: Request) -> bool:
        """Store it as one without `Domain`."""
        if cookie.domain == ".localhost":
            cookie.domain, cookie.domain_specified = "localhost.local", False
        return super().set_ok(cookie, request)


def new_visitor(addresses: Addresses, *, language: str = "nl") -> Visitor:
    """Return somebody with a fresh browser; `visitor.client` must be closed."""
    client = httpx2.AsyncClient(
        follow_redirects=True,
        timeout=TIMEOUT_SECONDS,
        trust_env=False,
        verify=tls_trust(None),
        headers={"accept-language": language},
    )
    client.cookies.jar.set_policy(BrowserPolicy())
    return Visitor(addresses, client)
