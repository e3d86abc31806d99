"""One person prepares, another confirms: each check refuses, beside a twin that passes."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given
from hypothesis import strategies as st

import broker.flow.operators.two_persons as two_persons
from broker.domain.refusals import Refusal
from broker.flow.operators.operator_refusals import (
    ActionUnknown,
    ActionUsed,
    OperatorUnknown,
    PreparedElsewhere,
    PreparedExpired,
    PreparedForged,
    PreparedUnreadable,
    SamePerson,
    WrongOperatorKey,
)
from broker.flow.operators.operators import Operator, OperatorName, Signer
from broker.flow.operators.two_persons import (
    CHECKS,
    PREPARED_BYTES_MAX,
    Action,
    ConfirmedAction,
    PreparedAction,
    PreparedBody,
    confirm_action,
    encode_prepared,
    parse_prepared,
    prepare_action,
)
from tests.flow.operators import (
    ANNA,
    BEA,
    CAS,
    ISSUER,
    NOW,
    MemoryUsed,
    a_signer,
    an_operator_list,
    registered_as,
)

EVERYBODY = an_operator_list(ANNA, BEA)
DAY = timedelta(days=1)
SIGNED_LABEL = b"schuilnaam/prepared-action/v1"


def prepare(by: Signer = ANNA, **changes: Any) -> PreparedAction:
    expected: dict[str, Any] = {
        "operators": EVERYBODY,
        "issuer": ISSUER,
        "now": NOW,
        "random": bytes,
    }
    return prepare_action(
        Action.ADD_OPERATOR, {"name": "cas", "public_key": "00"}, by=by, **(expected | changes)
    )


def confirm(prepared: PreparedAction, by: Signer = BEA, **changes: Any) -> ConfirmedAction:
    expected: dict[str, Any] = {
        "operators": EVERYBODY,
        "used": MemoryUsed(),
        "expected_issuer": ISSUER,
        "now": NOW,
    }
    return confirm_action(prepared, by=by, **(expected | changes))


def signed(by: Signer = ANNA, **changes: Any) -> PreparedAction:
    """Return a changed action that the first person signed all the same."""
    body = msgspec.structs.replace(prepare().body, **changes)
    content = SIGNED_LABEL + msgspec.json.encode(body, order="sorted")
    return PreparedAction(body=body, signature=by.key.sign(content))


def refused(check: str, kind: type[Refusal], act: Callable[[], object]) -> None:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.check == check


def test_what_one_prepares_another_confirms() -> None:
    used = MemoryUsed()
    document = encode_prepared(prepare())
    confirmed = confirm(parse_prepared(document), used=used, now=NOW + DAY - timedelta(seconds=1))
    assert confirmed == ConfirmedAction(
        action=Action.ADD_OPERATOR,
        parameters={"name": "cas", "public_key": "00"},
        id="00" * 16,
        prepared_by=ANNA.name,
        confirmed_by=BEA.name,
    )
    assert list(used.confirmations) == ["00" * 16]


def test_every_check_stands_in_the_table_once() -> None:
    named = {each.__name__ for each in CHECKS}
    there = {each for each in vars(two_persons) if each.startswith("check_")}
    assert len(named) == len(CHECKS) == 9
    assert there - named == {"check_signer"}


def test_check_prepared_here() -> None:
    refused(
        "check_prepared_here",
        PreparedElsewhere,
        lambda: confirm(prepare(), expected_issuer="https://test.broker.example"),
    )


def test_check_action_known() -> None:
    refused("check_action_known", ActionUnknown, lambda: confirm(signed(action="school-close")))
    assert confirm(signed(action="person-erase")).action is Action.ERASE_PERSON


def test_check_preparer_registered() -> None:
    refused(
        "check_preparer_registered",
        OperatorUnknown,
        lambda: confirm(prepare(), operators=an_operator_list(BEA)),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": ISSUER, "parameters": {"name": "eve", "public_key": "00"}},
        {"action": "person-erase"},
        {"expires_at": int((NOW + DAY).timestamp()) - 1},
        {"prepared_at": int(NOW.timestamp()) - 1, "expires_at": int(NOW.timestamp()) + 1},
        {"id": "11" * 16},
        {"prepared_by": BEA.name},
    ],
)
def test_check_signature_of_preparer(change: dict[str, Any]) -> None:
    prepared = prepare()
    changed = PreparedAction(
        body=msgspec.structs.replace(prepared.body, **change), signature=prepared.signature
    )
    refused("check_signature_of_preparer", PreparedForged, lambda: confirm(changed, by=BEA))


def test_signature_of_somebody_else_or_of_no_form_is_forged() -> None:
    refused("check_signature_of_preparer", PreparedForged, lambda: confirm(signed(by=CAS)))
    short = PreparedAction(body=prepare().body, signature=b"short")
    refused("check_signature_of_preparer", PreparedForged, lambda: confirm(short))
    assert confirm(signed())


def test_a_signature_serves_one_purpose() -> None:
    body = prepare().body
    bare = ANNA.key.sign(msgspec.json.encode(body, order="sorted"))
    refused(
        "check_signature_of_preparer",
        PreparedForged,
        lambda: confirm(PreparedAction(body=body, signature=bare)),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"expires_at": int((NOW + DAY).timestamp()) + 1},
        {"prepared_at": int(NOW.timestamp()) + 181, "expires_at": int(NOW.timestamp()) + 900},
    ],
)
def test_check_life_bounded(change: dict[str, int]) -> None:
    refused("check_life_bounded", PreparedExpired, lambda: confirm(signed(**change)))


def test_a_clock_that_is_a_little_ahead_passes() -> None:
    ahead = int(NOW.timestamp()) + 180
    assert confirm(signed(prepared_at=ahead, expires_at=ahead + 60))


def test_check_not_expired() -> None:
    refused("check_not_expired", PreparedExpired, lambda: confirm(prepare(), now=NOW + DAY))


def test_check_confirmer() -> None:
    refused("check_signer_registered", OperatorUnknown, lambda: confirm(prepare(), by=CAS))
    stranger = a_signer("bea", 9)
    refused("check_signer_key", WrongOperatorKey, lambda: confirm(prepare(), by=stranger))


def test_preparing_asks_the_same_of_the_first_person() -> None:
    refused("check_signer_registered", OperatorUnknown, lambda: prepare(by=CAS))
    refused("check_signer_key", WrongOperatorKey, lambda: prepare(by=a_signer("anna", 9)))


def test_check_other_operator() -> None:
    refused("check_other_operator", SamePerson, lambda: confirm(prepare(), by=ANNA))


def test_check_other_key() -> None:
    again = Signer(OperatorName("anna-again"), ANNA.key)
    both = an_operator_list(ANNA, again)
    refused("check_other_key", SamePerson, lambda: confirm(prepare(), by=again, operators=both))


def test_an_action_works_once() -> None:
    used, prepared = MemoryUsed(), prepare()
    assert confirm(prepared, used=used)
    refused("check_used_once", ActionUsed, lambda: confirm(prepared, used=used))
    refused(
        "check_used_once",
        ActionUsed,
        lambda: confirm(prepared, used=used, by=CAS, operators=an_operator_list(ANNA, BEA, CAS)),
    )
    assert confirm(prepare(random=lambda count: b"\x01" * count), used=used)


def test_what_is_refused_is_not_used() -> None:
    used = MemoryUsed()
    refused("check_other_operator", SamePerson, lambda: confirm(prepare(), by=ANNA, used=used))
    assert confirm(prepare(), used=used)


def test_the_trace_is_signed_by_the_second_person_and_leaves_the_parameters_out() -> None:
    used = MemoryUsed()
    confirm(prepare(), used=used)
    (trace,) = used.confirmations.values()
    content = b"schuilnaam/confirmed-action/v1" + msgspec.json.encode(trace.body, order="sorted")
    BEA.key.public_key().verify(trace.signature, content)
    with pytest.raises(InvalidSignature):
        ANNA.key.public_key().verify(trace.signature, content)
    assert msgspec.to_builtins(trace.body) == {
        "issuer": ISSUER,
        "id": "00" * 16,
        "action": "operator-add",
        "prepared_by": "anna",
        "confirmed_by": "bea",
        "confirmed_at": int(NOW.timestamp()),
    }


def test_the_document_is_frozen() -> None:
    """What is signed does not hang on the order or blanks of the document."""
    prepared = prepare()
    stated = json.loads(encode_prepared(prepared))
    assert sorted(stated) == ["body", "signature"]
    assert sorted(stated["body"]) == [
        *("action", "expires_at", "id", "issuer", "parameters", "prepared_at", "prepared_by"),
    ]
    turned = dict(reversed(stated["body"].items()))
    again = json.dumps({"signature": stated["signature"], "body": turned}).encode()
    assert confirm(parse_prepared(again))
    ANNA.key.public_key().verify(
        prepared.signature,
        SIGNED_LABEL + json.dumps(turned, sort_keys=True, separators=(",", ":")).encode(),
    )


@pytest.mark.parametrize(
    ("document", "check"),
    [
        (b"x" * (PREPARED_BYTES_MAX + 1), "check_size"),
        (b"", "check_form"),
        (b"\xff", "check_form"),
        (b'"\xff"', "check_form"),
        (b"[" * 10_000, "check_form"),
        (b"{}", "check_form"),
    ],
)
def test_a_document_of_another_form_is_refused(document: bytes, check: str) -> None:
    refused(check, PreparedUnreadable, lambda: parse_prepared(document))


@pytest.mark.parametrize(
    "change",
    [{"more": "1"}, {"id": "../../keys"}, {"id": "00" * 16 + "\n"}, {"parameters": {"a": 1}}],
)
def test_a_body_of_another_form_is_refused(change: dict[str, object]) -> None:
    stated = json.loads(encode_prepared(prepare()))
    assert parse_prepared(json.dumps(stated).encode())
    stated["body"] |= change
    with pytest.raises(PreparedUnreadable) as refusal:
        parse_prepared(json.dumps(stated).encode())
    assert refusal.value.check == "check_form"
    assert refusal.value.__context__ is None


@given(
    st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4),
    st.binary(min_size=16, max_size=16),
)
def test_whatever_is_prepared_arrives_as_it_was(parameters: dict[str, str], drawn: bytes) -> None:
    prepared = prepare_action(
        Action.ERASE_PERSON,
        parameters,
        by=ANNA,
        operators=EVERYBODY,
        issuer=ISSUER,
        now=NOW,
        random=lambda _: drawn,
    )
    confirmed = confirm(parse_prepared(encode_prepared(prepared)))
    assert (confirmed.parameters, confirmed.id) == (parameters, drawn.hex())


@pytest.mark.parametrize(
    ("name", "public_key"), [("../anna", bytes(32)), ("Anna", bytes(32)), ("anna", bytes(31))]
)
def test_an_operator_is_a_slug_and_a_key(name: str, public_key: bytes) -> None:
    assert registered_as(ANNA)
    with pytest.raises(ValueError, match="an operator's"):
        Operator(OperatorName(name), public_key)


def test_nothing_shows_itself() -> None:
    body: PreparedBody = prepare().body
    assert repr(body) == f"PreparedBody(action='operator-add', id='{'00' * 16}')"
    assert repr(ANNA) == "Signer(name='anna')"
    assert "cas" not in repr(confirm(prepare()))
