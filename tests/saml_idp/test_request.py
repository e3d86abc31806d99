"""A supplier's AuthnRequest: what is accepted, every check, and who learns of a refusal."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.registry import Registry
from broker.domain.relying_parties import OidcClient
from broker.saml_idp import refusals as r
from broker.saml_idp.checks import REQUEST_CHECKS, REQUEST_MAX_AGE
from broker.saml_idp.request import CheckedAuthnRequest
from broker.saml_idp.scoping import LISTED_MAX
from broker.saml_xml import names as n
from broker.saml_xml.clock import CLOCK_SKEW
from broker.saml_xml.elements import build_element, serialize
from broker.saml_xml.instants import format_instant
from broker.saml_xml.refusals import (
    SupplierMessageUnreadable,
    SupplierNoKeyRegistered,
    SupplierSignatureRefused,
)
from tests.builders_saml import (
    NOW,
    REQUEST_ID,
    SECOND,
    STRANGER_KEY,
    SUPPLIER_ACS,
    SUPPLIER_ENTITY,
    SUPPLIER_KEY,
    XML,
    a_registry,
    a_response,
    a_service_provider,
    an_authn_request,
    as_form,
    as_query,
    saml,
    samlp,
)
from tests.saml_idp.asking import a_policy, check, refused

OTHER = "https://somebody-else.example/acs"


class TestAccepted:
    def test_by_redirect_and_by_post_signed_and_not(self) -> None:
        for message in (
            as_query(an_authn_request()),
            as_query(an_authn_request(), key=SUPPLIER_KEY),
            as_form(an_authn_request()),
            as_form(an_authn_request(), key=SUPPLIER_KEY),
        ):
            assert check(message) == CheckedAuthnRequest(
                relying_party="taaltuin",  # type: ignore[arg-type]
                request_id=REQUEST_ID,
                acs_url=SUPPLIER_ACS,
                relay_state="les-3",
            )

    def test_by_redirect_with_a_signature_inside_besides(self) -> None:
        request = an_authn_request()
        XML.sign(request, key=SUPPLIER_KEY.signing)
        assert check(as_query(request)).request_id == REQUEST_ID

    def test_any_of_its_keys_signs_during_a_roll_over(self) -> None:
        both = (STRANGER_KEY.certificate, SUPPLIER_KEY.certificate)
        provider = a_service_provider(signing_certificates=both, require_signed_requests=True)
        for key in (STRANGER_KEY, SUPPLIER_KEY):
            for message in (
                as_query(an_authn_request(), key=key),
                as_form(an_authn_request(), key=key),
            ):
                assert check(message, provider=provider).request_id == REQUEST_ID

    def test_everything_that_a_request_may_ask(self) -> None:
        wanted = build_element(
            samlp("RequestedAuthnContext"),
            {"Comparison": "exact"},
            build_element(saml("AuthnContextClassRef"), text=n.AUTHN_PASSWORD),
            build_element(saml("AuthnContextClassRef"), text=n.AUTHN_UNSPECIFIED),
            build_element(saml("AuthnContextClassRef"), text="urn:" + "x" * 2000),
        )
        entries = [
            build_element(samlp("IDPEntry"), {"ProviderID": each})
            for each in ("https://login.vuurvogel.example", "11AA", "vuurvogel.example")
        ]
        scoping = build_element(
            samlp("Scoping"),
            {},
            build_element(samlp("IDPList"), {}, *entries),
            build_element(samlp("RequesterID"), text="https://behind.example"),
        )
        checked = check(
            an_authn_request(
                a_policy(Format=n.NAMEID_TRANSIENT, AllowCreate="false"),
                wanted,
                scoping,
                ForceAuthn="1",
                IsPassive="true",
            )
        )
        assert checked.force_login
        assert checked.passive
        assert checked.max_age_seconds is None
        assert checked.name_id_transient
        assert checked.requested_authn_contexts == (n.AUTHN_PASSWORD, n.AUTHN_UNSPECIFIED)
        assert checked.hints == ("https://login.vuurvogel.example", "11AA", "vuurvogel.example")

    def test_false_is_false(self) -> None:
        checked = check(an_authn_request(ForceAuthn="false", IsPassive="0"))
        assert not checked.force_login
        assert not checked.passive

    @pytest.mark.parametrize("said", ["true", "1", " true", "1\t", "\r\n true "])
    def test_true_with_whitespace_around_it_is_true(self, said: str) -> None:
        """The schema lets it through, and whoever wrote it asks for a new login."""
        checked = check(an_authn_request(ForceAuthn=said, IsPassive=said))
        assert checked.force_login
        assert checked.passive

    def test_scoping_without_list_and_overlong_hints(self) -> None:
        assert check(an_authn_request(build_element(samlp("Scoping")))).hints == ()
        entries = [
            build_element(samlp("IDPEntry"), {"ProviderID": each})
            for each in ("x" * 2000, *("11AA",) * 2 * LISTED_MAX)
        ]
        scoping = build_element(samlp("Scoping"), {}, build_element(samlp("IDPList"), {}, *entries))
        assert check(an_authn_request(scoping)).hints == ("11AA",) * (LISTED_MAX - 1)

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
    def test_relay_state_is_kept_exactly(self, relay_state: str) -> None:
        for message in (
            as_query(an_authn_request(), relay_state=relay_state),
            as_form(an_authn_request(), relay_state=relay_state),
        ):
            assert check(message).relay_state == relay_state

    def test_no_relay_state_is_none(self) -> None:
        assert check(as_query(an_authn_request(), relay_state=None)).relay_state is None
        assert check(as_form(an_authn_request(), relay_state=None)).relay_state is None

    def test_it_can_be_stored_and_shows_nothing(self) -> None:
        checked = check()
        stored = msgspec.json.encode(checked)
        assert msgspec.json.decode(stored, type=CheckedAuthnRequest) == checked
        for shown in (repr(checked), repr(checked.answer_to), str(checked.__rich_repr__())):
            assert "taaltuin" in shown
            assert "les-3" not in shown
            assert REQUEST_ID not in shown


class TestSender:
    def test_is_authn_request(self) -> None:
        response = as_form(a_response())[0][1]
        refused(r.RequestMalformed, "check_is_authn_request", [("SAMLRequest", response)])

    def test_a_response_by_redirect_is_no_request(self) -> None:
        query = as_query(an_authn_request()).replace(b"SAMLRequest", b"SAMLResponse")
        refused(SupplierMessageUnreadable, "one-message", query)

    def test_issuer_stated(self) -> None:
        refused(r.RequestMalformed, "check_issuer_stated", an_authn_request(issuer=None))

    def test_service_provider_registered(self) -> None:
        for issuer in (OTHER, SUPPLIER_ENTITY + "/", SUPPLIER_ENTITY.upper()):
            refused(
                r.UnknownServiceProvider,
                "check_service_provider_registered",
                an_authn_request(issuer=issuer),
            )

    def test_service_provider_speaks_saml(self) -> None:
        registry = a_registry()
        (party,) = registry.relying_parties.values()
        client = OidcClient(client_id="x", redirect_uris=())
        registry = _with_party(registry, msgspec.structs.replace(party, protocol=client))
        refused(r.UnknownServiceProvider, "check_service_provider_registered", registry=registry)

    @pytest.mark.parametrize("disabled", ["enabled", "supplier_enabled"])
    def test_service_provider_enabled(self, disabled: str) -> None:
        states: dict[str, Any] = {disabled: False}
        refused(
            r.UnknownServiceProvider,
            "check_service_provider_enabled",
            registry=a_registry(**states),
        )

    @pytest.mark.parametrize("arrives", [as_query, as_form])
    def test_signed(self, arrives: Any) -> None:
        provider = a_service_provider(require_signed_requests=True)
        assert check(arrives(an_authn_request(), key=SUPPLIER_KEY), provider=provider)
        refused(r.RequestNotSigned, "check_signed", arrives(an_authn_request()), provider=provider)

    @pytest.mark.parametrize("arrives", [as_query, as_form])
    def test_a_signature_that_is_there_must_hold(self, arrives: Any) -> None:
        with pytest.raises(SupplierSignatureRefused):
            check(arrives(an_authn_request(), key=STRANGER_KEY))
        with pytest.raises(SupplierNoKeyRegistered):
            check(
                arrives(an_authn_request(), key=SUPPLIER_KEY),
                provider=a_service_provider(signing_certificates=()),
            )


def _with_party(registry: Registry, party: Any) -> Registry:
    return replace(registry, by_sp_entity_id={SUPPLIER_ENTITY: party})


class TestRequest:
    def test_version(self) -> None:
        refused(r.RequestMalformed, "check_version", an_authn_request(Version="1.1"))

    def test_request_id(self) -> None:
        assert check(an_authn_request(ID="_" * 256)).request_id == "_" * 256
        refused(r.RequestMalformed, "check_request_id", an_authn_request(ID="_" * 257))

    def test_destination(self) -> None:
        refused(r.RequestForSomebodyElse, "check_destination", an_authn_request(Destination=OTHER))
        assert check(an_authn_request(Destination=None))

    @pytest.mark.parametrize("arrives", [as_query, as_form])
    def test_destination_must_be_stated_when_signed(self, arrives: Any) -> None:
        message = arrives(an_authn_request(Destination=None), key=SUPPLIER_KEY)
        refused(r.RequestForSomebodyElse, "check_destination", message)

    def test_issue_instant(self) -> None:
        oldest = NOW - REQUEST_MAX_AGE - CLOCK_SKEW
        newest = NOW + CLOCK_SKEW
        for instant in (oldest, newest):
            assert check(an_authn_request(IssueInstant=format_instant(instant)))
        for instant in (oldest - SECOND, newest + SECOND, NOW - timedelta(days=700)):
            request = an_authn_request(IssueInstant=format_instant(instant))
            refused(r.RequestTooOld, "check_issue_instant", request)


class TestForm:
    def test_one_request(self) -> None:
        form = as_form(an_authn_request())
        refused(SupplierMessageUnreadable, "parameter-once", [*form, *form])
        refused(SupplierMessageUnreadable, "parameter-once", [form[1]])

    def test_one_relay_state_of_sane_size(self) -> None:
        form = as_form(an_authn_request())
        refused(SupplierMessageUnreadable, "parameter-once", [*form, ("RelayState", "other")])
        large = [form[0], ("RelayState", "x" * 2049)]
        refused(SupplierMessageUnreadable, "size", large)
        assert check([form[0], ("RelayState", "x" * 2048)]).relay_state == "x" * 2048


def test_every_check_of_the_table_has_a_test() -> None:
    for each in REQUEST_CHECKS:
        assert hasattr(TestRequest, each.__name__.replace("check_", "test_"))
    assert len(REQUEST_CHECKS) == 4


@given(st.binary(max_size=200))
def test_any_bytes_give_a_refusal(rubbish: bytes) -> None:
    for message in (rubbish, b"SAMLRequest=" + quote(rubbish).encode(), [("SAMLRequest", "x")]):
        with pytest.raises(SupplierMessageUnreadable):
            check(message)


def test_the_signature_covers_what_is_read() -> None:
    signed = as_form(an_authn_request(), key=SUPPLIER_KEY)
    changed = an_authn_request(ForceAuthn="true")
    XML.sign(changed, key=SUPPLIER_KEY.signing)
    del changed.attrib["ForceAuthn"]
    assert check(signed)
    with pytest.raises(SupplierSignatureRefused):
        check(as_form(changed))
    assert serialize(changed)
