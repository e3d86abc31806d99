"""Honest and forged messages that come as from a supplier: its requests, and its logouts.

Whoever visited a supplier holds an honest request of it; nobody else holds its key.
"""

import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from secrets import token_bytes, token_urlsafe
from typing import Any
from urllib.parse import quote, urlencode

from broker.saml_xml.bindings import encode_post
from broker.saml_xml.clock import CLOCK_SKEW
from broker.saml_xml.elements import Element, serialize
from broker.saml_xml.instants import format_instant
from tests.bench.client import HttpRequest
from tests.bench.documents import SAML_BRIN, SAML_SUPPLIER_ACS, SAML_SUPPLIER_ENTITY
from tests.bench.heavy import BURDENS
from tests.bench.suppliers import SamlSupplier
from tests.bench.world import BenchWorld
from tests.builders_encrypted import encrypted
from tests.builders_logout import a_logout_request, a_name, by_redirect
from tests.builders_saml import XML, an_authn_request, as_query
from tests.saml_xml.corpus.keys import PartyKey, rsa_key
from tests.saml_xml.corpus.wrapped_messages import MESSAGE_WRAPPINGS

STRANGER = rsa_key("bench stranger")
BOMB_BYTES = 18_000_000
"""What a query inflates to that is as long as one may be, where nobody stops it."""

Make = Callable[[BenchWorld], HttpRequest]


class Door:
    """One place where suppliers' messages arrive.

    Args:
        build: makes an honest message, not signed; arguments change its attributes.
        queried: makes the query of a message, signed by a key.
    """

    def __init__(
        self,
        path: str,
        build: Callable[..., Element],
        queried: Callable[..., bytes],
    ) -> None:
        self.path = path
        self.build = build
        self.queried = queried

    def honest(self, world: BenchWorld) -> HttpRequest:
        """By redirect, as most of the field sends it."""
        return self.ask(self.queried(self.build(world), key=world.saml_supplier_key))

    def honest_post(self, world: BenchWorld) -> HttpRequest:
        """By POST, with the signature inside."""
        return self.post(serialize(self.signed(world)))

    def signed(self, world: BenchWorld, *, key: PartyKey | None = None) -> Element:
        """Return a message with a signature inside, of the supplier unless a key is given."""
        message = self.build(world)
        XML.sign(message, key=(key or world.saml_supplier_key).signing)
        return message

    def ask(self, query: bytes) -> HttpRequest:
        """Return the browser's request by redirect."""
        return HttpRequest(f"{self.path}?{query.decode()}")

    def post(self, message: bytes) -> HttpRequest:
        """Return the browser's request by POST."""
        return HttpRequest(self.path, urlencode({"SAMLRequest": encode_post(message)}).encode())

    def forgeries(self) -> Mapping[str, Make]:
        """Return every form of forgery by name."""

        def by_stranger(world: BenchWorld) -> HttpRequest:
            return self.ask(self.queried(self.build(world), key=STRANGER))

        def by_stranger_post(world: BenchWorld) -> HttpRequest:
            return self.post(serialize(self.signed(world, key=STRANGER)))

        def unsigned(world: BenchWorld) -> HttpRequest:
            return self.ask(self.queried(self.build(world), key=None))

        def of_nobody(world: BenchWorld) -> HttpRequest:
            message = self.build(world, issuer="https://nobody.example")
            return self.ask(self.queried(message, key=STRANGER))

        def old_signature(world: BenchWorld) -> HttpRequest:
            _, _, rest = self.honest(world).path.partition("&")
            query = self.queried(self.build(world), key=None).decode().partition("&")[0]
            return HttpRequest(f"{self.path}?{query}&{rest}")

        def garbage(world: BenchWorld) -> HttpRequest:
            del world
            return self.post(token_bytes(40_000))

        def too_large(world: BenchWorld) -> HttpRequest:
            del world
            return self.post(b"<x/>" + b" " * 70_000)

        def bomb(world: BenchWorld) -> HttpRequest:
            del world
            return self.ask(_bomb())

        def inflated(world: BenchWorld) -> HttpRequest:
            message = serialize(self.build(world))
            return self.ask(_deflated(message + b" " * (60_000 - len(message))))

        found: dict[str, Make] = {
            each.__name__: each
            for each in (
                by_stranger,
                by_stranger_post,
                unsigned,
                of_nobody,
                old_signature,
                garbage,
                too_large,
                bomb,
                inflated,
            )
        }
        for name, burden in BURDENS.items():
            found[name] = self._burdened(burden)
        for name in ("honest-in-extensions", "honest-in-object"):
            found[f"wrapped_{name.replace('-', '_')}"] = self._wrapped(name)
        return found

    def _burdened(self, burden: Callable[[Element], None]) -> Make:
        def make(world: BenchWorld) -> HttpRequest:
            message = self.signed(world)
            burden(message)
            return self.post(serialize(message))

        return make

    def _wrapped(self, name: str) -> Make:
        def make(world: BenchWorld) -> HttpRequest:
            evil = self.build(world, ID=f"_{token_urlsafe(20)}")
            return self.post(serialize(MESSAGE_WRAPPINGS[name](self.signed(world), evil)))

        return make


def _request(world: BenchWorld, *, issuer: str = SAML_SUPPLIER_ENTITY, **changes: Any) -> Element:
    return an_authn_request(
        SamlSupplier.hint(SAML_BRIN),
        issuer=issuer,
        **{
            "ID": f"_{token_urlsafe(20)}",
            "IssueInstant": _now(),
            "Destination": world.addresses.sso_url,
            "AssertionConsumerServiceURL": SAML_SUPPLIER_ACS,
        }
        | changes,
    )


def _logout(world: BenchWorld, *, issuer: str = SAML_SUPPLIER_ENTITY, **changes: Any) -> Element:
    return a_logout_request(
        issuer=issuer,
        **{
            "ID": f"_{token_urlsafe(20)}",
            # As late as may be: a store that has just begun to remember takes no message that could
            # have been used before it began.
            "IssueInstant": _now(later=CLOCK_SKEW - timedelta(seconds=10)),
            "Destination": f"{world.addresses.issuer}/saml/idp/slo",
        }
        | changes,
    )


def _now(*, later: timedelta = timedelta(0)) -> str:
    return format_instant(datetime.now(UTC).replace(microsecond=0) + later)


REQUESTS = Door("/saml/idp/sso", _request, lambda message, key: as_query(message, key=key))
LOGOUTS = Door("/saml/idp/slo", _logout, by_redirect)


def encrypted_name(world: BenchWorld) -> HttpRequest:
    """A logout whose name is encrypted for us, which anybody can do, signed by a stranger."""
    name = encrypted(a_name(), wrapper="EncryptedID", to=world.broker_decryption)
    message = _logout(world, name=name)
    XML.sign(message, key=STRANGER.signing)
    return LOGOUTS.post(serialize(message))


def _deflated(message: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = deflater.compress(message) + deflater.flush()
    return b"SAMLRequest=" + quote(b64encode(packed).decode(), safe="").encode()


def _bomb() -> bytes:
    return _BOMBS[0]


_BOMBS = (_deflated(b" " * BOMB_BYTES),)
