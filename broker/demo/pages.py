"""Pages of the demo's parties: templates, style sheet and headers, without inline script or style.

The parties are not the broker: their pages have their own look, so that one sees where one is.
Everything works without JavaScript; the one script presses the button of a page that passes a
message on.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

_HERE = Path(__file__).parent

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_HEADERS: Mapping[str, str] = {
    # No form-action: browsers apply it to the redirects that follow, and those cross the parties.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

STATIC = Mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
"""Route to the style sheet and the script, for each party's application."""


@jinja2.pass_context
def _say(context: jinja2.runtime.Context, dutch: str, english: str) -> str:
    """Return the text in the page's language, for templates: `say("Ja", "Yes")`."""
    return english if context.get("lang") == "en" else dutch


_ENVIRONMENT.globals["say"] = _say


LANGUAGE_COOKIE = "demo_language"
"""What the start page's links chose; parties on one host (localhost) share it."""


def chosen_language(request: Request) -> str:
    """Return `nl` or `en` when somebody chose that on a page, else nothing."""
    for asked in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if asked in {"nl", "en"}:
            return asked
    return ""


def choose_language(request: Request) -> str:
    """Return `en` when somebody chose it or the browser asks for it, else `nl`."""
    if chosen := chosen_language(request):
        return chosen
    preferred = request.headers.get("accept-language", "nl").lower()
    dutch, english = preferred.find("nl"), preferred.find("en")
    return "en" if english >= 0 and (dutch < 0 or english < dutch) else "nl"


def render_page(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page made from `broker/demo/templates/<template>`."""
    text = _ENVIRONMENT.get_template(template).render(**values)
    return HTMLResponse(text, status_code=status, headers=dict(_HEADERS))


def render_post(*, party: str, look: str, action: str, fields: Mapping[str, str]) -> HTMLResponse:
    """Return a school's page that passes a message on: one form, sent by its button or the script.

    Args:
        look: whose colours; a class of the style sheet.
    """
    return render_page(
        "post.html", party=party, kind="school", look=look, action=action, fields=fields
    )


def render_notice(
    *,
    party: str,
    kind: str,
    look: str,
    title: str,
    text: str,
    status: int,
    again: str | None = None,
    lang: str = "nl",
    may_log_out: bool = False,
) -> HTMLResponse:
    """Return a short page about something that did not go on.

    Args:
        kind: `school` or `supplier`.
        look: whose colours; a class of the style sheet.
        again: where the button "try again" leads, when trying again makes sense.
        lang: of `title` and `text`.
        may_log_out: offers a button that ends the session here.
    """
    return render_page(
        "notice.html",
        status=status,
        party=party,
        kind=kind,
        look=look,
        title=title,
        text=text,
        again=again,
        lang=lang,
        may_log_out=may_log_out,
    )
