"""A school's answer: what is accepted, and every check with its refusal and its positive twin."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from broker.domain.federation import OidcIdpEndpoints
from broker.saml_sp import refusals as r
from broker.saml_sp.login import SamlLogin
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element
from broker.saml_xml.refusals import (
    DecryptionRefused,
    MessageUnreadable,
    NoKeyRegistered,
    SignatureRefused,
)
from tests.builders_saml import (
    BROKER_ENCRYPTION,
    BROKER_KEY,
    NOW,
    PUPIL,
    SCHOOL_ENTITY,
    SCHOOL_KEY,
    STRANGER_KEY,
    a_response_form,
    a_school_idp,
    a_signed_assertion,
    an_attribute,
    an_authn_request,
    an_expectation,
    as_form,
    read,
    saml,
)
from tests.saml_sp.refusing import refused

OTHER = "https://somebody-else.example"


class TestAccepted:
    @pytest.mark.parametrize("encrypted", [False, True])
    @pytest.mark.parametrize("signed", ["assertion", "response", "both"])
    def test_signed_and_encrypted_in_every_way(self, signed: str, encrypted: bool) -> None:
        login = read(signed=signed, encrypted=encrypted)
        assert login.login.attributes == PUPIL
        assert login.login.idp == a_school_idp()
        assert login.login.authenticated_at == NOW
        assert login.login.acr == n.AUTHN_PASSWORD
        assert login.assertion_id == "_assertion"
        assert login.session_index == "_session"
        assert login.name_id.value == "sanne@vuurvogel.example"
        assert login.name_id.format == n.NAMEID_UNSPECIFIED

    def test_what_a_school_may_leave_out(self) -> None:
        login = read(
            response_issuer=None,
            not_before=None,
            not_on_or_after=None,
            session_index=None,
            authn_context=None,
            attributes={"uid": ("sanne",)},
        )
        assert login.session_index is None
        assert login.login.acr == ""

    def test_a_second_registered_key_signs_during_a_roll_over(self) -> None:
        idp = a_school_idp(signing_certificates=(STRANGER_KEY.certificate, SCHOOL_KEY.certificate))
        assert read(expected=an_expectation(idp=idp)).login.idp is idp

    def test_a_transient_name_id_is_kept_for_logout_and_identifies_nobody(self) -> None:
        login = read(name_id="_random", name_id_attributes={"Format": n.NAMEID_TRANSIENT})
        assert login.name_id.format == n.NAMEID_TRANSIENT
        assert "_random" not in [each for v in login.login.attributes.values() for each in v]

    def test_values_are_exact_as_sent(self) -> None:
        odd = (" Sanne ", "Zoe\u0308", "", "<b>&amp;", "Sanne")
        assert read(attributes={"givenName": odd}).login.attributes == {"givenName": odd}

    def test_an_attribute_that_stands_there_twice_has_the_values_of_both(self) -> None:
        def twice(assertion: Element) -> None:
            assertion[-1].append(an_attribute("eckId", "b"))

        login = read(attributes={"eckId": ("a",)}, edit_assertion=twice)
        assert login.login.attributes == {"eckId": ("a", "b")}

    def test_a_structured_value_and_friendly_name_say_nothing(self) -> None:
        def structured(assertion: Element) -> None:
            attribute = an_attribute("targeted", "")
            attribute[0].append(build_element(saml("NameID"), text="x"))
            attribute.set("FriendlyName", "eckId")
            assertion[-1].append(attribute)

        assert read(attributes={}, edit_assertion=structured).login.attributes == {"targeted": ()}

    def test_no_value_shows_in_repr(self) -> None:
        shown = repr(replace(read(), login=None))  # type: ignore[arg-type]
        assert not any(secret in shown for secret in ("sanne", "_assertion", "_session"))


class TestForm:
    def test_one_saml_response(self) -> None:
        form = [*a_response_form(), *a_response_form()]
        refused(MessageUnreadable, "parameter-once", form=form)

    def test_no_saml_response(self) -> None:
        refused(MessageUnreadable, "parameter-once", form=[("RelayState", "x")])

    def test_not_base64(self) -> None:
        refused(MessageUnreadable, "base64", form=[("SAMLResponse", "<Response/>")])


class TestShape:
    def test_is_response(self) -> None:
        request = [("SAMLResponse", a_response_form()[0][1])]
        assert isinstance(read(form=request), SamlLogin)

        def other_version(response: Element) -> None:
            response.set("Version", "2.1")

        refused(r.ResponseMalformed, "check_is_response", edit_response=other_version)

    def test_is_assertion(self) -> None:
        def other_version(assertion: Element) -> None:
            assertion.set("Version", "1.1")

        for encrypted in (False, True):
            refused(
                r.ResponseMalformed,
                "check_is_assertion",
                edit_assertion=other_version,
                encrypted=encrypted,
            )

    @pytest.mark.parametrize("signed", ["assertion", "response"])
    def test_one_assertion(self, signed: str) -> None:
        def without(response: Element) -> None:
            response.remove(response[-1])

        def twice(response: Element) -> None:
            second = a_signed_assertion()
            second.set("ID", "_second")
            response.append(second)

        for edit in (without, twice):
            refused(r.ResponseMalformed, "check_one_assertion", edit_response=edit, signed=signed)

    def test_conditions_stated(self) -> None:
        def without(assertion: Element) -> None:
            assertion.remove(assertion.find(saml("Conditions")))  # type: ignore[arg-type]

        refused(r.ResponseMalformed, "check_conditions_stated", edit_assertion=without)

    def test_one_authn_statement(self) -> None:
        def without(assertion: Element) -> None:
            assertion.remove(assertion.find(saml("AuthnStatement")))  # type: ignore[arg-type]

        refused(r.ResponseMalformed, "check_one_authn_statement", edit_assertion=without)


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "refusal", "kind", "for_supplier"),
        [
            (n.STATUS_AUTHN_FAILED, r.LoginCancelled, "cancelled", "access_denied"),
            (n.STATUS_NO_PASSIVE, r.NoPassiveLogin, "no-passive", "login_required"),
            (n.STATUS_REQUEST_DENIED, r.LoginDenied, "denied", "access_denied"),
            (n.STATUS_NO_AUTHN_CONTEXT, r.LoginFailedAtSchool, "other", "access_denied"),
        ],
    )
    def test_nobody_logged_in(
        self,
        status: str,
        refusal: type[r.SchoolAnsweredWithoutLogin],
        kind: str,
        for_supplier: str,
    ) -> None:
        caught = refused(
            refusal, "check_success", status=(n.STATUS_RESPONDER, status), signed="nothing"
        )
        assert isinstance(caught, r.SchoolAnsweredWithoutLogin)
        assert caught.kind == kind
        assert caught.may_redirect
        assert caught.oauth_error == for_supplier

    def test_a_status_of_one_level(self) -> None:
        refused(
            r.LoginFailedAtSchool, "check_success", status=(n.STATUS_RESPONDER,), signed="nothing"
        )

    def test_the_answer_belongs_to_our_request(self) -> None:
        for other in (None, "_another"):
            refused(
                r.ResponseToAnotherRequest,
                "check_in_response_to_without_login",
                status=(n.STATUS_RESPONDER, n.STATUS_NO_PASSIVE),
                signed="nothing",
                response_in_response_to=other,
            )

    def test_no_assertion_without_success(self) -> None:
        def with_assertion(response: Element) -> None:
            response.append(a_signed_assertion())

        refused(
            r.ResponseMalformed,
            "check_no_assertion_without_success",
            status=(n.STATUS_RESPONDER,),
            edit_response=with_assertion,
        )


class TestAuthenticated:
    @pytest.mark.parametrize("encrypted", [False, True])
    def test_assertion_signed(self, encrypted: bool) -> None:
        refused(r.NotAuthenticated, "check_assertion_signed", signed="nothing", encrypted=encrypted)
        assert read(signed="response", encrypted=encrypted).login.attributes == PUPIL

    @pytest.mark.parametrize("signed", ["assertion", "response", "both"])
    def test_by_a_registered_key(self, signed: str) -> None:
        with pytest.raises(SignatureRefused):
            read(signed=signed, key=STRANGER_KEY)

    def test_no_key_registered_is_no_login(self) -> None:
        for certificates in ((), (b"no certificate",)):
            idp = a_school_idp(signing_certificates=certificates)
            with pytest.raises(NoKeyRegistered):
                read(expected=an_expectation(idp=idp))

    def test_inside_a_signed_response_the_own_signature_must_hold_too(self) -> None:
        def spoil(response: Element) -> None:
            assertion = a_signed_assertion(key=STRANGER_KEY)
            response.replace(response[-1], assertion)

        with pytest.raises(SignatureRefused):
            read(signed="response", edit_response=spoil)

    def test_encrypted_for_somebody_else(self) -> None:
        with pytest.raises(DecryptionRefused):
            read(encrypted=True, decryption_keys=(STRANGER_KEY.decryption,))

    def test_encrypted_for_our_other_key_during_a_roll_over(self) -> None:
        keys = (STRANGER_KEY.decryption, BROKER_ENCRYPTION.decryption)
        assert read(encrypted=True, decryption_keys=keys).login.attributes == PUPIL


class TestProvider:
    def test_provider_speaks_saml(self) -> None:
        oidc = OidcIdpEndpoints(
            issuer=SCHOOL_ENTITY,
            client_id="x",
            authorization_endpoint=OTHER,
            token_endpoint=OTHER,
            algorithms=("RS256",),
            client_assertion_audience=OTHER,
        )
        refused(
            r.ResponseFromSomebodyElse,
            "check_provider",
            expected=an_expectation(idp=_with_endpoints(oidc)),
        )


def _with_endpoints(endpoints: OidcIdpEndpoints) -> Any:
    return msgspec.structs.replace(a_school_idp(), endpoints=endpoints)


def test_a_request_is_no_response() -> None:
    (_, message), _ = as_form(an_authn_request(), key=BROKER_KEY)
    refused(r.ResponseMalformed, "check_is_response", form=[("SAMLResponse", message)])
