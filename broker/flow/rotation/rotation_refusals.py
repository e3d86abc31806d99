"""What an operator is told who rotates the key behind a supplier's pseudonyms, and may not."""

from broker.domain.refusals import Refusal, WhoseTask


class SupplierUnknown(Refusal):
    """A supplier that was never applied has no pseudonyms."""

    code = "E-ROTATION-1"
    whose_task = WhoseTask.BROKER
    what = "There is no supplier {subject}."
    remedy = "Name it as its document does; `broker apply` makes it known."


class WindowOpen(Refusal):
    """One window at a time: a third name of each person would be told to nobody."""

    code = "E-ROTATION-2"
    whose_task = WhoseTask.BROKER
    what = "A rotation of {subject} is under way."
    remedy = "Close it first, or turn it back: `broker pseudonyms status` tells how far it is."


class WindowNotOpen(Refusal):
    """Without a window each person has one name at the supplier: there is nothing to do."""

    code = "E-ROTATION-3"
    whose_task = WhoseTask.BROKER
    what = "No rotation of {subject} is under way."
    remedy = "Begin one with `broker pseudonyms rotate`."


class EpochUnknown(Refusal):
    """There is no key for the epoch that is left or moved to."""

    code = "E-ROTATION-4"
    whose_task = WhoseTask.BROKER
    what = "There is no pairwise key of epoch {subject}."
    remedy = "Make the next one with `broker keys init --next-epoch`, or restore it."


class SameEpoch(Refusal):
    """The supplier is at that epoch: nothing would change."""

    code = "E-ROTATION-5"
    whose_task = WhoseTask.BROKER
    what = "The supplier's pseudonyms come from epoch {subject} already."
    remedy = "Name another epoch; `broker keys init --next-epoch` makes the next one."


class StragglersLeft(Refusal):
    """Whoever the supplier keeps under the other epoch's name would start anew."""

    code = "E-ROTATION-6"
    whose_task = WhoseTask.BROKER
    what = "{subject} may still keep accounts under pseudonyms of the other epoch."
    remedy = "Convert them, wait for logins, or close with `--leave-stragglers`."


class WindowMoved(Refusal):
    """What was converted would be answers to a window that is not there any more."""

    code = "E-ROTATION-7"
    whose_task = WhoseTask.BROKER
    what = "The rotation of {subject} was changed while its pseudonyms were converted."
    remedy = "Nothing was handed out. Run the command again."
