"""Registered systems of suppliers: OpenID Connect clients and SAML service providers.

Compiled once from the documents (`config/README.md`) by `broker apply`. Nothing personal in it.
"""

from enum import StrEnum
from typing import Literal

import msgspec

from broker.domain.ids import RelyingPartyId, SupplierId
from broker.domain.saml_answer_forms import DEFAULT_FORM, AnswerForm
from broker.domain.saml_published import PublishedServiceProvider

TokenAlgorithm = Literal["ES256", "RS256", "PS256", "EdDSA"]
"""What we can sign tokens with (RFC 7518 3.1, RFC 8037 3.1)."""

AccessTokenName = Literal["opaque", "jwt"]
"""What an access token looks like: `oidc_op.profiles.AccessTokenForm`."""

ClientAuthentication = Literal[
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
    "client_secret_basic",
    "client_secret_post",
    "none",
]
"""Ways in which a client may prove who it is (RFC 7591 2, RFC 8705 2). `none` is a public one."""

ProfileName = Literal["strict", "compat", "native", "nlgov", "fapi2"]
"""What each allows is in `oidc_op.profiles`."""


class ClaimProfile(StrEnum):
    """How a relying party wants attributes named."""

    STANDARD = "standard"
    ENTREE = "entree"


class CertificateNameKind(StrEnum):
    """Where in a client's certificate its registered name stands (RFC 8705 2.1.2)."""

    SUBJECT_DN = "subject_dn"
    SAN_DNS = "san_dns"
    SAN_URI = "san_uri"
    SAN_IP = "san_ip"
    SAN_EMAIL = "san_email"


class CertificateName(msgspec.Struct, frozen=True, kw_only=True):
    """The one name by which a client's certificate is known. Of a system, not of a person."""

    kind: CertificateNameKind
    value: str


class OidcClient(msgspec.Struct, frozen=True, kw_only=True, tag="oidc"):
    """A relying party that speaks OpenID Connect.

    Attributes:
        profile: name of its rules; what each allows is in `oidc_op.profiles`.
        redirect_uris: compared as simple strings, loopback ports of native apps excepted.
        jwks: its public keys as a JSON Web Key Set in JSON, for `private_key_jwt`.
        jwks_uri: where they are published instead.
        secret_hash: hex SHA-256 of its 256-bit secret, for the methods with a secret.
        next_secret_hash: of the secret that follows; both are accepted meanwhile.
        certificate_name: for `tls_client_auth`.
        dpop_bound, certificate_bound: its tokens are bound to its key by DPoP, or to its
            certificate, and it gets none otherwise (RFC 9449 5.2, RFC 8705 3.4).
        authentication: its one registered way of client authentication.
        id_token_algorithm: JWA name.
        userinfo_algorithm: JWA name, when userinfo answers with a signed token; None for JSON.
        access_tokens: what they look like; None is the first that its profile allows.
        refresh_hours: how long after the login it may refresh; 0 is never.
        refresh_idle_hours: how long from one refresh to the next; None is what its profile allows.
        request_object_algorithm: with which it signs requests; None: any that its profile allows.
        request_uris: where its signed requests stand; no other address is ever fetched.
        require_pushed, require_signed_request: what comes otherwise is refused (RFC 9126 6, RFC
            9101 10.5).
        post_logout_redirect_uris: where a browser may go after logging out; compared as strings.
        backchannel_logout_uri: where it is told by us that a session ended.
        frontchannel_logout_uri: its page that ends its session in a frame.
    """

    client_id: str
    profile: str = "strict"
    redirect_uris: tuple[str, ...]
    authentication: ClientAuthentication = "private_key_jwt"
    jwks: str = ""
    jwks_uri: str | None = None
    secret_hash: str | None = None
    next_secret_hash: str | None = None
    certificate_name: CertificateName | None = None
    dpop_bound: bool = False
    certificate_bound: bool = False
    id_token_algorithm: TokenAlgorithm = "ES256"
    userinfo_algorithm: TokenAlgorithm | None = None
    access_tokens: AccessTokenName | None = None
    refresh_hours: int = 0
    refresh_idle_hours: int | None = None
    request_object_algorithm: str | None = None
    request_uris: tuple[str, ...] = ()
    require_pushed: bool = False
    require_signed_request: bool = False
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    frontchannel_logout_uri: str | None = None

    @property
    def is_public(self) -> bool:
        """Tell whether it has nothing to prove who it is (RFC 6749 2.1)."""
        return self.authentication == "none"


class AssertionConsumerService(msgspec.Struct, frozen=True, kw_only=True):
    """One place that receives our responses by POST (SAML metadata 2.4.4)."""

    url: str
    index: int
    is_default: bool = False


class SamlServiceProvider(PublishedServiceProvider, frozen=True, kw_only=True, tag="saml"):
    """A relying party that speaks SAML, compiled from its metadata.

    Attributes:
        signing_certificates: DER; the only keys that may sign its requests.
        encryption_certificates: DER; the assertion is encrypted to the first when asked.
        require_signed_requests: its metadata or our policy says AuthnRequestsSigned.
        encrypt_assertions: encrypt, and refuse to answer when there is no key.
        answers: how it is answered, beyond what a request asks.
    """

    entity_id: str
    assertion_consumer_services: tuple[AssertionConsumerService, ...]
    signing_certificates: tuple[bytes, ...] = ()
    encryption_certificates: tuple[bytes, ...] = ()
    require_signed_requests: bool = False
    encrypt_assertions: bool = False
    answers: AnswerForm = DEFAULT_FORM


class RelyingParty(msgspec.Struct, frozen=True, kw_only=True):
    """One registered system of a supplier; all systems of a supplier share its pseudonyms.

    Attributes:
        start_url: where people begin; "" for an app that has no such place.
        initiate_login_uri: where it can be asked to begin a login (OIDC Core 4); "" for nowhere.
        start_targets: places below which links may open its pages; each ends with a slash.
        session_answer_url: where it hears whether somebody is logged in; "" where it does not ask.
    """

    id: RelyingPartyId
    supplier: SupplierId
    start_url: str
    initiate_login_uri: str = ""
    start_targets: tuple[str, ...] = ()
    session_answer_url: str = ""
    claims: ClaimProfile = ClaimProfile.STANDARD
    protocol: OidcClient | SamlServiceProvider
    enabled: bool = True
