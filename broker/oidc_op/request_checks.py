"""The checks of an authorization request, as two tables of small functions, and what they refuse.

`CHECKS_BEFORE_REDIRECT` prove the redirect URI, and what they refuse never redirects;
`CHECKS_AFTER_REDIRECT` come after, and what they refuse goes to the proven redirect URI.
"""

import re
from collections.abc import Callable

from broker.domain.refusals import Refusal, WhoseTask
from broker.oidc_op.asked_claims import (
    AcrNotMet,
    ClaimsUnreadable,
    PersonNotExpected,
    find_asked_acr,
    find_expected_subs,
    read_claims_parameter,
)
from broker.oidc_op.clients import KnownClient
from broker.oidc_op.profiles import RequestObjects
from broker.oidc_op.received import AuthorizationRequest
from broker.oidc_op.redirect_uris import is_registered
from broker.oidc_op.unguessable import most_bits

FORM_POST = "form_post"
RESPONSE_MODES = ("query", FORM_POST)

MAX_STATE_CHARS = 2048  # it returns in a URL
MAX_NONCE_CHARS = 512  # it returns in the ID token

_CODE_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # RFC 7636 4.2: base64url of SHA-256
_MAX_AGE = re.compile(r"[0-9]{1,9}\Z")


class SentToSupplier(Refusal):
    """Base of what the supplier must learn at its redirect URI. Never raised itself."""

    whose_task = WhoseTask.SUPPLIER
    what = "The learning material sent a request that we cannot answer: {subject}."
    remedy = "The supplier of the material must mend the request."
    may_redirect = True


class RedirectUriNotRegistered(Refusal):
    """No `redirect_uri`, or not one of the client's; never redirects (RFC 6749 3.1.2.4)."""

    code = "E-OIDC-5"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material wants to send you to an address that is not registered."
    remedy = "The supplier of the material must register it."


class StateTooLong(Refusal):
    """Cannot be repeated in an answer, so no answer can be sent."""

    code = "E-OIDC-6"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material sent a request that is too long."
    remedy = "The supplier of the material must mend the request."


class ParameterRefused(SentToSupplier):
    """A parameter is missing or cannot be what it is; `subject` names it."""

    code = "E-OIDC-7"


class ResponseTypeRefused(SentToSupplier):
    """Only the code flow (RFC 9700 2.1.2)."""

    code = "E-OIDC-8"
    oauth_error = "unsupported_response_type"


class ScopeRefused(SentToSupplier):
    """OIDC Core 3.1.2.1: `scope` contains `openid`, or this is no OpenID Connect request."""

    code = "E-OIDC-9"
    oauth_error = "invalid_scope"


class PkceRefused(SentToSupplier):
    """RFC 7636 4.4.1: S256, and a challenge wherever the profile requires it."""

    code = "E-OIDC-10"


class RequestObjectRefused(SentToSupplier):
    """OIDC Core 6.1."""

    code = "E-OIDC-11"
    oauth_error = "request_not_supported"


class RequestUriRefused(SentToSupplier):
    """OIDC Core 6.2."""

    code = "E-OIDC-12"
    oauth_error = "request_uri_not_supported"


class RegistrationRefused(SentToSupplier):
    """OIDC Core 7.2.1."""

    code = "E-OIDC-13"
    oauth_error = "registration_not_supported"


class ResourceRefused(SentToSupplier):
    """RFC 8707 2: no API of that name, or another supplier's, to whom the pseudonym is not told."""

    code = "E-OIDC-40"
    oauth_error = "invalid_target"


def check_redirect_uri_registered(request: AuthorizationRequest, client: KnownClient) -> None:
    """RFC 9700 2.1, OIDC Core 3.1.2.1: present, and equal to a registered one as a string.

    The port of an app on loopback is the exception (RFC 8252 7.3), where the profile allows apps.
    """
    if not is_registered(
        request.redirect_uri or "",
        registered=client.oidc.redirect_uris,
        native=client.profile.native_redirects,
    ):
        raise RedirectUriNotRegistered("check_redirect_uri_registered")


def check_state_length(request: AuthorizationRequest, _: KnownClient) -> None:
    """RFC 6749 4.1.2: repeated in the answer, so it must fit in a URL."""
    if len(request.state or "") > MAX_STATE_CHARS:
        raise StateTooLong("check_state_length")


def check_response_type_code(request: AuthorizationRequest, _: KnownClient) -> None:
    """RFC 6749 3.1.1: required; RFC 9700 2.1.2: `code` only."""
    if request.response_type is None:
        raise ParameterRefused("check_response_type_code", subject="response_type")
    if request.response_type != "code":
        raise ResponseTypeRefused("check_response_type_code", subject="response_type")


def check_response_mode(request: AuthorizationRequest, _: KnownClient) -> None:
    """OAuth 2.0 Multiple Response Types 2.1, Form Post Response Mode 2; never in a fragment."""
    known = request.response_mode in (None, *RESPONSE_MODES)
    if not known or (request.response_mode == FORM_POST and not can_be_posted_to(request)):
        raise ParameterRefused("check_response_mode", subject="response_mode")


def can_be_posted_to(request: AuthorizationRequest) -> bool:
    """Tell whether a form can be posted to the redirect URI: not to an app's own scheme."""
    return (request.redirect_uri or "").startswith(("https:", "http:"))


def check_nothing_twice(request: AuthorizationRequest, _: KnownClient) -> None:
    """RFC 6749 3.1 and 4.1.2.1: which of two values is meant, nobody can tell."""
    for name in request.duplicated:
        raise ParameterRefused("check_nothing_twice", subject=name)


def check_no_request_object(request: AuthorizationRequest, _: KnownClient) -> None:
    """OIDC Core 6.1: a request object that is ignored would be read in two ways."""
    if request.request is not None:
        raise RequestObjectRefused("check_no_request_object", subject="request")


def check_no_request_uri(request: AuthorizationRequest, _: KnownClient) -> None:
    """OIDC Core 6.2; no URL that a request names is ever fetched."""
    if request.request_uri is not None:
        raise RequestUriRefused("check_no_request_uri", subject="request_uri")


def check_no_registration(request: AuthorizationRequest, _: KnownClient) -> None:
    """OIDC Core 7.2.1: relying parties are registered by the federation."""
    if request.registration is not None:
        raise RegistrationRefused("check_no_registration", subject="registration")


def check_scope_has_openid(request: AuthorizationRequest, _: KnownClient) -> None:
    """OIDC Core 3.1.2.1; other scopes are ignored, as 3.1.2.1 says for unknown ones."""
    if "openid" not in (request.scope or "").split():
        raise ScopeRefused("check_scope_has_openid", subject="scope")


def check_pushed(request: AuthorizationRequest, client: KnownClient) -> None:
    """RFC 9126 6: where profile or document say so, nothing but a pushed request is answered."""
    if (client.profile.pushed_required or client.oidc.require_pushed) and not request.pushed:
        raise ParameterRefused("check_pushed", subject="request_uri")


def check_signed_object(request: AuthorizationRequest, client: KnownClient) -> None:
    """RFC 9101 10.5: where profile or document say so, nothing but a signed one is."""
    by_profile = client.profile.request_objects is RequestObjects.REQUIRED
    if (by_profile or client.oidc.require_signed_request) and not request.signed:
        raise ParameterRefused("check_signed_object", subject="request")


def check_state_present(request: AuthorizationRequest, client: KnownClient) -> None:
    """OIDC NL GOV: required where the profile says so."""
    if client.profile.state_required and request.state is None:
        raise ParameterRefused("check_state_present", subject="state")


def check_nonce_present(request: AuthorizationRequest, client: KnownClient) -> None:
    """OIDC NL GOV: required where the profile says so."""
    if client.profile.nonce_required and request.nonce is None:
        raise ParameterRefused("check_nonce_present", subject="nonce")


def check_state_unguessable(request: AuthorizationRequest, client: KnownClient) -> None:
    """OAuth NL GOV: at least 128 bits, as far as the value can tell."""
    if most_bits(request.state or "") < client.profile.unguessable_bits:
        raise ParameterRefused("check_state_unguessable", subject="state")


def check_nonce_unguessable(request: AuthorizationRequest, client: KnownClient) -> None:
    """OIDC NL GOV: at least 128 bits, as far as the value can tell."""
    if most_bits(request.nonce or "") < client.profile.unguessable_bits:
        raise ParameterRefused("check_nonce_unguessable", subject="nonce")


def check_pkce_present(request: AuthorizationRequest, client: KnownClient) -> None:
    """RFC 9700 2.1.1: required unless the profile says otherwise."""
    if request.code_challenge is None and client.profile.pkce_required:
        raise PkceRefused("check_pkce_present", subject="code_challenge")


def check_pkce_method_s256(request: AuthorizationRequest, _: KnownClient) -> None:
    """RFC 7636 4.3: an absent method means `plain`, which is never accepted (RFC 9700 2.1.1)."""
    asked = request.code_challenge is not None or request.code_challenge_method is not None
    if asked and request.code_challenge_method != "S256":
        raise PkceRefused("check_pkce_method_s256", subject="code_challenge_method")


def check_pkce_challenge_form(request: AuthorizationRequest, _: KnownClient) -> None:
    """RFC 7636 4.2: 43 characters of base64url; a method alone asks for nothing and is refused."""
    asked = request.code_challenge is not None or request.code_challenge_method is not None
    if asked and not _CODE_CHALLENGE.match(request.code_challenge or ""):
        raise PkceRefused("check_pkce_challenge_form", subject="code_challenge")


def check_prompt_none_alone(request: AuthorizationRequest, _: KnownClient) -> None:
    """OIDC Core 3.1.2.1: `none` with any other value is an error."""
    prompts = set((request.prompt or "").split())
    if "none" in prompts and len(prompts) > 1:
        raise ParameterRefused("check_prompt_none_alone", subject="prompt")


def check_max_age_number(request: AuthorizationRequest, _: KnownClient) -> None:
    """OIDC Core 3.1.2.1: seconds, a whole number of at most nine digits."""
    if request.max_age is not None and not _MAX_AGE.match(request.max_age):
        raise ParameterRefused("check_max_age_number", subject="max_age")


def check_nonce_length(request: AuthorizationRequest, _: KnownClient) -> None:
    """OIDC Core 3.1.2.1: repeated in the ID token; we keep it meanwhile."""
    if len(request.nonce or "") > MAX_NONCE_CHARS:
        raise ParameterRefused("check_nonce_length", subject="nonce")


def check_claims_readable(request: AuthorizationRequest, _: KnownClient) -> None:
    """OIDC Core 5.5: a JSON object, with members of the types that it names."""
    try:
        read_claims_parameter(request.claims)
    except ClaimsUnreadable:
        raise ParameterRefused("check_claims_readable", subject="claims") from None


def check_acr_known(request: AuthorizationRequest, _: KnownClient) -> None:
    """OIDC Core 5.5.1.1: no login will ever have an essential level that we do not know."""
    asked = find_asked_acr(read_claims_parameter(request.claims), ())
    if asked is not None and asked.essential and not asked.levels:
        raise AcrNotMet("check_acr_known")


def check_sub_consistent(request: AuthorizationRequest, _: KnownClient) -> None:
    """OIDC Core 5.5.1: asked as one person in the ID token and as another in userinfo is nobody."""
    if find_expected_subs(read_claims_parameter(request.claims)) == ():
        raise PersonNotExpected("check_sub_consistent")


def check_resource_registered(request: AuthorizationRequest, client: KnownClient) -> None:
    """RFC 8707 2: each is an API of the supplier itself, compared as a simple string."""
    if not set(request.resource) <= {each.resource for each in client.apis}:
        raise ResourceRefused("check_resource_registered", subject="resource")


def check_dpop_thumbprint_form(request: AuthorizationRequest, _: KnownClient) -> None:
    """RFC 9449 10: SHA-256 in base64url, as long as a code challenge."""
    if request.dpop_jkt is not None and not _CODE_CHALLENGE.match(request.dpop_jkt):
        raise ParameterRefused("check_dpop_thumbprint_form", subject="dpop_jkt")


Check = Callable[[AuthorizationRequest, KnownClient], None]

CHECKS_BEFORE_REDIRECT: tuple[Check, ...] = (check_redirect_uri_registered, check_state_length)
"""After `clients.find_client`. What they refuse is a page of ours."""

CHECKS_AFTER_REDIRECT: tuple[Check, ...] = (
    check_nothing_twice,
    check_no_request_object,
    check_no_request_uri,
    check_no_registration,
    check_pushed,
    check_signed_object,
    check_response_type_code,
    check_response_mode,
    check_scope_has_openid,
    check_state_present,
    check_nonce_present,
    check_state_unguessable,
    check_nonce_unguessable,
    check_pkce_present,
    check_pkce_method_s256,
    check_pkce_challenge_form,
    check_prompt_none_alone,
    check_max_age_number,
    check_nonce_length,
    check_claims_readable,
    check_acr_known,
    check_sub_consistent,
    check_resource_registered,
    check_dpop_thumbprint_form,
)
"""What they refuse is an answer to the supplier."""
