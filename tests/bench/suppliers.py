"""The suppliers that the driver plays: what they ask, and what they make of the answer."""

import re
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from secrets import token_urlsafe
from typing import Protocol
from urllib.parse import quote, urlencode

import msgspec

from broker.adapters.xml.xml_security import LxmlSecurity
from broker.jose.keys import KeySet, parse_key_set
from broker.jose.tokens import sign_token, verify_token
from broker.oidc_op.client_assertions import ASSERTION_TYPE
from broker.oidc_op.token import derive_code_challenge
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element
from broker.saml_xml.instants import format_instant
from broker.saml_xml.keys import VerificationKey, verification_key
from tests.bench.client import Connection, HttpAnswer, HttpRequest, UnexpectedAnswer
from tests.bench.documents import (
    CLIENT_ID,
    REDIRECT_URI,
    SAML_SUPPLIER_ACS,
    SAML_SUPPLIER_ENTITY,
)
from tests.bench.world import BenchWorld
from tests.builders_saml import an_authn_request, as_query, saml, samlp

ASSERTION_SECONDS = 60
_RESPONSE_FIELD = re.compile(rb'name="SAMLResponse" value="([^"]+)"')
_XML = LxmlSecurity()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the supplier chose for one login of one pupil.

    Attributes:
        state: comes back as it went out.
        nonce: `nonce`, or the ID of an AuthnRequest.
        redeeming: the form for the token endpoint, but for the code.
    """

    request: HttpRequest
    state: str
    nonce: str
    redeeming: bytes = field(default=b"", repr=False)


class Supplier(Protocol):
    """What a supplier does in one login."""

    redeems: bool
    """Whether a call to the token endpoint ends the login."""

    async def learn(self, connection: Connection) -> None:
        """Read the broker's published keys."""
        ...

    def ask(self, *, brin: str) -> Asked:
        """Return a fresh request that spares the chooser."""
        ...

    def receive(self, answer: HttpAnswer, asked: Asked) -> str:
        """Return the code or message that the browser is sent on with."""
        ...

    def read(self, message: str, asked: Asked, *, verify: bool) -> tuple[str, str]:
        """Return subject and first name of an ID token or Response, which is for this login."""
        ...


class OidcSupplier:
    """A client with PKCE and private_key_jwt."""

    redeems = True

    def __init__(self, world: BenchWorld) -> None:
        self._world = world
        self._keys = KeySet()

    async def learn(self, connection: Connection) -> None:
        """See `Supplier`."""
        published = await connection.send(HttpRequest("/oidc/jwks"))
        self._keys = parse_key_set(published.body.decode())

    def ask(self, *, brin: str) -> Asked:
        """See `Supplier`."""
        verifier, state, nonce = token_urlsafe(32), token_urlsafe(16), token_urlsafe(16)
        query = {
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": derive_code_challenge(verifier),
            "code_challenge_method": "S256",
            "idp_hint": brin,
        }
        return Asked(
            request=HttpRequest(f"/oidc/authorize?{urlencode(query)}"),
            state=state,
            nonce=nonce,
            redeeming=self._redeeming(verifier),
        )

    def _redeeming(self, verifier: str) -> bytes:
        now = int(datetime.now(UTC).timestamp())
        assertion = sign_token(
            {
                "iss": CLIENT_ID,
                "sub": CLIENT_ID,
                "aud": self._world.addresses.issuer,
                "iat": now,
                "exp": now + ASSERTION_SECONDS,
                "jti": token_urlsafe(16),
            },
            key=self._world.client_key,
        )
        form = {
            "grant_type": "authorization_code",
            "redirect_uri": REDIRECT_URI,
            "code_verifier": verifier,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        return urlencode(form).encode()

    def receive(self, answer: HttpAnswer, asked: Asked) -> str:
        """See `Supplier`."""
        query = answer.redirected(to=REDIRECT_URI)
        if query.get("state") != asked.state:
            raise UnexpectedAnswer("the redirect to the supplier has another state")
        return query["code"]

    def read(self, message: str, asked: Asked, *, verify: bool) -> tuple[str, str]:
        """See `Supplier`."""
        if verify:
            claims = dict(verify_token(message, keys=self._keys, algorithms=("ES256",)).claims)
        else:
            payload = message.split(".")[1]
            padded = payload + "=" * (-len(payload) % 4)
            claims = msgspec.json.decode(b64decode(padded, altchars=b"-_"))
        expected = (self._world.addresses.issuer, CLIENT_ID, asked.nonce)
        if (claims["iss"], claims["aud"], claims["nonce"]) != expected:
            raise UnexpectedAnswer("the ID token is of another login")
        return str(claims["sub"]), str(claims["given_name"])


def redeem(code: str, asked: Asked) -> HttpRequest:
    """Return the call to the token endpoint."""
    return HttpRequest("/oidc/token", asked.redeeming + f"&code={quote(code)}".encode())


def read_id_token(answer: HttpAnswer) -> str:
    """Return the ID token that the token endpoint gave."""
    if answer.status != 200:
        raise UnexpectedAnswer(f"token: {answer.status} {answer.body[:200]!r}")
    return str(msgspec.json.decode(answer.body)["id_token"])


class SamlSupplier:
    """A service provider that signs its requests and gets its answer signed."""

    redeems = False

    def __init__(self, world: BenchWorld) -> None:
        self._world = world
        self._keys: tuple[VerificationKey, ...] = ()

    async def learn(self, connection: Connection) -> None:
        """See `Supplier`."""
        published = await connection.send(HttpRequest("/saml/idp/metadata"))
        metadata = _XML.parse_metadata(published.body).root
        certificates = metadata.iter(f"{{{n.DS}}}X509Certificate")
        self._keys = tuple(verification_key(b64decode(each.text or "")) for each in certificates)

    def ask(self, *, brin: str) -> Asked:
        """See `Supplier`."""
        state, request_id = token_urlsafe(16), f"_{token_urlsafe(20)}"
        request = an_authn_request(
            self.hint(brin),
            issuer=SAML_SUPPLIER_ENTITY,
            ID=request_id,
            IssueInstant=format_instant(datetime.now(UTC).replace(microsecond=0)),
            Destination=self._world.addresses.sso_url,
            AssertionConsumerServiceURL=SAML_SUPPLIER_ACS,
        )
        query = as_query(request, relay_state=state, key=self._world.saml_supplier_key).decode()
        return Asked(HttpRequest(f"/saml/idp/sso?{query}"), state=state, nonce=request_id)

    @staticmethod
    def hint(brin: str) -> Element:
        """Return what names the school."""
        entry = build_element(samlp("IDPEntry"), {"ProviderID": brin})
        return build_element(samlp("Scoping"), {}, build_element(samlp("IDPList"), {}, entry))

    def receive(self, answer: HttpAnswer, asked: Asked) -> str:
        """See `Supplier`."""
        found = _RESPONSE_FIELD.search(answer.body)
        if answer.status != 200 or found is None or asked.state.encode() not in answer.body:
            raise UnexpectedAnswer(f"no page that posts a response: {answer.status}")
        return unescape(found[1].decode())

    def read(self, message: str, asked: Asked, *, verify: bool) -> tuple[str, str]:
        """See `Supplier`."""
        response = _XML.parse(b64decode(message)).root
        if verify:
            response = self._verify(response)
        name_id = response.find(f".//{saml('NameID')}")
        first_name = response.find(f".//{saml('Attribute')}[@Name='givenName']/*")
        if response.get("InResponseTo") != asked.nonce or name_id is None or first_name is None:
            raise UnexpectedAnswer("the Response is of another login, or states too little")
        return str(name_id.text), str(first_name.text)

    def _verify(self, response: Element) -> Element:
        return _XML.verify(response, keys=self._keys).root
