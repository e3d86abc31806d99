"""Jinja2 as we use it: everything escaped, foreign names isolated, texts translated.

One environment per language, so that a template's texts are fixed when it is compiled.
"""

import gettext
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from broker.web.assets import StaticAssets
from broker.web.attribute_words import ATTRIBUTE_WORDS
from broker.web.day_words import write_count, write_day, write_people

_BIDI_CONTROLS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Unicode UAX 9: embeddings, overrides and isolates; one that closes would end our own isolate."""


def plain(text: str) -> str:
    """Return `text` without characters that change the reading direction, for titles.

    >>> plain("De \u202eVuurvogel")
    'De Vuurvogel'
    """
    return text.translate(_BIDI_CONTROLS)


def isolate(text: str) -> Markup:
    """Return a foreign name as HTML that cannot change the text around it.

    >>> isolate("<b>De Vuurvogel</b>")
    Markup('<bdi>&lt;b&gt;De Vuurvogel&lt;/b&gt;</bdi>')
    """
    return Markup("<bdi>{}</bdi>").format(plain(text))


def compile_templates(
    folders: Sequence[Path], translations: gettext.NullTranslations, assets: StaticAssets
) -> Mapping[str, Template]:
    """Return every template of `folders` by its file name; an earlier folder wins."""
    environment = _build_environment(folders, translations, assets)
    return {name: environment.get_template(name) for name in environment.list_templates()}


def _build_environment(
    folders: Sequence[Path], translations: gettext.NullTranslations, assets: StaticAssets
) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.policies["ext.i18n.trimmed"] = True
    # The extension adds this method at run time, where mypy cannot see it.
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]

    def say(message: str) -> str:
        """Translate a message id that came in a record; the empty one would give the header."""
        return translations.gettext(message) if message else ""

    def name_attribute(name: str) -> Markup:
        words = ATTRIBUTE_WORDS.get(name)
        return isolate(name) if words is None else escape(say(words))

    def explain(message: str, subject: str) -> Markup:
        """Translate a refusal's text; both it and what stands in it are escaped."""
        return escape(say(message)).replace("{subject}", name_attribute(subject))

    def tell_day(day: date | str) -> Markup:
        return write_day(day, say=say)

    def tell_count(count: int) -> str:
        return write_count(count, say=say)

    def tell_people(count: int) -> str:
        return write_people(count, say=say)

    environment.globals.update(
        asset=assets.url,
        explain=explain,
        isolate=isolate,
        name_attribute=name_attribute,
        plain=plain,
        say=say,
        tell_count=tell_count,
        tell_day=tell_day,
        tell_people=tell_people,
    )
    return environment
