"""Suppliers' systems with a certificate or a proof of possession, through the package's nginx."""

import asyncio
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx2
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.jwk import ECKey

from broker.demo.addresses import Party
from broker.demo.servers import TlsFiles
from broker.demo.toml_writer import write_toml
from broker.jose.tokens import sign_token
from broker.oidc_op.client_assertions import ASSERTION_TYPE, SKEW_SECONDS
from tests.builders_oidc import CHALLENGE, VERIFIER, jwks_of, make_key
from tests.docker.nginx import CLIENTS_HOST
from tests.journeys.certificates import make_client_authority, make_client_certificate
from tests.journeys.commands import run_program
from tests.journeys.topology import Topology, running_topology
from tests.proof_builders import a_dpop_proof

GIVE_UP_SECONDS = 60  # only a fault takes so long
pytestmark = pytest.mark.servers

NAMED, OWN_KEY, PROVING, FAPI = "named", "own-key", "proving", "fapi"
SIGNS, PROVES = make_key(), make_key()


@dataclass(frozen=True)
class Systems:
    """A supplier with three systems, each with its own way to prove who it is."""

    running: Topology
    vouched: TlsFiles
    of_own_key: TlsFiles
    stranger: TlsFiles

    @property
    def issuer(self) -> str:
        return self.running.addresses[Party.BROKER]

    @property
    def clients(self) -> str:
        return f"https://{CLIENTS_HOST}:{self.running.nginx.https_port}"

    def client(self, shows: TlsFiles | None = None) -> httpx2.AsyncClient:
        """A program of the supplier."""
        trust = ssl.create_default_context(cafile=str(self.running.certificate.ca_file))
        if shows is not None:
            trust.load_cert_chain(shows.certificate_file, shows.key_file)
        return httpx2.AsyncClient(verify=trust, trust_env=False, timeout=30)

    async def a_code(self, system: str) -> str:
        """Let a pupil log in, up to the supplier's address, where nobody answers."""
        async with self.running.somebody() as visitor:
            request = self.request(system)
            if system == FAPI:
                async with self.client() as program:
                    form = {**request, **self.signed(system)}
                    pushed = await program.post(self.issuer + "/oidc/par", data=form)
                    assert pushed.status_code == 201, pushed.text
                    request = {"client_id": system, "request_uri": pushed.json()["request_uri"]}
            await visitor.visit(Party.BROKER, "/oidc/authorize", **request)
            await visitor.choose("vuurvogel")
            await visitor.log_in_at_school("sanne")
            await visitor.go_on()
            return parse_qs(urlsplit(str(visitor.page.url)).query)["code"][0]

    def request(self, system: str) -> dict[str, str]:
        return {
            "client_id": system,
            "redirect_uri": f"{self.issuer}/got",
            "response_type": "code",
            "scope": "openid",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }

    def form(self, system: str, code: str) -> dict[str, str]:
        return {
            "grant_type": "authorization_code",
            "client_id": system,
            "code": code,
            "redirect_uri": f"{self.issuer}/got",
            "code_verifier": VERIFIER,
        }

    def signed(self, system: str) -> dict[str, str]:
        # A clock that is ahead: a store that began a moment ago takes no push by an assertion that
        # may be older than itself.
        seconds = int(time.time()) + SKEW_SECONDS - 1
        claims = {"iss": system, "sub": system, "aud": self.issuer, "jti": token_hex(16)}
        assertion = sign_token({**claims, "iat": seconds, "exp": seconds + 60}, key=SIGNS)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}

    def signed_form(self, code: str, system: str = PROVING) -> dict[str, str]:
        return {**self.form(system, code), **self.signed(system)}

    def proof(self, path: str, **changes: Any) -> dict[str, str]:
        claims = {"iat": int(time.time()), "jti": token_hex(16), "htu": self.issuer + path}
        return {"DPoP": a_dpop_proof(key=PROVES, **{**claims, **changes})}


@pytest.fixture(scope="module", autouse=True)
def _names() -> Iterator[None]:
    """Let the name for clients lead to this machine, without a name server."""
    look_up = socket.getaddrinfo

    def look_up_here(host: object, *args: Any, **kwargs: Any) -> Any:
        here = host in (CLIENTS_HOST, CLIENTS_HOST.encode())
        return look_up("127.0.0.1" if here else host, *args, **kwargs)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", look_up_here)
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def systems(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Systems]:
    folder = tmp_path_factory.mktemp("systems")
    authority = make_client_authority(folder)
    async with running_topology(
        tmp_path_factory.mktemp("topology"), client_authority=authority.file
    ) as running:
        made = Systems(
            running,
            vouched=make_client_certificate(folder, name="rijk", by=authority),
            of_own_key=make_client_certificate(folder, name="own key"),
            stranger=make_client_certificate(folder, name="stranger", by=authority),
        )
        file = folder / "supplier.toml"
        file.write_text(write_toml(bundle(made), comment="Three systems."))
        await run_program("apply", "--config", running.config_folder, file)
        await until_in_force(running)
        yield made


async def until_in_force(running: Topology) -> None:
    """Wait until both brokers know the systems: a document is in force within two seconds."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while not all('"registry-loaded"' in each.log.read_text() for each in running.brokers):
            await asyncio.sleep(0)


def bundle(systems: Systems) -> dict[str, Any]:
    party = {"protocol": "oidc", "redirect_uris": [f"{systems.issuer}/got"]}
    private = load_pem_private_key(systems.of_own_key.key_file.read_bytes(), None)
    own = {"keys": [ECKey.import_key(private).as_dict(private=False)]}  # type: ignore[arg-type]
    ways: dict[str, dict[str, Any]] = {
        NAMED: {"certificate_subject_dn": "CN=rijk", "certificate_bound_access_tokens": True},
        OWN_KEY: {"authentication": "self_signed_tls_client_auth", "jwks": own},
        PROVING: {"jwks": json.loads(jwks_of(SIGNS)), "dpop_bound_access_tokens": True},
        FAPI: {"jwks": json.loads(jwks_of(SIGNS)), "profile": "fapi2"},
    }
    supplier = {
        "id": "rijk",
        "legal_name": "Rijk",
        "state": "test",
        "relying_party": [
            {**party, "id": name, "client_id": name, **way} for name, way in ways.items()
        ],
    }
    agreement = {"school": "vuurvogel", "supplier": "rijk", "version": 1, "approved": []}
    agreement["from"] = "2024-08-01"
    return {"supplier": [supplier], "agreement": [agreement]}


async def refused(client: httpx2.AsyncClient, url: str, form: dict[str, str], error: str) -> None:
    answer = await client.post(url, data=form)
    assert answer.json()["error"] == error, answer.text


async def test_a_named_certificate_redeems_a_code_and_opens_userinfo(systems: Systems) -> None:
    form = systems.form(NAMED, await systems.a_code(NAMED))
    token, userinfo = systems.clients + "/oidc/token", systems.clients + "/oidc/userinfo"
    async with systems.client(systems.stranger) as stranger:
        await refused(stranger, token, form, "invalid_client")
    async with systems.client(systems.of_own_key) as not_vouched_for:
        await refused(not_vouched_for, token, form, "invalid_client")
    pem = quote(systems.vouched.certificate_file.read_text(), safe="")
    forged = {"Schuilnaam-Client-Certificate": pem, "Schuilnaam-Client-Verified": "SUCCESS"}
    for url in (token, systems.issuer + "/oidc/token"):
        async with systems.client() as forger:
            forger.headers.update(forged)
            await refused(forger, url, form, "invalid_client")
    async with systems.client(systems.vouched) as client:
        given = (await client.post(token, data=form)).json()
        bearer = {"authorization": f"Bearer {given['access_token']}"}
        assert (await client.get(userinfo, headers=bearer)).json()["sub"]
    async with systems.client(systems.stranger) as thief:
        stolen = await thief.get(userinfo, headers=bearer)
        assert (stolen.status_code, stolen.json()["error"]) == (401, "invalid_token")


async def test_a_certificate_of_a_registered_key_redeems_a_code(systems: Systems) -> None:
    form = systems.form(OWN_KEY, await systems.a_code(OWN_KEY))
    token = systems.clients + "/oidc/token"
    async with systems.client(systems.vouched) as other:
        await refused(other, token, form, "invalid_client")
    async with systems.client(systems.of_own_key) as client:
        assert (await client.post(token, data=form)).json()["token_type"] == "Bearer"


async def test_a_proof_binds_a_token_to_its_key(systems: Systems) -> None:
    code = await systems.a_code(PROVING)
    token, userinfo = systems.issuer + "/oidc/token", systems.issuer + "/oidc/userinfo"
    async with systems.client() as client:
        await refused(client, token, systems.signed_form(code), "invalid_dpop_proof")
        proof = systems.proof("/oidc/token")
        answer = await client.post(token, data=systems.signed_form(code), headers=proof)
        given = answer.json()
        assert (given["token_type"], "dpop-nonce" in answer.headers) == ("DPoP", True)
        again = await client.post(token, data=systems.signed_form("x" * 43), headers=proof)
        assert again.json()["error"] in ("invalid_grant", "invalid_dpop_proof")
        shown = {"authorization": f"DPoP {given['access_token']}"}
        asked = {"htm": "GET", "access_token": given["access_token"]}
        proof = systems.proof("/oidc/userinfo", **asked)
        told = await client.get(userinfo, headers={**shown, **proof})
        assert told.status_code == 200, told.text
        replayed = await client.get(userinfo, headers={**shown, **proof})
        assert replayed.json()["error"] == "invalid_dpop_proof"
        assert replayed.headers["www-authenticate"].startswith('DPoP error="invalid_dpop_proof"')
        as_bearer = {"authorization": f"Bearer {given['access_token']}"}
        stolen = await client.get(userinfo, headers=as_bearer)
        assert (stolen.status_code, stolen.json()["error"]) == (401, "invalid_token")


async def test_a_profile_with_nonces_asks_for_one_and_takes_it(systems: Systems) -> None:
    """RFC 9449 8 and 9: 400 at the token endpoint, 401 where a token is used, a nonce beside."""
    code = await systems.a_code(FAPI)
    token, userinfo = systems.issuer + "/oidc/token", systems.issuer + "/oidc/userinfo"
    async with systems.client() as client:
        asked = await client.post(
            token, data=systems.signed_form(code, FAPI), headers=systems.proof("/oidc/token")
        )
        assert (asked.status_code, asked.json()["error"]) == (400, "use_dpop_nonce")
        assert asked.headers["cache-control"] == "no-store"
        nonce = asked.headers["dpop-nonce"]
        answer = await client.post(
            token,
            data=systems.signed_form(code, FAPI),
            headers=systems.proof("/oidc/token", nonce=nonce),
        )
        assert answer.status_code == 200, answer.text
        given = answer.json()
        assert given["token_type"] == "DPoP"
        shown = {"authorization": f"DPoP {given['access_token']}"}
        at_api = {"htm": "GET", "access_token": given["access_token"]}
        again = await client.get(
            userinfo, headers={**shown, **systems.proof("/oidc/userinfo", **at_api)}
        )
        assert again.status_code == 401
        assert again.headers["www-authenticate"].startswith('DPoP error="use_dpop_nonce"')
        at_api["nonce"] = again.headers["dpop-nonce"]
        told = await client.get(
            userinfo, headers={**shown, **systems.proof("/oidc/userinfo", **at_api)}
        )
        assert told.json()["sub"]


async def test_metadata_tells_where_certificates_are_shown(systems: Systems) -> None:
    async with systems.client() as client:
        address = systems.issuer + "/.well-known/openid-configuration"
        told = (await client.get(address)).json()
    aliases = told["mtls_endpoint_aliases"]
    assert aliases["token_endpoint"] == systems.clients + "/oidc/token"
    assert "tls_client_auth" in told["token_endpoint_auth_methods_supported"]
