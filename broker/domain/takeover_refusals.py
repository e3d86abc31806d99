"""Refusals about the take-over of accounts. Operators and suppliers' programs read them.

None of them tells whether one identifier is known: what is not of the school is an empty answer.
"""

from broker.domain.refusals import Refusal, WhoseTask


class TakeoverRefusal(Refusal):
    """Base of these."""

    whose_task = WhoseTask.SCHOOL
    http_status = 403
    oauth_error = "access_denied"


class NotSignedFor(TakeoverRefusal):
    """Also when the school or the supplier is not known: who asks learns of no other party."""

    code = "E-TAKEOVER-1"
    what = "This school did not sign for a take-over by this supplier."
    remedy = "The school signs; two operators put it in force with `broker takeover sign`."


class TakeoverEnded(TakeoverRefusal):
    code = "E-TAKEOVER-2"
    what = "This take-over has ended, and it cannot be opened again."
    remedy = "Pupils who were not taken over begin a fresh account at the supplier."


class NotNextState(TakeoverRefusal):
    code = "E-TAKEOVER-3"
    whose_task = WhoseTask.BROKER
    what = "A take-over cannot go that way: {subject}."
    remedy = "See with `broker takeover status` where it is and where it can go."
    http_status = 409


class NotEntitled(TakeoverRefusal):
    code = "E-TAKEOVER-4"
    whose_task = WhoseTask.SUPPLIER
    what = "This supplier is not entitled to ECK iDs."
    remedy = "The federation entitles a supplier in its document (`eck_id_entitled`)."


class EckIdNotApproved(TakeoverRefusal):
    """Not approved, without end date, not in force, or not declared by the supplier."""

    code = "E-TAKEOVER-5"
    what = (
        "No agreement that is in force lets this supplier have the ECK iD of this school's pupils."
    )
    remedy = "The supplier declares `eckId`; the school approves it, with an end date."


class AskedTooMuch(TakeoverRefusal):
    code = "E-TAKEOVER-6"
    what = "That is more than the school allows to be asked."
    remedy = "Ask about fewer pupils, or let the school sign for more. Nothing was answered."
    http_status = 429


class MappingNotOpen(TakeoverRefusal):
    code = "E-TAKEOVER-7"
    what = "The take-over of this school's accounts has not begun."
    remedy = "The school begins it: `broker takeover set SCHOOL SUPPLIER prepare`."


class ListUnusable(TakeoverRefusal):
    """Malformed, twice, too many, or not of this school; `subject` names lines, never a value."""

    code = "E-TAKEOVER-8"
    whose_task = WhoseTask.SUPPLIER
    what = "The list cannot be used: {subject}."
    remedy = "Correct those lines. Nothing was done with the others."
    http_status = 400


class TermsUnusable(TakeoverRefusal):
    code = "E-TAKEOVER-9"
    what = "These terms of a take-over cannot be signed for: {subject}."
    remedy = "See the table [takeover] of the settings for the bounds."
    http_status = 400


class OtherListSigned(TakeoverRefusal):
    code = "E-TAKEOVER-10"
    what = "This is not the list of pupils that the school signed."
    remedy = "Use the signed file unchanged, or let the school sign this one."


class TakeoverMoved(TakeoverRefusal):
    """Somebody else changed it between the look and the change."""

    code = "E-TAKEOVER-11"
    whose_task = WhoseTask.BROKER
    what = "This take-over was changed meanwhile, so nothing was done."
    remedy = "Look at it with `broker takeover status`, and do it once more if it is still right."
    http_status = 409


class TakeoversUnavailable(TakeoverRefusal):
    code = "E-TAKEOVER-12"
    whose_task = WhoseTask.BROKER
    what = "The records of take-overs cannot be used, so nothing was done."
    remedy = "Look at registry.db and register.db with `broker check`."
    http_status = 503
    oauth_error = "temporarily_unavailable"
