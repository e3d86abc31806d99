"""The school's answer through the browser (OIDC Core 3.1.2.5 and 3.1.2.6, RFC 9207).

The caller found the pending login by the browser's binding cookie; what arrives must fit it.
"""

import hmac
from collections.abc import Sequence

from broker.domain.federation import OidcIdpEndpoints
from broker.oidc_rp.refusals import (
    SchoolAnswerNotExpected,
    SchoolAnswerUnreadable,
    SchoolAnswerWithoutLogin,
    SchoolHasNoLevel,
    SchoolLoginCancelled,
    SchoolLoginFailed,
    SchoolLoginRequired,
)

MAX_PARAMETERS = 32
MAX_CODE_CHARS = 8192  # some providers put a sealed state into the code

_ANSWERS_WITHOUT_LOGIN: dict[str, type[SchoolAnswerWithoutLogin]] = {
    # RFC 6749 4.1.2.1, OIDC Core 3.1.2.6
    "access_denied": SchoolLoginCancelled,
    "login_required": SchoolLoginRequired,
    "interaction_required": SchoolLoginRequired,
    "account_selection_required": SchoolLoginRequired,
    "consent_required": SchoolLoginRequired,
}

_LEVEL_NOT_THERE = "unmet_authentication_requirements"
"""OpenID Connect Core Error Code unmet_authentication_requirements 1.0."""


def check_callback(
    parameters: Sequence[tuple[str, str]],
    *,
    endpoints: OidcIdpEndpoints,
    expected_state: str,
    iss_required: bool = False,
    level_asked: bool = False,
) -> str:
    """Return the code of an answer that belongs to the pending login.

    Args:
        parameters: decoded names and values of the query.
        endpoints: of the provider to which the pending login sent the pupil.
        expected_state: of the pending login.
        iss_required: the provider advertises `authorization_response_iss_parameter_supported`.
        level_asked: whether we asked for a level.

    Raises:
        SchoolAnswerUnreadable: a parameter twice, too many, or no code.
        SchoolAnswerNotExpected: another state or issuer.
        SchoolAnswerWithoutLogin: the provider answered `error`; nothing else of it is believed.
    """
    found = _collect(parameters)
    check_state_expected(found.get("state", ""), expected_state=expected_state)
    check_issuer_expected(found.get("iss"), issuer=endpoints.issuer, required=iss_required)
    if "error" in found:
        refusal = _ANSWERS_WITHOUT_LOGIN.get(found["error"], SchoolLoginFailed)
        if level_asked and found["error"] == _LEVEL_NOT_THERE:
            refusal = SchoolHasNoLevel
        raise refusal("check_answer_is_no_error")
    code = found.get("code", "")
    if not 0 < len(code) <= MAX_CODE_CHARS:
        raise SchoolAnswerUnreadable("check_code_present")
    return code


def check_state_expected(state: str, *, expected_state: str) -> None:
    """RFC 9700 4.7: the answer belongs to the login that this browser began."""
    if not expected_state or not hmac.compare_digest(state.encode(), expected_state.encode()):
        raise SchoolAnswerNotExpected("check_state_expected")


def check_issuer_expected(issuer_stated: str | None, *, issuer: str, required: bool) -> None:
    """RFC 9207 2.4: when stated, exactly the provider that was asked; advertised means required."""
    if issuer_stated is None and not required:
        return
    if issuer_stated != issuer:
        raise SchoolAnswerNotExpected("check_issuer_expected")


def _collect(parameters: Sequence[tuple[str, str]]) -> dict[str, str]:
    names = [name for name, _ in parameters]
    if len(names) > MAX_PARAMETERS or len(set(names)) != len(names):
        raise SchoolAnswerUnreadable("check_parameters_once")
    try:
        for _, value in parameters:
            value.encode()
    except UnicodeEncodeError:
        raise SchoolAnswerUnreadable("check_parameters_unicode") from None
    return dict(parameters)
