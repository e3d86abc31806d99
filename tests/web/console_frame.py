"""What stands around an example of a console page: a menu with all there is."""

from dataclasses import fields

from broker.web.console.doors import ConsoleFrame
from broker.web.console.navigation import ENTRIES, Shown
from broker.web.pages import Frame, Page

FIRST_NAME = "Els"
OUTSIDE = {"console/sign_in.html", "console/signed_out.html"}
"""Shown to who is not logged in: without a menu."""


def console_frame(page: Page, frame: Frame) -> Frame:
    """Return the frame that a page has: with a menu for one of the console."""
    if not page.template.startswith("console/"):
        return frame
    kept = {each.name: getattr(frame, each.name) for each in fields(frame)}
    if page.template in OUTSIDE:
        return ConsoleFrame(**kept)
    entries = tuple(
        Shown(each.path, each.words, each.path == "/console", each.hint) for each in ENTRIES
    )
    return ConsoleFrame(**kept, entries=entries, csrf="the-token", first_name=FIRST_NAME)
