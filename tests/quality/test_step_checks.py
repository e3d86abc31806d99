"""Every check by which a login can refuse stands in the tables that tell how far it came."""

import ast
from collections.abc import Iterator

from broker.domain.refusals import every_refusal
from broker.flow.following.step_checks import every_group
from tests.quality.sources import broker_modules, parsed_files

NOT_OF_A_LOGIN = (
    "broker/demo/",
    "broker/commands/",
    "broker/flow/console/",
    "broker/flow/decisions/",
    "broker/flow/federation/",
    "broker/flow/insight/",
    "broker/flow/login_tests/",
    "broker/flow/me/",
    "broker/web/me/",
    "broker/flow/parents/",
    "broker/flow/operators/",
    "broker/flow/own_logins/",
    "broker/flow/programs/",
    "broker/flow/rotation/",
    "broker/flow/sheets/",
    "broker/flow/switching/",
    "broker/flow/takeover/",
    "broker/flow/transfers/",
    "broker/flow/requests/",
    "broker/flow/own_pupils/",
    "broker/flow/shielding/shield_desk.py",
    "broker/flow/persons/person_changes.py",
    "broker/flow/persons/person_plans.py",
    "broker/flow/persons/person_objection.py",
    "broker/flow/persons/person_join_plan.py",
    "broker/flow/persons/person_anew.py",
    "broker/flow/persons/person_withdrawal.py",
    "broker/flow/enrolment/enrolment_feed.py",
    "broker/domain/csv_reading.py",
    "broker/domain/enrolment",
    "broker/domain/takeover",
    "broker/domain/transfer",
    "broker/adapters/databases/sql_enrolments.py",
    "broker/adapters/databases/sql_quotas.py",
    "broker/adapters/databases/sql_requests.py",
    "broker/adapters/databases/sql_school_counts.py",
    "broker/adapters/databases/sql_takeover",
    "broker/adapters/databases/sql_transfers.py",
    "broker/adapters/operators_on_disk.py",
    "broker/oidc_op/client_credentials.py",
    "broker/flow/start_links.py",  # a link, before the supplier asks
    "broker/flow/pushed_requests.py",  # before a browser comes
    "broker/oidc_op/token_status.py",
    "broker/web/api_",
    "broker/web/console/",
    "broker/web/uploads.py",
    "broker/saml_xml/metadata.py",
    "broker/saml_xml/signed_metadata.py",
    "broker/saml_sp/metadata.py",
    "broker/saml_idp/metadata.py",
)
NOT_OF_A_STEP = {
    "check_head_written",  # receipts' heads are signed on schedule
    "check_school_known",  # of `not_me`; there as of the choice
}


def checks_in_code() -> Iterator[tuple[str, str]]:
    """Yield file and name of each check that is given to a refusal."""
    broker_modules()
    refusals = {each.__name__ for each in every_refusal()} | {"TokenRefused", "TokenKeyUnknown"}
    for path, tree in parsed_files().items():
        if path.startswith(NOT_OF_A_LOGIN):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", "")
                found = _text(node.args[0])
                if found and (name in refusals or found.startswith("check_")):
                    yield path, found


def _text(argument: ast.expr) -> str:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    if isinstance(argument, ast.JoinedStr) and isinstance(argument.values[0], ast.Constant):
        return str(argument.values[0].value)
    return ""


def test_no_check_is_missing() -> None:
    told = {check for each in every_group() for check in each.checks}
    found = {name: path for path, name in checks_in_code() if not name.startswith("decrypted-")}
    assert len(found) > 150
    missing = {name: path for name, path in found.items() if name not in told | NOT_OF_A_STEP}
    assert missing == {}


def test_every_check_that_is_told_exists() -> None:
    texts = {
        node.value.partition(":")[0]
        for path, tree in parsed_files().items()
        if path
        not in ("broker/flow/following/step_checks.py", "broker/flow/following/protocol_checks.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    told = {check for each in every_group() for check in each.checks}
    assert told - texts == set()
