"""The schools that the driver plays: what they ask of a browser's request, and what they answer.

All that they say is made between the counted phases. The OpenID Connect school's token endpoint
must answer while the broker waits, so it is a server in the driver's own process, whose CPU time
is not the broker's.
"""

import asyncio
import zlib
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Protocol
from urllib.parse import parse_qs, urlencode

import msgspec
from lxml import etree

from broker.adapters.xml.xml_security import LxmlSecurity
from broker.demo.addresses import LOOPBACK
from broker.demo.people import made_up_eck_id
from broker.jose.tokens import sign_token
from broker.saml_xml.bindings import encode_post
from broker.saml_xml.elements import Element, serialize
from tests.bench.client import HttpAnswer, HttpRequest
from tests.bench.documents import (
    OIDC_BRIN,
    OIDC_SCHOOL,
    OIDC_SCHOOL_CLIENT,
    OIDC_SCHOOL_ISSUER,
    SAML_BRIN,
    SAML_SCHOOL,
    SAML_SCHOOL_URL,
)
from tests.bench.world import BenchWorld
from tests.builders_saml import MINUTE, a_response, saml
from tests.saml_xml.corpus.keys import PartyKey

ID_TOKEN_SECONDS = 300
_XML = LxmlSecurity()


@dataclass(frozen=True, slots=True)
class AtSchool:
    """A browser that stands at a school: what the broker asked, and its cookies."""

    asked: dict[str, str] = field(repr=False)
    cookies: dict[str, str] = field(repr=False)


class School(Protocol):
    """What a school does in one login."""

    brin: str

    def arrive(self, answer: HttpAnswer) -> AtSchool:
        """Return what the broker's redirect asks."""
        ...

    def answer(self, at_school: AtSchool, *, pupil: int) -> HttpRequest:
        """Return what the browser brings back to the broker."""
        ...


def first_name_of(pupil: int) -> str:
    """Return a made-up first name, another for each pupil."""
    return f"Naam{pupil}"


def attributes_of(pupil: int, *, brin: str, realm: str) -> dict[str, tuple[str, ...]]:
    """Return what a school of the Entree convention states of a made-up pupil."""
    return {
        "uid": (f"leerling{pupil}@{realm}.example",),
        "employeeNumber": (f"{700_000 + pupil}",),
        "givenName": (first_name_of(pupil),),
        "nlEduPersonTussenvoegsels": ("van der",),
        "sn": ("Meer",),
        "mail": (f"leerling{pupil}@{realm}.example",),
        "eduPersonAffiliation": ("student",),
        "nlEduPersonHomeOrganizationId": (brin,),
        "nlEduPersonHomeOrganization": ("De Meetlat",),
        "nlEduPersonUnit": ("2c",),
        "eckId": (made_up_eck_id(f"bench {realm} {pupil}"),),
    }


class SamlSchool:
    """Answers with a Response that holds one assertion, signed and then encrypted."""

    brin = SAML_BRIN

    def __init__(self, world: BenchWorld) -> None:
        self._world = world

    def arrive(self, answer: HttpAnswer) -> AtSchool:
        """See `School`."""
        return AtSchool(answer.redirected(to=f"{SAML_SCHOOL_URL}/saml/sso"), answer.cookies)

    def answer(self, at_school: AtSchool, *, pupil: int) -> HttpRequest:
        """See `School`."""
        request_id = read_request_id(at_school)
        response = self.encrypt(self.respond(pupil=pupil, request_id=request_id))
        return post_response(serialize(response), at_school)

    def respond(self, *, pupil: int, request_id: str, **changes: object) -> Element:
        """Return a Response with a signed assertion; `changes` as of `a_response`."""
        addresses, now = self._world.addresses, datetime.now(UTC).replace(microsecond=0)
        entity_id = f"{SAML_SCHOOL_URL}/saml/metadata"
        stated: dict[str, object] = {
            "response_issuer": entity_id,
            "issuer": entity_id,
            "destination": addresses.acs_url,
            "recipient": addresses.acs_url,
            "response_in_response_to": request_id,
            "in_response_to": request_id,
            "issue_instant": now,
            "authn_instant": now - timedelta(seconds=2),
            "not_before": now - MINUTE,
            "not_on_or_after": now + 5 * MINUTE,
            "confirmed_until": now + 5 * MINUTE,
            "audiences": ((addresses.sp_entity_id,),),
            "name_id": f"leerling{pupil}@meetlat.example",
            "session_index": f"_{token_urlsafe(16)}",
            "attributes": attributes_of(pupil, brin=SAML_BRIN, realm=SAML_SCHOOL),
            "key": self._world.saml_school_key,
            "edit_assertion": lambda element: element.set("ID", f"_{token_urlsafe(20)}"),
            "edit_response": lambda element: element.set("ID", f"_{token_urlsafe(20)}"),
        }
        return a_response(**stated | changes)

    @property
    def encrypts_to(self) -> PartyKey:
        """Return the broker's key for what is encrypted."""
        return self._world.broker_decryption

    def encrypt(self, response: Element) -> Element:
        """Encrypt the assertion, which stands last, for the broker."""
        assertion = response[-1]
        if assertion.tag != saml("Assertion"):
            raise ValueError("the assertion stands last")
        encrypted = _XML.encrypt(assertion, recipient=self._world.broker_decryption.encryption)
        response.replace(assertion, encrypted)
        return response


def read_request_id(at_school: AtSchool) -> str:
    """Return the ID of the AuthnRequest in a redirect."""
    request = zlib.decompress(b64decode(at_school.asked["SAMLRequest"]), wbits=-zlib.MAX_WBITS)
    return str(etree.fromstring(request).get("ID"))


def post_response(response: bytes, at_school: AtSchool) -> HttpRequest:
    """Return what the browser posts for the school."""
    form = {"SAMLResponse": encode_post(response), "RelayState": at_school.asked["RelayState"]}
    return HttpRequest("/saml/sp/acs", urlencode(form).encode(), at_school.cookies)


class OidcSchool:
    """Answers with a code; its token endpoint gives the ID token that was signed beforehand."""

    brin = OIDC_BRIN

    def __init__(self, world: BenchWorld) -> None:
        self._world = world
        self._token_responses: dict[str, bytes] = {}
        self._callers: set[asyncio.StreamWriter] = set()

    def arrive(self, answer: HttpAnswer) -> AtSchool:
        """See `School`."""
        return AtSchool(answer.redirected(to=f"{OIDC_SCHOOL_ISSUER}/authorize"), answer.cookies)

    def answer(self, at_school: AtSchool, *, pupil: int) -> HttpRequest:
        """See `School`."""
        code = token_urlsafe(32)
        response = {
            "access_token": token_urlsafe(32),
            "token_type": "Bearer",
            "id_token": self._sign(pupil, nonce=at_school.asked["nonce"]),
        }
        self._token_responses[code] = msgspec.json.encode(response)
        query = urlencode({"code": code, "state": at_school.asked["state"]})
        return HttpRequest(f"/oidc/callback?{query}", cookies=at_school.cookies)

    def _sign(self, pupil: int, *, nonce: str) -> str:
        now = int(datetime.now(UTC).timestamp())
        attributes = attributes_of(pupil, brin=OIDC_BRIN, realm=OIDC_SCHOOL)
        claims: dict[str, object] = {name: values[0] for name, values in attributes.items()}
        claims |= {
            "iss": OIDC_SCHOOL_ISSUER,
            "aud": OIDC_SCHOOL_CLIENT,
            "sub": f"leerling{pupil}",
            "nonce": nonce,
            "iat": now,
            "exp": now + ID_TOKEN_SECONDS,
            "auth_time": now - 2,
            "jti": token_urlsafe(16),
        }
        return sign_token(claims, key=self._world.oidc_school_key)

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """Serve the token endpoint while the context lasts."""
        server = await asyncio.start_server(self._serve, LOOPBACK, self._world.school_port)
        async with server:
            yield
        for each in self._callers:
            each.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after another on a connection, until the broker closes it."""
        self._callers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = int(head.partition("content-length:")[2].partition("\r\n")[0])
                form = parse_qs((await reader.readexactly(length)).decode())
                body = self._token_responses.pop(form["code"][0])
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Cache-Control: no-store\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
                )
        except asyncio.IncompleteReadError:
            self._callers.discard(writer)
            writer.close()
