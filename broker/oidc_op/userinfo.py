"""Userinfo (OIDC Core 5.3) and its bearer tokens (RFC 6750)."""

from collections.abc import Sequence

from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.registry import Registry
from broker.oidc_op.claims import PREVIOUS_SUB
from broker.oidc_op.clients import ClientUnknown, KnownClient, find_client
from broker.oidc_op.grants import UserinfoGrant
from broker.oidc_op.parameters import collect_parameters

MAX_ACCESS_TOKEN_CHARS = 8192  # an opaque one has 43 or 44, a signed one about a thousand


class AccessTokenMissing(Refusal):
    """RFC 6750 3.1: a request without any token is told nothing but that it needs one."""

    code = "E-OIDC-19"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material asked who you are without showing its permission."
    remedy = "The supplier of the material must mend the request."
    http_status = 401
    oauth_error = "invalid_token"


class AccessTokenRefused(Refusal):
    """Unknown, too old, revoked, or of a relying party that is switched off."""

    code = "E-OIDC-20"
    whose_task = WhoseTask.SUPPLIER
    what = "The permission of the learning material to ask who you are is over."
    remedy = "Start again from your learning material."
    http_status = 401
    oauth_error = "invalid_token"


class AccessTokenAmbiguous(Refusal):
    """RFC 6750 2: more than one way of showing a token."""

    code = "E-OIDC-21"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material showed its permission in two ways."
    remedy = "The supplier of the material must use one way only."


def parse_bearer_token(form: Sequence[tuple[str, str]], *, authorization: str | None) -> str:
    """Return the access token from the Authorization header or the form body, never the query.

    Args:
        form: decoded names and values of a form-encoded POST body; empty for GET.
        authorization: the header as received; None when absent.

    Raises:
        AccessTokenMissing: neither holds one.
        AccessTokenAmbiguous: both do.
        AccessTokenRefused: cannot be a token of ours.
        DuplicatedParameter, RequestTooLarge: the form is malformed.

    >>> parse_bearer_token([], authorization="Bearer abc")
    'abc'
    """
    scheme, _, shown = (authorization or "").partition(" ")
    in_header = shown.strip() if scheme.lower() == "bearer" else ""
    in_form = collect_parameters(form, known=("access_token",)).get("access_token", "")
    if in_header and in_form:
        raise AccessTokenAmbiguous("check_one_access_token")
    token = in_header or in_form
    if not token:
        raise AccessTokenMissing("check_access_token_present")
    if len(token) > MAX_ACCESS_TOKEN_CHARS or not token.isascii():
        raise AccessTokenRefused("check_access_token_form")
    return token


def build_challenge(refusal: Refusal) -> str:
    """Return the WWW-Authenticate value that goes with a refusal (RFC 6750 3).

    >>> build_challenge(AccessTokenMissing())
    'Bearer'
    >>> build_challenge(AccessTokenRefused())
    'Bearer error="invalid_token"'
    """
    if isinstance(refusal, AccessTokenMissing):
        return "Bearer"
    return f'Bearer error="{refusal.oauth_error}"'


def build_userinfo(
    grant: UserinfoGrant, *, registry: Registry
) -> tuple[KnownClient, dict[str, str | list[str]]]:
    """Return what userinfo answers, and to whom: the ID token's pseudonyms, the released claims.

    Raises:
        AccessTokenRefused: the client or its supplier was switched off meanwhile.
    """
    try:
        client = find_client(grant.client_id, registry=registry)
    except ClientUnknown as unknown:
        raise AccessTokenRefused(unknown.check) from None
    names = {"sub": grant.sub}
    if grant.previous is not None:
        names[PREVIOUS_SUB] = grant.previous
    return client, {**grant.claims, **names}
