"""Parties, keys and messages of OpenID Connect for tests: right by default, wrong by `changes`."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import replace

from broker.domain.attributes import OIDC_NAMES
from broker.domain.federation import (
    OidcIdpEndpoints,
    SchoolFrom,
    SchoolIdp,
    State,
    Supplier,
    SupplierApi,
)
from broker.domain.ids import RelyingPartyId, SchoolId, SchoolIdpId, SupplierId
from broker.domain.registry import Registry, build_registry
from broker.domain.relying_parties import OidcClient, RelyingParty
from broker.jose.keys import SigningKey, read_signing_key
from broker.jose.tokens import sign_token
from broker.oidc_op.client_assertions import ASSERTION_TYPE
from broker.oidc_op.client_secrets import hash_client_secret
from broker.oidc_op.grants import OidcGrant, UserinfoGrant, userinfo_grant_of
from broker.oidc_op.token import derive_code_challenge
from broker.pseudonyms.derivation import Pseudonym

NOW = datetime(2026, 9, 1, 8, 3, 21, tzinfo=UTC)
ISSUER = "https://broker.example"
TOKEN_ENDPOINT = "https://broker.example/oidc/token"
CLIENT_ID = "rekenrijk-web"
REDIRECT_URI = "https://rekenrijk.example/callback"
VERIFIER = "v" * 43
CHALLENGE = derive_code_challenge(VERIFIER)
SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"
PSEUDONYM = Pseudonym("a" * 53)
ACCESS_TOKEN_SECONDS = 300


def make_key(kind: str = "EC") -> SigningKey:
    """A fresh key of our own or of a party."""
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if kind == "EC":
        private = ec.generate_private_key(ec.SECP256R1())
    else:
        private = rsa.generate_private_key(65537, 2048)
    return read_signing_key(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )


def jwks_of(*keys: SigningKey) -> str:
    return json.dumps({"keys": [dict(each.public_jwk) for each in keys]})


CLIENT_KEY = make_key()
BROKER_KEY = make_key()
BROKER_RSA_KEY = make_key("RSA")
SCHOOL_KEY = make_key()


def an_oidc_client(**changes: object) -> OidcClient:
    fields: dict[str, object] = {
        "client_id": CLIENT_ID,
        "redirect_uris": (REDIRECT_URI, "https://rekenrijk.example/cb?tenant=1"),
        "jwks": jwks_of(CLIENT_KEY),
    }
    return OidcClient(**fields | changes)  # type: ignore[arg-type]


def a_compat_client(**changes: object) -> OidcClient:
    fields: dict[str, object] = {
        "profile": "compat",
        "authentication": "client_secret_basic",
        "secret_hash": hash_client_secret(SECRET),
    }
    return an_oidc_client(**fields | changes)


def a_native_client(**changes: object) -> OidcClient:
    fields: dict[str, object] = {"profile": "native", "authentication": "none", "jwks": ""}
    return an_oidc_client(**fields | changes)


def a_registry(
    *clients: OidcClient,
    enabled: bool = True,
    supplier_enabled: bool = True,
    resources: tuple[str, ...] = (),
) -> Registry:
    """A registry with one supplier, `rekenrijk`, and its clients."""
    parties = tuple(
        RelyingParty(
            id=RelyingPartyId(f"rp-{number}"),
            supplier=SupplierId("rekenrijk"),
            start_url="https://rekenrijk.example/",
            protocol=each,
            enabled=enabled,
        )
        for number, each in enumerate(clients or (an_oidc_client(),))
    )
    supplier = Supplier(
        id=SupplierId("rekenrijk"),
        legal_name="Rekenrijk BV",
        display_name="Rekenrijk",
        state=State.TEST,
        relying_parties=parties,
        apis=tuple(SupplierApi(id=f"api-{i}", resource=each) for i, each in enumerate(resources)),
        epoch="a",
        enabled=supplier_enabled,
    )
    return build_registry(1, schools=(), idps=(), suppliers=(supplier,), agreements=())


def pairs(fields: Mapping[str, str | None], **changes: str | None) -> list[tuple[str, str]]:
    """The fields with changes; None leaves one out."""
    merged = {**fields, **changes}
    return [(name, value) for name, value in merged.items() if value is not None]


def an_authorization_request(**changes: str | None) -> list[tuple[str, str]]:
    fields: dict[str, str | None] = {
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "openid profile",
        "state": "s t/a&t=e",
        "nonce": "n-0S6",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return pairs(fields, **changes)


def an_assertion(*, key: SigningKey = CLIENT_KEY, typ: str = "JWT", **changes: object) -> str:
    now = int(NOW.timestamp())
    claims: dict[str, object] = {
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "aud": ISSUER,
        "iat": now,
        "exp": now + 60,
        "jti": "j-1",
    }
    claims = {name: each for name, each in (claims | changes).items() if each is not None}
    return sign_token(claims, key=key, typ=typ)


def a_request_object(
    *, key: SigningKey = CLIENT_KEY, typ: str = "oauth-authz-req+jwt", **changes: object
) -> str:
    """A signed authorization request; None leaves a claim out."""
    now = int(NOW.timestamp())
    claims: dict[str, object] = {
        **dict(an_authorization_request()),
        "iss": CLIENT_ID,
        "aud": ISSUER,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "jti": "object-1",
    }
    claims = {name: each for name, each in (claims | changes).items() if each is not None}
    return sign_token(claims, key=key, typ=typ)


def assertion_form(assertion: str, **changes: str | None) -> list[tuple[str, str]]:
    fields = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    return pairs(fields, **changes)


def basic(client_id: str = CLIENT_ID, secret: str = SECRET) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def a_token_request(**changes: str | None) -> list[tuple[str, str]]:
    fields = {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    return pairs(fields, **changes)


def a_grant(**changes: object) -> OidcGrant:
    fields: dict[str, object] = {
        "relying_party": RelyingPartyId("rp-0"),
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "code_challenge": CHALLENGE,
        "nonce": "n-0S6",
        "pseudonym": PSEUDONYM,
        "claims": {"given_name": "Sanne"},
        "issued_at": NOW,
    }
    return OidcGrant(**fields | changes)  # type: ignore[arg-type]


def a_userinfo_grant(grant: OidcGrant | None = None, **changes: Any) -> UserinfoGrant:
    plain = userinfo_grant_of(
        grant or a_grant(), signed=False, issued_at=NOW, ttl_seconds=ACCESS_TOKEN_SECONDS
    )
    return replace(plain, **changes)


# A school's provider ----------------------------------------------------------------------------

SCHOOL_ISSUER = "https://login.kompas.example"
SCHOOL_CLIENT_ID = "schuilnaam"
NONCE = "nonce-of-this-login"


def school_endpoints(**changes: object) -> OidcIdpEndpoints:
    fields: dict[str, object] = {
        "issuer": SCHOOL_ISSUER,
        "client_id": SCHOOL_CLIENT_ID,
        "authorization_endpoint": f"{SCHOOL_ISSUER}/authorize",
        "token_endpoint": f"{SCHOOL_ISSUER}/token",
        "jwks": jwks_of(SCHOOL_KEY),
        "algorithms": ("ES256",),
        "client_assertion_audience": SCHOOL_ISSUER,
    }
    return OidcIdpEndpoints(**fields | changes)  # type: ignore[arg-type]


def a_school_idp(**changes: object) -> SchoolIdp:
    fields: dict[str, object] = {
        "id": SchoolIdpId("kompas-login"),
        "schools": (SchoolId("kompas"),),
        "state": State.TEST,
        "endpoints": school_endpoints(),
        "school_from": SchoolFrom.FIXED,
        "attributes": dict(OIDC_NAMES),
    }
    return SchoolIdp(**fields | changes)  # type: ignore[arg-type]


def id_token_claims(**changes: object) -> dict[str, object]:
    now = int(NOW.timestamp())
    claims: dict[str, object] = {
        "iss": SCHOOL_ISSUER,
        "sub": "noor-1",
        "aud": SCHOOL_CLIENT_ID,
        "iat": now - 2,
        "exp": now + 300,
        "nonce": NONCE,
    }
    return {name: each for name, each in (claims | changes).items() if each is not None}


def a_token_response(
    *, id_token: object = None, key: SigningKey = SCHOOL_KEY, without: str = "", **changes: object
) -> bytes:
    """The body of a school's token endpoint; `changes` go to the ID token's claims."""
    body = {
        "access_token": "at-1",
        "token_type": "Bearer",
        "id_token": id_token or sign_token(id_token_claims(**changes), key=key),
    }
    return json.dumps({name: each for name, each in body.items() if name != without}).encode()


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)
