"""Checks on one identity-provider document, each named after what it enforces."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from msgspec import UNSET

from broker.domain.attributes import (
    ECK_ID,
    ENTREE_NAMES,
    IGNORE,
    OIDC_NAMES,
    STATED_BY_US,
    VOCABULARY,
    is_never_released,
)
from broker.domain.documents import DocumentProblem, IdentityProviderDocument
from broker.domain.federation import SchoolFrom
from broker.domain.school_hints import BY_DOMAIN, OIDC_HINTS, SAML_HINTS
from broker.domain.tolerances import Tolerance
from broker.flow.federation.attribute_names import is_restricted
from broker.flow.federation.employee_logins import EMPLOYEE_LOGIN_CHECKS
from broker.flow.federation.levels import check_levels_not_raised
from broker.flow.federation.metadata_origin import check_origin_stated
from broker.flow.federation.places import check_location, check_only_of_protocol

SAML_NEEDED = ("entity_id",)
SAML_KEYS = (*SAML_NEEDED, "metadata", "metadata_source", "sign_requests", "single_logout")
OIDC_KEYS = (
    *("issuer", "client_id", "algorithms", "authentication"),
    *("client_assertion_audience", "authorization_endpoint", "token_endpoint"),
    *("userinfo_endpoint", "end_session_endpoint", "jwks", "jwks_uri", "oidc_scopes"),
    *("can_reauthenticate", "states_issuer"),
)

TOLERANCES = tuple(each.value for each in Tolerance)

IDENTIFIERS = frozenset(
    name for name, each in VOCABULARY.items() if each.restricted and name != ECK_ID
)
"""Attributes that can name a person inside a school."""

_STATED_BY_SCHOOLS = tuple(each for each in VOCABULARY if each not in STATED_BY_US)

_IDENTIFYING_NAMES = {
    incoming.lower(): name
    for names in (ENTREE_NAMES, OIDC_NAMES)
    for incoming, name in names.items()
    if is_restricted(name)
}
"""Incoming names that mean what identifies across suppliers, however spelled, lower case."""

MUTABLE_NAMES = frozenset(
    {"email", "mail", "preferred_username", "upn", "unique_name", "name", "nickname"}
)
"""Incoming names whose values change hands: they never identify."""


def school_from_of(document: IdentityProviderDocument) -> SchoolFrom:
    """Return how its logins state their school; several schools are told apart by attribute."""
    if document.school_from is not UNSET:
        return document.school_from
    return SchoolFrom.FIXED if len(document.schools) <= 1 else SchoolFrom.ATTRIBUTE


def check_keys_fit_protocol(document: IdentityProviderDocument) -> Iterator[DocumentProblem]:
    foreign = OIDC_KEYS if document.protocol == "saml" else SAML_KEYS
    yield from check_only_of_protocol(
        document, prefix="", protocol=document.protocol, foreign=foreign
    )


def check_protocol_keys_stated(document: IdentityProviderDocument) -> Iterator[DocumentProblem]:
    needed = SAML_NEEDED if document.protocol == "saml" else ("issuer", "client_id", "algorithms")
    for name in needed:
        if not getattr(document, name):
            yield DocumentProblem(
                name, f"is missing for protocol {document.protocol}.", "Ask the school for it."
            )
    yield from check_origin_stated(document, prefix="")


def check_schools_stated_once(document: IdentityProviderDocument) -> Iterator[DocumentProblem]:
    for index, school in enumerate(document.schools):
        if school in document.schools[:index]:
            yield DocumentProblem(
                f"schools[{index}]", f"names {school} once more.", "Name each school once."
            )


def check_school_can_be_told(document: IdentityProviderDocument) -> Iterator[DocumentProblem]:
    """The school that a login states decides; with `fixed` there must be nothing to decide."""
    school_from = school_from_of(document)
    if school_from is SchoolFrom.FIXED and len(set(document.schools)) > 1:
        yield DocumentProblem(
            "school_from",
            "is fixed, but there are several schools.",
            'Write "attribute" (the login states a BRIN) or "domain", or name one school.',
        )
    if school_from is SchoolFrom.DOMAIN:
        for school in set(document.schools) - set(document.domains.values()):
            yield DocumentProblem(
                "domains", f"names no domain of {school}.", "Give each school its own domain."
            )


def check_domains_name_own_schools(
    document: IdentityProviderDocument,
) -> Iterator[DocumentProblem]:
    seen: dict[str, str] = {}
    for domain, school in document.domains.items():
        if school not in document.schools:
            yield DocumentProblem(
                f"domains.{domain}", f"names {school}, which is not in schools.", "Add it there."
            )
        if seen.setdefault(domain.lower(), school) != school:
            yield DocumentProblem(
                f"domains.{domain}",
                "stands there twice, for two schools.",
                "Case makes no difference: name one school.",
            )


def check_identifier_lasts(document: IdentityProviderDocument) -> Iterator[DocumentProblem]:
    """An identifier names one person for good: mail and names change hands."""
    if document.identifier not in IDENTIFIERS:
        yield DocumentProblem(
            "identifier",
            f"is {document.identifier}, which does not name one person for good.",
            f"Choose one of {', '.join(sorted(IDENTIFIERS))}.",
        )
    for incoming, target in document.attributes.items():
        if target == document.identifier and incoming.lower() in MUTABLE_NAMES:
            yield DocumentProblem(
                f"attributes.{incoming}",
                f"would identify people by {incoming}, which changes hands.",
                "Map the pupil or staff number, or the login's own permanent id.",
            )


def check_mapping_targets_known(document: IdentityProviderDocument) -> Iterator[DocumentProblem]:
    for incoming, target in document.attributes.items():
        if target != IGNORE and (target not in VOCABULARY or target in STATED_BY_US):
            yield DocumentProblem(
                f"attributes.{incoming}",
                f"maps to {target}, which is no attribute that a school's login states.",
                f'Write "{IGNORE}" or one of {", ".join(_STATED_BY_SCHOOLS)}.',
            )
        elif target != IGNORE and is_never_released(incoming):
            yield DocumentProblem(
                f"attributes.{incoming}",
                "would take in the PGN, hPGN or stampseudonym.",
                f'The school must not send it; write "{IGNORE}" until it stops.',
            )


def check_mapping_keeps_restricted(document: IdentityProviderDocument) -> Iterator[DocumentProblem]:
    """Under another name an ECK iD or number would go where a first name may go."""
    for incoming, target in document.attributes.items():
        meant = _IDENTIFYING_NAMES.get(incoming.lower())
        if meant is not None and target in VOCABULARY and not is_restricted(target):
            yield DocumentProblem(
                f"attributes.{incoming}",
                f"would give out {meant}, which identifies across suppliers, as {target}.",
                f'Write "{IGNORE}" or one of {", ".join(sorted((*IDENTIFIERS, ECK_ID)))}.',
            )


def check_login_identifier_allowed(
    document: IdentityProviderDocument,
) -> Iterator[DocumentProblem]:
    """Whatever a school's list vouches for, mail too; but never the number of the law."""
    if document.login_identifier is not None and is_never_released(document.login_identifier):
        yield DocumentProblem(
            "login_identifier",
            "would take in the PGN, hPGN or stampseudonym.",
            "Name what the login sends for good: sub, uid or mail.",
        )


def check_exceptions_known(document: IdentityProviderDocument) -> Iterator[DocumentProblem]:
    """A tolerance is one that is built, of a SAML login, and stands there once."""
    names = [each.name for each in document.exception]
    for index, name in enumerate(names):
        if document.protocol != "saml" or name not in TOLERANCES:
            yield DocumentProblem(
                f"exception[{index}].name",
                f"names {name}, which no {document.protocol} login can have.",
                f"A SAML login can have {', '.join(TOLERANCES)}; or have the login corrected.",
            )
        elif name in names[:index]:
            yield DocumentProblem(
                f"exception[{index}].name", f"names {name} once more.", "Name each once."
            )


def check_school_hint_can_be_sent(
    document: IdentityProviderDocument,
) -> Iterator[DocumentProblem]:
    """A hint has the form of its protocol, and there is one for each school."""
    if document.school_hint is UNSET:
        return
    forms = SAML_HINTS if document.protocol == "saml" else OIDC_HINTS
    if document.school_hint not in forms:
        yield DocumentProblem(
            "school_hint",
            f"is {document.school_hint}, which {document.protocol} logins cannot be sent.",
            f"Choose one of {', '.join(forms)}.",
        )
    elif document.school_hint in BY_DOMAIN:
        known = {*document.domains.values()}
        if len(document.schools) == 1 and document.scopes:
            known |= {*document.schools}
        for school in sorted({*document.schools} - known):
            yield DocumentProblem(
                "domains", f"names no domain of {school}.", "Give each school its own domain."
            )


def check_openid_scope_asked(document: IdentityProviderDocument) -> Iterator[DocumentProblem]:
    """Without the scope openid there is no ID token (OIDC Core 3.1.2.1)."""
    if document.protocol == "oidc" and "openid" not in document.oidc_scopes:
        yield DocumentProblem("oidc_scopes", "lacks openid.", "Add it.")


def check_endpoints_safe(document: IdentityProviderDocument) -> Iterator[DocumentProblem]:
    for name in (
        *("issuer", "authorization_endpoint", "token_endpoint"),
        *("userinfo_endpoint", "end_session_endpoint", "jwks_uri"),
    ):
        yield from check_location(name, getattr(document, name), state=document.state)


def check_announced_pages_safe(document: IdentityProviderDocument) -> Iterator[DocumentProblem]:
    """Browsers go on to pages by https, or on loopback in a test; a place ends with its host."""
    if document.announcement is None:
        return
    for index, page in enumerate(document.announcement.return_to):
        yield from check_location(f"announcement.return_to[{index}]", page, state=document.state)
        if page.endswith("/") and urlsplit(page).query:
            yield DocumentProblem(
                f"announcement.return_to[{index}]",
                "ends with a slash inside of its query.",
                "Write a whole page, or a place that the pages are below.",
            )


IDP_CHECKS: tuple[Callable[[IdentityProviderDocument], Iterator[DocumentProblem]], ...] = (
    check_keys_fit_protocol,
    check_protocol_keys_stated,
    check_schools_stated_once,
    *EMPLOYEE_LOGIN_CHECKS,
    check_school_can_be_told,
    check_domains_name_own_schools,
    check_identifier_lasts,
    check_mapping_targets_known,
    check_mapping_keeps_restricted,
    check_login_identifier_allowed,
    check_exceptions_known,
    check_school_hint_can_be_sent,
    check_openid_scope_asked,
    check_endpoints_safe,
    check_levels_not_raised,
    check_announced_pages_safe,
)
