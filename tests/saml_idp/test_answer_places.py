"""Where an answer goes, and which refusals a supplier learns there."""

import pytest

from broker.domain.relying_parties import AssertionConsumerService
from broker.saml_idp import refusals as r
from broker.saml_idp.checks import ANSWERABLE_CHECKS
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element
from tests.builders_saml import (
    SUPPLIER_ACS,
    SUPPLIER_ENTITY,
    a_service_provider,
    an_authn_request,
    saml,
    samlp,
)
from tests.saml_idp.asking import a_policy, check, refused

OTHER = "https://somebody-else.example/acs"
SECOND_ACS = "https://taaltuin.example/saml/acs2"


class TestAcs:
    PROVIDER = a_service_provider(
        assertion_consumer_services=(
            AssertionConsumerService(url=SUPPLIER_ACS, index=1),
            AssertionConsumerService(url=SECOND_ACS, index=7, is_default=True),
        )
    )

    def chosen(self, **attributes: str | None) -> str:
        request = an_authn_request(**({"AssertionConsumerServiceURL": None} | attributes))
        return check(request, provider=self.PROVIDER).acs_url

    def test_by_url_index_or_default(self) -> None:
        assert self.chosen(AssertionConsumerServiceURL=SUPPLIER_ACS) == SUPPLIER_ACS
        assert self.chosen(AssertionConsumerServiceIndex="1") == SUPPLIER_ACS
        assert self.chosen(AssertionConsumerServiceIndex="7", ProtocolBinding=None) == SECOND_ACS
        assert self.chosen() == SECOND_ACS

    def test_the_first_when_none_is_default(self) -> None:
        request = an_authn_request(AssertionConsumerServiceURL=None)
        assert check(request).acs_url == SUPPLIER_ACS

    @pytest.mark.parametrize(
        "attributes",
        [
            {"AssertionConsumerServiceURL": OTHER},
            {"AssertionConsumerServiceURL": SUPPLIER_ACS + "?x=y"},
            {"AssertionConsumerServiceURL": SUPPLIER_ACS + "/../acs"},
            {"AssertionConsumerServiceURL": SUPPLIER_ACS.replace("https", "http")},
            {"AssertionConsumerServiceURL": ""},
            {"AssertionConsumerServiceIndex": "2"},
        ],
    )
    def test_acs_registered(self, attributes: dict[str, str]) -> None:
        request = an_authn_request(**({"AssertionConsumerServiceURL": None} | attributes))
        refused(r.AcsNotRegistered, "check_acs_registered", request, provider=self.PROVIDER)

    def test_acs_named_once(self) -> None:
        request = an_authn_request(AssertionConsumerServiceIndex="1")
        refused(r.RequestMalformed, "check_acs_named_once", request)

    def test_protocol_binding_registered(self) -> None:
        artifact = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
        request = an_authn_request(ProtocolBinding=artifact)
        refused(r.AcsNotRegistered, "check_protocol_binding_registered", request)


class TestAnswerable:
    def answer(self, expected: type[r.AnswerableRefusal], name: str, *children: Element) -> str:
        caught = refused(expected, name, an_authn_request(*children))
        assert isinstance(caught, r.AnswerableRefusal)
        assert caught.may_redirect
        assert caught.answer_to == check().answer_to
        return caught.saml_status

    def test_no_subject(self) -> None:
        subject = build_element(
            saml("Subject"), {}, build_element(saml("NameID"), text="sanne@vuurvogel.example")
        )
        assert self.answer(r.SubjectNotSupported, "check_no_subject", subject) == (
            "RequestUnsupported"
        )

    @pytest.mark.parametrize(
        "policy",
        [
            {"Format": n.NAMEID_EMAIL},
            {"Format": n.NAMEID_ENTITY},
            {"Format": "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted"},
            {"SPNameQualifier": OTHER},
        ],
    )
    def test_name_id_policy(self, policy: dict[str, str]) -> None:
        status = self.answer(r.NameIdPolicyNotSupported, "check_name_id_policy", a_policy(**policy))
        assert status == "InvalidNameIDPolicy"

    @pytest.mark.parametrize("name_format", [n.NAMEID_PERSISTENT, n.NAMEID_UNSPECIFIED, None])
    def test_name_id_policy_accepts(self, name_format: str | None) -> None:
        attributes = {"SPNameQualifier": SUPPLIER_ENTITY}
        if name_format is not None:
            attributes["Format"] = name_format
        assert not check(an_authn_request(a_policy(**attributes))).name_id_transient

    def test_proxying_allowed(self) -> None:
        for count in ("0", "00", " +0 "):
            scoping = build_element(samlp("Scoping"), {"ProxyCount": count})
            status = self.answer(r.ProxyingForbidden, "check_proxying_allowed", scoping)
            assert status == "ProxyCountExceeded"
        for count in ("1", "10", "9" * 5000):
            assert check(an_authn_request(build_element(samlp("Scoping"), {"ProxyCount": count})))

    @pytest.mark.parametrize(
        "wanted",
        [
            [build_element(saml("AuthnContextClassRef"), text="urn:example:iris")],
            [build_element(saml("AuthnContextClassRef"), text=f"{n.AUTHN_CLASSES}{'x' * 300}")],
            [build_element(saml("AuthnContextDeclRef"), text="urn:example:ours")],
        ],
    )
    def test_authn_context(self, wanted: list[Element]) -> None:
        requested = build_element(samlp("RequestedAuthnContext"), {}, *wanted)
        status = self.answer(r.AuthnContextUnknown, "check_authn_context", requested)
        assert status == "NoAuthnContext"

    def test_authn_context_accepts_what_a_school_may_state(self) -> None:
        for wanted in (n.AUTHN_PASSWORD_PROTECTED, "https://refeds.org/profile/mfa"):
            requested = build_element(
                samlp("RequestedAuthnContext"),
                {},
                build_element(saml("AuthnContextClassRef"), text=wanted),
            )
            checked = check(an_authn_request(requested))
            assert checked.requested_authn_contexts == (wanted,)
            assert checked.authn_comparison == "exact"

    def test_nobody_is_answered_at_an_unregistered_place(self) -> None:
        request = an_authn_request(
            a_policy(Format=n.NAMEID_EMAIL), AssertionConsumerServiceURL=OTHER
        )
        refused(r.AcsNotRegistered, "check_acs_registered", request)


def test_every_check_of_the_table_has_a_test() -> None:
    for answerable in ANSWERABLE_CHECKS:
        assert hasattr(TestAnswerable, answerable.__name__.replace("check_", "test_"))
    assert len(ANSWERABLE_CHECKS) == 4
