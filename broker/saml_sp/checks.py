"""What a school's statement must say before it is believed: rules 6, 7 and 9 of `response`.

A table of small functions, each named after what it enforces; `STATEMENT_CHECKS` is the procedure.
They take records, so they are the same whatever the XML looked like.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from broker.domain.federation import SamlIdpEndpoints
from broker.saml_sp.login import ExpectedResponse
from broker.saml_sp.refusals import (
    LevelNotReached,
    LoginNotFresh,
    NameIdUnusable,
    ResponseForSomebodyElse,
    ResponseFromSomebodyElse,
    ResponseMalformed,
    ResponseToAnotherRequest,
    ResponseTooEarly,
    ResponseTooLate,
)
from broker.saml_sp.statement import Confirmation, Statement
from broker.saml_xml.clock import CLOCK_SKEW

ASSERTION_MAX_AGE = timedelta(seconds=600)  # ours: a browser posts at once

Check = Callable[[Statement, ExpectedResponse, datetime], None]


def usable_until(statement: Statement) -> datetime:
    """Return the first moment at which `check_not_too_late` refuses the statement."""
    ends = [statement.issue_instant + ASSERTION_MAX_AGE]
    ends += [each.not_on_or_after for each in statement.confirmations if each.not_on_or_after]
    ends += [
        each for each in (statement.not_on_or_after, statement.session_not_on_or_after) if each
    ]
    return min(ends) + CLOCK_SKEW


def check_issuers(statement: Statement, expected: ExpectedResponse, _now: datetime) -> None:
    """6: whoever issued it is the provider to which the pupil was sent (profiles 4.1.4.2)."""
    endpoints = expected.idp.endpoints
    own = endpoints.entity_id if isinstance(endpoints, SamlIdpEndpoints) else None
    if statement.issuer != own or statement.response_issuer not in (None, own):
        raise ResponseFromSomebodyElse("check_issuers")


def check_destination(statement: Statement, expected: ExpectedResponse, _now: datetime) -> None:
    """7: the Response was sent here (SAML bindings 3.5.5.2)."""
    if statement.destination != expected.acs_url:
        raise ResponseForSomebodyElse("check_destination")


def check_in_response_to(statement: Statement, expected: ExpectedResponse, _now: datetime) -> None:
    """7: the Response answers our request; an unsolicited one is refused (core 3.2.2)."""
    if statement.response_in_response_to != expected.request_id:
        raise ResponseToAnotherRequest("check_in_response_to")


def check_one_confirmation(
    statement: Statement, _expected: ExpectedResponse, _now: datetime
) -> None:
    """7: one bearer confirmation with an end and without NotBefore (profiles 4.1.4.2)."""
    if len(statement.confirmations) != 1:
        raise ResponseMalformed("check_one_confirmation")
    confirmation = _confirmation(statement)
    if confirmation.not_on_or_after is None or confirmation.has_not_before:
        raise ResponseMalformed("check_one_confirmation")


def check_recipient(statement: Statement, expected: ExpectedResponse, _now: datetime) -> None:
    """7: the bearer may present the assertion here and nowhere else (profiles 4.1.4.2)."""
    if _confirmation(statement).recipient != expected.acs_url:
        raise ResponseForSomebodyElse("check_recipient")


def check_confirmed_request(
    statement: Statement, expected: ExpectedResponse, _now: datetime
) -> None:
    """7: the signed assertion itself belongs to our request (profiles 4.1.4.2)."""
    if _confirmation(statement).in_response_to != expected.request_id:
        raise ResponseToAnotherRequest("check_confirmed_request")


def check_audience(statement: Statement, expected: ExpectedResponse, _now: datetime) -> None:
    """7: meant for us; of several restrictions each must name us (core 2.5.1.4)."""
    named = [expected.entity_id in each for each in statement.audiences]
    if not named or not all(named):
        raise ResponseForSomebodyElse("check_audience")


def check_conditions_understood(
    statement: Statement, _expected: ExpectedResponse, _now: datetime
) -> None:
    """7: a condition that we do not keep makes the assertion unusable (core 2.5.1.1).

    ProxyRestriction is one: passing a login on is what we do.
    """
    if not statement.conditions_understood:
        raise ResponseMalformed("check_conditions_understood")


def check_not_too_early(statement: Statement, _expected: ExpectedResponse, now: datetime) -> None:
    """7: nothing lies in the future (core 2.5.1.2)."""
    starts = [statement.issue_instant, statement.authenticated_at]
    if statement.not_before is not None:
        starts.append(statement.not_before)
    if max(starts) > now + CLOCK_SKEW:
        raise ResponseTooEarly("check_not_too_early")


def check_not_too_late(statement: Statement, _expected: ExpectedResponse, now: datetime) -> None:
    """7: before every stated end and before our own cap on it (core 2.5.1.2)."""
    if now >= usable_until(statement):
        raise ResponseTooLate("check_not_too_late")


def check_fresh_login(statement: Statement, expected: ExpectedResponse, now: datetime) -> None:
    """7: a new login where we asked for one (ForceAuthn, max age; core 3.4.1, saml2int IDP07)."""
    since = expected.force_authn_since
    if since is not None and statement.authenticated_at < since - CLOCK_SKEW:
        raise LoginNotFresh("check_fresh_login")
    age = now - statement.authenticated_at
    oldest = expected.max_age_seconds
    if oldest is not None and (age - CLOCK_SKEW).total_seconds() > oldest:
        raise LoginNotFresh("check_fresh_login")


def check_level(statement: Statement, expected: ExpectedResponse, _now: datetime) -> None:
    """7: one of the AuthnContext classes that we asked for (core 3.3.2.2.1, exact)."""
    if expected.authn_contexts and statement.authn_context not in expected.authn_contexts:
        raise LevelNotReached("check_level")


def check_name_id(statement: Statement, expected: ExpectedResponse, _now: datetime) -> None:
    """9: a NameID that is not blank, and not one meant for another party (core 8.3.7).

    That there is one is `response.check_name_id_stated`, which an exception can lift.
    """
    name_id = statement.name_id
    if name_id is None:
        return
    if not name_id.value.strip():
        raise NameIdUnusable("check_name_id")
    if name_id.sp_name_qualifier not in (None, "", expected.entity_id):
        raise NameIdUnusable("check_name_id")


STATEMENT_CHECKS: tuple[Check, ...] = (
    check_issuers,
    check_destination,
    check_in_response_to,
    check_one_confirmation,
    check_recipient,
    check_confirmed_request,
    check_audience,
    check_conditions_understood,
    check_not_too_early,
    check_not_too_late,
    check_fresh_login,
    check_level,
    check_name_id,
)
"""In the order of the rules; `check_one_confirmation` comes before those that read it."""


def _confirmation(statement: Statement) -> Confirmation:
    return statement.confirmations[0]
