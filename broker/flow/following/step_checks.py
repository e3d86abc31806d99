"""Which checks each step of a login makes, in which order, for telling afterwards how far it came.

Those of the protocols stand in `protocol_checks`. `tests/quality/test_step_checks.py` holds that no
check is missing.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from broker.flow.first_party.announcement_checks import ANNOUNCEMENT_CHECKS
from broker.flow.following.protocol_checks import (
    CLIENT,
    OIDC_ANSWER,
    OIDC_REQUEST,
    PARAMETERS,
    SAML_ANSWER,
    SAML_LOGOUT,
    SAML_REQUEST,
    SENDER,
    CheckGroup,
    named,
)
from broker.flow.following.trail import LoginStep
from broker.oidc_op.token import TOKEN_CHECKS

_BODY = (
    "check_content_type",
    "check_content_length",
    "check_body_size",
    "check_body_complete",
    "check_parameters_encoded",
    "check_parameter_in_one_place",
)
_ARRIVAL = CheckGroup(
    "what the browser asks",
    (
        *("check_header_size", "check_requests_at_once", "check_destination"),
        *("check_room_for_frame", "check_starts_a_minute"),
    ),
    families=("E-HTTP-",),
)
_ARRIVED = (
    _ARRIVAL,
    CheckGroup("what the browser sent", _BODY, ordered=False, families=("E-HTTP-",)),
)
_SENT = CheckGroup(
    "what the browser sent",
    ("check_header_size", "check_requests_at_once", *_BODY, "check_parameter_once"),
    ordered=False,
    families=("E-HTTP-",),
)
_ENDING = CheckGroup(
    "what the browser sent",
    ("check_destination", "check_ends_a_minute", *_SENT.checks),
    ordered=False,
    families=("E-HTTP-",),
)
_OWN_FORM = CheckGroup(
    "the form is our own",
    ("check_form_cookie", "check_fetch_site", "check_origin", "check_csrf_token"),
)
_BOUND = CheckGroup("the browser began this login", ("check_browser_binding",))
_STORE = CheckGroup(
    "the login store",
    ("check_login_step", "check_request_not_too_old", "check_request_used_once"),
    ordered=False,
    anywhere=True,
)
_PARTIES = CheckGroup(
    "who asked is still open",
    (
        "check_relying_party_enabled",
        "check_supplier_enabled",
        "check_return_address_registered",
        "check_idp_enabled",
    ),
    ordered=False,
    anywhere=True,
)
_AGREED = "check_agreed_when_passive"
TO_SCHOOL = CheckGroup(
    "the way to the school",
    (
        _AGREED,
        *("check_listed_school_known", "check_listed_school_open"),
        "check_school_known_when_passive",
        "check_school_has_login",
        "check_school_enabled",
        "check_idp_enabled",
        "check_states_equal",
        "check_provider_can_reauthenticate",
        "check_passive_alone",
        "check_endpoint_known",
        "check_signing_key_present",
        "check_signing_algorithm_taken",
    ),
    ordered=False,
)
_CHOICE = CheckGroup("the school that was chosen", ("check_school_known",))

_TO_BROWSER = (_PARTIES, TO_SCHOOL, _STORE)
HAND_OVER = (
    CheckGroup(
        "nothing changed meanwhile",
        (
            *("check_school_of_idp", "check_school_enabled", "check_states_equal"),
            *("check_agreement_unchanged", "check_released_still_allowed"),
            "check_behind_still_allowed",
            *("check_epoch_unchanged", "check_name_id_unchanged"),
            "check_not_shielded_since",
        ),
    ),
    CheckGroup(
        "the answer to the supplier",
        (
            *("check_protocol_unchanged", "lint_claim_name", "lint_claim_values"),
            *("check_encryption_key_registered", "xml-characters"),
        ),
        ordered=False,
        families=("E-LOGIN-5", "E-RELEASE-5", "E-SAML-48", "E-XML-6"),
    ),
    CheckGroup(
        "the receipt",
        ("check_not_closed", "check_written", "check_readable"),
        ordered=False,
        families=("E-RECEIPT-",),
    ),
)
_PERSON = CheckGroup(
    "who it is",
    (
        *("check_eckid_form", "check_eckid_no_placeholder", "check_eckid_length"),
        *("check_identifier_not_blank", "check_identifier_encodable"),
        *("check_readable", "check_not_closed", "check_written", "check_register_row_opens"),
        *("check_person_unchanged", "check_register_converges"),
        *("check_eck_id_stated_or_known", "check_number_not_reissued"),
        "check_numbers_of_one_pupil_bounded",
        *("check_arrivals_within_budget", "check_protected_arrival_confirmed"),
        *("check_pinned_epoch_has_key", "check_person_expected", "check_person_still_known"),
        "check_shield_opens",
    ),
    ordered=False,
    families=("E-PERSON-", "E-PSEUDONYM-"),
)
_RELEASE = (
    CheckGroup(
        "for whom the school speaks",
        (
            *("check_values_bounded", "check_school_domain_registered"),
            *("check_exactly_one_school_registered", "check_school_stated"),
            *("check_branch_of_stated_school", "check_location_stated", "check_schools_bounded"),
            *("check_exactly_one_school_stated", "check_stated_brin_registered"),
            *("check_stated_brin_well_formed", "check_stated_realm_registered"),
            *("check_identifier_single", "check_identifier_not_blank", "check_person_stated"),
            *("check_login_identifier_usable", "check_number_shared_by_schools"),
        ),
        ordered=False,
        families=("E-IDENTITY-",),
    ),
    CheckGroup("an agreement, where no page may say that there is none", (_AGREED,)),
    CheckGroup("by a login that the school offers", ("check_login_offered_when_passive",)),
    CheckGroup("the level that the supplier asked", ("check_acr_met", "check_authn_context_met")),
    CheckGroup("school and supplier are open", ("check_school_enabled", "check_states_equal")),
    CheckGroup(
        "what the school's list says",
        (
            *("check_not_closed", "check_readable", "check_enrolment_opens"),
            *("check_list_states_same_role", "check_list_names_same_person"),
        ),
        ordered=False,
        families=("E-ENROLMENT-",),
    ),
    CheckGroup(
        "what the school approved",
        (
            *(
                "check_agreement_exists",
                "check_agreement_not_stopped",
                "check_agreement_in_force",
                "check_agreement_of_school",
            ),
            *("check_not_shut_out", "check_required_not_shielded"),
            *("check_required_released", "check_agreement_of_all"),
        ),
    ),
    CheckGroup(
        "for which of several schools", ("check_own_school_known_when_passive",), ordered=False
    ),
    _PERSON,
    CheckGroup("no page where none may be", ("check_no_page_when_passive",)),
    *HAND_OVER,
)
BY_SESSION = _RELEASE
"""What is decided anew where a session answers in place of the school."""

_HINTED = (CheckGroup("the person that the supplier means", ("check_id_token_hint_ours",)),)
_STILL_OPEN = CheckGroup(
    "all who stand behind it are still open",
    (
        *("check_relying_party_enabled", "check_supplier_enabled", "check_supplier_unchanged"),
        *("check_school_known", "check_idp_enabled", "check_school_enabled", "check_states_equal"),
        "check_agreement_unchanged",
        "check_takeover_unchanged",
        "check_not_shielded_since",
    ),
)
_ANSWERED = (_SENT, _BOUND, _STORE, _PARTIES)
_CHOOSING = (_SENT, _BOUND, _OWN_FORM, _STORE, _PARTIES, _CHOICE, TO_SCHOOL)
_MACHINE = CheckGroup(
    "what was sent",
    (*_SENT.checks, "check_authorization_once"),
    ordered=False,
    families=("E-HTTP-",),
)

_ANNOUNCEMENT = CheckGroup(
    "the announcement",
    (
        *("check_parameter_once", "check_announcer_registered", "check_announcement_key_here"),
        *("check_token_size", "check_token_header_readable", "check_token_header_known"),
        *("check_token_algorithm_allowed", "check_token_type", "check_token_decrypted"),
        *("check_announcement_readable", *named(ANNOUNCEMENT_CHECKS)),
        *("check_announced_school_listed", "check_school_enabled", "check_announcement_once"),
    ),
    ordered=False,
)
_GROUPS: Mapping[tuple[LoginStep, str], tuple[CheckGroup, ...]] = MappingProxyType(
    {
        (LoginStep.START, ""): (
            *_ARRIVED,
            CheckGroup(
                "the link",
                (
                    *("check_parameter_once", "check_start_known", "check_target_registered"),
                    *("check_start_agreed", "check_start_place"),
                ),
            ),
        ),
        (LoginStep.ANNOUNCE, ""): (*_ARRIVED, _ANNOUNCEMENT, _STORE),
        (LoginStep.ASK, ""): (
            *_ARRIVED,
            CheckGroup(
                "the question", ("check_parameter_once", "check_may_ask", "check_question_state")
            ),
        ),
        (LoginStep.BEGIN, "oidc"): (*_ARRIVED, *OIDC_REQUEST, *_HINTED, *_TO_BROWSER, *BY_SESSION),
        (LoginStep.BEGIN, "saml"): (*_ARRIVED, *SAML_REQUEST, *_TO_BROWSER, *BY_SESSION),
        (LoginStep.SHOW_SCHOOLS, ""): _ANSWERED,
        (LoginStep.CHOOSE_SCHOOL, ""): _CHOOSING,
        (LoginStep.SCHOOL_ANSWER, "saml"): (*_ANSWERED, *SAML_ANSWER, *_RELEASE),
        (LoginStep.SCHOOL_ANSWER, "oidc"): (*_ANSWERED, *OIDC_ANSWER, *_RELEASE),
        (LoginStep.OWN_SCHOOL, ""): (
            *(_SENT, _BOUND, _OWN_FORM, _STORE, _PARTIES),
            CheckGroup("the school that was chosen", ("check_school_offered",)),
            HAND_OVER[0],
            _PERSON,
            *HAND_OVER,
        ),
        (LoginStep.GO_ON, ""): (_SENT, _BOUND, _OWN_FORM, _STORE, _PARTIES, *HAND_OVER),
        (LoginStep.NOT_ME, ""): _CHOOSING,
        (LoginStep.REDEEM, "oidc"): (
            _MACHINE,
            PARAMETERS,
            CLIENT,
            SENDER,
            CheckGroup("the request", ("check_grant_type", "check_code_present")),
            _STORE,
            CheckGroup(
                "the code",
                (
                    *("check_code_form", "check_code_used_once", "check_assertion_id_once"),
                    *("check_code_known", *named(TOKEN_CHECKS), "check_code_bound"),
                ),
            ),
            CheckGroup(
                "the refresh token",
                (
                    *("check_refresh_token_present", "check_refresh_token_form"),
                    *("check_refresh_token_known", "check_refresh_token_used_once"),
                    *("check_refresh_belongs_to_client", "check_refresh_still_allowed"),
                    *("check_scope_within_grant", "check_resource_within_grant"),
                    *("check_refresh_token_bound", "check_refresh_not_over"),
                    "check_person_still_known",
                ),
                ordered=False,
            ),
            _STILL_OPEN,
            CheckGroup("the tokens", ("check_signing_key_active",)),
        ),
        (LoginStep.END_SESSION, "oidc"): (
            _ENDING,
            CheckGroup(
                "the request to log out",
                (
                    *(
                        "check_parameter_count",
                        "check_parameter_once",
                        "check_parameter_is_unicode",
                    ),
                    *("check_parameter_size", "check_logout_state_length"),
                    *("check_logout_hint_ours", "check_client_known", "check_client_enabled"),
                    *("check_profile_known", "check_logout_address_registered"),
                ),
            ),
            _STORE,
        ),
        (LoginStep.END_SESSION, "saml"): (*_ARRIVED, *SAML_LOGOUT, _STORE),
        (LoginStep.LOG_OUT, ""): (_ENDING, _BOUND, _OWN_FORM, _STORE),
        (LoginStep.USERINFO, "oidc"): (
            _MACHINE,
            _STORE,
            CheckGroup(
                "the access token",
                (
                    *("check_one_access_token", "check_access_token_present"),
                    *("check_access_token_form", "check_access_token_typ"),
                    *("check_access_token_issuer", "check_access_token_expiry"),
                    *("check_access_token_known", "check_access_token_for_userinfo"),
                ),
            ),
            SENDER,
            _STILL_OPEN,
            CheckGroup("the client", ("check_client_known", "check_client_enabled")),
        ),
    }
)


def groups_of(step: LoginStep, protocol: str) -> tuple[CheckGroup, ...]:
    """Return the checks of a step, in order; none for a step that does not exist."""
    return _GROUPS.get((step, protocol), ())


def is_of_release(check: str) -> bool:
    """Tell whether a check of a login's beginning is one that only a session's answer comes to."""
    before = {name for each in (*_TO_BROWSER, _ARRIVAL) for name in each.checks}
    return check not in before and any(check in each.checks for each in BY_SESSION)


def every_group() -> Iterable[CheckGroup]:
    """Return every group of every step."""
    return (each for groups in _GROUPS.values() for each in groups)
