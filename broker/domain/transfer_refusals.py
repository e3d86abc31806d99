"""Refusals about transfers between education sectors. Operators read them.

None of them tells the new school which number or ECK iD the pupil had, or the old one where the
pupil went.
"""

from broker.domain.refusals import Refusal, WhoseTask


class TransferRefusal(Refusal):
    """Base of these."""

    whose_task = WhoseTask.SCHOOL
    http_status = 403
    oauth_error = "access_denied"


class TransferUnknown(TransferRefusal):
    """Also one that was prepared and not confirmed, and one of another broker or mistyped."""

    code = "E-SECTOR-1"
    what = "There is no transfer with this code."
    remedy = "Look at the code, or let the old school offer the transfer once more."


class TransferUsed(TransferRefusal):
    code = "E-SECTOR-2"
    what = "This transfer was used before."
    remedy = "A transfer works once. Nothing is to be done if it was this pupil's."


class TransferExpired(TransferRefusal):
    code = "E-SECTOR-3"
    what = "The last day of this transfer is over."
    remedy = "Let the old school offer the transfer once more."


class TransferOtherSupplier(TransferRefusal):
    code = "E-SECTOR-4"
    what = "This transfer is for another supplier."
    remedy = "Each supplier needs a transfer of its own."


class SameSector(TransferRefusal):
    code = "E-SECTOR-5"
    what = "Both schools are in the same education sector, where a pupil keeps the ECK iD."
    remedy = "Two ECK iDs of one sector are never joined. The schools must find out which is right."


class TransferReversed(TransferRefusal):
    code = "E-SECTOR-6"
    what = "A transfer leads from primary to secondary to vocational education, not back."
    remedy = "The school that the pupil leaves offers, the one that the pupil goes to accepts."


class TransferDoubled(TransferRefusal):
    """Two accounts that would be told of one, or one that would be told of two."""

    code = "E-SECTOR-7"
    what = "There is a transfer of this pupil at this supplier already."
    remedy = "Use that one, or wait until its last day is over."


class TransferInCircle(TransferRefusal):
    code = "E-SECTOR-8"
    what = "This transfer would lead back to where it comes from."
    remedy = "The pupil's accounts are linked already; look at what the schools stated."


class NothingToTransfer(TransferRefusal):
    code = "E-SECTOR-9"
    what = "This pupil has no account at this supplier."
    remedy = "A transfer is needed only where there is work to keep."


class TransferNotAgreed(TransferRefusal):
    """Both schools must allow it; no agreement is no leave."""

    code = "E-SECTOR-10"
    what = "The school has no agreement in force with this supplier, or one of them is not open."
    remedy = "The school agrees with the supplier first."


class TransferDayUnusable(TransferRefusal):
    code = "E-SECTOR-11"
    what = "The last day of a transfer is after today and within a year."
    remedy = "Name another last day."


class TransfersUnavailable(TransferRefusal):
    code = "E-SECTOR-12"
    whose_task = WhoseTask.BROKER
    what = "The transfers cannot be read or written, so nothing was done."
    remedy = "Look at register.db and its disk, and try again."
    http_status = 503
