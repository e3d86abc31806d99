"""Metadata (OIDC Discovery 1.0 section 3, RFC 8414, RFC 9207): what is enabled, and nothing else.

Every list comes from the code that decides it, so that a claim here cannot outlive the feature; a
test walks every member. What we do not offer has no member: registration, device and backchannel
authentication, token exchange, encryption, `check_session_iframe`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from broker.domain.assurance import ACR_VALUES
from broker.domain.federation import ApiScope
from broker.domain.relying_parties import ClaimProfile
from broker.jose.tokens import sign_token
from broker.oidc_op.asked_claims import CLAIMS_OF_SCOPE
from broker.oidc_op.claims import PROTOCOL_CLAIMS, claim_names
from broker.oidc_op.client_assertions import ASSERTION_ALGORITHMS
from broker.oidc_op.client_credentials import CLIENT_CREDENTIALS
from broker.oidc_op.clients import OFFLINE_ACCESS
from broker.oidc_op.dpop import DPOP_ALGORITHMS
from broker.oidc_op.jwks import TokenKeys
from broker.oidc_op.profiles import PROFILES
from broker.oidc_op.refresh import REFRESH_TOKEN
from broker.oidc_op.request_checks import RESPONSE_MODES


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where this provider is reached; made from the issuer, never from a request's Host."""

    issuer: str

    @property
    def authorization(self) -> str:
        """Return the authorization endpoint's URL."""
        return self.issuer + "/oidc/authorize"

    @property
    def token(self) -> str:
        """Return the token endpoint's URL."""
        return self.issuer + "/oidc/token"

    @property
    def pushed_requests(self) -> str:
        """Return the pushed authorization request endpoint's URL (RFC 9126 5)."""
        return self.issuer + "/oidc/par"

    @property
    def userinfo(self) -> str:
        """Return the userinfo endpoint's URL."""
        return self.issuer + "/oidc/userinfo"

    @property
    def end_session(self) -> str:
        """Return the URL where relying parties log out (RP-Initiated Logout 1.0 2.1)."""
        return self.issuer + "/oidc/end-session"

    @property
    def jwks(self) -> str:
        """Return the URL of the JSON Web Key Set."""
        return self.issuer + "/oidc/jwks"

    @property
    def introspection(self) -> str:
        """Return the introspection endpoint's URL."""
        return self.issuer + "/oidc/introspect"

    @property
    def revocation(self) -> str:
        """Return the revocation endpoint's URL."""
        return self.issuer + "/oidc/revoke"


PROMPTS = ("none", "login", "consent", "select_account")
UI_LOCALES = ("nl", "en")
"""The languages of our pages: `web.texts.Language`."""

PUBLIC = "none"
CERTIFICATE_METHODS = ("tls_client_auth", "self_signed_tls_client_auth")
ALIASED = (
    *("token_endpoint", "userinfo_endpoint", "pushed_authorization_request_endpoint"),
    *("revocation_endpoint", "introspection_endpoint"),
)
"""What has a second address for clients with a certificate (RFC 8705 5), where it is enabled."""


@dataclass(frozen=True, slots=True)
class CertificateSupport:
    """Clients can show a certificate.

    Attributes:
        origin: under which they do, when it is another than the issuer.
    """

    origin: str | None = None


def build_discovery(
    endpoints: Endpoints,
    *,
    keys: TokenKeys,
    certificates: CertificateSupport | None = None,
    front_channel_logout: bool = False,
    service_documentation: str | None = None,
) -> dict[str, object]:
    """Return the metadata document, the same one for both well-known addresses.

    `signed_metadata` (RFC 8414 2.1) says all of it once more in a token that we signed; it is left
    out while no key is active.

    `id_token_signing_alg_values_supported` names RS256, which Discovery demands, only when an
    RS256 key is active: the truth before the letter.

    >>> found = build_discovery(Endpoints("https://broker.example"), keys=TokenKeys(active=()))
    >>> found["issuer"], found["token_endpoint"]
    ('https://broker.example', 'https://broker.example/oidc/token')
    """
    methods = dict.fromkeys(
        method
        for profile in PROFILES.values()
        for method in profile.authentication_methods
        if certificates is not None or method not in CERTIFICATE_METHODS
    )
    object_algorithms = dict.fromkeys(
        name for profile in PROFILES.values() for name in profile.request_object_algorithms
    )
    claims = {name for profile in ClaimProfile for name in claim_names(profile)}
    document: dict[str, object] = {
        "issuer": endpoints.issuer,
        "authorization_endpoint": endpoints.authorization,
        "token_endpoint": endpoints.token,
        "pushed_authorization_request_endpoint": endpoints.pushed_requests,
        "userinfo_endpoint": endpoints.userinfo,
        "end_session_endpoint": endpoints.end_session,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": front_channel_logout,
        "frontchannel_logout_session_supported": front_channel_logout,
        "jwks_uri": endpoints.jwks,
        "introspection_endpoint": endpoints.introspection,
        "introspection_endpoint_auth_methods_supported": [
            each
            for each in methods
            if each != PUBLIC  # RFC 7662 2.1
        ],
        "introspection_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "revocation_endpoint": endpoints.revocation,
        "revocation_endpoint_auth_methods_supported": list(methods),
        "revocation_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "scopes_supported": ["openid", *CLAIMS_OF_SCOPE, OFFLINE_ACCESS, *ApiScope],
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": ["authorization_code", REFRESH_TOKEN, CLIENT_CREDENTIALS],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": list(keys.algorithms),
        "userinfo_signing_alg_values_supported": list(keys.algorithms),
        "token_endpoint_auth_methods_supported": list(methods),
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "dpop_signing_alg_values_supported": list(DPOP_ALGORITHMS),
        "tls_client_certificate_bound_access_tokens": certificates is not None,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "claims_supported": sorted(PROTOCOL_CLAIMS | claims),
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "acr_values_supported": list(ACR_VALUES),
        "display_values_supported": ["page"],
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "require_signed_request_object": False,  # of some clients; see their documents
        "request_object_signing_alg_values_supported": list(object_algorithms),
        "require_pushed_authorization_requests": False,  # of some clients; see their profiles
        "prompt_values_supported": list(PROMPTS),
        "ui_locales_supported": list(UI_LOCALES),
    }
    if certificates is not None and certificates.origin is not None:
        document["mtls_endpoint_aliases"] = {
            name: str(document[name]).replace(endpoints.issuer, certificates.origin, 1)
            for name in ALIASED
            if name in document
        }
    if service_documentation is not None:
        document["service_documentation"] = service_documentation
    if keys.active:
        document["signed_metadata"] = sign_metadata(document, keys=keys)
    return document


def sign_metadata(document: Mapping[str, object], *, keys: TokenKeys) -> str:
    """Return the metadata as a token of ours; RS256 where we can, which every NL GOV client takes.

    Clients that read it let it go before what stands beside it (RFC 8414 2.1).
    """
    by_algorithm = {each.algorithm: each for each in reversed(keys.active)}
    key = by_algorithm.get("RS256", keys.active[0])
    return sign_token({**document, "iss": document["issuer"]}, key=key)
