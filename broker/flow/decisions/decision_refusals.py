"""Why a decision is not prepared or not put in force."""

from collections.abc import Sequence

from broker.domain.documents import AgreementDocument, SupplierDocument
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.decisions.decision_types import PreparedDecision
from broker.flow.federation.documents import Problem


class DecisionEditedMeanwhile(Refusal):
    """Somebody else was quicker; nothing was changed.

    Attributes:
        agreement: the own agreement as it is now; None when there is none.
        sheet: the supplier's document as it is now, when its sheet moved.
        draft: the draft that waits now, when that moved.
    """

    code = "E-DECIDE-1"
    whose_task = WhoseTask.SCHOOL
    what = "Somebody else has changed this meanwhile, so nothing of yours was saved."
    remedy = "Look at what it says now, and do it once more if you still want to."
    http_status = 409

    def __init__(
        self,
        check: str = "",
        *,
        subject: str = "",
        agreement: AgreementDocument | None = None,
        sheet: SupplierDocument | None = None,
        draft: PreparedDecision | None = None,
    ) -> None:
        super().__init__(check, subject=subject)
        self.agreement, self.sheet, self.draft = agreement, sheet, draft


class DecisionUnusable(Refusal):
    """It breaks a rule; `problems` say which, in the words of `broker check`. The subject is the
    key path of the first."""

    code = "E-DECIDE-2"
    whose_task = WhoseTask.SCHOOL
    what = "This cannot be decided so."
    remedy = "Go back and change it."
    http_status = 422

    def __init__(
        self, check: str = "", *, subject: str = "", problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(check, subject=subject)
        self.problems = tuple(problems)


class FourEyesNeeded(Refusal):
    code = "E-DECIDE-3"
    whose_task = WhoseTask.SCHOOL
    what = "You prepared this yourself. At this school somebody else signs."
    remedy = "Ask a colleague who may sign."
    http_status = 403


class ProcessorAgreementMissing(Refusal):
    code = "E-DECIDE-4"
    whose_task = WhoseTask.SCHOOL
    what = "{subject} has not signed the processor agreement with us yet."
    remedy = "Let the board sign it first, and tell us the day."
    http_status = 403
