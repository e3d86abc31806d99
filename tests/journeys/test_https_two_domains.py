"""The world on https, the broker and the others on two registrable domains, as in real life.

Here a school's POST to us is cross-site, and so a browser sends the login's cookie only because it
is `SameSite=None; Secure`. Programs trust the world's authority; Chromium, which reads no file of
authorities, trusts the server's public key alone (`--ignore-certificate-errors-spki-list`), so that
any other fault of a certificate still stops it.
"""

import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from broker.demo.addresses import Party
from tests.journeys.certificates import MadeCertificate, make_certificate
from tests.journeys.chromium import check_page, launch, open_page
from tests.journeys.conftest import OpenWorld, World

pytestmark = [pytest.mark.servers, pytest.mark.browser]

HOSTS = {party: f"{party}.scholen.example" for party in Party} | {
    Party.BROKER: "broker.schuilnaam.test"
}
LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> MadeCertificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), hosts=list(HOSTS.values()))


@pytest.fixture(scope="module")
def names() -> Iterator[None]:
    """Let the world's names lead to this machine, without a name server."""
    look_up = socket.getaddrinfo

    def look_up_here(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return look_up(LOOPBACK if name in HOSTS.values() else host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", look_up_here)
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    open_world: OpenWorld, certificate: MadeCertificate, names: None
) -> AsyncIterator[World]:
    async with open_world(
        hosts=HOSTS, tls=certificate.files, ca_file=certificate.ca_file
    ) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chromium(certificate: MadeCertificate) -> AsyncIterator[Browser]:
    resolve = ", ".join(f"MAP {host} {LOOPBACK}" for host in HOSTS.values())
    async with async_playwright() as playwright:
        browser = await launch(
            playwright,
            f"--host-resolver-rules={resolve}",
            f"--ignore-certificate-errors-spki-list={certificate.spki}",
        )
        yield browser
        await browser.close()


async def read_cookies(page: Page, host: str) -> dict[str, dict[str, Any]]:
    """Return the cookies of a host, by name."""
    cookies = await page.context.cookies()
    return {each["name"]: dict(each) for each in cookies if each["domain"].lstrip(".") == host}


async def test_the_cookie_of_a_login_survives_the_schools_post(
    world: World, chromium: Browser
) -> None:
    page = await open_page(chromium, locale="nl-NL")
    await page.goto(world.at[Party.REKENRIJK] + "/les/3")
    await page.get_by_role("button", name="De Vuurvogel").click()
    await page.get_by_role("button", name="Sanne").wait_for()
    held = await read_cookies(page, HOSTS[Party.BROKER])
    assert held
    assert all(name.startswith("__Host-") for name in held)
    assert all(each["secure"] and each["httpOnly"] for each in held.values())
    login = [each for name, each in held.items() if name.startswith("__Host-login.")]
    assert login
    assert {each["sameSite"] for each in login} == {"None"}
    others = [each for each in held.values() if each not in login]
    assert {each["sameSite"] for each in others} == {"Lax"}
    await page.get_by_role("button", name="Sanne").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Hoi Sanne!")
    await check_page(page)
    (post,) = [
        each
        for each in world.witness.at(Party.BROKER)
        if each.path == "/saml/sp/acs" and each.status == 200
    ]
    assert dict(post.asked_headers)[b"sec-fetch-site"] == b"cross-site"
    await page.get_by_role("button", name="Verder naar RekenRijk").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Welkom, Sanne!")
    assert page.url == world.at[Party.REKENRIJK] + "/les/3"
    await page.context.close()


async def test_without_that_cookie_nobody_goes_on(world: World, chromium: Browser) -> None:
    page = await open_page(chromium, locale="nl-NL")
    await page.goto(world.at[Party.REKENRIJK] + "/login")
    await page.get_by_role("button", name="De Vuurvogel").click()
    await page.get_by_role("button", name="Sanne").wait_for()
    await page.context.clear_cookies(domain=HOSTS[Party.BROKER])
    await page.get_by_role("button", name="Sanne").click()
    await expect(page.get_by_text("E-LOGIN-1", exact=True)).to_be_visible()
    await page.context.close()


@pytest.mark.parametrize(
    ("party", "school", "pupil"),
    [(Party.BIOSFEER_SAML, "Het Kompas", "Noor"), (Party.TAALTUIN, "De Regenboog", "Sanne")],
)
async def test_the_other_combinations_on_https(
    world: World, chromium: Browser, party: Party, school: str, pupil: str
) -> None:
    page = await open_page(chromium, locale="nl-NL")
    await page.goto(world.at[party] + "/login")
    await page.get_by_role("button", name=school).click()
    await page.get_by_role("button", name=pupil).click()
    if school == "De Regenboog":
        await page.get_by_role("button", name="Verder naar Taaltuin").click()
    await expect(page.locator("#subject")).to_be_visible()
    assert page.url == world.at[party] + "/"
    check_nobody_learns_more(world)
    await page.context.close()


def check_nobody_learns_more(world: World) -> None:
    """Refuse a supplier that learns from where, and a school that learns whereto the pupil goes.

    By what the broker says and by what browsers add by themselves, such as Referer and Origin.
    """
    schools = (Party.VUURVOGEL, Party.KOMPAS, Party.REGENBOOG)
    suppliers = (Party.REKENRIJK, Party.TAALTUIN, Party.BIOSFEER_OIDC, Party.BIOSFEER_SAML)
    for here, others in ((suppliers, schools), (schools, suppliers)):
        seen = list(world.witness.at(*here))
        assert seen
        for exchange in seen:
            named = [each for each in others if HOSTS[each].encode() in exchange.asked]
            assert named == [], exchange.path
