"""Why somebody does not see what was shared. None of these tells whether somebody is known."""

from broker.domain.refusals import Refusal, WhoseTask


class MeClosed(Refusal):
    """No session, one that ended, or one of before in this browser."""

    code = "E-ME-1"
    whose_task = WhoseTask.PUPIL
    what = "This page is closed, so that nobody else can look along."
    remedy = "Open it again, and log in once more."
    http_status = 403


class ReceiptsNotShown(Refusal):
    """The log of receipts cannot be read."""

    code = "E-ME-2"
    whose_task = WhoseTask.BROKER
    what = "We cannot show you now what was shared."
    remedy = "This is our fault, and nothing is lost. Please try again in a few minutes."
    http_status = 503


class DecisionNotFound(Refusal):
    """Another school's decision, or none that there ever was: one answer for both."""

    code = "E-ME-3"
    whose_task = WhoseTask.PUPIL
    what = "There is no such decision of your school."
    remedy = "Go back to what was shared, and choose a decision there."
    http_status = 404
