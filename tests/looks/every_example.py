"""Every page that there is an example of, and what it renders to."""

from dataclasses import dataclass, replace
from functools import cache

from broker.web.pages import Frame
from broker.web.pages import Page as OurPage
from broker.web.rendering import Pages
from broker.web.texts import Language
from tests.web import component_examples, page_examples
from tests.web.component_examples import AllComponentsPage
from tests.web.console_examples import find_examples
from tests.web.console_frame import console_frame
from tests.web.page_examples import (
    EN,
    EXAMPLES,
    NL,
    a_rehearsal,
    a_which_school,
    another_login,
)

LONG = "Christelijke-Scholengemeenschap-Noordoost-Nederland voor onderwijs aan nieuwkomers"


@dataclass(frozen=True, slots=True)
class Example:
    """One page to look at.

    Attributes:
        pages: what renders it.
    """

    name: str
    page: OurPage
    pages: Pages = page_examples.PAGES

    def render(self, frame: Frame) -> str:
        """Return the whole document."""
        return self.pages.render(self.page, console_frame(self.page, frame)).decode()

    @property
    def is_of_console(self) -> bool:
        """Tell whether it is made of the console's parts."""
        return self.page.template.startswith(("console/", "me/", "all_components"))


@cache
def every_example() -> tuple[Example, ...]:
    """Return all of them; names are unique."""
    ours = {
        **EXAMPLES,
        "which school, long": a_which_school(supplier_name=LONG),
        "other login, long": replace(another_login(), school_name=LONG),
        "rehearsal, long": a_rehearsal(school_name=LONG),
        **find_examples(),
    }
    components = Example("all components", AllComponentsPage(), component_examples.PAGES)
    return (components, *(Example(name, page) for name, page in ours.items()))


def fullest_examples(frame: Frame) -> list[Example]:
    """Return the example of each template that has most to look at."""
    sizes: dict[str, tuple[int, Example]] = {}
    for each in every_example():
        size = len(each.render(frame))
        if size > sizes.get(each.page.template, (0, each))[0]:
            sizes[each.page.template] = (size, each)
    return [example for _, example in sizes.values()]


FRAMES = {Language.NL: NL, Language.EN: EN}
