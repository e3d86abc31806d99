"""Rules of writing that no linter knows: size, names, what stands where."""

import ast
import re

import pytest

from tests.quality.sources import ROOT, parsed_files, tracked_texts

MAX_LINES = 350
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "shared"}

MADE_IN = {
    "ConfirmedAction": {"broker/flow/operators/two_persons.py"},
    # A trust level is a type; only the code that checks makes it.
    "SignedElement": {
        "broker/adapters/xml/xml_signatures.py",
        "broker/adapters/xml/xml_security.py",
    },
    "UnverifiedElement": {"broker/adapters/xml/xml_security.py"},
    "SignedAssertion": {"broker/saml_sp/response.py"},
    "SignedClaims": {"broker/jose/tokens.py", "broker/jose/embedded_keys.py"},
    "CheckedAuthorizationRequest": {"broker/oidc_op/request.py"},
    "CheckedAuthnRequest": {"broker/saml_idp/request.py"},
    "VerifiedIdToken": {"broker/oidc_rp/id_token.py"},
    "VerifiedUserinfo": {"broker/oidc_rp/userinfo.py"},
    "AuthenticatedClient": {"broker/oidc_op/client_auth.py"},
    "RedeemedGrant": {"broker/oidc_op/token.py", "broker/oidc_op/refresh.py"},
    "SamlLogin": {"broker/saml_sp/response.py"},
    # verified, or read back from the sealed record of a session that a verified login began
    "VerifiedLogin": {
        "broker/saml_sp/response.py",
        "broker/oidc_rp/login.py",
        "broker/flow/sessions/session_logins.py",
        "broker/flow/insight/sample_persons.py",  # made up, for what is shown and never sent
    },
    "Identity": {"broker/domain/identity.py"},
    "ReleaseDecision": {"broker/domain/release.py"},
    "Released": {"broker/domain/release.py"},
    # derived, read back from a sealed row, or led to by a supplier's own pseudonym
    "PersonRoot": {
        "broker/pseudonyms/derivation.py",
        "broker/pseudonyms/conversion.py",
        "broker/flow/persons/person_records.py",
    },
    "Pseudonym": {"broker/pseudonyms/derivation.py"},
}


def calls(tree: ast.AST) -> list[tuple[str, ast.Call]]:
    """Return each call with the last part of the name that it calls."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    found.append((name, node))
    return found


@pytest.mark.parametrize("trusted", MADE_IN)
def test_a_checked_type_is_made_where_it_is_checked(trusted: str) -> None:
    makers = {
        path
        for path, tree in parsed_files().items()
        if not path.startswith(("broker/demo/", "broker/probe/"))
        if any(name == trusted for name, _ in calls(tree))
    }
    assert makers == MADE_IN[trusted]


def test_no_assert_outside_tests() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in parsed_files().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
    ]
    assert found == []


def test_no_file_is_longer_than_one_reads() -> None:
    long = {
        path: lines
        for path in parsed_files()
        if (lines := (ROOT / path).read_text().count("\n")) > MAX_LINES
    }
    assert long == {}


def test_every_file_and_folder_says_what_it_holds() -> None:
    paths = [each for each in tracked_texts() if each.startswith(("broker/", "tests/"))]
    vague = [each for each in paths if SAYS_NOTHING & set(re.split(r"[/._-]", each.lower()))]
    assert vague == []


def test_pages_that_the_code_names_are_there() -> None:
    missing = [
        f"{path}: {page}"
        for path, text in tracked_texts().items()
        if path.startswith(("broker/", "tests/"))
        for page in re.findall(r"\b[\w./-]+\.md\b", text)
        if not (ROOT / page).exists()
    ]
    assert missing == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        path
        for path, tree in parsed_files().items()
        if tree.body and ast.get_docstring(tree) is None
    ]
    assert silent == []


def test_no_broad_except_passes_in_silence() -> None:
    broad = [
        f"{path}:{node.lineno}"
        for path, tree in parsed_files().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and all(isinstance(each, ast.Pass) for each in node.body)
    ]
    assert broad == []


@pytest.mark.parametrize(
    "package", ["joserfc", "rbcl", "nacl", "signxml", "saml2", "shamir_mnemonic", "typst"]
)
def test_a_library_behind_one_wrapper_is_imported_there_alone(package: str) -> None:
    allowed = {
        "joserfc": ("broker/jose/", "broker/demo/", "broker/adapters/"),
        "rbcl": ("broker/pseudonyms/group.py", "broker/libsodium.py"),
        "saml2": ("broker/demo/",),
        "typst": ("broker/adapters/documents/typeset_documents.py",),
        "shamir_mnemonic": ("broker/adapters/keys/key_shares.py",),
    }.get(package, ())
    importers = [
        path
        for path, tree in parsed_files().items()
        for node in ast.walk(tree)
        if package in [each.partition(".")[0] for each in imported_by(node)]
        if not path.startswith(allowed)
    ]
    assert importers == []


def imported_by(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [each.name for each in names]
        case ast.ImportFrom(module=str(module), level=0):
            return [module]
    return []
