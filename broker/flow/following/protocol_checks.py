"""The checks of the four protocols, in order, for telling afterwards how far a message came.

The tables of the protocols are taken as they are. Where checks are no table, or are made at several
moments, a group says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from broker.oidc_op.client_assertions import ASSERTION_CHECKS
from broker.oidc_op.dpop import PROOF_CHECKS
from broker.oidc_op.request_checks import CHECKS_AFTER_REDIRECT, CHECKS_BEFORE_REDIRECT
from broker.oidc_op.request_objects import OBJECT_CHECKS
from broker.saml_idp.checks import ANSWERABLE_CHECKS, REQUEST_CHECKS
from broker.saml_sp.checks import STATEMENT_CHECKS
from broker.saml_xml.logout.checks import MESSAGE_CHECKS
from broker.saml_xml.logout.checks import REQUEST_CHECKS as REQUEST_MESSAGE_CHECKS


@dataclass(frozen=True, slots=True)
class CheckGroup:
    """Checks that belong together.

    Attributes:
        title: what is checked.
        ordered: made in this order; else one that fails tells nothing of the others.
        anywhere: made at several moments; one that fails tells nothing of later groups.
        families: beginnings of codes that its refusals have, where names alone are not enough.
    """

    title: str
    checks: tuple[str, ...]
    ordered: bool = True
    anywhere: bool = False
    families: tuple[str, ...] = ()


def named(checks: Iterable[object]) -> tuple[str, ...]:
    return tuple(getattr(each, "__name__") for each in checks)  # noqa: B009 -- a Callable has none


_SAML_MESSAGE = CheckGroup(
    "the message can be read",
    (
        *("parameter-once", "parameter-text", "one-message", "encoding", "base64", "inflate"),
        *("size", "markup-declaration", "processing-instruction", "amount", "well-formed"),
        *("only-elements", "depth", "attributes", "unique-ids", "schema", "signature-whole"),
        *("one-child", "attribute", "plain-text", "instant"),
    ),
    ordered=False,
    anywhere=True,
)
_SIGNATURE = CheckGroup(
    "the signature",
    (
        *("key-registered", "signature-present", "one-signature", "signature-shape"),
        *("canonicalization", "canonicalization-parameter", "signature-algorithm", "reference"),
        *("transforms", "digest-algorithm", "signature-value", "digest"),
    ),
    ordered=False,
)
_JOSE = (
    "check_token_size",
    "check_token_header_readable",
    "check_token_algorithm_allowed",
    "check_token_header_known",
    "check_token_key_known",
    "check_token_signature",
    "check_token_claims_readable",
)
_PARAMETER_CHECKS = (
    "check_parameter_count",
    "check_parameter_once",
    "check_parameter_is_unicode",
    "check_parameter_size",
    "check_resources_size",
)

PARAMETERS = CheckGroup("the parameters", _PARAMETER_CHECKS, ordered=False, families=("E-OIDC-",))
OIDC_REQUEST = (
    PARAMETERS,
    CheckGroup(
        "the client and its address",
        (
            *("check_client_known", "check_client_enabled", "check_profile_known"),
            *named(CHECKS_BEFORE_REDIRECT),
        ),
    ),
    CheckGroup(
        "where the request stands",
        (
            *("check_one_request", "check_objects_allowed", "check_request_uri_registered"),
            *("check_request_uri_answers", "check_pushed_known", "check_pushed_by_client"),
            "check_pushed_unused",
        ),
        ordered=False,
        anywhere=True,
    ),
    CheckGroup(
        "the request object",
        (
            *("check_object_size", "check_object_not_encrypted", "check_object_signed", *_JOSE),
            *(*named(OBJECT_CHECKS), "check_object_times_readable", "check_object_texts"),
            "check_object_unused",
        ),
        ordered=False,
        anywhere=True,
    ),
    CheckGroup("the request", named(CHECKS_AFTER_REDIRECT)),
)
SAML_REQUEST = (
    _SAML_MESSAGE,
    CheckGroup(
        "the service provider",
        (
            "check_is_authn_request",
            "check_issuer_stated",
            "check_service_provider_registered",
            "check_service_provider_enabled",
        ),
    ),
    _SIGNATURE,
    CheckGroup(
        "the request",
        (
            "check_signed",
            *named(REQUEST_CHECKS),
            "check_acs_named_once",
            "check_protocol_binding_registered",
            "check_acs_registered",
            *named(ANSWERABLE_CHECKS),
        ),
        families=("E-SAML-",),
    ),
)
SAML_LOGOUT = (
    _SAML_MESSAGE,
    CheckGroup("the envelope", ("envelope", "envelope-header", "envelope-body"), ordered=False),
    CheckGroup(
        "who sent it",
        (
            *("check_kind", "check_issuer_stated", "check_sender_registered"),
            *("check_answer_asked", "check_answer_of_who_was_asked", "check_logout_signed"),
        ),
        ordered=False,
    ),
    _SIGNATURE,
    CheckGroup(
        "the message about logging out",
        (
            *("check_is_logout_request", "check_is_logout_response"),
            *named(MESSAGE_CHECKS),
            *named(REQUEST_MESSAGE_CHECKS),
            *("check_name_stated", "check_name_qualifiers"),
            *("check_in_response_to", "check_message_once"),
        ),
        ordered=False,
        families=("E-LOGOUT-1", "E-LOGOUT-2"),
    ),
)
SAML_ANSWER = (
    _SAML_MESSAGE,
    CheckGroup(
        "the kind of answer",
        (
            "check_is_response",
            "check_no_assertion_without_success",
            "check_in_response_to_without_login",
            "check_success",
            "check_provider",
        ),
    ),
    CheckGroup(
        "signature and encryption",
        (
            *_SIGNATURE.checks,
            *("check_one_assertion", "encryption-shape", "encryption-method", "decryption"),
            *("decrypted-element", "check_assertion_signed", "check_is_assertion"),
            "check_encrypted_parts_bounded",
        ),
        ordered=False,
    ),
    CheckGroup(
        "the statement is whole",
        ("check_conditions_stated", "check_one_authn_statement", "check_subject_stated"),
    ),
    CheckGroup("the statement", named(STATEMENT_CHECKS)),
    CheckGroup("by what the session can be ended", ("check_name_id_stated",)),
)
OIDC_ANSWER = (
    CheckGroup(
        "the answer through the browser",
        (
            "check_protocol_unchanged",
            "check_parameters_once",
            "check_parameters_unicode",
            "check_state_expected",
            "check_issuer_expected",
            "check_answer_is_no_error",
            "check_code_present",
        ),
    ),
    CheckGroup(
        "the school's token endpoint",
        (
            *("check_client_secret_present", "check_client_key_present"),
            *("check_signing_key_active", "check_school_answers", "check_school_keys_usable"),
        ),
        ordered=False,
        anywhere=True,
    ),
    CheckGroup(
        "the token response",
        (
            *("check_token_response_size", "check_token_response_readable", "check_token_type"),
            *("check_access_token_present", "check_id_token_present", *_JOSE),
        ),
    ),
    CheckGroup(
        "the ID token's times can be read",
        ("check_times_present", "check_times_readable"),
        ordered=False,
        anywhere=True,
    ),
    CheckGroup(
        "the ID token",
        (
            *("check_issuer", "check_audience", "check_authorized_party", "check_expiry"),
            *("check_issued_at", "check_not_before", "check_nonce", "check_subject"),
            *("check_auth_time_present", "check_auth_time_past", "check_login_after_request"),
            *("check_login_within_max_age", "check_access_token_hash"),
        ),
    ),
    CheckGroup(
        "userinfo", ("check_userinfo_size", "check_userinfo_readable", "check_userinfo_subject")
    ),
)
CLIENT = CheckGroup(
    "the client",
    (
        *("check_one_authentication_method", "check_assertion_type"),
        *("check_basic_readable", "check_one_client_id", "check_client_known"),
        *("check_client_enabled", "check_profile_known"),
        *("check_authentication_method_registered", "check_client_secret", *_JOSE),
        *("check_assertion_times_readable", *named(ASSERTION_CHECKS)),
        *("check_certificate_present", "check_certificate_size", "check_certificate_readable"),
        *("check_certificate_dates", "check_certificate_chain", "check_certificate_name"),
        "check_certificate_key",
    ),
)
SENDER = CheckGroup(
    "the key to which a token is bound",
    (
        *("check_token_shown_as_given", "check_certificate_bound", "check_sender_proven"),
        *("check_one_proof", "check_proof_readable", "check_proof_algorithm"),
        *("check_proof_header_known", "check_proof_key_public", "check_proof_signature"),
        *(*named(PROOF_CHECKS), "check_proof_key_bound", "check_proof_id_once"),
    ),
    ordered=False,
)
