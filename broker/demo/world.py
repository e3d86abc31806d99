"""The demo world: every party but the broker as an application, and all of them running.

The broker is composed elsewhere and may be handed in as one more application. Nobody depends on
the order of starting: what a party needs of the broker it fetches at first use.
"""

import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from starlette.types import ASGIApp

from broker.demo.actions import Stage
from broker.demo.addresses import Addresses, Party
from broker.demo.federation import DemoFederation
from broker.demo.oidc_school import OidcSchool, OidcSchoolSettings
from broker.demo.oidc_supplier import OidcSupplier, OidcSupplierSettings
from broker.demo.peers import PeerDocument
from broker.demo.people import made_up_eck_id
from broker.demo.saml_school import SamlSchool, SamlSchoolSettings
from broker.demo.saml_supplier import SamlSupplier, SamlSupplierSettings
from broker.demo.servers import TlsFiles, serving
from broker.demo.start_page import start_app
from broker.demo.start_parties import PARTIES
from broker.demo.start_scenarios import Text
from broker.demo.supplier import Exercises, SupplierPages
from broker.demo.takeover_actions import MADE_BEFORE

_ALIVE = Text("Onderzoek wat leeft.", "Explore what is alive.")
NAMES: Mapping[Party, tuple[str, Text]] = {
    Party.REKENRIJK: ("RekenRijk", Text("Rekenen met sprongen.", "Maths by leaps and bounds.")),
    Party.TAALTUIN: ("Taaltuin", Text("Woorden laten groeien.", "Let words grow.")),
    Party.BIOSFEER_OIDC: ("Biosfeer", _ALIVE),
    Party.BIOSFEER_SAML: ("Biosfeer (SAML)", _ALIVE),
}
"""Name and first line of each supplier's system."""


def make_party_apps(
    federation: DemoFederation,
    addresses: Addresses,
    *,
    stage: Stage | None = None,
    ca_file: Path | None = None,
) -> dict[Party, ASGIApp]:
    """Return the application of every party but the broker.

    Args:
        stage: what the start page's actions change; without it there are none.
        ca_file: certificate authority of the broker's https, for worlds that are not plain http.
    """
    issuer = addresses[Party.BROKER]
    rekenrijk, taaltuin, biosfeer = Exercises(), Exercises(), Exercises()

    sites: list[SupplierPages] = []

    def have_accounts_of_the_start() -> None:
        for site in sites:
            site.forget_everybody()
        for each in (rekenrijk, taaltuin, biosfeer):
            each.forget_all()
        for pupil in ("sanne", "noor"):  # accounts of before, for the take-over
            biosfeer.keep_before(made_up_eck_id(pupil), made=MADE_BEFORE)

    have_accounts_of_the_start()

    def of_broker(path: str) -> PeerDocument:
        return PeerDocument(issuer + path, ca_file=ca_file)

    def supplier_pages(party: Party, exercises: Exercises) -> SupplierPages:
        name, tagline = NAMES[party]
        is_saml = party in {Party.TAALTUIN, Party.BIOSFEER_SAML}
        site = SupplierPages(
            party,
            name=name,
            tagline=tagline,
            base_url=addresses[party],
            exercises=exercises,
            start_page=addresses[Party.START_PAGE] + "/",
            log_out_elsewhere=issuer + "/logout" if is_saml else "",
        )
        sites.append(site)
        return site

    def saml_school(settings: SamlSchoolSettings) -> ASGIApp:
        return SamlSchool(settings, broker_metadata=of_broker("/saml/sp/metadata")).app()

    def oidc_school(settings: OidcSchoolSettings) -> ASGIApp:
        return OidcSchool(settings, broker_jwks=of_broker("/oidc/jwks")).app()

    def oidc_supplier(settings: OidcSupplierSettings, party: Party, kept: Exercises) -> ASGIApp:
        return OidcSupplier(
            settings,
            pages=supplier_pages(party, kept),
            discovery=of_broker("/.well-known/openid-configuration"),
        ).app()

    def saml_supplier(settings: SamlSupplierSettings, party: Party, kept: Exercises) -> ASGIApp:
        return SamlSupplier(
            settings,
            pages=supplier_pages(party, kept),
            broker_metadata=of_broker("/saml/idp/metadata"),
        ).app()

    return {
        Party.START_PAGE: start_app(addresses, stage, forget_work=have_accounts_of_the_start),
        Party.VUURVOGEL: saml_school(federation.vuurvogel),
        Party.KOMPAS: oidc_school(federation.kompas),
        Party.REGENBOOG: saml_school(federation.regenboog),
        Party.LEERPLEIN: oidc_school(federation.leerplein),
        Party.REKENRIJK_STAFF: oidc_school(federation.rekenrijk_staff),
        Party.FEDERATION_STAFF: oidc_school(federation.federation_staff),
        Party.REKENRIJK: oidc_supplier(federation.rekenrijk, Party.REKENRIJK, rekenrijk),
        Party.TAALTUIN: saml_supplier(federation.taaltuin, Party.TAALTUIN, taaltuin),
        Party.BIOSFEER_OIDC: oidc_supplier(federation.biosfeer_oidc, Party.BIOSFEER_OIDC, biosfeer),
        Party.BIOSFEER_SAML: saml_supplier(federation.biosfeer_saml, Party.BIOSFEER_SAML, biosfeer),
    }


@contextlib.asynccontextmanager
async def running(
    federation: DemoFederation,
    addresses: Addresses,
    *,
    sockets: Mapping[Party, socket.socket],
    broker: ASGIApp | None = None,
    stage: Stage | None = None,
    ca_file: Path | None = None,
    tls: TlsFiles | None = None,
    say: Callable[[str], None] = lambda _line: None,
) -> AsyncIterator[None]:
    """Run all parties, and the broker when it is given, until the context ends.

    Args:
        sockets: bound sockets of `addresses.listening`, the broker's included when it is given.
        broker: the broker as an application; None when it runs elsewhere.
        stage: what the start page's actions change.
        tls: serve https with this certificate; the addresses then say `https://`.
        say: told, line by line, what listens where once everybody does.
    """
    apps = make_party_apps(federation, addresses, stage=stage, ca_file=ca_file)
    if broker is not None:
        apps[Party.BROKER] = broker
    async with serving(apps, sockets=sockets, tls=tls):
        for line in describe(addresses):
            say(line)
        yield


def describe(addresses: Addresses) -> list[str]:
    """Return what is where, the start page last, for the person at the keyboard."""
    lines = [f"  {addresses[party]}  {name}: {role.en}" for party, name, role in PARTIES]
    return [*lines, f"Start here: {addresses[Party.START_PAGE]}/"]
