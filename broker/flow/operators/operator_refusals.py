"""Refusals that operators read, when two persons do something together (`two_persons`)."""

from broker.domain.refusals import Refusal, WhoseTask


class OperatorRefusal(Refusal):
    """Base of these; a broker's operators mend them themselves."""

    whose_task = WhoseTask.BROKER
    http_status = 403


class PreparedUnreadable(OperatorRefusal):
    code = "E-OPERATOR-1"
    what = "This file is no prepared action."
    remedy = "Name the file that the first operator's command wrote, unchanged."
    http_status = 400


class ActionUnknown(OperatorRefusal):
    code = "E-OPERATOR-2"
    what = "This broker does not know the action in this file."
    remedy = "Prepare and confirm with the same version of the program."
    http_status = 400


class OperatorUnknown(OperatorRefusal):
    code = "E-OPERATOR-3"
    what = "One of the two persons is not a registered operator."
    remedy = "See who is one with `broker operator list`."


class PreparedForged(OperatorRefusal):
    """Changed since, or signed by another key than the registered one."""

    code = "E-OPERATOR-4"
    what = "This file is not what the first operator signed."
    remedy = "Do not trust it. Ask the first operator in person, and prepare anew."


class PreparedExpired(OperatorRefusal):
    """Older than a day, made to live longer than a day, or from the future."""

    code = "E-OPERATOR-5"
    what = "This prepared action is older than a day, or its times are not right."
    remedy = "Check the clocks of both machines and prepare anew."


class SamePerson(OperatorRefusal):
    code = "E-OPERATOR-6"
    what = "One person cannot both prepare and confirm."
    remedy = "Let another operator confirm, with a key of their own."


class WrongOperatorKey(OperatorRefusal):
    code = "E-OPERATOR-7"
    what = "This key is not the one that is registered for this operator."
    remedy = "Use your own name with your own key."


class ActionUsed(OperatorRefusal):
    code = "E-OPERATOR-8"
    what = "This prepared action was used before, or prepared before a backup was put back."
    remedy = "When it must be done once more, prepare it anew."
    http_status = 409


class PreparedElsewhere(OperatorRefusal):
    code = "E-OPERATOR-9"
    what = "This action was prepared at another broker."
    remedy = "Confirm it there, or prepare it here."


class OperatorExists(OperatorRefusal):
    """The name is taken, or the key is registered under another name."""

    code = "E-OPERATOR-10"
    what = "There is an operator with this name or this key already."
    remedy = "Each person has one name and one key of their own."
    http_status = 409


class SecondPersonNeeded(OperatorRefusal):
    code = "E-OPERATOR-11"
    what = "There are two operators already, so one person cannot add another one alone."
    remedy = "Prepare it with your own name and key; another operator confirms."


class PersonNotKnown(OperatorRefusal):
    """Nothing at rest, or not at this school."""

    code = "E-OPERATOR-12"
    what = "Nothing is known of such a person at this school."
    remedy = "Check the school's id and the number. When both are right, there is nothing to do."
    http_status = 404


class PersonChanged(OperatorRefusal):
    """A login in between wrote rows of which the prepared action knows nothing."""

    code = "E-OPERATOR-13"
    what = "What is known of this person changed since this was prepared."
    remedy = "Nothing was done. Prepare anew and confirm soon."
    http_status = 409


class OperatorRecordsUnavailable(OperatorRefusal):
    code = "E-OPERATOR-14"
    what = "The records of operators cannot be used, so nothing was done."
    remedy = "Look at the owners and modes of the files that the command names."
    http_status = 503


class OtherListPrepared(OperatorRefusal):
    code = "E-OPERATOR-15"
    what = "This is not the list that was prepared."
    remedy = "Nothing was looked up. Prepare it anew, and confirm with the same list."
    http_status = 409
