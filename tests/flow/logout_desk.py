"""A world whose suppliers may be told that a session ended, by either protocol."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from broker.domain.federation import SingleSignOn
from broker.flow.answers import ChooseSchool
from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.ports import SchoolUnanswered
from broker.flow.sessions.logout import LogoutFlow
from broker.flow.sessions.logout_answers import LoggedOut, LogoutPorts, LogoutRules
from broker.flow.sessions.logout_courier import LogoutCourier
from broker.flow.sessions.saml_logouts import SamlLogouts
from broker.flow.sessions.saml_peers import SamlNames, Side
from broker.jose.keys import key_set_of
from broker.jose.tokens import verify_token
from broker.oidc_op.logout import LogoutRequest
from tests import builders_oidc as oidc
from tests import builders_saml as saml
from tests.builders_logout import IDP_SLO, SOAP_SLO, SP_SLO
from tests.flow.login_answers import Browser, read_redirect
from tests.flow.login_parties import (
    BIOSFEER_OIDC,
    BIOSFEER_SAML,
    OIDC_SCHOOL,
    REKENRIJK,
    TAALTUIN,
    with_party,
)
from tests.flow.login_world import NOOR, LoginWorld

BYE = "https://rekenrijk.example/bye"

NAMES = SamlNames(
    idp_entity_id=saml.BROKER_IDP,
    sp_entity_id=saml.BROKER_SP,
    slo_urls={Side.SUPPLIER: IDP_SLO, Side.SCHOOL: SP_SLO},
    soap_url=SOAP_SLO,
)


def a_saml_desk(world: LoginWorld) -> SamlLogouts:
    return SamlLogouts(
        names=NAMES,
        snapshots=world.snapshots,
        state=world.state,
        keys=world.keys,
        xml=saml.XML,
        clock=world.clock,
        random=world.random,
    )


class Suppliers:
    """Suppliers' back channels."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.silent: set[str] = set()
        self.tries = 0
        self.envelopes: list[tuple[str, bytes]] = []
        self.answer_envelope: Callable[[str, bytes], bytes] | None = None
        self.algorithm = "ES256"

    async def post_form(
        self, url: str, *, headers: Mapping[str, str], form: Mapping[str, str]
    ) -> bytes:
        self.tries += 1
        if url in self.silent:
            raise SchoolUnanswered
        token = form["logout_token"]
        self.got.append((url, claims_of(token, self.algorithm)))
        return b""

    async def post(self, url: str, *, headers: Mapping[str, str], content: bytes) -> bytes:
        self.tries += 1
        self.envelopes.append((url, content))
        if url in self.silent or self.answer_envelope is None:
            raise SchoolUnanswered
        return self.answer_envelope(url, content)


class Desk:
    """A world with sessions, whose suppliers may be told of their end."""

    def __init__(self, world: LoginWorld, **rules: Any) -> None:
        self.world = world
        world.change(OIDC_SCHOOL, single_sign_on=SingleSignOn.ON)
        for party in (REKENRIJK, BIOSFEER_OIDC):
            self.let(
                party,
                backchannel_logout_uri=f"https://{party}.example/out",
                post_logout_redirect_uris=(BYE,),
            )
        self.suppliers = Suppliers()
        self.courier = LogoutCourier(self.suppliers, audit=world.audit)
        self.ports = LogoutPorts(
            issuer=oidc.ISSUER,
            snapshots=world.snapshots,
            state=world.state,
            courier=self.courier,
            saml=a_saml_desk(world),
            keys=world.keys,
            xml=saml.XML,
            rules=LogoutRules(**{"longest_wait_seconds": 0, **rules}),
            audit=world.audit,
            clock=world.clock,
            random=world.random,
        )
        self.flow = LogoutFlow(self.ports)

    def let(self, party: str, **client: Any) -> None:
        """Change how a relying party speaks OpenID Connect."""
        found = self.world.snapshots.registry.relying_parties[party]  # type: ignore[index]
        supplier = self.world.records[found.supplier]
        protocol = type(found.protocol)
        fields = {each: getattr(found.protocol, each) for each in protocol.__struct_fields__}
        changed = protocol(**{**fields, **client})
        self.world.put(found.supplier, with_party(supplier, found.id, protocol=changed))

    async def log_in(self, browser: Browser, party: str = REKENRIJK) -> str:
        """Log in as Noor, by the session where there is one; return the ID token."""
        answer = await self.world.begin(browser, party)
        if isinstance(answer, ChooseSchool):
            answer = await self.world.arrive(browser, NOOR, party=party)
        if party in (TAALTUIN, BIOSFEER_SAML):
            return ""
        return (await self.world.redeem(read_redirect(answer).code, party)).id_token

    async def begin(self, hint: str = "", **request: Any) -> BrowserStep:
        begun = await self.flow.begin(LogoutRequest(id_token_hint=hint or None, **request))
        return BrowserStep(begun.name, begun.handle.text)

    async def log_out(self, browser: Browser, hint: str, **request: Any) -> LoggedOut:
        step = await self.begin(hint, **request)
        shown = await self.flow.show(step, unverified_standings=browser.standings)
        assert isinstance(shown, LoggedOut)
        return shown

    async def told(self) -> list[str]:
        """Wait until nobody waits any more, and return who was told."""
        while self.courier.under_way:
            await asyncio.gather(*self.courier.under_way)
        return sorted(url for url, _ in self.suppliers.got)

    async def is_in(self, browser: Browser) -> bool:
        return not isinstance(await self.world.begin(browser, BIOSFEER_OIDC), ChooseSchool)


def claims_of(token: str, algorithm: str = "ES256") -> dict[str, Any]:
    keys = key_set_of([oidc.BROKER_KEY, oidc.BROKER_RSA_KEY])
    return dict(verify_token(token, keys=keys, algorithms=[algorithm]).claims)
