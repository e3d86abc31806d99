"""A school's answer, from the posted form to a `SamlLogin`.

The rules, whose numbers recur in this package:

1. One SAMLResponse in a posted form, base64, within a size cap.
2. Parsed once: no DOCTYPE, entity, comment or processing instruction; limits on nodes and depth.
3. Valid against the schemas, no ID twice; with status success exactly one assertion, else none.
4. Signed by a key that is registered for this provider, over the very element that is read.
5. What is encrypted is signed as well, or what is around it is; why it does not open shows nowhere.
6. From here on only the verified element is read; whoever issued it is the provider to which the
   pupil was sent.
7. For us, for this request, now, and by such a login as we asked for.
8. An assertion is used once.
9. A NameID that is not blank and not another party's.
10. A school speaks for its own BRINs and realms only.

Each type on the way says how far
an answer has come, and what needs more takes the later type only:

    posted form -> bytes -> Response element   form and schema checked; says nothing yet
          -> SignedAssertion                   a registered key of the expected provider signed it
          -> Statement                         its contents, read from the signed element only
          -> SamlLogin                         every check passed

The document of a login may lift a part of rules 4, 5 and 9 until a day (`exceptions`).

Rule 8 needs a store and is the flow's; rule 10 is `broker.domain.identity`'s, for SAML and OIDC
alike.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from broker.domain.dutch_days import day_of
from broker.domain.federation import SamlIdpEndpoints
from broker.domain.identity import VerifiedLogin
from broker.saml_sp.checks import STATEMENT_CHECKS, usable_until
from broker.saml_sp.encrypted_parts import open_parts
from broker.saml_sp.exceptions import Exceptions
from broker.saml_sp.login import ExpectedResponse, SamlLogin
from broker.saml_sp.refusals import (
    LevelNotGiven,
    LoginCancelled,
    LoginDenied,
    LoginFailedAtSchool,
    NameIdUnusable,
    NoPassiveLogin,
    NotAuthenticated,
    ResponseFromSomebodyElse,
    ResponseMalformed,
    ResponseToAnotherRequest,
    SchoolAnsweredWithoutLogin,
)
from broker.saml_sp.statement import (
    ASSERTION,
    ENCRYPTED_ASSERTION,
    SignedAssertion,
    Statement,
    read_statement,
)
from broker.saml_xml.bindings import decode_post
from broker.saml_xml.elements import Element, only_child, optional_child, required_attribute
from broker.saml_xml.forms import PostedForm, take_field
from broker.saml_xml.keys import DecryptionKey, VerificationKey
from broker.saml_xml.names import (
    SAMLP,
    STATUS_AUTHN_FAILED,
    STATUS_NO_AUTHN_CONTEXT,
    STATUS_NO_PASSIVE,
    STATUS_REQUEST_DENIED,
    STATUS_SUCCESS,
)
from broker.saml_xml.registered_keys import verification_keys
from broker.saml_xml.security import XmlSecurity

RESPONSE = f"{{{SAMLP}}}Response"
STATUS = f"{{{SAMLP}}}Status"
STATUS_CODE = f"{{{SAMLP}}}StatusCode"

ANSWERS_WITHOUT_LOGIN: Mapping[str, type[SchoolAnsweredWithoutLogin]] = MappingProxyType(
    {
        STATUS_AUTHN_FAILED: LoginCancelled,
        STATUS_NO_PASSIVE: NoPassiveLogin,
        STATUS_REQUEST_DENIED: LoginDenied,
    }
)
"""Second-level status code -> what it means here; any other is `LoginFailedAtSchool`, but for
NoAuthnContext where a level was asked."""


def read_response(
    form: PostedForm,
    *,
    xml: XmlSecurity,
    expected: ExpectedResponse,
    decryption_keys: Sequence[DecryptionKey],
    now: datetime,
) -> SamlLogin:
    """Return the login that a posted Response states, after the checks of rules 1 to 7 and 9.

    Args:
        form: as posted to our assertion consumer service.
        expected: from the pending login that RelayState names and this browser began.
        decryption_keys: ours; two during a roll-over.
        now: aware.

    Raises:
        SchoolAnsweredWithoutLogin: nobody logged in, and the school says so.
        Refusal: of this package or of `broker.saml_xml.refusals`, with the check's name.
    """
    # 1. One SAMLResponse in a form, base64, bounded.
    message = decode_post(take_field(form, "SAMLResponse"))
    # 2. Parsed once and safely.  3. Schema, unique IDs (both in the adapter), one assertion.
    response = xml.parse(message).root
    check_is_response(response)
    check_success(response, expected=expected)
    # 4. Signature by a registered key.  5. What is encrypted is authenticated too.
    exceptions = Exceptions(expected.idp, today=day_of(now))
    assertion = authenticate_assertion(
        response,
        xml=xml,
        keys=verification_keys(check_provider(expected).signing_certificates),
        decryption_keys=decryption_keys,
        exceptions=exceptions,
    )
    open_parts(assertion, xml=xml, keys=decryption_keys, exceptions=exceptions)
    # 6. From here on only the verified element is read.  7. For us, now, for this request.
    # 9. Who it is: present, not blank.
    statement = read_statement(assertion)
    for check in STATEMENT_CHECKS:
        check(statement, expected, now)
    check_name_id_stated(statement, exceptions=exceptions)
    return SamlLogin(
        login=VerifiedLogin(
            idp=expected.idp,
            attributes=statement.attributes,
            authenticated_at=statement.authenticated_at,
            acr=statement.authn_context,
        ),
        assertion_id=statement.assertion_id,
        assertion_not_on_or_after=usable_until(statement),
        session_index=statement.session_index,
        name_id=statement.name_id,
        exceptions=exceptions.needed,
    )


def check_provider(expected: ExpectedResponse) -> SamlIdpEndpoints:
    """6: the pending login went to a SAML provider, whose keys and entity id count from here."""
    if not isinstance(expected.idp.endpoints, SamlIdpEndpoints):
        raise ResponseFromSomebodyElse("check_provider")
    return expected.idp.endpoints


def check_is_response(response: Element) -> None:
    """3: a Response of SAML 2.0 (SAML core 3.2.2, 4.1.3.2)."""
    if response.tag != RESPONSE or required_attribute(response, "Version") != "2.0":
        raise ResponseMalformed("check_is_response")


def check_success(response: Element, *, expected: ExpectedResponse) -> None:
    """3: with any other status than success, nothing is read but to which request it belongs."""
    code = only_child(only_child(response, STATUS), STATUS_CODE)
    if code.get("Value") == STATUS_SUCCESS:
        return
    if _assertions(response):
        raise ResponseMalformed("check_no_assertion_without_success")
    if response.get("InResponseTo") != expected.request_id:
        raise ResponseToAnotherRequest("check_in_response_to_without_login")
    below = optional_child(code, STATUS_CODE)
    stated = "" if below is None else below.get("Value", "")
    answer = ANSWERS_WITHOUT_LOGIN.get(stated, LoginFailedAtSchool)
    if stated == STATUS_NO_AUTHN_CONTEXT and expected.level_asked:
        answer = LevelNotGiven
    raise answer("check_success")


def check_name_id_stated(statement: Statement, *, exceptions: Exceptions) -> None:
    """9: the school names who it is, by which its session can be ended again (profiles 4.1.4.2)."""
    if statement.name_id is None:
        exceptions.lift(NameIdUnusable("check_name_id_stated"))


def authenticate_assertion(
    response: Element,
    *,
    xml: XmlSecurity,
    keys: Sequence[VerificationKey],
    decryption_keys: Sequence[DecryptionKey],
    exceptions: Exceptions,
) -> SignedAssertion:
    """4 and 5: return the one assertion, covered by a signature of one of `keys`.

    Signed is the Response, the assertion, or both; every signature that is there must hold.

    Raises:
        NotAuthenticated: nothing that covers the assertion is signed.
        ExceptionEnded: an exception tolerated how it is signed or encrypted, and has ended.
        XmlRefusal: a signature does not hold, or the assertion does not open.
    """
    if not xml.is_signed(response):
        assertion = check_one_assertion(response)
        if assertion.tag == ENCRYPTED_ASSERTION:
            assertion = xml.decrypt(assertion, keys=decryption_keys).root
        if not xml.is_signed(assertion):
            raise NotAuthenticated("check_assertion_signed")
        signed = exceptions.verify(xml, assertion, keys=keys)
        return SignedAssertion(check_is_assertion(signed.root), signed, response)
    around = signed = exceptions.verify(xml, response, keys=keys)
    assertion = check_one_assertion(around.root)
    if assertion.tag == ENCRYPTED_ASSERTION:
        signed = exceptions.open_signed(xml, around, assertion, keys=decryption_keys)
        assertion = signed.root
    if xml.is_signed(assertion):
        signed = exceptions.verify(xml, assertion, keys=keys)
        assertion = signed.root
    return SignedAssertion(check_is_assertion(assertion), signed, around.root)


def check_one_assertion(response: Element) -> Element:
    """3: exactly one Assertion or EncryptedAssertion (SAML profiles 4.1.4.2, saml2int IDP10)."""
    found = _assertions(response)
    if len(found) != 1:
        raise ResponseMalformed("check_one_assertion")
    return found[0]


def check_is_assertion(element: Element) -> Element:
    """3: what was inside an EncryptedAssertion is an assertion of SAML 2.0."""
    if element.tag != ASSERTION or required_attribute(element, "Version") != "2.0":
        raise ResponseMalformed("check_is_assertion")
    return element


def _assertions(response: Element) -> list[Element]:
    return list(response.iterchildren(ASSERTION, ENCRYPTED_ASSERTION))
