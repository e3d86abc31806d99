"""Somebody who is logged in to the console of a site, with roles of a test's choice."""

from dataclasses import dataclass
from secrets import token_hex

from lxml import html

from broker.domain.assurance import MULTI_FACTOR
from broker.domain.console_roles import ConsoleUserId, HeldRole, LoginPlace, PlaceKind, Role
from broker.domain.ids import SchoolIdpId
from broker.flow.console.role_book import NewRole
from broker.flow.console.session_record import ConsoleSession
from tests.web.broker_site import Answer, Browser, Site

VUURVOGEL = LoginPlace(PlaceKind.SCHOOL, "vuurvogel")
SCHOOL_ADMIN = HeldRole(Role.SCHOOL_ADMIN, PlaceKind.SCHOOL, "vuurvogel")


@dataclass(frozen=True, slots=True)
class SeatedBrowser:
    """A browser with a session, and who its person is."""

    browser: Browser
    user: ConsoleUserId

    def get(self, address: str) -> Answer:
        """Open a page, in English."""
        return self.browser.get(address, headers={"accept-language": "en"})

    def post(self, page: str, action: str, **fields: str) -> Answer:
        """Send the form of a page that leads to `action`, with other fields."""
        form = form_of(self.get(page), action)
        return self.browser.post(action, form | fields, headers={"accept-language": "en"})


def form_of(answer: Answer, action: str) -> dict[str, str]:
    """Return the fields of the first form of a page that is posted to an address."""
    page = html.fromstring(answer.response.content)
    form = next(each for each in page.forms if each.action == action and each.method == "POST")
    return dict(form.form_values())


def seat(
    site: Site,
    *held: HeldRole,
    login: LoginPlace = VUURVOGEL,
    level: str = MULTI_FACTOR,
    is_forced: bool = True,
    groups: tuple[str, ...] = (),
    idp: str = "vuurvogel",
) -> SeatedBrowser:
    """Give somebody new these roles, and a browser in which they are logged in."""
    web, browser = site.web, site.visit()
    now, user = web.clock(), ConsoleUserId(token_hex(16))
    roles = [NewRole(user, login, each, "a test") for each in held]
    site.run(web.console.roles.give(roles, at=now, entries=[]))
    session = ConsoleSession(
        user=user,
        login_kind=login.kind,
        login_place=login.place,
        idp=SchoolIdpId(idp),
        first_name="Els",
        groups=groups,
        level=level,
        logged_in_at=now,
        forced_at=now if is_forced else None,
        began_at=now,
        seen_at=now,
    )
    opened = site.run(web.console.desk.sessions.open(session, before=""))
    name = "__Host-console" if web.secure else "console"
    browser.cookies.set(name, opened.handle.text)
    return SeatedBrowser(browser, user)
