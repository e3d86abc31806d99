"""What is refused about the form of a SAML message, each once for schools and once for suppliers.

The same checks run on messages from both sides, and only the side decides whose task a mistake is.
Checks raise the school's class; code that reads a supplier's messages does so inside
`sent_by_supplier()`, which raises the supplier's class of the same cause instead.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from broker.domain.refusals import Refusal, WhoseTask


class XmlRefusal(Refusal):
    """Base of what this package refuses. Never raised itself."""

    whose_task = WhoseTask.SCHOOL
    of_supplier: ClassVar[type["XmlRefusal"]]


class MessageUnreadable(XmlRefusal):
    """The message is too large, not well-formed, unsafe, or not what the schema allows."""

    code = "E-XML-1"
    what = "The login of your school sent a message that we cannot read."
    remedy = "The administrator of the school's login can look at this code."
    may_retry = True


class SignatureMissing(XmlRefusal):
    """An element that must carry a signature of its own carries none."""

    code = "E-XML-2"
    what = "The login of your school sent a message without a signature."
    remedy = "The administrator of the school's login must switch on signing."


class SignatureRefused(XmlRefusal):
    """There is a signature, and it does not prove that the sender sent this."""

    code = "E-XML-3"
    what = "We cannot be sure that this message comes from the login of your school."
    remedy = (
        "The administrator of the school's login can look at this code: a key or a setting differs."
    )
    may_retry = True


class NoKeyRegistered(XmlRefusal):
    """No key is registered by which the sender's signatures could be verified."""

    code = "E-XML-4"
    what = "We do not know a key of your school's login, so we cannot check its messages."
    remedy = "The administrator of the school's login must send us its metadata."


class DecryptionRefused(XmlRefusal):
    """An encrypted part does not open: one answer for every reason."""

    code = "E-XML-5"
    what = "We cannot open the message from the login of your school."
    remedy = (
        "The administrator of the school's login must use the key and the method in our metadata."
    )
    may_retry = True


class ValueUnwritable(XmlRefusal):
    """A value holds a character that XML 1.0 cannot carry, so no message can be built with it."""

    code = "E-XML-6"
    what = "The login of your school stated a value with a character that we cannot pass on."
    remedy = "The administrator of the school's login can correct the value."


class _OfSupplier(XmlRefusal):
    whose_task = WhoseTask.SUPPLIER


class SupplierMessageUnreadable(_OfSupplier, MessageUnreadable):
    """`MessageUnreadable`, sent by a supplier."""

    code = "E-XML-11"
    what = "The learning material sent a message that we cannot read."
    remedy = "The supplier of the material can look at this code."


class SupplierSignatureMissing(_OfSupplier, SignatureMissing):
    """`SignatureMissing`, sent by a supplier."""

    code = "E-XML-12"
    what = "The learning material sent a message without a signature."
    remedy = "The supplier of the material must sign its requests."


class SupplierSignatureRefused(_OfSupplier, SignatureRefused):
    """`SignatureRefused`, sent by a supplier."""

    code = "E-XML-13"
    what = "We cannot be sure that this message comes from the supplier of the material."
    remedy = "The supplier of the material can look at this code: a key or a setting differs."


class SupplierNoKeyRegistered(_OfSupplier, NoKeyRegistered):
    """`NoKeyRegistered`, for a supplier."""

    code = "E-XML-14"
    what = "We do not know a key of this learning material, so we cannot check its messages."
    remedy = "The supplier of the material must send us its metadata."


class SupplierDecryptionRefused(_OfSupplier, DecryptionRefused):
    """`DecryptionRefused`, sent by a supplier."""

    code = "E-XML-15"
    what = "We cannot open the message from the learning material."
    remedy = "The supplier of the material must use the key and the method in our metadata."


class SupplierValueUnwritable(_OfSupplier, ValueUnwritable):
    """`ValueUnwritable`, for a value that a supplier sent."""

    code = "E-XML-16"
    what = "The learning material sent a value with a character that we cannot pass on."
    remedy = "The supplier of the material can correct the value."


for _school_side, _supplier_side in (
    (MessageUnreadable, SupplierMessageUnreadable),
    (SignatureMissing, SupplierSignatureMissing),
    (SignatureRefused, SupplierSignatureRefused),
    (NoKeyRegistered, SupplierNoKeyRegistered),
    (DecryptionRefused, SupplierDecryptionRefused),
    (ValueUnwritable, SupplierValueUnwritable),
):
    _school_side.of_supplier = _supplier_side
    _supplier_side.of_supplier = _supplier_side


@contextmanager
def sent_by_supplier() -> Iterator[None]:
    """Blame the supplier, not the school, for what is refused inside; also a decorator.

    Raises:
        XmlRefusal: the supplier's class of the cause that was raised inside.
    """
    try:
        yield
    except XmlRefusal as refusal:
        raise refusal.of_supplier(refusal.check, subject=refusal.subject) from None
