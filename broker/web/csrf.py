"""Forms of our own: only this browser, from a page of ours, may send them.

Two independent checks on every state-changing form: a token bound to the cookie that the form is
about, and where the browser says the form came from (Fetch metadata, else Origin).
"""

import hmac
from collections.abc import Sequence

from starlette.requests import Request

from broker.domain.refusals import Refusal, WhoseTask

_TOKEN_CHARACTERS = 32  # 128 bits in hex


class ForeignForm(Refusal):
    """A form that did not come from a page of ours in this browser."""

    code = "E-HTTP-3"
    whose_task = WhoseTask.PUPIL
    what = "This form did not come from our own page, so we did nothing with it."
    remedy = "Start again from your learning material. Your browser must keep cookies."
    http_status = 403


def make_token(cookie_keys: Sequence[bytes], bound_to: str) -> str:
    """Return the token for a form about the cookie value `bound_to`, under the first key."""
    return _derive(cookie_keys[0], bound_to)


def _derive(cookie_key: bytes, bound_to: str) -> str:
    message = b"schuilnaam/csrf/v1" + bound_to.encode()
    return hmac.digest(cookie_key, message, "sha256").hex()[:_TOKEN_CHARACTERS]


def check_own_form(
    request: Request, *, cookie_keys: Sequence[bytes], bound_to: str, token: str, issuer: str
) -> None:
    """Refuse a form that is not our own, of this browser.

    A page may be open since before the key was changed: every key of these is good.

    Raises:
        ForeignForm: another site sent it, or the token is not the one of this cookie.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        raise ForeignForm("check_fetch_site")
    origin = request.headers.get("origin")
    if origin is not None and origin != issuer:
        raise ForeignForm("check_origin")
    made = [_derive(each, bound_to).encode() for each in cookie_keys]
    if not any([hmac.compare_digest(token.encode(), each) for each in made]):  # noqa: C419 -- all
        raise ForeignForm("check_csrf_token")
