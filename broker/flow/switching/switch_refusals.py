"""What an operator is told who changes a school's login, and may not; and a volunteer."""

from broker.domain.refusals import Refusal, WhoseTask


class SwitchRefusal(Refusal):
    """Base of these."""

    whose_task = WhoseTask.BROKER


class PartyOfSwitchUnknown(SwitchRefusal):
    code = "E-SWITCH-1"
    what = "There is no school or login {subject} that is switched on."
    remedy = "Name it as its document does; `broker apply` makes it known."
    http_status = 404


class LoginOfOtherSchool(SwitchRefusal):
    code = "E-SWITCH-2"
    what = "The login {subject} does not speak for this school."
    remedy = "Name two logins of this school, or let the login's document name the school."


class LoginsNotTwo(SwitchRefusal):
    """From a login to itself, or from one that nobody is offered."""

    code = "E-SWITCH-3"
    what = "A school changes from a login that it offers to another one."
    remedy = "Name the login of today with --from, and the new one with --to."


class SwitchStatesDiffer(SwitchRefusal):
    """Test and production never meet."""

    code = "E-SWITCH-4"
    what = "{subject} is not in the same state as the school: test and production never meet."
    remedy = "Name a login of the school's own state."


class SwitchRunning(SwitchRefusal):
    """Rehearsals look at how things are before a switch; two switches at once are none."""

    code = "E-SWITCH-5"
    what = "This school is changing to the login {subject} already, or will on a day to come."
    remedy = "Go on with that one, take it back with --rollback, or end it with --done."
    http_status = 409


class SwitchNotRunning(SwitchRefusal):
    code = "E-SWITCH-6"
    what = "This school is between no two logins."
    remedy = "See `broker switch SCHOOL --history`."
    http_status = 409


class NotRehearsed(SwitchRefusal):
    code = "E-SWITCH-7"
    what = "Nobody knows yet what this change of login does: it was not rehearsed."
    remedy = "Run `broker rehearse` with a list or with volunteers first."


class RehearsalShowsChanges(SwitchRefusal):
    code = "E-SWITCH-8"
    what = "The rehearsal shows that too many would lose their account, or find another person's."
    remedy = "See `broker rehearse ... --report`; mend the new login, or add --despite-changes."


class DocumentsDisagree(SwitchRefusal):
    """What the switch says must be what the documents say, before it is forgotten."""

    code = "E-SWITCH-9"
    what = "The documents do not say yet what the switch says, so it cannot be ended."
    remedy = "Apply the new login without rehearsal_only, and take the old one out; then --done."


class ListUnusable(SwitchRefusal):
    """The list as a whole: nothing of it was counted. `subject` says where, never what."""

    code = "E-SWITCH-10"
    whose_task = WhoseTask.SCHOOL
    what = "The list cannot be used: {subject}."
    remedy = "Correct it as `broker rehearse --help` tells, and run the command again."


class RehearsalNotOpen(SwitchRefusal):
    """A volunteer comes too early or too late."""

    code = "E-SWITCH-11"
    whose_task = WhoseTask.SCHOOL
    what = "Trying out another login is not open at this school."
    remedy = "Nothing is broken, and your work is where it was. Ask your teacher."
    http_status = 403


class OtherSchoolStated(SwitchRefusal):
    """One of the two logins spoke for another school than the one that rehearses."""

    code = "E-SWITCH-12"
    whose_task = WhoseTask.PUPIL
    what = "You logged in at another school than the one that tries out a login."
    remedy = "Start again, and use the logins of your own school."


class DayPast(SwitchRefusal):
    code = "E-SWITCH-13"
    what = "A switch cannot begin on a day that is over."
    remedy = "Name today or a later day with --on, or leave it out."
