"""Why an answer of a school's login is refused: one class per cause, for people.

The name of the check that refused goes to the audit event; no value of the
answer is in any of these.
"""

from enum import StrEnum
from typing import ClassVar

from broker.domain.refusals import Refusal, WhoseTask


class ResponseMalformed(Refusal):
    """A part that the procedure needs is missing, there twice, or not as SAML prescribes."""

    code = "E-SAML-20"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login sent an answer that we cannot use."
    remedy = "The school's administrator can fix this. Please tell your school, with this code."


class ResponseForSomebodyElse(Refusal):
    """Destination, Recipient or Audience do not name us."""

    code = "E-SAML-21"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login sent an answer that was meant for somebody else."
    remedy = "The school's administrator can fix this. Please tell your school, with this code."


class ResponseFromSomebodyElse(Refusal):
    """Not one and the same: Issuers, owner of the key, provider to which we sent the pupil."""

    code = "E-SAML-22"
    whose_task = WhoseTask.SCHOOL
    what = "The answer did not come from the school's login that you chose."
    remedy = "Please start again and choose your school. If it happens again, tell your school."
    may_retry = True


class ResponseToAnotherRequest(Refusal):
    """InResponseTo is not the request of the pending login, or is missing."""

    code = "E-SAML-23"
    whose_task = WhoseTask.PUPIL
    what = "This answer belongs to another login than the one you began here."
    remedy = "Please try again. Use one window, and do not use an old page or a bookmark."
    may_retry = True


class ResponseTooLate(Refusal):
    """NotOnOrAfter, or our own cap on it, has passed."""

    code = "E-SAML-24"
    whose_task = WhoseTask.PUPIL
    what = "Logging in took too long."
    remedy = "Please try again."
    may_retry = True


class ResponseTooEarly(Refusal):
    """NotBefore, IssueInstant or AuthnInstant lie in the future: a clock is wrong."""

    code = "E-SAML-25"
    whose_task = WhoseTask.SCHOOL
    what = "The clock of your school's login is not right."
    remedy = "The school's administrator can set it. Please tell your school."


class LoginNotFresh(Refusal):
    """A new login was asked for, and the school answered with an old one."""

    code = "E-SAML-26"
    whose_task = WhoseTask.SCHOOL
    what = "You had to log in once more at school, and your school's login did not ask you to."
    remedy = "Log out at school and try again. If it happens again, tell your school."
    may_retry = True


class LevelNotReached(Refusal):
    """The AuthnContext that we asked for was not honoured."""

    code = "E-SAML-27"
    whose_task = WhoseTask.SCHOOL
    what = "Your way of logging in at school is not strong enough for this."
    remedy = "Please ask your school whether you can log in another way."
    http_status = 403
    may_redirect = True
    oauth_error = "unmet_authentication_requirements"
    saml_status = "NoAuthnContext"


class NameIdUnusable(Refusal):
    """No NameID, a blank one, or one that says it belongs to other parties."""

    code = "E-SAML-28"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login did not say who you are in a way that we can use."
    remedy = "The school's administrator can fix this. Please tell your school, with this code."


class NotAuthenticated(Refusal):
    """Nothing around what the answer states is signed, or no key is registered."""

    code = "E-SAML-29"
    whose_task = WhoseTask.SCHOOL
    what = "The answer of your school's login is not signed, so we cannot trust it."
    remedy = "The school's administrator can fix this. Please tell your school, with this code."


class WithoutLogin(StrEnum):
    """What a status other than success means for the pupil's journey."""

    CANCELLED = "cancelled"
    NO_PASSIVE = "no-passive"
    DENIED = "denied"
    NO_LEVEL = "no-level"
    OTHER = "other"


class SchoolAnsweredWithoutLogin(Refusal):
    """The school answered our request, but nobody logged in. Never raised itself.

    It trusts only InResponseTo and the binding of the pending login to the browser; the supplier
    must learn it.
    """

    kind: ClassVar[WithoutLogin]
    may_redirect = True
    http_status = 403
    may_retry = True


class LoginCancelled(SchoolAnsweredWithoutLogin):
    code = "E-SAML-30"
    kind = WithoutLogin.CANCELLED
    whose_task = WhoseTask.PUPIL
    what = "You did not log in at school."
    remedy = "You can try again if you want to."
    oauth_error = "access_denied"
    saml_status = "AuthnFailed"


class NoPassiveLogin(SchoolAnsweredWithoutLogin):
    code = "E-SAML-31"
    kind = WithoutLogin.NO_PASSIVE
    whose_task = WhoseTask.PUPIL
    what = "You are not logged in at school yet."
    remedy = "Please log in."
    oauth_error = "login_required"
    saml_status = "NoPassive"


class LoginDenied(SchoolAnsweredWithoutLogin):
    code = "E-SAML-32"
    kind = WithoutLogin.DENIED
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login does not let you in here."
    remedy = "Please ask your school."
    oauth_error = "access_denied"
    saml_status = "RequestDenied"


class LoginFailedAtSchool(SchoolAnsweredWithoutLogin):
    code = "E-SAML-33"
    kind = WithoutLogin.OTHER
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login could not log you in."
    remedy = "Please try again. If it happens again, tell your school."
    oauth_error = "access_denied"
    saml_status = "AuthnFailed"


class LevelNotGiven(SchoolAnsweredWithoutLogin):
    """NoAuthnContext, after we asked for a level (SAML core 3.2.2.2)."""

    code = "E-SAML-35"
    kind = WithoutLogin.NO_LEVEL
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login cannot log you in as safely as this material asks."
    remedy = "Please ask your school."
    oauth_error = "unmet_authentication_requirements"
    saml_status = "NoAuthnContext"


class ExceptionEnded(Refusal):
    """What an exception of this login's document tolerated until a day that has passed.

    The check is that of the rule that holds again; the subject names the exception.
    """

    code = "E-SAML-36"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login still works in a way that we may not accept any more."
    remedy = "The administrator of the school's login must change a setting: we know which."


class ProviderUnreachable(Refusal):
    """The provider has no endpoint that we can use, or must get signed requests and cannot."""

    code = "E-SAML-34"
    whose_task = WhoseTask.SCHOOL
    what = "We cannot reach your school's login."
    remedy = "The school must have its login registered anew. Please tell your school."
