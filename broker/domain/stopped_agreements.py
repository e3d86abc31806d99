"""Agreements that somebody stopped: their logins end at once, on a page that says who did it."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from broker.domain.agreements import Agreement, StoppedBy
from broker.domain.refusals import Refusal, WhoseTask


class AgreementStopped(Refusal):
    """Base: who stopped it says the class. Never raised itself."""

    whose_task = WhoseTask.SCHOOL
    remedy = "Only your school can let them go on. Please ask your school."
    http_status = 403
    oauth_error = "access_denied"


class StoppedBySchool(AgreementStopped):
    code = "E-RELEASE-6"
    what = "Your school has stopped the logins for {subject}."


class StoppedByBoard(AgreementStopped):
    code = "E-RELEASE-7"
    what = "The board of your school has stopped the logins for {subject}."


class StoppedBySupplier(AgreementStopped):
    code = "E-RELEASE-8"
    whose_task = WhoseTask.SUPPLIER
    what = "{subject} has stopped the logins of your school."
    remedy = "Please ask your school what you use instead."


class StoppedByFederation(AgreementStopped):
    code = "E-RELEASE-9"
    whose_task = WhoseTask.BROKER
    what = "We have stopped the logins of your school for {subject}."
    remedy = "Your school knows why. Please ask your school."


STOPPED_BY: Mapping[StoppedBy, type[AgreementStopped]] = MappingProxyType(
    {
        StoppedBy.SCHOOL: StoppedBySchool,
        StoppedBy.BOARD: StoppedByBoard,
        StoppedBy.SUPPLIER: StoppedBySupplier,
        StoppedBy.FEDERATION: StoppedByFederation,
    }
)


def check_not_stopped(agreement: Agreement, *, name: str, today: date) -> None:
    """Refuse a login by an agreement that somebody stopped.

    Args:
        name: of the supplier, for people.
        today: the day in the Netherlands.

    Raises:
        AgreementStopped
    """
    if agreement.stopped is not None and agreement.is_stopped(today):
        raise STOPPED_BY[agreement.stopped.by]("check_agreement_not_stopped", subject=name)
