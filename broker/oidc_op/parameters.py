"""Parameters of a request as OAuth reads them (RFC 6749 3.1 and 3.2), and what breaks them."""

from collections.abc import Collection, Sequence

from broker.domain.refusals import Refusal, WhoseTask

MAX_PARAMETERS = 64
MAX_PARAMETER_BYTES = 8192  # all known parameters of one request together, as UTF-8
RESOURCE = "resource"
"""The one parameter that may occur more than once, at every endpoint that reads it (RFC 8707 2)."""

MAX_RESOURCES = 8
MAX_RESOURCES_CHARS = 4096  # of all together; a document may state one of 2000


class DuplicatedParameter(Refusal):
    """RFC 6749 3.1: parameters must not be included more than once."""

    code = "E-OIDC-1"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material sent a request in which something is said twice: {subject}."
    remedy = "The supplier of the material must mend the request."


class RequestTooLarge(Refusal):
    """More or longer parameters than any honest client sends, or text that is no Unicode."""

    code = "E-OIDC-2"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material sent a request that is too large or cannot be read."
    remedy = "The supplier of the material must mend the request."


def collect_parameters(
    parameters: Sequence[tuple[str, str]],
    *,
    known: Collection[str],
    unsized: Collection[str] = (),
) -> dict[str, str]:
    """Return the known parameters that have a value; unknown and empty ones are as if omitted.

    Args:
        parameters: decoded names and values in order, as the query or form had them.
        known: the names that the caller reads.
        unsized: those of them that have a cap of their own elsewhere.

    Raises:
        DuplicatedParameter: a known parameter twice, even with one value.
        RequestTooLarge: over the caps of this module.

    >>> collect_parameters([("scope", "openid"), ("state", ""), ("utm", "x")], known=["scope"])
    {'scope': 'openid'}
    """
    if len(parameters) > MAX_PARAMETERS:
        raise RequestTooLarge("check_parameter_count")
    found: dict[str, str] = {}
    size_bytes = 0
    for name, value in parameters:
        if name not in known:
            continue
        if name in found:
            raise DuplicatedParameter("check_parameter_once", subject=name)
        found[name] = value
        try:
            size_bytes += 0 if name in unsized else len(value.encode())
        except UnicodeEncodeError:
            raise RequestTooLarge("check_parameter_is_unicode") from None
    if size_bytes > MAX_PARAMETER_BYTES:
        raise RequestTooLarge("check_parameter_size")
    return {name: value for name, value in found.items() if value}


def collect_resources(parameters: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the APIs that a request names, in order; empty ones are as if omitted (RFC 8707 2).

    Raises:
        RequestTooLarge: more or longer ones than any honest client sends.

    >>> collect_resources([("resource", "https://a.example"), ("scope", "openid")])
    ('https://a.example',)
    """
    resources = tuple(value for name, value in parameters if name == RESOURCE and value)
    if len(resources) > MAX_RESOURCES or sum(map(len, resources)) > MAX_RESOURCES_CHARS:
        raise RequestTooLarge("check_resources_size")
    return resources
