"""Headers of every answer, and what each kind of page may do (CSP level 3).

`form-action` also guards where a form's answer redirects to. A form of ours leads to a school's
login or back to a supplier, which redirect further to places that we cannot know; so pages with
such a form allow any https address (on loopback also http), and every other page only ourselves.
Nothing else is loosened: no inline script or style, no framing, no third party.
"""

from collections.abc import Sequence

Header = tuple[bytes, bytes]

_BASE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'"
)
_OWN_FORMS = "; form-action 'self'"
_FORMS_ONWARD = "; form-action 'self' https:"
_LOOPBACK = " http://localhost:* http://127.0.0.1:*"
_NO_FRAMES = "; frame-ancestors 'none'"

DENY_ALL: Header = (
    b"content-security-policy",
    b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)
"""Of every answer that is no page."""


def content_policy(
    *,
    onward: bool,
    secure: bool,
    framed: bool = False,
    places: Sequence[str] = (),
    frames: Sequence[str] = (),
) -> str:
    """Return the Content-Security-Policy of a page.

    Args:
        onward: the page has a form whose answer leads to a school or supplier.
        secure: whether we are reached by https.
        framed: the page tells that it is framed, so it may be; its form, if it has one, posts an
            answer to the supplier that asked for no page.
        places: where else that answer may lead: to a supplier on this very device.
        frames: origins whose pages it shows in frames (front-channel logout), registered with us.

    >>> content_policy(onward=False, secure=True).partition("base-uri 'none'; ")[2]
    "form-action 'self'; frame-ancestors 'none'"
    """
    forms = _FORMS_ONWARD + ("" if secure else _LOOPBACK) if onward else _OWN_FORMS
    forms += "".join(f" {each}" for each in places if onward and each not in forms.split())
    forms += f"; frame-src {' '.join(frames)}" if frames else ""
    return _BASE_POLICY + forms + ("" if framed else _NO_FRAMES)


def common_headers(*, secure: bool) -> Sequence[Header]:
    """Return the headers of every answer.

    Referrer-Policy is same-origin: no-referrer would make our own forms send Origin: null.
    """
    common = [
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
        (b"cross-origin-opener-policy", b"same-origin-allow-popups"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]
    if secure:
        common.append((b"strict-transport-security", b"max-age=63072000; includeSubDomains"))
    return common
