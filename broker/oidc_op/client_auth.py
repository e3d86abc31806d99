"""Who calls an endpoint for machines (RFC 6749 2.3, OIDC Core 9): one client, one method.

A caller uses exactly one method, the registered one. Every refusal of a caller is one and the same
`invalid_client`: what was wrong stands in the audit event only. `client_assertions`,
`client_certificates` and `client_secrets` check what a method shows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from broker.domain.registry import Registry
from broker.domain.relying_parties import ClientAuthentication
from broker.jose.keys import KeySet
from broker.oidc_op.caller_proof import CallerProof
from broker.oidc_op.client_assertions import (
    ASSERTION_TYPE,
    AssertionId,
    check_client_assertion,
    read_assertion_subject,
)
from broker.oidc_op.client_certificates import check_certificate_key, check_certificate_name
from broker.oidc_op.client_refusals import ClientAuthenticationAmbiguous, ClientNotAuthenticated
from broker.oidc_op.client_secrets import check_client_secret, read_basic
from broker.oidc_op.clients import ClientUnknown, KnownClient, find_client
from broker.oidc_op.parameters import collect_parameters

_FORM_NAMES = ("client_id", "client_secret", "client_assertion", "client_assertion_type")


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a caller shows, read and not yet checked.

    Attributes:
        unverified_client_id: None when only the assertion can tell.
        method: as in `token_endpoint_auth_method` (RFC 7591 2); `none` when neither secret nor
            assertion is there, which is also how a client with a certificate asks (RFC 8705 2).
    """

    unverified_client_id: str | None
    method: str
    secret: str = field(default="", repr=False)
    assertion: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """A client that proved who it is; `assertion_id` must be claimed before anything is given."""

    client: KnownClient
    assertion_id: AssertionId | None

    @property
    def client_id(self) -> str:
        """Return the registered client id."""
        return self.client.oidc.client_id


def parse_client_authentication(
    form: Sequence[tuple[str, str]], *, proof: CallerProof
) -> ClientCredentials:
    """Read how a caller authenticates.

    Args:
        form: decoded names and values of the body.
        proof: what came beside it.

    Raises:
        ClientAuthenticationAmbiguous: two methods, or two client ids.
        ClientNotAuthenticated: no method, or one that cannot be read.
        DuplicatedParameter, RequestTooLarge: the form is malformed.
    """
    found, authorization = collect_parameters(form, known=_FORM_NAMES), proof.authorization
    has_assertion = "client_assertion" in found or "client_assertion_type" in found
    if (authorization is not None) + has_assertion + ("client_secret" in found) > 1:
        raise ClientAuthenticationAmbiguous("check_one_authentication_method")
    if authorization is not None:
        client_id, secret = read_basic(authorization)
        if found.get("client_id") not in (None, client_id):
            raise ClientAuthenticationAmbiguous("check_one_client_id")
        return ClientCredentials(client_id, "client_secret_basic", secret=secret)
    if not has_assertion:
        method = "client_secret_post" if "client_secret" in found else "none"
        return ClientCredentials(
            found.get("client_id"), method, secret=found.get("client_secret", "")
        )
    if found.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in found:
        raise ClientNotAuthenticated("check_assertion_type")
    return ClientCredentials(
        found.get("client_id"), "private_key_jwt", assertion=found["client_assertion"]
    )


def read_presented_id(credentials: ClientCredentials) -> str | None:
    """Return whose keys must have signed: unverified, as stated in the form or the assertion."""
    return credentials.unverified_client_id or read_assertion_subject(credentials.assertion)


def find_presented_client(credentials: ClientCredentials, *, registry: Registry) -> KnownClient:
    """Return the client that the credentials name, so that its keys can be found.

    An assertion without `client_id` beside it (RFC 7521 4.2) names its client inside; that is
    believed only in so far as the key of that very client must then have signed it.

    Raises:
        ClientNotAuthenticated: there is none, or it is disabled.
    """
    try:
        return find_client(read_presented_id(credentials), registry=registry)
    except ClientUnknown as unknown:
        raise ClientNotAuthenticated(unknown.check) from None


def check_client_authentication(
    credentials: ClientCredentials,
    *,
    proof: CallerProof,
    client: KnownClient,
    keys: KeySet,
    issuer: str,
    token_endpoint: str,
    now: datetime,
) -> AuthenticatedClient:
    """Return the client as one that proved who it is.

    Args:
        proof: what came beside the form.
        client: from `find_presented_client`.
        keys: its registered public keys (`parse_key_set(client.oidc.jwks)`, or fetched).
        issuer: ours: the sole audience of an assertion.
        token_endpoint: ours: accepted instead in profiles that say so.
        now: aware UTC.

    Raises:
        ClientNotAuthenticated: anything is wrong; `check` says what, the caller is not told.
    """
    attempt = Attempt(credentials, proof, client, keys, (issuer,), now)
    if client.profile.token_endpoint_as_audience:
        attempt = replace(attempt, audiences=(issuer, token_endpoint))
    registered = client.oidc.authentication
    shown, check = METHODS[registered]
    allowed = registered in client.profile.authentication_methods
    if not allowed or credentials.method != shown:
        raise ClientNotAuthenticated("check_authentication_method_registered")
    return check(attempt)


@dataclass(frozen=True, slots=True)
class Attempt:
    """All that a method looks at."""

    credentials: ClientCredentials
    proof: CallerProof
    client: KnownClient
    keys: KeySet
    audiences: tuple[str, ...]
    now: datetime


def authenticate_by_assertion(attempt: Attempt) -> AuthenticatedClient:
    """RFC 7523 3: it signed for itself, with an algorithm of its profile."""
    used = check_client_assertion(
        attempt.credentials.assertion,
        client_id=attempt.client.oidc.client_id,
        keys=attempt.keys,
        algorithms=attempt.client.profile.authentication_algorithms,
        audiences=attempt.audiences,
        now=attempt.now,
    )
    return AuthenticatedClient(attempt.client, used)


def authenticate_by_secret(attempt: Attempt) -> AuthenticatedClient:
    """RFC 6749 2.3.1: it knows the secret."""
    check_client_secret(attempt.credentials.secret, attempt.client.oidc)
    return AuthenticatedClient(attempt.client, None)


def authenticate_by_certificate(attempt: Attempt) -> AuthenticatedClient:
    """RFC 8705 2.1: its certificate has the registered name."""
    check_certificate_name(
        attempt.proof.certificate, registered=attempt.client.oidc.certificate_name, now=attempt.now
    )
    return AuthenticatedClient(attempt.client, None)


def authenticate_by_certificate_key(attempt: Attempt) -> AuthenticatedClient:
    """RFC 8705 2.2: its certificate has a registered key."""
    check_certificate_key(attempt.proof.certificate, keys=attempt.keys, now=attempt.now)
    return AuthenticatedClient(attempt.client, None)


def name_public_client(attempt: Attempt) -> AuthenticatedClient:
    """RFC 6749 2.1: it has nothing to prove who it is; whoever has its code must answer PKCE."""
    return AuthenticatedClient(attempt.client, None)


METHODS: Mapping[ClientAuthentication, tuple[str, Callable[[Attempt], AuthenticatedClient]]] = (
    MappingProxyType(
        {
            "private_key_jwt": ("private_key_jwt", authenticate_by_assertion),
            "client_secret_basic": ("client_secret_basic", authenticate_by_secret),
            "client_secret_post": ("client_secret_post", authenticate_by_secret),
            "tls_client_auth": ("none", authenticate_by_certificate),
            "self_signed_tls_client_auth": ("none", authenticate_by_certificate_key),
            "none": ("none", name_public_client),
        }
    )
)
"""For each registered method: as what its request is read, and what checks it."""
