"""Messages about logging out: what is accepted by each binding, every check, and what we send."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.adapters.xml.xml_encryption import encrypt_element
from broker.saml_xml import names as n
from broker.saml_xml.clock import CLOCK_SKEW
from broker.saml_xml.elements import Element, build_element, serialize
from broker.saml_xml.instants import format_instant
from broker.saml_xml.keys import DecryptionKey
from broker.saml_xml.logout import refusals as r
from broker.saml_xml.logout.building import (
    LOGOUT_LIFETIME,
    build_envelope,
    build_fault,
    build_logout_answer,
    build_logout_request,
)
from broker.saml_xml.logout.checks import (
    ENVELOPE_CHECKS,
    LOGOUT_MAX_AGE,
    MESSAGE_CHECKS,
    REQUEST_CHECKS,
    SESSION_INDEXES_MAX,
)
from broker.saml_xml.logout.messages import (
    ArrivedLogout,
    LogoutAnswer,
    LogoutRequest,
    NameIdentifier,
    authenticate_logout,
    decode_envelope,
    decode_logout,
    read_issuer,
)
from broker.saml_xml.logout.reading import read_logout_answer, read_logout_request
from broker.saml_xml.refusals import (
    DecryptionRefused,
    MessageUnreadable,
    NoKeyRegistered,
    SignatureMissing,
    SignatureRefused,
    sent_by_supplier,
)
from broker.saml_xml.registered_keys import verification_keys
from tests.builders_logout import (
    IDP_SLO,
    REQUEST_ID,
    SOAP_SLO,
    a_logout_answer,
    a_logout_request,
    a_name,
    by_post,
    by_redirect,
    by_soap,
)
from tests.builders_saml import (
    BROKER_ENCRYPTION,
    BROKER_IDP,
    NOW,
    SECOND,
    STRANGER_KEY,
    SUPPLIER_ENTITY,
    SUPPLIER_KEY,
    XML,
    an_authn_request,
    as_form,
    saml,
    samlp,
)
from tests.saml_xml.corpus.keys import rsa_key

KEYS = verification_keys((SUPPLIER_KEY.certificate,))
OTHER = "https://somebody-else.example/slo"


def arrive(message: Any) -> ArrivedLogout:
    is_envelope = isinstance(message, bytes) and message.startswith(b"<")
    return (decode_envelope if is_envelope else decode_logout)(message, xml=XML)


def read(
    message: Any,
    *,
    url: str = IDP_SLO,
    now: Any = NOW,
    decryption_keys: Sequence[DecryptionKey] = (BROKER_ENCRYPTION.decryption,),
) -> LogoutRequest:
    arrived = arrive(message)
    return read_logout_request(
        authenticate_logout(arrived, keys=KEYS, xml=XML),
        binding=arrived.binding,
        url=SOAP_SLO if arrived.binding == "soap" else url,
        decryption_keys=decryption_keys,
        xml=XML,
        now=now,
    )


def read_answer(message: Any) -> LogoutAnswer:
    arrived = arrive(message)
    return read_logout_answer(
        authenticate_logout(arrived, keys=KEYS, xml=XML),
        binding=arrived.binding,
        url=SOAP_SLO if arrived.binding == "soap" else IDP_SLO,
        request_id=REQUEST_ID,
        now=NOW,
    )


def refused(refusal: type[Exception], check: str, message: Any) -> None:
    with pytest.raises(refusal) as raised:
        read(message)
    assert raised.value.check == check  # type: ignore[attr-defined]


def signed(*children: Element, **changes: Any) -> Any:
    return by_redirect(a_logout_request(*children, **changes), key=SUPPLIER_KEY)


class TestAccepted:
    def test_by_redirect_post_and_soap(self) -> None:
        for message in (
            by_redirect(a_logout_request(), key=SUPPLIER_KEY, relay_state="back"),
            by_post(a_logout_request(), key=SUPPLIER_KEY, relay_state="back"),
            by_soap(a_logout_request(Destination=SOAP_SLO), key=SUPPLIER_KEY),
            by_soap(a_logout_request(Destination=None), key=SUPPLIER_KEY),
            by_soap(a_logout_request(Destination=""), key=SUPPLIER_KEY),
        ):
            arrived = arrive(message)
            assert arrived.is_request
            assert arrived.relay_state == (None if arrived.binding == "soap" else "back")
            assert read_issuer(arrived) == SUPPLIER_ENTITY
            assert read(message) == LogoutRequest(
                message_id=REQUEST_ID,
                usable_until=NOW + LOGOUT_MAX_AGE + CLOCK_SKEW,
                made_after=NOW - CLOCK_SKEW,
                name=NameIdentifier("pseudonym"),
                session_indexes=("_index",),
            )

    def test_everything_that_a_request_may_say(self) -> None:
        extension = build_element(
            samlp("Extensions"),
            {},
            build_element("{urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo}Asynchronous"),
        )
        name = a_name(
            "p", Format=n.NAMEID_PERSISTENT, NameQualifier=BROKER_IDP, SPNameQualifier="us"
        )
        end = NOW + timedelta(minutes=1)
        request = read(
            signed(
                extension,
                name=name,
                indexes=("_a", "_b", "_a"),
                NotOnOrAfter=format_instant(end),
                Reason="urn:oasis:names:tc:SAML:2.0:logout:user",
            )
        )
        assert request.name == NameIdentifier("p", n.NAMEID_PERSISTENT, BROKER_IDP, "us")
        assert (request.session_indexes, request.is_async) == (("_a", "_b"), True)
        assert request.usable_until == end + CLOCK_SKEW
        assert BROKER_IDP not in repr(request)

    def test_other_extensions_and_no_index(self) -> None:
        extension = build_element(samlp("Extensions"), {}, build_element("{urn:x:ours}Other"))
        request = read(signed(extension, indexes=()))
        assert (request.session_indexes, request.is_async) == ((), False)

    def test_by_redirect_signed_inside(self) -> None:
        message = a_logout_request()
        XML.sign(message, key=SUPPLIER_KEY.signing)
        assert read(by_redirect(message, key=None))
        again = a_logout_request()
        XML.sign(again, key=SUPPLIER_KEY.signing)
        assert read(by_redirect(again, key=SUPPLIER_KEY))

    def test_an_encrypted_name(self) -> None:
        sealed = encrypt_element(serialize(a_name("p")), recipient=BROKER_ENCRYPTION.encryption)
        sealed.tag = saml("EncryptedID")
        assert read(signed(name=sealed)).name.value == "p"

    @pytest.mark.parametrize("order", [1, -1])
    def test_an_encrypted_name_during_a_roll_over(self, order: int) -> None:
        """IIP-IDP19, SP16: each of our keys is tried."""
        sealed = encrypt_element(serialize(a_name("p")), recipient=BROKER_ENCRYPTION.encryption)
        sealed.tag = saml("EncryptedID")
        both = (BROKER_ENCRYPTION.decryption, rsa_key("next").decryption)[::order]
        assert read(signed(name=sealed), decryption_keys=both).name.value == "p"

    def test_an_envelope_with_a_header_that_may_be_skipped(self) -> None:
        soap = f"{{{n.SOAP}}}"
        message = a_logout_request(Destination=SOAP_SLO)
        XML.sign(message, key=SUPPLIER_KEY.signing)
        extra = build_element(
            "{urn:x:ours}Trace", {f"{soap}mustUnderstand": "0"}, nsmap={"soap": n.SOAP}
        )
        envelope = build_element(
            soap + "Envelope",
            {},
            build_element(soap + "Header", {}, extra),
            build_element(soap + "Body", {}, message),
        )
        assert read(serialize(envelope))

    @pytest.mark.parametrize("by", [by_redirect, by_post, by_soap])
    def test_an_answer(self, by: Any) -> None:
        place = SOAP_SLO if by is by_soap else IDP_SLO
        for status, is_out in (
            ((n.STATUS_SUCCESS,), True),
            ((n.STATUS_SUCCESS, n.STATUS_PARTIAL_LOGOUT), False),
            ((n.STATUS_SUCCESS, n.STATUS_REQUEST_DENIED), True),
            ((n.STATUS_RESPONDER,), False),
            ((n.STATUS_REQUESTER, n.STATUS_REQUEST_DENIED), False),
        ):
            message = by(a_logout_answer(status=status, Destination=place), key=SUPPLIER_KEY)
            assert not arrive(message).is_request
            assert read_answer(message) == LogoutAnswer(is_out)


class TestSender:
    def test_kind(self) -> None:
        (field, *_) = as_form(an_authn_request(), key=SUPPLIER_KEY)
        refused(r.LogoutMalformed, "check_kind", [field])
        answer = by_post(a_logout_answer(), key=SUPPLIER_KEY)
        refused(r.LogoutMalformed, "check_kind", [("SAMLRequest", answer[0][1])])
        query = by_redirect(a_logout_request(), key=SUPPLIER_KEY)
        refused(r.LogoutMalformed, "check_kind", query.replace(b"SAMLRequest", b"SAMLResponse"))
        refused(r.LogoutMalformed, "check_kind", build_envelope(an_authn_request()))

    def test_one_message_in_a_form(self) -> None:
        form = list(by_post(a_logout_request(), key=SUPPLIER_KEY))
        for wrong in ([], [*form, ("SAMLResponse", form[0][1])]):
            refused(MessageUnreadable, "one-message", wrong)
        refused(MessageUnreadable, "parameter-once", form + form)

    def test_relay_state_of_sane_size(self) -> None:
        message = by_post(a_logout_request(), key=SUPPLIER_KEY, relay_state="x" * 2049)
        refused(MessageUnreadable, "size", message)

    def test_issuer_stated(self) -> None:
        with pytest.raises(r.LogoutMalformed) as raised:
            read_issuer(arrive(signed(issuer=None)))
        assert raised.value.check == "check_issuer_stated"

    @pytest.mark.parametrize("by", [by_redirect, by_post, by_soap])
    def test_signed(self, by: Any) -> None:
        """Also where a party's metadata asks for no signature: a logout always needs one."""
        assert read(by(a_logout_request(**_place(by)), key=SUPPLIER_KEY))
        refused(SignatureMissing, "check_logout_signed", by(a_logout_request(), key=None))

    @pytest.mark.parametrize("by", [by_redirect, by_post, by_soap])
    def test_by_a_registered_key(self, by: Any) -> None:
        refused(SignatureRefused, "signature-value", by(a_logout_request(), key=STRANGER_KEY))
        with pytest.raises(NoKeyRegistered):
            authenticate_logout(arrive(by(a_logout_request(), key=SUPPLIER_KEY)), keys=(), xml=XML)

    def test_both_signatures_must_hold(self) -> None:
        message = a_logout_request()
        XML.sign(message, key=STRANGER_KEY.signing)
        refused(SignatureRefused, "signature-value", by_redirect(message, key=SUPPLIER_KEY))

    def test_the_signature_covers_what_is_read(self) -> None:
        message = a_logout_request()
        XML.sign(message, key=SUPPLIER_KEY.signing)
        index = message.find(samlp("SessionIndex"))
        assert index is not None
        index.text = "_of-somebody-else"
        refused(SignatureRefused, "digest", by_post(message, key=None))
        query = by_redirect(a_logout_request(), key=SUPPLIER_KEY, relay_state="a")
        refused(
            SignatureRefused, "signature-value", query.replace(b"RelayState=a", b"RelayState=b")
        )

    def test_a_signed_message_wrapped_into_another(self) -> None:
        inner = a_logout_request()
        XML.sign(inner, key=SUPPLIER_KEY.signing)
        around = build_element("{urn:x:ours}Around", {}, inner)
        outer = a_logout_request(
            build_element(samlp("Extensions"), {}, around), ID="_outer", indexes=("_evil",)
        )
        refused(SignatureMissing, "check_logout_signed", by_post(outer, key=None))
        signature = inner.find(f"{{{n.DS}}}Signature")
        assert signature is not None
        outer.insert(1, signature)
        refused(SignatureRefused, "reference", by_post(outer, key=None))


class TestRequest:
    def test_version(self) -> None:
        refused(r.LogoutMalformed, "check_version", signed(Version="1.1"))

    def test_message_id(self) -> None:
        assert read(signed(ID="_" * 256))
        refused(r.LogoutMalformed, "check_message_id", signed(ID="_" * 257))

    def test_destination(self) -> None:
        for wrong in (OTHER, None, IDP_SLO + "/"):
            refused(r.LogoutForSomebodyElse, "check_destination", signed(Destination=wrong))

    def test_destination_of_envelope(self) -> None:
        for wrong in (OTHER, IDP_SLO):
            message = by_soap(a_logout_request(Destination=wrong), key=SUPPLIER_KEY)
            refused(r.LogoutForSomebodyElse, "check_destination", message)

    def test_issue_instant(self) -> None:
        oldest, newest = NOW - LOGOUT_MAX_AGE - CLOCK_SKEW, NOW + CLOCK_SKEW
        for instant in (oldest, newest):
            assert read(signed(IssueInstant=format_instant(instant)))
        for instant in (oldest - SECOND, newest + SECOND):
            message = signed(IssueInstant=format_instant(instant))
            refused(r.LogoutOutOfTime, "check_issue_instant", message)

    def test_not_on_or_after(self) -> None:
        last = NOW - CLOCK_SKEW + SECOND
        assert read(signed(NotOnOrAfter=format_instant(last)))
        message = signed(NotOnOrAfter=format_instant(last - SECOND))
        refused(r.LogoutOutOfTime, "check_not_on_or_after", message)

    def test_session_indexes(self) -> None:
        assert read(signed(indexes=("_" * 256,) * SESSION_INDEXES_MAX))
        for wrong in (("_i",) * (SESSION_INDEXES_MAX + 1), ("",), ("_" * 257,)):
            refused(r.LogoutMalformed, "check_session_indexes", signed(indexes=wrong))

    def test_a_name_that_names_nobody(self) -> None:
        for wrong in (a_name(" "), a_name("")):
            refused(r.LogoutMalformed, "check_name_stated", signed(name=wrong))

    def test_an_encrypted_name_that_does_not_open(self) -> None:
        sealed = encrypt_element(serialize(a_name("p")), recipient=SUPPLIER_KEY.encryption)
        sealed.tag = saml("EncryptedID")
        refused(DecryptionRefused, "decryption", signed(name=sealed))
        other = encrypt_element(
            serialize(build_element(saml("Issuer"), text="p")),
            recipient=BROKER_ENCRYPTION.encryption,
        )
        other.tag = saml("EncryptedID")
        refused(DecryptionRefused, "decrypted-element", signed(name=other))

    def test_an_answer_is_no_request(self) -> None:
        answer = by_redirect(a_logout_answer(), key=SUPPLIER_KEY)
        refused(r.LogoutMalformed, "check_is_logout_request", answer)
        with pytest.raises(r.LogoutMalformed):
            read_answer(signed())


def test_every_check_of_the_tables_has_a_test() -> None:
    for each in {*MESSAGE_CHECKS, *ENVELOPE_CHECKS, *REQUEST_CHECKS}:
        assert hasattr(TestRequest, each.__name__.replace("check_", "test_"))
    assert (len(MESSAGE_CHECKS), len(ENVELOPE_CHECKS), len(REQUEST_CHECKS)) == (4, 4, 2)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"InResponseTo": "_another"}, r.LogoutNotAsked),
        ({"InResponseTo": None}, r.LogoutNotAsked),
        ({"Destination": OTHER}, r.LogoutForSomebodyElse),
        ({"IssueInstant": format_instant(NOW - timedelta(hours=1))}, r.LogoutOutOfTime),
    ],
)
def test_an_answer_that_counts_for_nothing(changes: Any, refusal: type[Exception]) -> None:
    assert read_answer(by_post(a_logout_answer(), key=SUPPLIER_KEY)).is_out
    with pytest.raises(refusal):
        read_answer(by_post(a_logout_answer(**changes), key=SUPPLIER_KEY))


class TestEnvelope:
    SOAP = f"{{{n.SOAP}}}"

    def refused(self, check: str, *parts: Element, tag: str = "Envelope") -> None:
        envelope = build_element(self.SOAP + tag, {}, *parts, nsmap={"soap": n.SOAP})
        with pytest.raises(MessageUnreadable) as raised:
            arrive(serialize(envelope))
        assert raised.value.check == check

    def body(self, *held: Element) -> Element:
        return build_element(self.SOAP + "Body", {}, *held, nsmap={"soap": n.SOAP})

    def test_shape(self) -> None:
        whole = self.body(a_logout_request())
        self.refused("envelope", self.body(a_logout_request()), tag="Other")
        self.refused("envelope")
        self.refused("envelope", whole, build_element(self.SOAP + "Header"))
        self.refused("envelope-body", self.body())
        self.refused("envelope-body", self.body(a_logout_request(), a_logout_request(ID="_b")))

    def test_header_that_must_be_understood(self) -> None:
        must = build_element(
            "{urn:x:ours}Must", {self.SOAP + "mustUnderstand": "1"}, nsmap={"soap": n.SOAP}
        )
        header = build_element(self.SOAP + "Header", {}, must, nsmap={"soap": n.SOAP})
        self.refused("envelope-header", header, self.body(a_logout_request()))

    def test_the_message_inside_fits_its_schema(self) -> None:
        self.refused("schema", self.body(a_logout_request(Unknown="x")))
        self.refused("unique-ids", self.body(a_logout_request(a_name(ID=REQUEST_ID))))

    def test_bytes(self) -> None:
        for wrong, check in ((b"<a", "well-formed"), (b"<" + b"x" * 70_000, "size")):
            with pytest.raises(MessageUnreadable) as raised:
                arrive(wrong)
            assert raised.value.check == check


class TestSent:
    def test_a_request_is_what_we_would_accept(self) -> None:
        name = NameIdentifier("p", n.NAMEID_PERSISTENT, BROKER_IDP, SUPPLIER_ENTITY)
        for index in ("_index", None):
            root = build_logout_request(
                message_id=REQUEST_ID,
                entity_id=BROKER_IDP,
                destination=IDP_SLO,
                name=name,
                session_index=index,
                now=NOW,
            )
            request = read(by_post(root, key=SUPPLIER_KEY))
            assert request.name == name
            assert request.session_indexes == (() if index is None else (index,))
            assert request.usable_until == NOW + LOGOUT_LIFETIME + CLOCK_SKEW

    def test_a_name_without_format(self) -> None:
        root = build_logout_request(
            message_id=REQUEST_ID,
            entity_id=BROKER_IDP,
            destination=IDP_SLO,
            name=NameIdentifier("p"),
            session_index=None,
            now=NOW,
        )
        assert read(by_post(root, key=SUPPLIER_KEY)).name == NameIdentifier("p")

    def test_an_answer_is_what_we_would_accept(self) -> None:
        for destination in (SOAP_SLO, None):
            root = build_logout_answer(
                message_id="_answer",
                entity_id=BROKER_IDP,
                destination=destination,
                in_response_to=REQUEST_ID,
                status=(n.STATUS_SUCCESS, n.STATUS_PARTIAL_LOGOUT),
                now=NOW,
            )
            assert read_answer(by_soap(root, key=SUPPLIER_KEY)) == LogoutAnswer(is_out=False)

    def test_a_fault_tells_the_code_alone(self) -> None:
        assert b"<faultstring>E-LOGOUT-23</faultstring>" in build_fault("E-LOGOUT-23")
        with pytest.raises(MessageUnreadable):
            arrive(build_fault("E-LOGOUT-23"))


@given(st.binary(max_size=200))
def test_any_bytes_give_a_refusal(rubbish: bytes) -> None:
    for message in (b"SAMLRequest=" + rubbish, [("SAMLResponse", rubbish.hex())]):
        with pytest.raises(MessageUnreadable):
            decode_logout(message, xml=XML)
    with pytest.raises(MessageUnreadable):
        decode_envelope(rubbish, xml=XML)


def test_a_suppliers_mistake_is_the_suppliers_task() -> None:
    pairs = {
        r.LogoutMalformed: r.SupplierLogoutMalformed,
        r.LogoutSenderUnknown: r.SupplierLogoutSenderUnknown,
        r.LogoutForSomebodyElse: r.SupplierLogoutForSomebodyElse,
        r.LogoutOutOfTime: r.SupplierLogoutOutOfTime,
        r.LogoutUsed: r.SupplierLogoutUsed,
        r.LogoutNotAsked: r.SupplierLogoutNotAsked,
    }
    for school, supplier in pairs.items():
        with pytest.raises(supplier), sent_by_supplier():
            raise school("check")


def _place(by: Any) -> dict[str, str]:
    return {"Destination": SOAP_SLO} if by is by_soap else {}
