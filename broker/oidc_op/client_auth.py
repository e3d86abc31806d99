"""Who calls an endpoint for machines (RFC 6749 2.3, OIDC Core 9): one client, one method.

A caller uses exactly one method, the registered one. Every refusal of a caller is one and the same
`invalid_client`: what was wrong stands in the audit event only. `client_assertions` and
`client_secrets` check what a method shows. `client_secret_post` is never accepted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from broker.domain.registry import Registry
from broker.jose.keys import KeySet
from broker.oidc_op.caller_proof import CallerProof
from broker.oidc_op.client_assertions import (
    ASSERTION_TYPE,
    AssertionId,
    check_client_assertion,
    read_assertion_subject,
)
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
        method: as in `token_endpoint_auth_method` (RFC 7591 2).
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
        return ClientCredentials(found.get("client_id"), method)
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
    registered = client.oidc.authentication
    allowed = registered in client.profile.authentication_methods
    if not allowed or credentials.method != registered:
        raise ClientNotAuthenticated("check_authentication_method_registered")
    if registered == "client_secret_basic":
        check_client_secret(credentials.secret, client.oidc)
        return AuthenticatedClient(client, None)
    relaxed = (token_endpoint,) if client.profile.token_endpoint_as_audience else ()
    used = check_client_assertion(
        credentials.assertion,
        client_id=client.oidc.client_id,
        keys=keys,
        audiences=(issuer, *relaxed),
        now=now,
    )
    return AuthenticatedClient(client, used)
