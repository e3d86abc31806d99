"""Identifiers: slugs and BRINs."""

import pytest

from broker.domain.ids import is_brin, is_slug


class TestSlug:
    @pytest.mark.parametrize("text", ["a", "7", "rekenrijk", "stichting-11aa", "a" * 64])
    def test_is_one(self, text: str) -> None:
        assert is_slug(text)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "-a",
            "a-",
            "A",
            "a b",
            "a_b",
            "a.b",
            "a/b",
            "a\n",
            "é",
            "kompas\u200b",
            "а",
            "a" * 65,
        ],
    )
    def test_is_none(self, text: str) -> None:
        assert not is_slug(text)


class TestBrin:
    @pytest.mark.parametrize("text", ["11AA", "00ZZ", "11AA00", "11AA99"])
    def test_is_one(self, text: str) -> None:
        assert is_brin(text)

    @pytest.mark.parametrize(
        "text", ["", "11aa", "1AA", "AA11", "11AA0", "11AA000", "11AA\n", " 11AA", "١١AA", "11ÄA"]
    )
    def test_is_none(self, text: str) -> None:
        assert not is_brin(text)
