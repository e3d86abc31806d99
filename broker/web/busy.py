"""When more comes in than one worker can do: a calm page that tries again by itself.

It is made before it is needed, because it is shown when there is no time. Nothing was looked at and
nothing was used up, so the same request can be sent again; a page that was asked for does so after
a few seconds, a form is for the visitor to send again. The seconds differ from visitor to visitor,
or all would be back at once.
"""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.audit import REFERENCE_LENGTH, make_reference, note_refusal
from broker.oidc_op.response import build_error_body
from broker.web.headers import content_policy
from broker.web.pages import BusyPage, Frame
from broker.web.responses import json, read_language
from broker.web.texts import LOAD_AGAIN, Language
from broker.web.wiring import Web

RETRY_AFTER_SECONDS = range(4, 12)
_PLACEHOLDER = "z" * (REFERENCE_LENGTH // 2) + "x" * (REFERENCE_LENGTH // 2)
"""In a page that is made beforehand; no reference looks like it."""

ALWAYS_ANSWERED = ("/health/", "/static/")
"""Beginnings of addresses that cost next to nothing, or that say how we fare."""


class TooBusy(Refusal):
    """As many requests are in work as this worker does at once."""

    code = "E-HTTP-8"
    whose_task = WhoseTask.BROKER
    what = "It is very busy here right now."
    remedy = "Wait a moment: this page tries again by itself. Nothing was lost."
    http_status = 503
    oauth_error = "temporarily_unavailable"
    may_retry = True


class BusyPages:
    """Answers for when there is no time to make one."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._policy = content_policy(onward=False, secure=web.secure)
        self._pages: Mapping[tuple[Language, bool], bytes] = {
            (language, repeats): web.pages.render(
                BusyPage(
                    code=TooBusy.code,
                    reference=_PLACEHOLDER,
                    what=TooBusy.what,
                    remedy=TooBusy.remedy if repeats else LOAD_AGAIN,
                ),
                Frame(language=language),
            )
            for language in Language
            for repeats in (True, False)
        }

    def answer(self, request: Request, *, for_machines: bool) -> Response:
        """Return 503 with the time after which to come back, and write it down."""
        refusal, reference = TooBusy("check_requests_at_once"), make_reference(self._web.random)
        note_refusal(self._web.audit, refusal, reference=reference)
        (drawn,) = self._web.random(1)
        seconds = str(RETRY_AFTER_SECONDS[drawn % len(RETRY_AFTER_SECONDS)])
        if for_machines:
            response = json(build_error_body(refusal), status=refusal.http_status)
        else:
            repeats = request.method in ("GET", "HEAD")
            page = self._pages[read_language(self._web, request), repeats]
            response = Response(
                _name_reference(page, reference), refusal.http_status, media_type="text/html"
            )
            response.headers["content-security-policy"] = self._policy
            response.headers["cache-control"] = "no-store"
            if repeats:
                response.headers["refresh"] = seconds
        response.headers["retry-after"] = seconds
        return response


def _name_reference(page: bytes, reference: str) -> bytes:
    """Put the reference in the place of the placeholder, also where it stands in two groups."""
    half = len(reference) // 2
    for placeholder, given in (
        (_PLACEHOLDER, reference),
        (_PLACEHOLDER[:half], reference[:half]),
        (_PLACEHOLDER[half:], reference[half:]),
    ):
        page = page.replace(placeholder.encode(), given.encode())
    return page
