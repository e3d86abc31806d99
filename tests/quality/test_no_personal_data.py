"""Nothing personal in a `repr`, and no value in a refusal."""

import ast
import dataclasses

import msgspec

from broker.domain.refusals import every_refusal
from tests.quality.sources import broker_modules, own_classes, parsed_files
from tests.quality.test_code_rules import calls

TELLING = frozenset(
    {
        # of a person
        *("attributes", "values", "claims", "identifier", "eck_id", "first_name", "given_name"),
        *("pseudonym", "previous_pseudonym", "root", "eck_root", "local_root", "bound_to", "salt"),
        *("name_id", "subject_id", "transient_name_id", "sub", "person", "account", "aliases"),
        "previous",
        # of a login under way
        *("nonce", "state", "code", "code_verifier", "code_challenge", "relay_state"),
        *("session_index", "sid", "assertion_id", "login_hint", "token", "access_token", "jti"),
        *("id_token", "refresh_token", "assertion", "client_assertion", "id_token_hint"),
        # of what somebody looks for or opened
        *("query", "target", "return_to"),
        # keys
        *("key", "secret", "client_secret", "password", "private_key", "storage_key", "k_root"),
    }
)
"""Field names behind which something personal or secret stands."""

ABOUT_PARTIES = {
    # The same names on records that hold nothing of a person and nothing secret.
    ("School", "state"),
    ("SchoolDocument", "state"),
    ("ListedSchool", "state"),
    ("SchoolIdp", "state"),
    ("SchoolIdp", "identifier"),
    ("SchoolIdp", "attributes"),
    ("IdentityProviderDocument", "state"),
    ("IdentityProviderDocument", "identifier"),
    ("IdentityProviderDocument", "attributes"),
    ("Supplier", "state"),
    ("MetadataSource", "state"),
    ("MetadataSourceDocument", "state"),
    ("Supplier", "attributes"),
    ("SupplierDocument", "state"),
    ("Takeover", "state"),
    ("HeldKeys", "state"),
    ("Announcing", "return_to"),
    ("AnnouncementDocument", "return_to"),
    ("RelyingParty", "claims"),
    ("RelyingPartyDocument", "claims"),
    ("SchoolDocument", "eck_id"),
    ("HeadBody", "root"),  # of a Merkle tree
    ("HeadBody", "previous"),
    ("KeyFacts", "state"),  # of a key: published, in use
    ("RotationStatus", "state"),  # epochs of a supplier
    ("ResponseIds", "assertion_id"),  # of our own answer, random
    ("AuditEvent", "code"),  # of a refusal
    ("Trail", "code"),
    ("LogLine", "code"),
    ("StoryStep", "code"),
    ("StoryEvent", "code"),
    ("RefusalPage", "code"),
    ("BusyPage", "code"),
    ("PlannedDocument", "key"),  # by which a document is kept
    ("ProvenSender", "key"),  # the thumbprint of a public key
    ("Shield", "attributes"),  # names
    ("ServiceSheet", "attributes"),  # what a supplier asks
    ("PersonRequest", "state"),  # open, granted, refused
    ("StoredRequest", "state"),
    ("FoundPupil", "state"),  # found, not seen, not yours
    ("Web", "token"),  # the journey behind the token endpoint
}

HOLDERS = {
    # The field's own type hides its value.
    ("SamlLogin", "name_id"),
    ("Statement", "name_id"),
    ("SignedElement", "key"),
    ("AuthenticatedClient", "assertion_id"),
    ("AuthenticatedProgram", "assertion_id"),
    ("AuthenticatedApi", "assertion_id"),
    ("BrowserStep", "state"),
}

SAFE_SUBJECTS = {"name", "AFFILIATION", "canonical", "display_name", "algorithm", "pinned"}
SAFE_SUBJECTS |= {"path"}  # of a key in a document
SAFE_SUBJECTS |= {"way", "lines_told"}  # states of a take-over; numbers of lines, no line
SAFE_SUBJECTS |= {"subject", "identifier", "local_name", "supplier", "letter"}
SAFE_SUBJECTS |= {"school", "to_idp", "column", "name_lines"}
SAFE_CHECKS = {"check", "name", "__name__"}
NOT_SHOWN = {"answer_to"}  # hides itself in a repr
NOT_SHOWN |= {"problems"}  # of a school's list: numbers of lines, and reasons without values
NOT_SHOWN |= {"others", "why"}  # of a service sheet, which is about no person
NOT_SHOWN |= {"agreement", "sheet", "draft"}  # of a decision: likewise
NOT_SHOWN |= {"faults"}  # of an uploaded table: likewise
"""What a refusal may repeat: names of attributes, parameters, elements, algorithms and parties."""


def test_telling_fields_stay_out_of_repr() -> None:
    seen = [
        f"{each.__module__}.{each.__name__}.{name}"
        for each in own_classes()
        if not each.__module__.startswith("broker.demo")
        for name in shown_fields(each)
        if name in TELLING
        if (each.__name__, name) not in ABOUT_PARTIES | HOLDERS
    ]
    assert seen == []


def test_the_exceptions_are_still_needed() -> None:
    there = {(each.__name__, name) for each in own_classes() for name in shown_fields(each)}
    assert there >= ABOUT_PARTIES | HOLDERS


def shown_fields(kind: type) -> list[str]:
    """Return the fields that `repr` of an instance shows."""
    if dataclasses.is_dataclass(kind):
        own = not kind.__dataclass_params__.repr  # type: ignore[attr-defined]
        return [] if own else [each.name for each in dataclasses.fields(kind) if each.repr]
    if issubclass(kind, msgspec.Struct):
        own = kind.__repr__ is not msgspec.Struct.__repr__
        return [] if own else list(kind.__struct_fields__)
    return []


def test_a_refusal_repeats_names_and_no_values() -> None:
    broker_modules()
    refusals = {each.__name__ for each in every_refusal()}
    found = [
        f"{path}:{call.lineno}"
        for path, tree in parsed_files().items()
        for name, call in calls(tree)
        if name in refusals and not is_safe(call)
    ]
    assert found == []


def is_safe(call: ast.Call) -> bool:
    subjects = [each.value for each in call.keywords if each.arg == "subject"]
    known = all(each.arg in {"subject", "check"} | NOT_SHOWN for each in call.keywords)
    checks = [*call.args, *(each.value for each in call.keywords if each.arg == "check")]
    return (
        known
        and all(repeats_only(each, SAFE_SUBJECTS) for each in subjects)
        and all(repeats_only(each, SAFE_CHECKS) for each in checks)
    )


def repeats_only(expression: ast.expr, safe: set[str]) -> bool:
    match expression:
        case ast.Constant(value=str()):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Call(func=ast.Name(id=name)):
            return name in safe
        case ast.JoinedStr(values=parts):
            return all(repeats_only(each, safe) for each in parts)
        case ast.FormattedValue(value=value):
            return repeats_only(value, safe)
    return False


def test_the_rule_for_refusals_can_fail() -> None:
    def judge(source: str) -> bool:
        call = ast.parse(source, mode="eval").body
        return isinstance(call, ast.Call) and is_safe(call)

    assert judge('Refused("check_x", subject=supplier.display_name)')
    assert judge('Refused(f"check_x:{declared.name}")')
    assert not judge('Refused("check_x", subject=identity.eck_id)')
    assert not judge('Refused("check_x", subject=values[0])')
    assert not judge('Refused(f"check_x {values[0]}")')
    assert not judge('Refused("check_x", value=name)')
