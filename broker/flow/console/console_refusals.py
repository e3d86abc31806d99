"""Refusals of the console, whatever its pages are about."""

from broker.domain.refusals import Refusal, WhoseTask


class NotAllowed(Refusal):
    """Nobody's, or somebody else's: the same for both, so that nobody learns which."""

    code = "E-CONSOLE-1"
    whose_task = WhoseTask.SCHOOL
    what = "This page is not there, or it is not yours to open."
    remedy = "Go back to the start of the console. If you miss something, ask who invited you."
    http_status = 404


class LevelNeeded(Refusal):
    """Signing needs a surer and newer login than this one."""

    code = "E-CONSOLE-2"
    whose_task = WhoseTask.SCHOOL
    what = "To sign, you must log in once more, in a way that is safe enough."
    remedy = (
        "Log in again and sign then. If your login has no second step, ask your school for one."
    )
    http_status = 403
