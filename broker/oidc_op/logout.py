"""A relying party's request to log out (RP-Initiated Logout 1.0), and the words of both channels.

`check_logout_request` decides what a request proves. Nothing is redirected before a client and its
address are proven; a hint that is not ours proves nothing and is refused. A request without a hint
is one that any page can make: it logs nobody out, a person does, by a button.

`build_logout_token` is Back-Channel Logout 1.0 2.4, `build_frontchannel_url` Front-Channel 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from broker.domain.ids import RelyingPartyId
from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.registry import Registry
from broker.jose.keys import SigningKey
from broker.jose.tokens import sign_token
from broker.oidc_op.clients import KnownClient, find_client
from broker.oidc_op.id_token_hint import HintRefused, IdTokenHint, read_id_token_hint
from broker.oidc_op.jwks import TokenKeys
from broker.oidc_op.parameters import collect_parameters
from broker.oidc_op.request_checks import MAX_STATE_CHARS

LOGOUT_TOKEN_TTL_SECONDS = 120  # Back-Channel Logout 1.0 2.4: at most two minutes is recommended
LOGOUT_TOKEN_TYPE = "logout+jwt"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class LogoutRequestRefused(Refusal):
    """Two things in it contradict each other, or it cannot be repeated in an answer."""

    code = "E-LOGOUT-1"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material sent a request to log out that we cannot use."
    remedy = "You can log out here yourself. Tell your teacher that this happened."


class LogoutHintRefused(LogoutRequestRefused):
    """The ID token is changed, not ours, or another client's; never redirects."""

    code = "E-LOGOUT-2"
    what = "We cannot see whom the learning material wants to log out."


class LogoutAddressNotRegistered(LogoutRequestRefused):
    """Not one of the client's `post_logout_redirect_uris`; never redirects."""

    code = "E-LOGOUT-3"
    what = "After logging out the learning material wants to send you to an unregistered address."


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutRequest:
    """What arrived, by name; nothing of it is proven. None is absent."""

    id_token_hint: str | None = field(default=None, repr=False)
    client_id: str | None = None
    post_logout_redirect_uri: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CheckedLogout:
    """A request that may be followed.

    Attributes:
        relying_party: who asks; None when the request does not say, or does not prove it.
        redirect_uri: where the browser goes afterwards, registered; None: it stays with us.
        state: goes along with it.
        sid: of the session that the hint names; "" when it names none.
        is_proven: an ID token of ours came along; else a person must press a button first.
    """

    relying_party: RelyingPartyId | None
    redirect_uri: str | None = field(repr=False)
    state: str | None = field(repr=False)
    sid: str = field(repr=False)
    is_proven: bool


_KNOWN = frozenset(LogoutRequest.__dataclass_fields__)


def parse_logout_request(parameters: Sequence[tuple[str, str]]) -> LogoutRequest:
    """Read the parameters of GET or POST /oidc/end-session; `logout_hint` and others are ignored.

    Raises:
        DuplicatedParameter, RequestTooLarge
    """
    return LogoutRequest(**collect_parameters(parameters, known=_KNOWN))


def check_logout_request(
    request: LogoutRequest, *, registry: Registry, keys: TokenKeys, issuer: str
) -> CheckedLogout:
    """Return what a request proves.

    Raises:
        LogoutHintRefused, LogoutAddressNotRegistered, LogoutRequestRefused, ClientUnknown
    """
    if len(request.state or "") > MAX_STATE_CHARS:
        raise LogoutRequestRefused("check_logout_state_length")
    hint = _read_hint(request, keys=keys, issuer=issuer)
    client_id = request.client_id if hint is None else hint.client_id
    client = None if client_id is None else find_client(client_id, registry=registry)
    address = request.post_logout_redirect_uri if client is not None else None
    if client is not None and address is not None:
        check_logout_address_registered(address, client)
    return CheckedLogout(
        relying_party=None if client is None else client.relying_party.id,
        redirect_uri=address,
        state=None if address is None else request.state,
        sid="" if hint is None else hint.sid,
        is_proven=hint is not None,
    )


def _read_hint(request: LogoutRequest, *, keys: TokenKeys, issuer: str) -> IdTokenHint | None:
    """RP-Initiated Logout 1.0 2: an expired hint counts, and `client_id` must be its audience."""
    if request.id_token_hint is None:
        return None
    try:
        return read_id_token_hint(
            request.id_token_hint, keys=keys, issuer=issuer, client_id=request.client_id
        )
    except HintRefused:
        raise LogoutHintRefused("check_logout_hint_ours") from None


def check_logout_address_registered(address: str, client: KnownClient) -> None:
    """RP-Initiated Logout 1.0 3: equal to a registered one as a string.

    Raises:
        LogoutAddressNotRegistered
    """
    if address not in client.oidc.post_logout_redirect_uris:
        raise LogoutAddressNotRegistered("check_logout_address_registered")


def build_logout_return(redirect_uri: str, *, state: str | None) -> str:
    """Return the URL that brings the browser back after logging out.

    >>> build_logout_return("https://supplier.example/bye?a=b", state="s t")
    'https://supplier.example/bye?a=b&state=s+t'
    """
    return redirect_uri if state is None else _extend(redirect_uri, {"state": state})


def build_frontchannel_url(uri: str, *, issuer: str, sid: str) -> str:
    """Return the page of a relying party that ends its session, to be shown in a frame.

    >>> build_frontchannel_url("https://supplier.example/out", issuer="https://b.example", sid="s")
    'https://supplier.example/out?iss=https%3A%2F%2Fb.example&sid=s'
    """
    return _extend(uri, {"iss": issuer, "sid": sid})


def _extend(url: str, parameters: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def build_logout_token(
    *, client_id: str, subject: str, sid: str, issuer: str, key: SigningKey, now: datetime, jti: str
) -> str:
    """Return the signed token that tells a relying party that a session ended; never a nonce.

    Args:
        key: of the algorithm of the client's ID tokens.
        now: aware UTC, of sending.
        jti: random, for this token only.
    """
    issued_at = int(now.timestamp())
    claims: dict[str, object] = {
        "iss": issuer,
        "sub": subject,
        "aud": client_id,
        "iat": issued_at,
        "exp": issued_at + LOGOUT_TOKEN_TTL_SECONDS,
        "jti": jti,
        "sid": sid,
        "events": {LOGOUT_EVENT: {}},
    }
    return sign_token(claims, key=key, typ=LOGOUT_TOKEN_TYPE)
