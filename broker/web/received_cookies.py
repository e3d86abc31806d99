"""The cookies of a request, read once, with what came twice left without a value."""

from collections.abc import Mapping

from starlette.requests import Request

_READ = "schuilnaam.cookies"
"""Where a request keeps its cookies once they were read."""


def read_cookies(request: Request) -> Mapping[str, str]:
    """Return the cookies that came, in their order; one that came twice is empty."""
    known: Mapping[str, str] | None = request.scope.get(_READ)
    if known is not None:
        return known
    found: dict[str, str] = {}
    for header in request.headers.getlist("cookie"):
        for pair in header.split(";"):
            name, equals, value = pair.partition("=")
            name = name.strip()
            if equals and name:
                found[name] = "" if name in found else value.strip()
    request.scope[_READ] = found
    return found
