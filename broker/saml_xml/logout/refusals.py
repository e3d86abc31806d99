"""Why a message about logging out is refused: each cause once for schools, once for suppliers.

As in `refusals`, checks raise the school's class, and code that reads what a supplier sent does so
inside `sent_by_supplier()`. Every one of these ends on our own page, which offers to log out here.
"""

from broker.domain.refusals import WhoseTask
from broker.saml_xml.refusals import XmlRefusal


class LogoutMessageRefused(XmlRefusal):
    """Base of these. Never raised itself."""

    remedy = "You can log out here yourself. Please tell your school that this happened."


class LogoutMalformed(LogoutMessageRefused):
    """A part is missing, there twice, or not as SAML prescribes."""

    code = "E-LOGOUT-11"
    what = "The login of your school sent a message about logging out that we cannot use."


class LogoutSenderUnknown(LogoutMessageRefused):
    """No enabled SAML login of a school has this Issuer."""

    code = "E-LOGOUT-12"
    what = "We do not know the school's login that wants to log you out."


class LogoutForSomebodyElse(LogoutMessageRefused):
    """Destination does not name the place where it arrived."""

    code = "E-LOGOUT-13"
    what = "The login of your school sent a message about logging out that was meant for others."


class LogoutOutOfTime(LogoutMessageRefused):
    """Made too long ago, in the future, or past its own end."""

    code = "E-LOGOUT-14"
    what = "The message about logging out that your school's login sent is too old."


class LogoutUsed(LogoutMessageRefused):
    """The same message came before."""

    code = "E-LOGOUT-15"
    what = "This message about logging out from your school's login was used before."


class LogoutNotAsked(LogoutMessageRefused):
    """An answer to a question that this browser did not bring there."""

    code = "E-LOGOUT-16"
    what = "The login of your school answers something about logging out that we did not ask."


class _OfSupplier(LogoutMessageRefused):
    whose_task = WhoseTask.SUPPLIER
    remedy = "You can log out here yourself. Tell your teacher that this happened."


class SupplierLogoutMalformed(_OfSupplier, LogoutMalformed):
    """`LogoutMalformed`, sent by a supplier."""

    code = "E-LOGOUT-21"
    what = "The learning material sent a message about logging out that we cannot use."


class SupplierLogoutSenderUnknown(_OfSupplier, LogoutSenderUnknown):
    """`LogoutSenderUnknown`, for a supplier."""

    code = "E-LOGOUT-22"
    what = "We do not know the learning material that wants to log you out."


class SupplierLogoutForSomebodyElse(_OfSupplier, LogoutForSomebodyElse):
    """`LogoutForSomebodyElse`, sent by a supplier."""

    code = "E-LOGOUT-23"
    what = "The learning material sent a message about logging out that was meant for others."


class SupplierLogoutOutOfTime(_OfSupplier, LogoutOutOfTime):
    """`LogoutOutOfTime`, sent by a supplier."""

    code = "E-LOGOUT-24"
    what = "The message about logging out that the learning material sent is too old."


class SupplierLogoutUsed(_OfSupplier, LogoutUsed):
    """`LogoutUsed`, sent by a supplier."""

    code = "E-LOGOUT-25"
    what = "This message about logging out from the learning material was used before."


class SupplierLogoutNotAsked(_OfSupplier, LogoutNotAsked):
    """`LogoutNotAsked`, sent by a supplier."""

    code = "E-LOGOUT-26"
    what = "The learning material answers something about logging out that we did not ask."


for _school_side, _supplier_side in (
    (LogoutMalformed, SupplierLogoutMalformed),
    (LogoutSenderUnknown, SupplierLogoutSenderUnknown),
    (LogoutForSomebodyElse, SupplierLogoutForSomebodyElse),
    (LogoutOutOfTime, SupplierLogoutOutOfTime),
    (LogoutUsed, SupplierLogoutUsed),
    (LogoutNotAsked, SupplierLogoutNotAsked),
):
    _school_side.of_supplier = _supplier_side
    _supplier_side.of_supplier = _supplier_side
