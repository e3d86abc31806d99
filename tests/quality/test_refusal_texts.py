"""Every refusal can be read: its code is stable, its texts are there in Dutch too."""

import re
from collections import Counter
from functools import cache
from string import Formatter

import pytest

from broker.domain.refusals import Refusal, WhoseTask, every_refusal
from broker.web.texts import Language, load_texts
from tests.quality.refusal_table import read_table, refusal_rows
from tests.quality.sources import ROOT, broker_modules

MAX_CHARS = 200
"""Two sentences for a ten-year-old."""


@cache
def refusals() -> tuple[type[Refusal], ...]:
    """Return every refusal of the broker itself; tests make up more."""
    broker_modules()
    return tuple(each for each in every_refusal() if each.__module__.startswith("broker."))


def placeholders(text: str) -> Counter[str]:
    return Counter(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def test_there_are_refusals() -> None:
    assert len(refusals()) > 50


def test_codes_have_their_form_and_are_used_once() -> None:
    for refusal in refusals():
        assert re.fullmatch(r"E-[A-Z]+-[0-9]+", refusal.code), refusal
    twice = [code for code, n in Counter(each.code for each in refusals()).items() if n > 1]
    assert twice == []


def test_every_refusal_says_whose_task_it_is() -> None:
    for refusal in refusals():
        assert isinstance(refusal.whose_task, WhoseTask), refusal


def test_5xx_only_when_the_fault_is_ours_or_a_dependencys() -> None:
    for refusal in refusals():
        assert 400 <= refusal.http_status <= 599, refusal
        if refusal.whose_task in (WhoseTask.PUPIL, WhoseTask.SUPPLIER):
            assert refusal.http_status < 500, refusal


@pytest.mark.parametrize("part", ["what", "remedy"])
def test_texts_are_short_and_hold_at_most_the_subject(part: str) -> None:
    for refusal in refusals():
        text = getattr(refusal, part)
        assert 0 < len(text) <= MAX_CHARS, refusal
        assert text == text.strip(), refusal
        assert text.endswith((".", "?")), refusal
        assert set(placeholders(text)) <= {"subject"}, refusal


def test_every_text_is_translated_with_its_placeholders() -> None:
    dutch = load_texts()[Language.NL]
    missing: list[str] = []
    broken: list[str] = []
    for refusal in refusals():
        for english in (refusal.what, refusal.remedy):
            translated = dutch.gettext(english)
            if translated in ("", english):
                missing.append(f"{refusal.code}: {english}")
            elif placeholders(translated) != placeholders(english):
                broken.append(f"{refusal.code}: {translated}")
    assert not missing, "\n".join(missing)
    assert not broken, "\n".join(broken)


def test_the_page_of_codes_lists_every_one_with_whose_task() -> None:
    """Make the table anew with `python -m tests.quality.refusal_table`."""
    assert read_table((ROOT / "config/ERROR-CODES.md").read_text()) == refusal_rows(refusals())
