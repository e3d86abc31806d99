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


class InvitationOver(Refusal):
    """Unknown, used, withdrawn or expired: the same for all, so that nobody tries codes."""

    code = "E-CONSOLE-5"
    whose_task = WhoseTask.SCHOOL
    what = "This invitation or link does not work, or not any more."
    remedy = "Each works once, and not for long. Ask who gave it to you for a new one."
    http_status = 403


class InvitedElsewhere(Refusal):
    code = "E-CONSOLE-6"
    whose_task = WhoseTask.SCHOOL
    what = "This invitation is for somebody who logs in at another school or company."
    remedy = "Open it again and log in where it says. The invitation still works."
    http_status = 403


class InvitationUnfit(Refusal):
    """A form that asks for what nobody can be invited to: no such role there, or a wrong day."""

    code = "E-CONSOLE-7"
    whose_task = WhoseTask.SCHOOL
    what = "Nobody can be invited like this: {subject}."
    remedy = "Go back, correct it and send it again. Nothing was changed."
