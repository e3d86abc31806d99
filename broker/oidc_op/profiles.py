"""What each profile of relying parties may do. A profile is data; checks ask it, never its name.

`strict` is for suppliers that build anew, `compat` for libraries with their defaults (OpenID
Connect Basic), `native` for apps on a device (RFC 8252), `nlgov` for the profiles of the Dutch
government (OIDC NL GOV 1.0.1, OAuth NL GOV 1.2.0), `fapi2` for the FAPI 2.0 Security Profile. A
rule stands here once; whoever enforces it reads it here, and discovery names what some profile
allows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from broker.domain.refusals import Refusal, WhoseTask


class ProfileUnknown(Refusal):
    """A compiled document names a profile that is not built: `broker apply` should have refused."""

    code = "E-OIDC-3"
    whose_task = WhoseTask.BROKER
    what = "This learning material is not set up correctly on our side."
    remedy = "We have been told. Please try again later."
    http_status = 500
    oauth_error = "server_error"


class RequestObjects(StrEnum):
    """Whether an authorization request may stand in a signed object (RFC 9101)."""

    REFUSED = "refused"
    ALLOWED = "allowed"
    REQUIRED = "required"


class AccessTokenForm(StrEnum):
    """What an access token looks like to whom it is given."""

    OPAQUE = "opaque"
    JWT = "jwt"  # RFC 9068


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshRules:
    """Within what a relying party whose document allows refresh tokens may use them.

    Attributes:
        rotates: each use gives the next one, and an old one revokes all (RFC 9700 4.14.2).
        ttl_seconds: from the login on; no use makes it longer.
        idle_seconds: from one use to the next.
    """

    rotates: bool
    ttl_seconds: int
    idle_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Rules that differ between relying parties.

    Attributes:
        pkce_required: without a code challenge the request is refused (RFC 9700 2.1.1).
        state_required, nonce_required: the same of `state` and `nonce`.
        unguessable_bits: how many bits these must have room for; 0 where that is not looked at.
        native_redirects: whether a redirect URI may be on loopback with any port, or have a scheme
            of the app's own (RFC 8252 7.1 and 7.3). Others are compared exactly.
        pushed_required: a request that was not pushed is refused (RFC 9126 6).
        request_objects: signed requests by value or by a registered reference.
        request_object_algorithms: with which they may be signed; JWA names.
        authentication_methods: a client is registered with exactly one of these.
        authentication_algorithms: of client assertions; JWA names.
        token_endpoint_as_audience: whether a client assertion may name the token endpoint instead
            of the issuer, as RFC 7523 had it before its revision.
        client_credentials: whether a relying party may call our API for its supplier.
        id_token_algorithms: a client is registered with exactly one of these.
        id_token_ttl_seconds: from `iat` to `exp`.
        access_token_forms: a client is registered with exactly one of these, by default the first.
        access_token_ttl_seconds: from issue to end.
        sender_constraint_required: tokens are bound to a key of the client, by DPoP or by its
            certificate (RFC 9449, RFC 8705); else they are when the client asks.
        dpop_nonce_required: whether a proof must hold a nonce of ours (RFC 9449 8 and 9).
        refresh: None where refresh tokens are never given.
    """

    pkce_required: bool
    state_required: bool
    nonce_required: bool
    unguessable_bits: int
    native_redirects: bool
    pushed_required: bool
    request_objects: RequestObjects
    request_object_algorithms: tuple[str, ...]
    authentication_methods: tuple[str, ...]
    authentication_algorithms: tuple[str, ...]
    token_endpoint_as_audience: bool
    client_credentials: bool
    id_token_algorithms: tuple[str, ...]
    id_token_ttl_seconds: int
    access_token_forms: tuple[AccessTokenForm, ...]
    access_token_ttl_seconds: int
    sender_constraint_required: bool
    dpop_nonce_required: bool
    refresh: RefreshRules | None

    @property
    def public_clients(self) -> bool:
        """Tell whether a client may have nothing to prove who it is (RFC 6749 2.1)."""
        return "none" in self.authentication_methods


_HOUR_SECONDS = 3600
_DAY_SECONDS = 24 * _HOUR_SECONDS
_KEYS = ("private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth")
_ANY_ALGORITHM = ("ES256", "RS256", "PS256", "EdDSA")
_NLGOV_ALGORITHMS = ("RS256", "PS256", "ES256")  # OAuth NL GOV: RS256 MUST, PS256 SHOULD
_FAPI_ALGORITHMS = ("PS256", "ES256", "EdDSA")  # FAPI 2.0 5.4.1
_OPAQUE_OR_JWT = (AccessTokenForm.OPAQUE, AccessTokenForm.JWT)
_ROTATED = RefreshRules(rotates=True, ttl_seconds=30 * _DAY_SECONDS, idle_seconds=7 * _DAY_SECONDS)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "strict": Profile(
            pkce_required=True,
            state_required=False,
            nonce_required=False,
            unguessable_bits=0,
            native_redirects=False,
            pushed_required=False,
            request_objects=RequestObjects.ALLOWED,
            request_object_algorithms=_ANY_ALGORITHM,
            authentication_methods=_KEYS,
            authentication_algorithms=_ANY_ALGORITHM,
            token_endpoint_as_audience=False,
            client_credentials=True,
            id_token_algorithms=_ANY_ALGORITHM,
            id_token_ttl_seconds=600,
            access_token_forms=_OPAQUE_OR_JWT,
            access_token_ttl_seconds=300,
            sender_constraint_required=False,
            dpop_nonce_required=False,
            refresh=_ROTATED,
        ),
        "compat": Profile(
            pkce_required=False,  # OpenID Connect Basic
            state_required=False,
            nonce_required=False,
            unguessable_bits=0,
            native_redirects=False,
            pushed_required=False,
            request_objects=RequestObjects.ALLOWED,
            request_object_algorithms=_ANY_ALGORITHM,
            authentication_methods=(*_KEYS, "client_secret_basic", "client_secret_post"),
            authentication_algorithms=_ANY_ALGORITHM,
            token_endpoint_as_audience=True,
            client_credentials=False,
            id_token_algorithms=_ANY_ALGORITHM,
            id_token_ttl_seconds=600,
            access_token_forms=_OPAQUE_OR_JWT,
            access_token_ttl_seconds=300,
            sender_constraint_required=False,
            dpop_nonce_required=False,
            refresh=_ROTATED,
        ),
        "native": Profile(
            pkce_required=True,  # RFC 8252 6
            state_required=False,
            nonce_required=False,
            unguessable_bits=0,
            native_redirects=True,
            pushed_required=False,
            request_objects=RequestObjects.REFUSED,  # an app has no key that would be its own
            request_object_algorithms=(),
            authentication_methods=("none",),  # RFC 8252 8.5
            authentication_algorithms=(),
            token_endpoint_as_audience=False,
            client_credentials=False,
            id_token_algorithms=_ANY_ALGORITHM,
            id_token_ttl_seconds=600,
            access_token_forms=_OPAQUE_OR_JWT,
            access_token_ttl_seconds=300,
            sender_constraint_required=False,
            dpop_nonce_required=False,
            refresh=_ROTATED,  # RFC 9700 2.2.2
        ),
        "nlgov": Profile(
            pkce_required=True,
            state_required=True,  # OIDC NL GOV, authorization request
            nonce_required=True,
            unguessable_bits=128,  # OIDC NL GOV, authorization request; OAuth NL GOV, `state`
            native_redirects=False,
            pushed_required=False,
            request_objects=RequestObjects.ALLOWED,
            request_object_algorithms=_NLGOV_ALGORITHMS,
            authentication_methods=("private_key_jwt", "tls_client_auth"),
            authentication_algorithms=_NLGOV_ALGORITHMS,
            token_endpoint_as_audience=False,
            client_credentials=False,  # OAuth NL GOV: one grant type for each client id
            id_token_algorithms=_NLGOV_ALGORITHMS,
            id_token_ttl_seconds=300,  # OIDC NL GOV: at most five minutes
            access_token_forms=(AccessTokenForm.JWT,),
            access_token_ttl_seconds=300,  # OAuth NL GOV: at most an hour
            sender_constraint_required=False,
            dpop_nonce_required=False,
            refresh=RefreshRules(  # OAuth NL GOV: at most 24 hours; OIDC NL GOV: idle at most 6
                rotates=True, ttl_seconds=_DAY_SECONDS, idle_seconds=6 * _HOUR_SECONDS
            ),
        ),
        "fapi2": Profile(
            pkce_required=True,  # FAPI 2.0 5.3.2.2
            state_required=False,
            nonce_required=False,
            unguessable_bits=0,
            native_redirects=False,
            pushed_required=True,
            request_objects=RequestObjects.ALLOWED,
            request_object_algorithms=_FAPI_ALGORITHMS,
            authentication_methods=_KEYS,
            authentication_algorithms=_FAPI_ALGORITHMS,
            token_endpoint_as_audience=False,
            client_credentials=True,
            id_token_algorithms=_FAPI_ALGORITHMS,
            id_token_ttl_seconds=600,
            access_token_forms=(AccessTokenForm.JWT, AccessTokenForm.OPAQUE),
            access_token_ttl_seconds=300,
            sender_constraint_required=True,
            dpop_nonce_required=True,  # FAPI 2.0 5.3.3.2: its clients know nonces
            refresh=RefreshRules(  # FAPI 2.0 5.3.2.1: bound to the client, so without rotation
                rotates=False, ttl_seconds=30 * _DAY_SECONDS, idle_seconds=7 * _DAY_SECONDS
            ),
        ),
    }
)


def find_profile(name: str) -> Profile:
    """Return the rules of a profile.

    Raises:
        ProfileUnknown: there is none of that name.

    >>> find_profile("strict").pkce_required
    True
    """
    if name not in PROFILES:
        raise ProfileUnknown("check_profile_known", subject=name)
    return PROFILES[name]
