"""What a request asks to be told: it narrows and places, and never widens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.assurance import ACR_VALUES, HIGH, LOW, MULTI_FACTOR, SUBSTANTIAL
from broker.oidc_op.asked_claims import (
    AcrNotMet,
    AskedAcr,
    AskedClaims,
    PersonNotExpected,
    check_acr_met,
    check_person_expected,
    find_expected_subs,
    place_claims,
    read_claims_parameter,
)
from broker.oidc_op.request import CheckedAuthorizationRequest
from tests.oidc_op.test_request import check

RELEASED: dict[str, str | list[str]] = {"given_name": "Sanne", "email": "s@v.example"}
NAMES = st.sets(st.sampled_from(["given_name", "email", "birthdate"])).map(tuple)


def asking(**changes: object) -> CheckedAuthorizationRequest:
    plain = check()
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
    return CheckedAuthorizationRequest(**fields | changes)  # type: ignore[arg-type]


@given(NAMES, NAMES)
def test_a_placed_claim_was_released_and_asked_there(
    id_token: tuple[str, ...], userinfo: tuple[str, ...]
) -> None:
    request = asking(asked_claims=AskedClaims(in_id_token=id_token, in_userinfo=userinfo))
    for placed, asked in zip(
        place_claims(request.asked_claims, RELEASED), (id_token, userinfo), strict=True
    ):
        assert placed == {name: each for name, each in RELEASED.items() if name in asked}


def test_what_a_supplier_wishes_is_not_shown() -> None:
    asked = read_claims_parameter('{"id_token": {"sub": {"value": "somebody"}}}')
    assert "somebody" not in repr(asked)
    assert asked.__rich_repr__() == []
    assert find_expected_subs(asked) == ("somebody",)


def test_without_wishes_everything_stands_in_both() -> None:
    assert place_claims(check().asked_claims, RELEASED) == (RELEASED, RELEASED)


def test_check_person_expected() -> None:
    request = asking(expected_subs=("a", "b"))
    check_person_expected(request, ["b"])
    check_person_expected(request, ["c", "a"])  # `previous_sub`
    check_person_expected(check(), ["c"])
    with pytest.raises(PersonNotExpected) as caught:
        check_person_expected(request, ["c"])
    assert (caught.value.oauth_error, caught.value.may_redirect) == ("login_required", True)


@pytest.mark.parametrize(
    ("level", "wanted", "told"),
    [
        ("", (), ""),
        ("", (LOW,), ""),
        (LOW, (), LOW),
        (LOW, (LOW,), LOW),
        (LOW, (SUBSTANTIAL,), LOW),
        (SUBSTANTIAL, (HIGH, LOW), LOW),
        (MULTI_FACTOR, (SUBSTANTIAL,), MULTI_FACTOR),
    ],
)
def test_a_wanted_level_is_told_when_it_is_there_and_else_the_true_one(
    level: str, wanted: tuple[str, ...], told: str
) -> None:
    assert check_acr_met(asking(acr=AskedAcr(levels=wanted)), level) == told


def test_nothing_is_told_of_the_level_unasked() -> None:
    assert check_acr_met(check(), SUBSTANTIAL) == ""


def test_an_unmet_level_has_an_error_of_its_own() -> None:
    assert AcrNotMet.oauth_error == "unmet_authentication_requirements"
    assert AcrNotMet.may_redirect


@given(st.sampled_from(("", *ACR_VALUES)), st.lists(st.sampled_from(ACR_VALUES), min_size=1))
def test_check_acr_met(level: str, wanted: list[str]) -> None:
    request = asking(acr=AskedAcr(levels=tuple(wanted), essential=True))
    try:
        told = check_acr_met(request, level)
    except AcrNotMet:
        assert level not in wanted
    else:
        assert told in wanted
