"""Refusals that operators read when they decide something about one person (`person_plans`)."""

from broker.flow.operators.operator_refusals import OperatorRefusal


class NothingToDecide(OperatorRefusal):
    """No arrival that this school has a say in, or it is decided already."""

    code = "E-TRANSFER-1"
    what = "No other school stated this pupil since, or that is decided already."
    remedy = "There is nothing to do. See `broker transfer list` for what the counts say."
    http_status = 409


class SchoolOfBeforeDecides(OperatorRefusal):
    """The arrival is this school's own, and the pupil is protected."""

    code = "E-TRANSFER-2"
    what = "This pupil is protected, so the new school cannot confirm the arrival by itself."
    remedy = "A school where the pupil was before must confirm it."


class AliasRefused(OperatorRefusal):
    """It would form a cycle, or join two ECK iDs of one sector."""

    code = "E-TRANSFER-3"
    what = "This number belongs to another ECK iD, so the two are not one pupil."
    remedy = (
        "Two ECK iDs are never joined. When the number was issued anew, its next login with the "
        "right ECK iD binds it there."
    )
    http_status = 409


class NothingToSplit(OperatorRefusal):
    code = "E-TRANSFER-4"
    what = "This number is not bound to an ECK iD, or no join of theirs is there to undo."
    remedy = "There is nothing to do."
    http_status = 409


class BothNeeded(OperatorRefusal):
    """A join by hand needs a number and an ECK iD that are both known at this school."""

    code = "E-TRANSFER-5"
    what = "To join two accounts, this school must have stated both the number and the ECK iD."
    remedy = "State the pupil's number, and the ECK iD that a login of this school stated."
    http_status = 404
