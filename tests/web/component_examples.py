"""A page that shows every part that pages of the console are made of, for tests and for looking."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from broker.web.console.navigation import Shown
from broker.web.rendering import load_pages

TEMPLATES = Path(__file__).parent / "templates"

PAGES = load_pages(template_folders=(TEMPLATES,))


@dataclass(frozen=True, slots=True, kw_only=True)
class AllComponentsPage:
    """Each part in each of its kinds.

    Attributes:
        long_name: stands wherever somebody else's text may.
        entries: of the menu.
        errors: ids of fields and what to do about each.
    """

    template: ClassVar[str] = "all_components.html"
    long_name: str = "Stichting Openbaar Leermiddelenoverleg Zuidoost-Nederland"
    entries: tuple[Shown, ...] = (
        Shown("/console", "Start", is_here=False, hint="Choose your school"),
        Shown("/console/services", "Log out", is_here=True),
        Shown("/console/audit", "Who am I", is_here=False),
    )
    errors: tuple[tuple[str, str], ...] = (
        ("mail", "Choose a school"),
        ("until", "Choose your school"),
        ("group", "Try again"),
    )
