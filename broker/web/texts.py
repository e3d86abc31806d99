"""Languages: which one a person reads, and the translations of our English message ids.

Dutch is the first language and English the second; the message ids are the English texts, so only
Dutch has a catalogue. It is compiled by `make` (`pybabel compile`) and read once at start.
"""

import gettext
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

LOCALES_FOLDER = Path(__file__).parent / "locales"
DOMAIN = "messages"

MAX_ACCEPT_LANGUAGE_CHARACTERS = 500
"""Browsers send less than a hundred; anything longer is not worth reading."""


class Language(StrEnum):
    """A language that every page exists in; the value is its BCP 47 tag."""

    NL = "nl"
    EN = "en"


DEFAULT_LANGUAGE = Language.NL
_BY_TAG = {each.value: each for each in Language}

Texts = Mapping[Language, gettext.NullTranslations]


class TranslationsMissing(Exception):  # noqa: N818 -- says what is wrong, like a refusal
    """The compiled Dutch texts are not there; `make translations` compiles them."""


def N_(message: str) -> str:  # noqa: N802 -- gettext's own name for "mark, translate later"
    """Return `message` unchanged; the call marks it for extraction."""
    return message


@dataclass(frozen=True, slots=True)
class MessageText:
    """Title and paragraphs of a general page, as message ids."""

    title: str
    paragraphs: tuple[str, ...]


NOTHING_HERE = MessageText(
    N_("There is nothing here"),
    (
        N_("This page does not exist, or not any more."),
        N_("Go back to your learning material and start again."),
    ),
)
SCHOOL_REMEMBERED = MessageText(
    N_("We remember your school"),
    (N_("Open your learning material now. Your school is at the top of the list there."),),
)
SCHOOL_FORGOTTEN = MessageText(
    N_("Your school is forgotten"),
    (N_("Next time you can choose your school again."),),
)


OWN_SCHOOL_AGAIN = MessageText(
    N_("You can choose again"),
    (
        N_("Open your learning material now. When you are at several schools, we ask you for which "
           "one it is."),
    ),
)  # fmt: skip


LOAD_AGAIN = N_("Wait a moment, and load this page again. Nothing was lost.")


def load_texts(folder: Path = LOCALES_FOLDER) -> Texts:
    """Read the translations of every language.

    Raises:
        TranslationsMissing: no compiled catalogue for a language other than English.
    """
    texts: dict[Language, gettext.NullTranslations] = {Language.EN: gettext.NullTranslations()}
    for language in Language:
        if language is Language.EN:
            continue
        try:
            texts[language] = gettext.translation(DOMAIN, str(folder), [language.value])
        except FileNotFoundError:
            path = folder / language.value / "LC_MESSAGES" / f"{DOMAIN}.mo"
            raise TranslationsMissing(f"{path}: not compiled; run `make translations`") from None
    return MappingProxyType(texts)


def choose_language(*, query: str = "", cookie: str = "", accept_language: str = "") -> Language:
    """Return the language for one answer: asked for, else remembered, else the browser's.

    Args:
        query: value of the parameter `lang`, or a space-separated `ui_locales` (OIDC Core 3.1.2.1).
        cookie: value of the language cookie.
        accept_language: the header (RFC 9110 12.5.4), read leniently: a bad one means Dutch.

    >>> choose_language(accept_language="fr, en-GB;q=0.8, nl;q=0.7")
    <Language.EN: 'en'>
    >>> choose_language(query="nl", cookie="en")
    <Language.NL: 'nl'>
    """
    return (
        find_language(query.split())
        or find_language([cookie, *_by_preference(accept_language)])
        or DEFAULT_LANGUAGE
    )


def find_language(tags: Iterable[str]) -> Language | None:
    """Return the first language of ours among BCP 47 tags, or None.

    >>> find_language(["fr", "en-GB"])
    <Language.EN: 'en'>
    """
    return next(filter(None, map(_read_language, tags)), None)


def _read_language(tag: str) -> Language | None:
    return _BY_TAG.get(tag.partition("-")[0].strip().lower())


def _by_preference(accept_language: str) -> list[str]:
    """Return the language tags of the header, best first; those with quality 0 are left out."""
    weighed = []
    for part in accept_language[:MAX_ACCEPT_LANGUAGE_CHARACTERS].split(","):
        tag, _, parameter = part.partition(";")
        quality = _read_quality(parameter)
        if quality > 0:
            weighed.append((quality, tag))
    weighed.sort(key=lambda each: -each[0])  # stable: equal ones stay in the browser's order
    return [tag for _, tag in weighed]


def _read_quality(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0
