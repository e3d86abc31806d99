"""Our answers to suppliers: valid, signed, sealed where registered, and unlinkable."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.attributes import VOCABULARY
from broker.domain.refusals import Refusal
from broker.domain.release import (
    ClaimsBeyondDecision,
    NoAgreement,
    lint_claims,
)
from broker.saml_idp.assertion import ResponseIds
from broker.saml_idp.attributes import attribute_names, build_attributes
from broker.saml_idp.refusals import CannotEncrypt, NameIdPolicyNotSupported
from broker.saml_idp.response import build_error_response
from broker.saml_sp.refusals import NoPassiveLogin
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, only_child, text_of
from broker.saml_xml.forms import PostForm
from broker.saml_xml.instants import format_instant
from broker.saml_xml.refusals import ValueUnwritable
from tests.builders_saml import (
    BROKER_IDP,
    BROKER_KEY,
    NOW,
    REQUEST_ID,
    SECOND,
    SUPPLIER_ACS,
    SUPPLIER_ENCRYPTION,
    SUPPLIER_ENTITY,
    XML,
    a_service_provider,
    attributes_in,
    saml,
    samlp,
)
from tests.saml_idp.answering import (
    DECISION,
    PSEUDONYM,
    REQUEST,
    a_request,
    assertion_of,
    attributes_of,
    build,
    first,
    verified,
)


def build_error(refusal: Refusal | type[Refusal], **changes: Any) -> Element:
    form = build_error_response(
        replace(REQUEST.answer_to, **changes),
        refusal=refusal,
        entity_id=BROKER_IDP,
        response_id="_response",
        now=NOW,
        signing_key=BROKER_KEY.signing,
        xml=XML,
    )
    return verified(form)


class TestResponse:
    def test_what_every_response_says(self) -> None:
        form = build()
        assert form.action == SUPPLIER_ACS
        assert [name for name, _ in form.fields] == ["SAMLResponse", "RelayState"]
        assert form.fields[1][1] == "les-3"
        response = verified(form)
        assert attributes_in(response) == {
            "ID": "_response",
            "Version": "2.0",
            "IssueInstant": "2026-03-02T08:00:00Z",
            "Destination": SUPPLIER_ACS,
            "InResponseTo": REQUEST_ID,
        }
        assert first(response, "Issuer").text == BROKER_IDP
        assert response.find(f".//{samlp('StatusCode')}").get("Value") == n.STATUS_SUCCESS  # type: ignore[union-attr]
        assertion = only_child(response, saml("Assertion"))
        assert assertion.get("ID") == "_assertion"
        name_id = first(assertion, "Subject", "NameID")
        assert name_id.text == PSEUDONYM
        assert attributes_in(name_id) == {
            "Format": n.NAMEID_PERSISTENT,
            "NameQualifier": BROKER_IDP,
            "SPNameQualifier": SUPPLIER_ENTITY,
        }
        confirmed = first(assertion, "Subject", "SubjectConfirmation", "SubjectConfirmationData")
        assert attributes_in(confirmed) == {
            "InResponseTo": REQUEST_ID,
            "NotOnOrAfter": "2026-03-02T08:05:00Z",
            "Recipient": SUPPLIER_ACS,
        }
        conditions = first(assertion, "Conditions")
        assert conditions.get("NotBefore") == "2026-03-02T07:59:00Z"
        assert conditions.get("NotOnOrAfter") == "2026-03-02T08:05:00Z"
        assert first(conditions, "AudienceRestriction", "Audience").text == SUPPLIER_ENTITY
        authn = first(assertion, "AuthnStatement")
        assert attributes_in(authn) == {
            "AuthnInstant": "2026-03-02T08:00:00Z",
            "SessionIndex": "_session",
        }
        assert [each.tag for each in first(authn, "AuthnContext")] == [
            saml("AuthnContextClassRef")  # no AuthenticatingAuthority
        ]
        assert attributes_of(assertion) == {
            "givenName": ["Sanne"],
            "eduPersonAffiliation": ["student", "affiliate"],
        }

    def test_no_relay_state(self) -> None:
        request = a_request(relay_state=None)
        assert [name for name, _ in build(request=request).fields] == ["SAMLResponse"]

    def test_a_transient_name_id_when_asked(self) -> None:
        name_id = first(
            assertion_of(build(request=a_request(name_id_transient=True), pseudonym="")),
            "Subject",
            "NameID",
        )
        assert name_id.text == "_transient"
        assert name_id.get("Format") == n.NAMEID_TRANSIENT

    def test_an_empty_pseudonym_never_becomes_everybody_s_account(self) -> None:
        with pytest.raises(ValueError, match="pseudonym"):
            build(pseudonym="")

    def test_the_pseudonym_alone(self) -> None:
        assertion = assertion_of(build(attributes=()))
        assert assertion.find(saml("AttributeStatement")) is None

    def test_the_pseudonym_of_before(self) -> None:
        assertion = assertion_of(build(attributes=(), previous_pseudonym="z" * 53))
        assert attributes_of(assertion) == {"previous_sub": ["z" * 53]}

    def test_the_level_that_the_school_stated(self) -> None:
        assertion = assertion_of(build(authn_context=n.AUTHN_PASSWORD))
        level = first(assertion, "AuthnStatement", "AuthnContext", "AuthnContextClassRef")
        assert level.text == n.AUTHN_PASSWORD


class TestEncryption:
    def test_encrypted_when_registered_so(self) -> None:
        response = verified(build(service_provider=a_service_provider(encrypt_assertions=True)))
        encrypted = only_child(response, saml("EncryptedAssertion"))
        opened = XML.decrypt(encrypted, keys=[SUPPLIER_ENCRYPTION.decryption]).root
        assert attributes_of(opened)["givenName"] == ["Sanne"]
        assert response.find(saml("Assertion")) is None

    @pytest.mark.parametrize("certificates", [(), (b"no certificate",)])
    def test_refused_rather_than_sent_plain(self, certificates: tuple[bytes, ...]) -> None:
        provider = a_service_provider(encrypt_assertions=True, encryption_certificates=certificates)
        with pytest.raises(CannotEncrypt) as caught:
            build(service_provider=provider)
        assert not caught.value.may_redirect


class TestTimes:
    @given(st.integers(0, 10**9))
    def test_the_moment_of_logging_in_is_floored(self, seconds: int) -> None:
        exact = NOW - timedelta(milliseconds=seconds)
        told = _told(build(authenticated_at=exact))
        assert told == _floored(exact)

    def test_exact_when_the_request_forced_the_login(self) -> None:
        forced = a_request(force_login=True)
        exact = NOW + 17 * SECOND
        assert _told(build(request=forced, authenticated_at=exact)) == "2026-03-02T08:00:17Z"


def _told(form: PostForm) -> str | None:
    return first(assertion_of(form), "AuthnStatement").get("AuthnInstant")


def _floored(exact: datetime) -> str:
    beyond = int(exact.timestamp()) % 300
    return format_instant(exact - timedelta(seconds=beyond))


class TestUnlinkable:
    def test_two_suppliers_share_nothing_but_us_and_the_time(self) -> None:
        """Every text and attribute value of one pupil's answers to two suppliers, same second."""
        ours = _values(assertion_of(build(attributes=())))
        other_ids = ResponseIds(
            response_id="_r2", assertion_id="_a2", session_index="_s2", transient_name_id="_t2"
        )
        other = _values(
            assertion_of(
                build(
                    attributes=(),
                    ids=other_ids,
                    pseudonym="b" + "c" * 52,
                    service_provider=a_service_provider(entity_id="https://biosfeer.example"),
                    request=a_request(request_id="_other", acs_url="https://biosfeer.example/acs"),
                )
            )
        )
        assert ours & other == {
            BROKER_IDP,
            "2.0",
            n.NAMEID_PERSISTENT,
            n.CONFIRMATION_BEARER,
            n.AUTHN_UNSPECIFIED,
            "2026-03-02T08:00:00Z",
            "2026-03-02T07:59:00Z",
            "2026-03-02T08:05:00Z",
        }

    def test_the_school_is_nowhere(self) -> None:
        assert not any("vuurvogel" in each for each in _values(assertion_of(build())))


def _values(root: Element) -> set[str]:
    found: set[str] = set()
    for each in root.iter():
        found |= {str(value) for value in each.attrib.values()}
        found |= {each.text} if each.text else set()
    return found


class TestAttributes:
    def test_every_attribute_has_its_canonical_name(self) -> None:
        assert attribute_names() == {str(each): each for each in VOCABULARY}

    def test_what_is_built_passes_the_linter_and_more_does_not(self) -> None:
        built = build_attributes(DECISION)
        lint_claims(built, decision=DECISION, names=attribute_names())
        with pytest.raises(ClaimsBeyondDecision):
            lint_claims((*built, ("sn", ("de Vries",))), decision=DECISION, names=attribute_names())

    @given(
        st.dictionaries(
            st.sampled_from(sorted(VOCABULARY)),
            st.lists(
                st.text(
                    st.characters(
                        codec="utf-8",
                        exclude_categories=["Cc", "Cs"],
                        exclude_characters="\ufffe\uffff",
                    )
                    | st.sampled_from("\t\n<>&\"'"),
                    max_size=20,
                ),
                min_size=1,
                max_size=3,
            ).map(tuple),
            min_size=1,
            max_size=4,
        )
    )
    def test_any_value_arrives_as_it_was_stated(self, values: Mapping[str, Any]) -> None:
        assertion = assertion_of(build(attributes=tuple(values.items())))
        assert attributes_of(assertion) == {name: list(each) for name, each in values.items()}

    def test_a_value_that_xml_cannot_carry_is_refused_without_showing_it(self) -> None:
        with pytest.raises(ValueUnwritable) as caught:
            build(attributes=(("givenName", ("Schuil\x00naam",)),))
        assert not any(part in str(caught.value) for part in ("Schuil", "naam"))


class TestError:
    @pytest.mark.parametrize(
        ("refusal", "first_level", "second_level"),
        [
            (NoPassiveLogin, n.STATUS_RESPONDER, n.STATUS_NO_PASSIVE),
            (NoAgreement, n.STATUS_RESPONDER, n.STATUS_REQUEST_DENIED),
            (NameIdPolicyNotSupported, n.STATUS_REQUESTER, n.STATUS_INVALID_NAMEID_POLICY),
            (ClaimsBeyondDecision, n.STATUS_RESPONDER, None),
        ],
    )
    def test_status(
        self, refusal: type[Refusal], first_level: str, second_level: str | None
    ) -> None:
        response = build_error(refusal)
        status = only_child(response, samlp("Status"))
        code = only_child(status, samlp("StatusCode"))
        assert code.get("Value") == first_level
        assert [each.get("Value") for each in code] == ([second_level] if second_level else [])
        assert text_of(only_child(status, samlp("StatusMessage"))) == refusal.code
        assert response.get("InResponseTo") == REQUEST_ID
        assert response.get("Destination") == SUPPLIER_ACS
        assert response.find(saml("Assertion")) is None

    def test_nothing_of_the_refusal_but_its_code_goes_out(self) -> None:
        response = build_error(NoAgreement("check_secret", subject="De Vuurvogel"))
        assert not any(
            word in each for each in _values(response) for word in ("Vuurvogel", "secret")
        )
