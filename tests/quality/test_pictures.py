"""The README's pictures are there, are small, are told in words, and can be taken again."""

import re

from tests.looks.pictures import FOLDER, PICTURES
from tests.quality.sources import ROOT

MAX_BYTES = 120_000
SHOWN = re.compile(r"!\[([^\]]*)\]\(config/pictures/([\w-]+)\.png\)")


def test_the_readme_shows_pictures_that_are_there_with_words_for_who_does_not_see_them() -> None:
    shown = {name: words for words, name in SHOWN.findall((ROOT / "README.md").read_text())}
    assert len(shown) >= 4
    assert set(shown) <= {each.stem for each in FOLDER.glob("*.png")}
    assert [name for name, words in shown.items() if len(words.split()) < 4] == []


def test_every_picture_is_small_and_can_be_taken_again() -> None:
    there = {each.stem: each.stat().st_size for each in FOLDER.iterdir()}
    assert set(there) == {each.name for each in PICTURES}
    assert {name: size for name, size in there.items() if size > MAX_BYTES} == {}
