"""Why a supplier's request is refused: one class per cause, for people.

`AnswerableRefusal` is raised only after the service provider and its registered place for answers
are proven, and carries that place; everything else ends on our own page.
"""

from dataclasses import dataclass, field

from broker.domain.ids import RelyingPartyId
from broker.domain.refusals import Refusal, WhoseTask


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTo:
    """Where an answer to a request goes: a registered place of a known service provider.

    Attributes:
        request_id: goes back as InResponseTo.
        acs_url: one of the registered ones, never as received.
        relay_state: exactly as received; None when there was none.
    """

    relying_party: RelyingPartyId
    request_id: str = field(repr=False)
    acs_url: str
    relay_state: str | None = field(default=None, repr=False)


class RequestMalformed(Refusal):
    """A part is missing, there twice, or not as SAML prescribes."""

    code = "E-SAML-40"
    whose_task = WhoseTask.SUPPLIER
    what = "The material's website sent a question that we cannot read."
    remedy = "Please go back and try again. If it happens again, tell the maker of the material."


class UnknownServiceProvider(Refusal):
    """No enabled service provider has this Issuer."""

    code = "E-SAML-41"
    whose_task = WhoseTask.SUPPLIER
    what = "We do not know the website that sent you here."
    remedy = "The maker of the material must have it registered first."


class RequestNotSigned(Refusal):
    """This service provider signs its requests, and this one is not signed, or cannot be."""

    code = "E-SAML-42"
    whose_task = WhoseTask.SUPPLIER
    what = "The question of the material's website is not signed, so we cannot trust it."
    remedy = "The maker of the material can fix this. Please tell them, with this code."


class RequestForSomebodyElse(Refusal):
    """Destination does not name us."""

    code = "E-SAML-43"
    whose_task = WhoseTask.SUPPLIER
    what = "The material's website sent a question that was meant for somebody else."
    remedy = "The maker of the material can fix this. Please tell them, with this code."


class RequestTooOld(Refusal):
    """IssueInstant lies outside the window: an old page, or a wrong clock."""

    code = "E-SAML-44"
    whose_task = WhoseTask.PUPIL
    what = "This page is too old to log in from."
    remedy = "Please go back to the material and try again."


class AcsNotRegistered(Refusal):
    """The place where the answer should go is not registered for this service provider."""

    code = "E-SAML-45"
    whose_task = WhoseTask.SUPPLIER
    what = "The material's website asks us to send the answer to an address that we do not know."
    remedy = "The maker of the material must have it registered first."


class AnswerableRefusal(Refusal):
    """A refusal that the supplier must learn. Never raised itself.

    Args:
        answer_to: proven before this is raised.
    """

    may_redirect = True
    whose_task = WhoseTask.SUPPLIER

    def __init__(self, check: str = "", *, subject: str = "", answer_to: AnswerTo) -> None:
        super().__init__(check, subject=subject)
        self.answer_to = answer_to


class NameIdPolicyNotSupported(AnswerableRefusal):
    code = "E-SAML-46"
    what = "The material's website asks for a kind of identifier that we do not give."
    remedy = "The maker of the material can fix this. Please tell them, with this code."
    saml_status = "InvalidNameIDPolicy"


class SubjectNotSupported(AnswerableRefusal):
    """The request names the person: nobody can ask us about one person (SAML core 3.4.1.2)."""

    code = "E-SAML-47"
    what = "The material's website asks for one certain person, and we do not answer that."
    remedy = "The maker of the material can fix this. Please tell them, with this code."
    saml_status = "RequestUnsupported"


class ProxyingForbidden(AnswerableRefusal):
    """ProxyCount is 0: nobody but us may log the person in, and we ask a school (core 3.4.1.2)."""

    code = "E-SAML-49"
    what = "The material's website does not let us ask your school to log you in."
    remedy = "The maker of the material can fix this. Please tell them, with this code."
    saml_status = "ProxyCountExceeded"


class AuthnContextUnknown(AnswerableRefusal):
    """RequestedAuthnContext names nothing that a school's login could state (core 3.3.2.2.1)."""

    code = "E-SAML-71"
    what = "The material's website asks for a way of logging in that we do not know."
    remedy = "The maker of the material can fix this. Please tell them, with this code."
    saml_status = "NoAuthnContext"


class CannotEncrypt(Refusal):
    """Encryption is registered and no key is: refused rather than sent plain."""

    code = "E-SAML-48"
    whose_task = WhoseTask.SUPPLIER
    what = "The material's website wants a sealed answer, but we have no key to seal it with."
    remedy = "The maker of the material must publish a key. Nothing was shared."
    saml_status = "RequestDenied"
