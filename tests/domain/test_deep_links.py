"""Links lead below registered places, and nowhere else."""

import pytest

from broker.domain.deep_links import MAX_TARGET_CHARS, is_below

PLACES = ("https://supplier.example/les/", "https://supplier.example/boek/2/")


@pytest.mark.parametrize(
    "rest", ["", "3", "3/", "3?step=2&x=../..", "#deel/4", "a.b/..c/...", "%20x", "a//b"]
)
def test_a_page_below_a_place_is_reached(rest: str) -> None:
    for place in PLACES:
        assert is_below(place + rest, PLACES)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/les/3",
        "https://supplier.example.evil.example/les/3",
        "https://supplier.example@evil.example/les/3",
        "https://supplier.example:8443/les/3",
        "http://supplier.example/les/3",
        "HTTPS://supplier.example/les/3",
        "//supplier.example/les/3",
        "/les/3",
        "javascript:alert(1)//https://supplier.example/les/",
        "https://supplier.example/lesson",
        "https://supplier.example/les",
        "https://supplier.example/les/../betalen",
        "https://supplier.example/les/./3",
        "https://supplier.example/les/%2e%2e/betalen",
        "https://supplier.example/les/%252e%252e/betalen",
        "https://supplier.example/les/..%2fbetalen",
        "https://supplier.example/les/..%5cbetalen",
        "https://supplier.example/les/..\\betalen",
        "https://supplier.example/les/3\r\nSet-Cookie: a=b",
        "https://supplier.example/les/ 3",
        "https://supplier.example/les/é",
        "https://supplier.example/les/".ljust(MAX_TARGET_CHARS + 1, "x"),
    ],
)
def test_anything_else_is_not(target: str) -> None:
    assert not is_below(target, PLACES)


def test_without_a_place_nothing_is_reached() -> None:
    assert not is_below("https://supplier.example/les/3", ())
