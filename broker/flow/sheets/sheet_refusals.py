"""Refusals of service sheets."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.sheet_changes import SheetChanges

if TYPE_CHECKING:
    from broker.flow.sheets.sheet_checks import SheetProblem


class SheetEditedMeanwhile(Refusal):
    """A form was filled in on a draft, or a sheet, that somebody changed since.

    Attributes:
        others: what they changed, from what stood on the form to what is there now.
    """

    code = "E-SHEET-1"
    whose_task = WhoseTask.SUPPLIER
    what = "Somebody else changed this sheet while you were writing. Nothing of yours was saved."
    remedy = "Look at what changed. Then fill in your change once more."
    http_status = 409

    def __init__(self, check: str, *, subject: str = "", others: SheetChanges | None = None):
        super().__init__(check, subject=subject)
        self.others = others


class SheetNotReady(Refusal):
    """A draft that lacks something does not become a version.

    Attributes:
        problems: what it lacks.
    """

    code = "E-SHEET-2"
    whose_task = WhoseTask.SUPPLIER
    what = "This sheet is not complete yet, so schools do not get to see it."
    remedy = "Fill in what is missing, and publish it then."
    http_status = 400

    def __init__(self, check: str, *, problems: Sequence["SheetProblem"]):
        super().__init__(check)
        self.problems = tuple(problems)


class SheetFieldUnusable(Refusal):
    code = "E-SHEET-3"
    whose_task = WhoseTask.SUPPLIER
    what = "Something on this form is too long or has another form than it should."
    remedy = "Go back, shorten it or write it in another way, and save it again."
    http_status = 400


class SheetVersionUnknown(Refusal):
    code = "E-SHEET-4"
    whose_task = WhoseTask.SUPPLIER
    what = "This version of the sheet does not exist."
    remedy = "Look at the versions that were published, and choose one of them."
    http_status = 404


class SheetNotAccepted(Refusal):
    """The supplier's document with this sheet does not hold together with the federation.

    Attributes:
        why: what is wrong, in words of the documents (`config/README.md`), for the federation.
    """

    code = "E-SHEET-5"
    whose_task = WhoseTask.BROKER
    what = "The federation's rules do not allow this sheet as it is. The sheet of before stays."
    remedy = "Show the federation what stands below. Your draft is kept."
    http_status = 409

    def __init__(self, check: str, *, why: Sequence[str]):
        super().__init__(check)
        self.why = tuple(why)
