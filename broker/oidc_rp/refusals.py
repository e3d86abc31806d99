"""What is refused about the answers of a school's OpenID Provider."""

from broker.domain.refusals import Refusal, WhoseTask


class SchoolAnswerUnreadable(Refusal):
    """Too large, malformed, twice the same parameter, or parts missing."""

    code = "E-RP-1"
    whose_task = WhoseTask.SCHOOL
    what = "The login of your school sent an answer that we cannot read."
    remedy = "Try again. If it keeps happening, the administrator of the school's login can help."
    may_retry = True


class SchoolAnswerNotExpected(Refusal):
    """`state` or `iss` is not of the login that this browser began (RFC 9700 4.4 and 4.7)."""

    code = "E-RP-2"
    whose_task = WhoseTask.SCHOOL
    what = "This answer does not belong to the login that you began."
    remedy = "Start again from your learning material."
    may_retry = True


class SchoolAnswerWithoutLogin(Refusal):
    """Base of the answers `error=...`: their own branch, believed for nothing but that."""

    whose_task = WhoseTask.SCHOOL
    may_retry = True


class SchoolLoginCancelled(SchoolAnswerWithoutLogin):
    """`access_denied`: the pupil stopped, or the school said no."""

    code = "E-RP-3"
    whose_task = WhoseTask.PUPIL
    what = "You stopped logging in, or your school did not let you in."
    remedy = "Go back to your learning material to try again."
    may_redirect = True
    oauth_error = "access_denied"
    saml_status = "AuthnFailed"


class SchoolLoginRequired(SchoolAnswerWithoutLogin):
    """`login_required` and its kin: nobody is logged in, and no page could be shown."""

    code = "E-RP-4"
    what = "You are not logged in at your school yet."
    remedy = "Open your learning material and log in there."
    may_redirect = True
    oauth_error = "login_required"
    saml_status = "NoPassive"


class SchoolLoginFailed(SchoolAnswerWithoutLogin):
    """Any other `error`."""

    code = "E-RP-5"
    what = "The login of your school did not work."
    remedy = "Wait a few minutes and try again. If it keeps happening, please tell your school."
    oauth_error = "access_denied"
    saml_status = "AuthnFailed"


class SchoolHasNoLevel(SchoolAnswerWithoutLogin):
    """`unmet_authentication_requirements`, after we asked for a level."""

    code = "E-RP-14"
    what = "Your school's login cannot log you in as safely as this material asks."
    remedy = "Please ask your school."
    http_status = 403
    may_redirect = True
    oauth_error = "unmet_authentication_requirements"
    saml_status = "NoAuthnContext"


class ReauthenticationUnavailable(Refusal):
    """The provider is registered as one that cannot ask for a new login; no time is pretended."""

    code = "E-RP-6"
    whose_task = WhoseTask.SCHOOL
    what = "This material wants you to log in anew, and your school's login cannot do that."
    remedy = "Please tell your school."
    may_redirect = True
    oauth_error = "login_required"
    saml_status = "AuthnFailed"


class TokenResponseRefused(Refusal):
    """The token endpoint answered, but not with what it must answer."""

    code = "E-RP-7"
    whose_task = WhoseTask.SCHOOL
    what = "The login of your school did not tell us who you are."
    remedy = "Try again. If it keeps happening, the administrator of the school's login can help."
    may_retry = True


class IdTokenSignatureRefused(Refusal):
    """The ID token does not prove that the registered provider made it."""

    code = "E-RP-8"
    whose_task = WhoseTask.SCHOOL
    what = "We cannot be sure that this message comes from the login of your school."
    remedy = (
        "The administrator of the school's login can look at this code: a key or a setting differs."
    )
    may_retry = True


class UnknownKey(IdTokenSignatureRefused):
    """The ID token names a key that we do not have: fetch the key set anew, once, and try again."""

    code = "E-RP-9"


class IdTokenRefused(Refusal):
    """The ID token is genuine but not for us, not for this login, or not of now."""

    code = "E-RP-10"
    whose_task = WhoseTask.SCHOOL
    what = "The login of your school sent an answer that does not fit this login."
    remedy = "Try again. If it keeps happening, the administrator of the school's login can help."
    may_retry = True


class LoginTooOld(Refusal):
    """The login is older than was asked for, or the provider does not say how old it is."""

    code = "E-RP-11"
    whose_task = WhoseTask.SCHOOL
    what = "This material wants you to log in anew, and your school's login did not do that."
    remedy = "Log out at your school and try again. If it keeps happening, please tell your school."
    may_retry = True


class UserinfoRefused(Refusal):
    """Userinfo is unreadable, or about somebody else than the ID token (OIDC Core 5.3.4)."""

    code = "E-RP-12"
    whose_task = WhoseTask.SCHOOL
    what = "The login of your school gave two answers that do not belong together."
    remedy = "Try again. If it keeps happening, the administrator of the school's login can help."
    may_retry = True


class ClientKeyMissing(Refusal):
    """Our own key or secret for this provider is not there."""

    code = "E-RP-13"
    whose_task = WhoseTask.BROKER
    what = "Something is not set up correctly on our side for your school's login."
    remedy = "We have been told. Please try again later."
    http_status = 500
    oauth_error = "server_error"
    saml_status = "Responder"
