"""Languages and translations."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.web import texts
from broker.web.texts import Language, MessageText, TranslationsMissing, choose_language, load_texts


class TestChooseLanguage:
    @pytest.mark.parametrize(
        ("wishes", "expected"),
        [
            ({}, Language.NL),
            ({"query": "en", "cookie": "nl", "accept_language": "nl"}, Language.EN),
            ({"query": "fr en nl"}, Language.EN),
            ({"query": "fr", "cookie": "en"}, Language.EN),
            ({"cookie": "en", "accept_language": "nl"}, Language.EN),
            ({"accept_language": "en-US,en;q=0.9"}, Language.EN),
            ({"accept_language": "de, fr"}, Language.NL),
            ({"accept_language": "en;q=0.1, nl;q=0.9"}, Language.NL),
            ({"accept_language": "en;q=0, *"}, Language.NL),
            ({"accept_language": "en;q=high"}, Language.NL),
            ({"accept_language": "en;q=nan"}, Language.NL),
            ({"accept_language": "en;q=7"}, Language.NL),
            ({"accept_language": "en;level=1"}, Language.EN),
            ({"accept_language": "nl-BE, en"}, Language.NL),
        ],
    )
    def test_takes_the_first_wish_that_we_speak(
        self, wishes: dict[str, str], expected: Language
    ) -> None:
        assert choose_language(**wishes) is expected

    @given(st.text(), st.text(), st.text())
    def test_always_finds_one(self, query: str, cookie: str, header: str) -> None:
        found = choose_language(query=query, cookie=cookie, accept_language=header)
        assert found in Language

    def test_reads_no_more_of_a_header_than_browsers_send(self) -> None:
        assert choose_language(accept_language="xx," * 400 + "en") is Language.NL


class TestLoadTexts:
    def test_knows_every_language(self) -> None:
        loaded = load_texts()
        assert set(loaded) == set(Language)
        assert loaded[Language.NL].gettext("Choose your school") == "Kies je school"
        assert loaded[Language.EN].gettext("Choose your school") == "Choose your school"

    def test_refuses_when_a_catalogue_was_not_compiled(self, tmp_path: Path) -> None:
        with pytest.raises(TranslationsMissing, match="make translations"):
            load_texts(tmp_path)
        shutil.copytree(texts.LOCALES_FOLDER, tmp_path, dirs_exist_ok=True)
        assert set(load_texts(tmp_path)) == set(Language)

    def test_every_message_page_is_translated(self) -> None:
        dutch = load_texts()[Language.NL]
        messages = [each for each in vars(texts).values() if isinstance(each, MessageText)]
        assert messages
        for message in messages:
            for english in (message.title, *message.paragraphs):
                assert dutch.gettext(english) != english
