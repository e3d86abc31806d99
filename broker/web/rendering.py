"""The records of `pages` made into HTML: templates compiled once, and what repeats kept."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from jinja2 import Template
from markupsafe import escape

from broker.web.assets import STATIC_FOLDER, StaticAssets, load_static_assets
from broker.web.pages import Frame, HandoverPage, Page, RefusalPage, group_reference
from broker.web.templating import compile_templates
from broker.web.texts import Language, Texts, load_texts

TEMPLATES_FOLDER = Path(__file__).parent / "templates"

HANDOVERS_KEPT = 512
"""Of so many places and languages the page is kept, without what is passed on; 2 MB."""

REFUSALS_KEPT = 256
"""Of so many refusals and languages the page is kept, without its reference; 2 MB."""

_MARK = "\x00"
"""Where a field's value goes: a character that HTML cannot hold."""

_MARKED_REFERENCE = "\x00\x00\x00\x00\x01\x01\x01\x01"
"""Where the groups of a reference go, likewise; two different ones."""


class Pages:
    """Renders pages. Every template is compiled once, per language, when this is made.

    Two pages are the same for everybody but for a few characters, and the rest of them is kept:
    the one that passes a message on, with which every login ends that ends in SAML, and that of a
    refusal, so that a flood of forged messages costs no more than as many honest ones.
    """

    def __init__(
        self,
        *,
        assets: StaticAssets,
        texts: Texts,
        template_folders: Sequence[Path] = (),
    ) -> None:
        self.assets = assets
        self.texts = texts
        folders = [*template_folders, TEMPLATES_FOLDER]
        self._templates: Mapping[Language, Mapping[str, Template]] = {
            language: compile_templates(folders, texts[language], assets) for language in texts
        }
        self._split_handover = lru_cache(HANDOVERS_KEPT)(self._render_split_handover)
        self._refusal = lru_cache(REFUSALS_KEPT)(self._render)

    def render(self, page: Page, frame: Frame) -> bytes:
        """Return the whole HTML document, UTF-8."""
        if isinstance(page, HandoverPage):
            return self._render_handover(page, frame).encode()
        if isinstance(page, RefusalPage) and page.retry is None and page.way_back is None:
            # A place to go back to may hold what one person alone opened: that is not kept.
            return self._render_refusal(page, frame).encode()
        return self._render(page, frame).encode()

    def _render(self, page: Page, frame: Frame) -> str:
        return self._templates[frame.language][page.template].render(page=page, frame=frame)

    def _render_handover(self, page: HandoverPage, frame: Frame) -> str:
        names = tuple(name for name, _ in page.fields)
        pieces = self._split_handover(page.action, names, page.destination_name, frame)
        if len(pieces) != len(names) + 1:  # a name in it holds the mark
            return self._render(page, frame)
        values = (escape(value) for _, value in page.fields)
        return pieces[0] + "".join(map("{}{}".format, values, pieces[1:]))

    def _render_refusal(self, page: RefusalPage, frame: Frame) -> str:
        """Return a page that nothing but its reference distinguishes from others of its kind."""
        kept = self._refusal(replace(page, reference=_MARKED_REFERENCE), frame)
        marks = group_reference(_MARKED_REFERENCE)
        for mark, group in zip(marks, page.reference_groups, strict=True):
            kept = kept.replace(mark, escape(group))
        return kept

    def _render_split_handover(
        self, action: str, names: tuple[str, ...], destination_name: str, frame: Frame
    ) -> tuple[str, ...]:
        """Return the page in pieces, between which the values of its fields go."""
        marked = HandoverPage(
            action=action,
            fields=tuple((name, _MARK) for name in names),
            destination_name=destination_name,
        )
        return tuple(self._render(marked, frame).split(_MARK))


def load_pages(
    *, template_folders: Sequence[Path] = (), static_folders: Sequence[Path] = ()
) -> Pages:
    """Read our templates, static files and texts; those of the given folders win on equal names."""
    return Pages(
        assets=load_static_assets((STATIC_FOLDER, *static_folders)),
        texts=load_texts(),
        template_folders=template_folders,
    )
