"""What the console's menu offers, and to whom: one table, to which each area adds its lines."""

from collections.abc import Iterable
from dataclasses import dataclass

from broker.domain.console_roles import MAY, Permission
from broker.flow.console.actors import Actor
from broker.web.texts import N_


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu.

    Attributes:
        words: a message id.
        permission: who holds it at any place sees the line; None: everybody.
        hint: a message id: what somebody does there, for the first page.
    """

    path: str
    words: str
    permission: Permission | None = None
    hint: str = ""


ENTRIES: tuple[Entry, ...] = (
    Entry("/console", N_("Start")),
    Entry(
        "/console/decide",
        N_("Services"),
        Permission.SEE_SCHOOL,
        N_("What suppliers get of pupils and staff: look, decide, stop."),
    ),
    Entry(
        "/console/sheets",
        N_("Service sheet"),
        Permission.SEE_SUPPLIER,
        N_("What schools read before they decide what to share with you."),
    ),
    Entry(
        "/console/requests",
        N_("Requests of pupils"),
        Permission.SEE_REQUESTS,
        N_("What pupils and parents ask of the school, and until when it may answer."),
    ),
    Entry(
        "/console/pupils",
        N_("Shield a pupil"),
        Permission.SEE_PROTECTED,
        N_("Share less of one pupil, or let a pupil not log in at a supplier."),
    ),
    Entry(
        "/console/pseudonyms",
        N_("Whose pseudonym is this?"),
        Permission.FIND_PSEUDONYMS,
        N_("Find your own pupils by the names that suppliers have for them."),
    ),
    Entry(
        "/console/receipts",
        N_("What was shared of a pupil?"),
        Permission.DECIDE_REQUEST,
        N_("Read what your school shared of one pupil, for a reason."),
    ),
    Entry(
        "/console/letters",
        N_("Letters to parents"),
        Permission.ISSUE_CODES,
        N_("Give parents a code with which they see what was shared about their child."),
    ),
    Entry(
        "/console/simulator",
        N_("What would be sent?"),
        Permission.SIMULATE,
        N_("See what a supplier would get of a made-up person."),
    ),
    Entry(
        "/console/linkability",
        N_("Who could be recognised?"),
        Permission.SIMULATE,
        N_("Count by a list of pupils whom suppliers could tell apart or match."),
    ),
    Entry(
        "/console/people",
        N_("People"),
        Permission.SEE_PEOPLE,
        N_("Who has which role, and invite somebody."),
    ),
    Entry(
        "/console/registers",
        N_("Registers"),
        Permission.SEE_REGISTERS,
        N_("What is processed, by whom, and what ends soon: to read, print or save."),
    ),
    Entry(
        "/console/audit", N_("Log"), Permission.SEE_AUDIT, N_("Who did what, and what was before.")
    ),
    Entry("/console/me", N_("Who am I")),
)
"""In this order."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as a page shows it."""

    path: str
    words: str
    is_here: bool
    hint: str = ""


def find_entries(
    actor: Actor, *, path: str, entries: Iterable[Entry] = ENTRIES
) -> tuple[Shown, ...]:
    """Return the lines for somebody at a page; the one that fits its address best is `is_here`."""
    allowed = {permission for each in actor.held for permission in MAY[each.role]}
    shown = [each for each in entries if each.permission is None or each.permission in allowed]
    fitting = [each.path for each in shown if (path + "/").startswith(each.path + "/")]
    here = max(fitting, key=len, default="")
    return tuple(Shown(each.path, each.words, each.path == here, each.hint) for each in shown)
