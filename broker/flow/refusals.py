"""Refusals of the journeys themselves; those of a protocol stand with its checks."""

from broker.domain.refusals import Refusal, WhoseTask


class LoginStepAbsent(Refusal):
    """No record under what this browser showed: too old, another browser, or cookies are off."""

    code = "E-LOGIN-1"
    whose_task = WhoseTask.PUPIL
    what = "This step of your login is not here any more, or it began in another browser."
    remedy = "Start again from your learning material. Your browser must keep cookies."


class LogoutStepAbsent(LoginStepAbsent):
    """The same of logging out: whoever reads this may be logged in still."""

    code = "E-LOGOUT-4"
    what = "This page of logging out is over, or it began in another browser."
    remedy = "Log out here once more, to be sure. Your browser must keep cookies."


class LoginStepUsed(Refusal):
    """A back button, double click or repeated post: the step was taken before."""

    code = "E-LOGIN-2"
    whose_task = WhoseTask.PUPIL
    what = "You have already used this step of your login. Nothing is broken."
    remedy = "Start again from your learning material."


class SchoolUnknown(Refusal):
    code = "E-LOGIN-3"
    whose_task = WhoseTask.PUPIL
    what = "We do not know that school."
    remedy = "Choose your school from the list."
    may_retry = True


class SchoolNotOpen(Refusal):
    """The school, or its login, is switched off, has no login, or is in another state."""

    code = "E-LOGIN-4"
    whose_task = WhoseTask.SCHOOL
    what = "You cannot log in at this school at the moment."
    remedy = "Please ask your school."
    http_status = 403
    oauth_error = "access_denied"


class SupplierNotOpen(Refusal):
    """The supplier or its system was switched off, possibly while the login was under way."""

    code = "E-LOGIN-5"
    whose_task = WhoseTask.SUPPLIER
    what = "You cannot log in to this material at the moment."
    remedy = "The supplier must open it again."
    http_status = 403


class StatesDiffer(Refusal):
    """Test and production never meet."""

    code = "E-LOGIN-6"
    whose_task = WhoseTask.SUPPLIER
    what = "This is a test login, and a test login cannot open real material."
    remedy = "Start from the right address of your learning material."
    http_status = 403
    oauth_error = "access_denied"


class InteractionRequired(Refusal):
    """The supplier asked for an answer without any page, and a page is needed."""

    code = "E-LOGIN-7"
    whose_task = WhoseTask.SUPPLIER
    what = "You must log in, and the material asked us not to show a page."
    remedy = "Open the material itself and log in there."
    may_redirect = True
    oauth_error = "interaction_required"
    saml_status = "NoPassive"


class LoginRequired(Refusal):
    """No page was to be shown, and the login at school is older than was asked for."""

    code = "E-LOGIN-8"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login could not log you in in the way that this material asks for."
    remedy = "Try again. If it keeps happening, please tell your school."
    may_redirect = True
    oauth_error = "login_required"
    saml_status = "NoPassive"


class StoreUnavailable(Refusal):
    """The login store did not answer clearly: unsure is refused."""

    code = "E-LOGIN-9"
    whose_task = WhoseTask.BROKER
    what = "Logging in does not work for a moment. It is our fault, not yours."
    remedy = "Wait a minute and try again."
    http_status = 503
    oauth_error = "server_error"
    saml_status = "Responder"
    may_retry = True


class SchoolUnreachable(Refusal):
    """The school's login did not answer us, or not in time."""

    code = "E-LOGIN-10"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login does not answer."
    remedy = "Wait a few minutes and try again. If it keeps happening, please tell your school."
    http_status = 502
    oauth_error = "temporarily_unavailable"
    may_retry = True


class AssertionUsed(Refusal):
    """The school's answer was shown before."""

    code = "E-LOGIN-11"
    whose_task = WhoseTask.PUPIL
    what = "This login was used before. Nothing is broken."
    remedy = "Start again from your learning material."
    may_retry = True


class AgreementChanged(Refusal):
    """Your school changed its decision between the page and the button."""

    code = "E-LOGIN-12"
    whose_task = WhoseTask.PUPIL
    what = "Your school has just changed what is shared."
    remedy = "Try again, and you will see what is shared now."
    may_retry = True


class FailedWithoutPage(Refusal):
    """No page was to be shown, and something of ours or of the school's does not work."""

    code = "E-LOGIN-14"
    whose_task = WhoseTask.BROKER
    what = "Logging in does not work for a moment. It is our fault, not yours."
    remedy = "Wait a minute and try again."
    http_status = 503
    may_redirect = True
    oauth_error = "temporarily_unavailable"
    saml_status = "Responder"


class NotLoggedIn(Refusal):
    """No page was to be shown, and no session may answer: there is none, or the answer is no.

    Which of the two a supplier is not told: one without an agreement could ask in silence who is
    logged in, and at which school. With a page the person reads why not, and the supplier nothing.
    """

    code = "E-LOGIN-16"
    whose_task = WhoseTask.SUPPLIER
    what = "You are not logged in yet, and the material asked us not to show a page."
    remedy = "Open the material itself and log in there."
    may_redirect = True
    oauth_error = "login_required"
    saml_status = "NoPassive"


class PersonForgotten(Refusal):
    """A browser's session is of somebody who was erased meanwhile; only the school brings one back.

    Who asked for no page hears what `NotLoggedIn` says.
    """

    code = "E-LOGIN-17"
    whose_task = WhoseTask.PUPIL
    what = "You are not logged in any more."
    remedy = "Log in at your school again."
    http_status = 403
    oauth_error = "access_denied"
    may_retry = True
