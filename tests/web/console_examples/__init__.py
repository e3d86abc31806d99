"""Examples of every page of the console and of /me: a module for each area, with its `EXAMPLES`.

An area adds its pages by a module beside this one: `EXAMPLES: dict[str, Page]`, by a name that says
what is to be seen. Each template has one at least, and each state that looks different its own:
empty, full, with mistakes. Tests look at all of them (tests/looks): axe, the HTML checker, a
phone, large text, the keyboard, and text of strangers in every field.
"""

import importlib
import pkgutil

from broker.web.pages import Page


def find_examples() -> dict[str, Page]:
    """Return all of them by `area: name`."""
    found: dict[str, Page] = {}
    for each in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{each.name}")
        found |= {f"{each.name}: {name}": page for name, page in module.EXAMPLES.items()}
    return found
