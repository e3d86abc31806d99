"""Requests that stand elsewhere: pushed before (RFC 9126), or at a registered address (RFC 9101).

That a client which must push or sign cannot be brought to less is `request_checks`' business.
"""

import msgspec

from broker.domain.refusals import Refusal, WhoseTask
from broker.oidc_op.clients import KnownClient
from broker.oidc_op.profiles import RequestObjects
from broker.oidc_op.request_checks import RequestObjectRefused, RequestUriRefused, SentToSupplier

PUSHED_PREFIX = "urn:ietf:params:oauth:request_uri:"  # RFC 9126 2.2
PUSHED_TTL_SECONDS = 300  # RFC 9126 2.2: 5 to 600; FAPI 2.0 5.3.2.2: under 600


class RequestUriInvalid(SentToSupplier):
    """OIDC Core 3.1.2.6: not there, too old, another client's, or not registered."""

    code = "E-OIDC-42"
    whose_task = WhoseTask.PUPIL
    what = "What the learning material asked us is not here any more."
    remedy = "Start again from your learning material."
    oauth_error = "invalid_request_uri"


class RequestUsed(Refusal):
    """RFC 9126 4: it led to a login already; a reload or back button, so a page and no error."""

    code = "E-OIDC-43"
    whose_task = WhoseTask.PUPIL
    what = "This login was finished before. Nothing is broken."
    remedy = "Start again from your learning material."
    oauth_error = "invalid_request_uri"


class PushedInPush(Refusal):
    """RFC 9126 2.1: what is pushed is a request and names no other one."""

    code = "E-OIDC-44"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material sent a request that we cannot answer: {subject}."
    remedy = "The supplier of the material must mend the request."


class TooManyPushed(Refusal):
    """RFC 9126 2.3."""

    code = "E-OIDC-45"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material sends more requests than we can keep."
    remedy = "Please try again in a minute."
    http_status = 429
    oauth_error = "temporarily_unavailable"


class PushResponse(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9126 2.2."""

    request_uri: str
    expires_in: int

    def __repr__(self) -> str:
        return "PushResponse(...)"


def check_objects_allowed(client: KnownClient) -> None:
    """OIDC Core 6.1: a client whose profile has no request objects is told so."""
    if client.profile.request_objects is RequestObjects.REFUSED:
        raise RequestObjectRefused("check_objects_allowed", subject="request")


def check_request_uri_registered(request_uri: str, client: KnownClient) -> None:
    """OIDC Core 6.2: only what the client's document names is ever fetched, compared exactly.

    Raises:
        RequestUriRefused: this client has no such addresses at all.
        RequestUriInvalid: it has others.
    """
    if not client.oidc.request_uris:
        raise RequestUriRefused("check_request_uri_registered", subject="request_uri")
    if request_uri not in client.oidc.request_uris:
        raise RequestUriInvalid("check_request_uri_registered", subject="request_uri")
