"""Suppliers, their systems, and agreements: every refusal, and what sound documents compile to."""

import json
from datetime import date
from typing import Any

import pytest

from broker.domain.agreements import GroupRule, Stopped, StoppedBy
from broker.domain.attributes import AttributeName
from broker.domain.documents import Kind
from broker.domain.federation import Supplier, SupplierApi
from broker.domain.relying_parties import OidcClient, SamlServiceProvider
from broker.flow.federation.agreements import AGREEMENT_CHECKS
from broker.flow.federation.suppliers import RELYING_PARTY_CHECKS, SUPPLIER_CHECKS
from tests.builders_saml import SUPPLIER_KEY
from tests.flow.federation_builders import (
    JWKS,
    Table,
    a_client,
    a_federation,
    a_service_provider,
    a_supplier,
    an_agreement,
    apply,
    problems_of,
    sp_metadata,
    stated,
    without,
)

WITHOUT_KEYS = sp_metadata("https://taaltuin.example", keys=False)
HASH = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"


def compiled(supplier: Table, **files: str) -> Supplier:
    record = apply([stated(Kind.SUPPLIER, supplier, **files)]).records[Kind.SUPPLIER, "rekenrijk"]
    assert isinstance(record, Supplier)
    return record


def client_of(party: Table) -> OidcClient:
    protocol = compiled(a_supplier(party)).relying_parties[0].protocol
    assert isinstance(protocol, OidcClient)
    return protocol


def provider_of(party: Table) -> SamlServiceProvider:
    protocol = compiled(a_supplier(party)).relying_parties[0].protocol
    assert isinstance(protocol, SamlServiceProvider)
    return protocol


def paths_of(supplier: Table) -> list[str]:
    return [path for _, path, _ in problems_of([stated(Kind.SUPPLIER, supplier)])]


def test_checks_are_counted() -> None:
    counts = len(SUPPLIER_CHECKS), len(RELYING_PARTY_CHECKS), len(AGREEMENT_CHECKS)
    assert counts == (4, 12, 3)


def test_a_sound_supplier_compiles() -> None:
    record = compiled(a_supplier(a_client(), a_service_provider()))
    assert record.display_name == record.legal_name == "RekenRijk B.V."
    assert record.epoch == "a"
    client, provider = record.relying_parties
    assert isinstance(client.protocol, OidcClient)
    assert client.protocol.authentication == "private_key_jwt"
    assert client.start_url == "https://rekenrijk.example/"
    assert isinstance(provider.protocol, SamlServiceProvider)
    assert provider.start_url == "https://taaltuin.example/"
    assert provider.protocol.signing_certificates == (SUPPLIER_KEY.certificate,)


def test_where_links_may_lead_is_kept_as_stated() -> None:
    places = {
        "initiate_login_uri": "https://rekenrijk.example/go?by=link",
        "start_targets": ["https://rekenrijk.example/les/"],
    }
    for party in (a_client(**places), a_service_provider(**places)):
        kept = compiled(a_supplier(party)).relying_parties[0]
        assert kept.initiate_login_uri == places["initiate_login_uri"]
        assert kept.start_targets == ("https://rekenrijk.example/les/",)


def test_who_may_ask_whether_somebody_is_logged_in_says_where_it_hears() -> None:
    place = "https://rekenrijk.example/answer"
    for party in (
        a_client(session_answer_url=place),
        a_service_provider(session_answer_url=place),
    ):
        kept = compiled(a_supplier(party, may_ask_session=True))
        assert kept.may_ask_session
        assert kept.relying_parties[0].session_answer_url == place
    assert not compiled(a_supplier()).may_ask_session
    assert compiled(a_supplier()).relying_parties[0].session_answer_url == ""


def test_a_start_url_is_kept_as_stated() -> None:
    party = a_client(start_url="https://rekenrijk.example/begin")
    assert compiled(a_supplier(party)).relying_parties[0].start_url == party["start_url"]


def test_keys_and_metadata_may_stand_beside_the_document() -> None:
    supplier = a_supplier(a_client(jwks="k.json"), a_service_provider(metadata="m.xml"))
    files = {
        "relying_party[0].jwks": json.dumps(JWKS),
        "relying_party[1].metadata": sp_metadata("https://taaltuin.example"),
    }
    record = compiled(supplier, **files)
    assert isinstance(record.relying_parties[0].protocol, OidcClient)
    assert record.relying_parties[0].protocol.jwks == files["relying_party[0].jwks"]


@pytest.mark.parametrize(
    ("attribute", "refused"),
    [
        ([{"name": "givenName", "purpose": "x"}], False),
        ([{"name": "shoeSize", "purpose": "x"}], True),
        ([{"name": "PGN", "purpose": "x"}], True),
        ([{"name": "eckId", "purpose": "x"}], True),
        ([{"name": "employeeNumber", "purpose": "x"}], True),
        ([{"name": "sn", "purpose": "x"}, {"name": "sn", "purpose": "y"}], True),
    ],
)
def test_what_may_be_declared(attribute: list[Table], refused: bool) -> None:
    index = len(attribute) - 1
    expected = [f"attribute[{index}].name"] if refused else []
    assert paths_of(a_supplier(attribute=attribute)) == expected


def test_an_entitled_supplier_may_declare_the_eck_id_and_nobody_the_pgn() -> None:
    eck_id, pgn = ({"name": name, "purpose": "x"} for name in ("eckId", "hPGN"))
    assert paths_of(a_supplier(attribute=[eck_id], eck_id_entitled=True)) == []
    assert paths_of(a_supplier(attribute=[pgn], eck_id_entitled=True)) == ["attribute[0].name"]


NEXT_SECRET, SAN_DNS = "next_client_secret_hash", "certificate_san_dns"
SAN_URI, BOUND = "certificate_san_uri", "dpop_bound_access_tokens"
BY_SECRET: Table = {"authentication": "client_secret_post", "client_secret_hash": HASH}


@pytest.mark.parametrize(
    ("party", "key"),
    [
        (a_client(metadata="<x/>"), "metadata"),
        (a_client(encrypt_assertions=True), "encrypt_assertions"),
        (a_service_provider(client_id="x"), "client_id"),
        (a_service_provider(jwks=JWKS), "jwks"),
        (without(a_client(), "client_id"), "client_id"),
        (without(a_client(), "redirect_uris"), "redirect_uris"),
        (without(a_service_provider(), "entity_id"), "entity_id"),
        (without(a_service_provider(), "metadata"), "metadata"),
        (a_client(client_id="reken rijk"), "client_id"),
        (a_client(client_id="x" * 256), "client_id"),
        (a_client(redirect_uris=["http://rekenrijk.example/cb"]), "redirect_uris[0]"),
        (a_client(redirect_uris=["https://rekenrijk.example/cb#x"]), "redirect_uris[0]"),
        (a_client(start_url="http://rekenrijk.example/"), "start_url"),
        (a_client(initiate_login_uri="http://rekenrijk.example/go"), "initiate_login_uri"),
        (a_client(start_targets=["http://rekenrijk.example/"]), "start_targets[0]"),
        (a_client(session_answer_url="https://rekenrijk.example/answer"), "session_answer_url"),
        (a_client(start_targets=["https://rekenrijk.example/les"]), "start_targets[0]"),
        (a_client(start_targets=["https://rekenrijk.example"]), "start_targets[0]"),
        (a_client(start_targets=["https://rekenrijk.example/?a=/"]), "start_targets[0]"),
        (a_client(authentication="client_secret_basic", client_secret_hash=HASH), "authentication"),
        (a_client(profile="compat", authentication="client_secret_basic"), "client_secret_hash"),
        (a_client(client_secret_hash=HASH), "client_secret_hash"),
        (a_client(profile="compat", client_secret_hash=HASH), "client_secret_hash"),
        (a_client(profile="compat", **BY_SECRET, next_client_secret_hash=HASH), NEXT_SECRET),
        (
            without(
                a_client(profile="native", authentication="none", next_client_secret_hash=HASH),
                "jwks",
            ),
            NEXT_SECRET,
        ),
        (a_client(authentication="tls_client_auth"), "certificate_subject_dn"),
        (a_client(certificate_san_dns="a.example", authentication="private_key_jwt"), SAN_DNS),
        (a_client(certificate_san_dns="a.example", certificate_san_uri="urn:x"), SAN_URI),
        (a_client(certificate_subject_dn="no name"), "certificate_subject_dn"),
        (a_client(certificate_san_ip="192.0.2"), "certificate_san_ip"),
        (a_client(certificate_san_dns=" a.example"), SAN_DNS),
        (a_client(dpop_bound_access_tokens=True, certificate_bound_access_tokens=True), BOUND),
        (
            without(a_client(authentication="self_signed_tls_client_auth"), "jwks"),
            "jwks",
        ),
        (without(a_client(), "jwks"), "jwks"),
        (a_client(jwks_uri="https://rekenrijk.example/keys"), "jwks"),
        (a_client(jwks={"keys": []}), "jwks"),
        (a_client(jwks='{"keys": [{"kty": "EC", "d": "x"}]}'), "jwks"),
        (a_service_provider(metadata="<no/>"), "metadata"),
        (a_service_provider(entity_id="https://another.example"), "metadata"),
        (a_service_provider(encrypt_assertions=True, metadata=WITHOUT_KEYS), "metadata"),
        (
            a_service_provider(require_signed_requests=True, metadata=WITHOUT_KEYS),
            "require_signed_requests",
        ),
        (
            a_client(frontchannel_logout_uri="https://elsewhere.example/out"),
            "frontchannel_logout_uri",
        ),
        (
            a_client(frontchannel_logout_uri="https://rekenrijk.example:8443/out"),
            "frontchannel_logout_uri",
        ),
    ],
)
def test_a_system_is_refused(party: Table, key: str) -> None:
    assert paths_of(a_supplier(party)) == [f"relying_party[0].{key}"]


@pytest.mark.parametrize(
    "party",
    [
        a_client(redirect_uris=["http://localhost:9000/cb", "http://127.0.0.1/cb"]),
        a_client(frontchannel_logout_uri="https://rekenrijk.example/out?x=y"),
        a_client(client_id="x" * 255),
        without(a_client(jwks_uri="https://rekenrijk.example/keys"), "jwks"),
        a_service_provider(metadata=WITHOUT_KEYS),
        a_service_provider(encrypt_assertions=True, require_signed_requests=True),
    ],
)
def test_what_is_close_to_a_refusal_is_fine(party: Table) -> None:
    assert paths_of(a_supplier(party)) == []


APP = without(a_client(profile="native"), "jwks")


@pytest.mark.parametrize(
    ("party", "keys"),
    [
        (a_client(profile="native"), ["jwks"]),
        (APP | {"authentication": "private_key_jwt"}, ["authentication", "jwks"]),
        (a_client(authentication="none"), ["authentication", "jwks"]),
        (a_client(profile="fapi2", id_token_algorithm="RS256"), ["id_token_algorithm"]),
        (
            a_client(profile="fapi2", userinfo_algorithm="RS256", id_token_algorithm="PS256"),
            ["userinfo_algorithm"],
        ),
        (
            a_client(profile="nlgov", access_tokens="opaque", id_token_algorithm="RS256"),
            ["access_tokens"],
        ),
        (
            a_client(profile="nlgov", id_token_algorithm="RS256", refresh_hours=25),
            ["refresh_hours"],
        ),
        (a_client(refresh_hours=721), ["refresh_hours"]),
        (a_client(refresh_idle_hours=1), ["refresh_idle_hours"]),
        (a_client(refresh_hours=720, refresh_idle_hours=169), ["refresh_idle_hours"]),
        (APP | {"redirect_uris": ["http://localhost/cb"]}, ["redirect_uris[0]"]),
        (APP | {"redirect_uris": ["http://supplier.example/cb"]}, ["redirect_uris[0]"]),
        (APP | {"redirect_uris": ["http://127.0.0.1/cb#x"]}, ["redirect_uris[0]"]),
        (APP | {"redirect_uris": ["app:/cb"]}, ["redirect_uris[0]"]),
        (APP | {"redirect_uris": ["javascript:alert(1)"]}, ["redirect_uris[0]"]),
        (APP | {"redirect_uris": ["nl.supplier.app:/cb#x"]}, ["redirect_uris[0]"]),
        (APP | {"redirect_uris": ["https://user@supplier.example/cb"]}, ["redirect_uris[0]"]),
        (a_client(redirect_uris=["nl.supplier.app:/cb"]), ["redirect_uris[0]"]),
        (APP | {"require_pushed_requests": True}, ["require_pushed_requests"]),
    ],
)
def test_what_a_profile_does_not_allow_is_refused(party: Table, keys: list[str]) -> None:
    assert paths_of(a_supplier(party)) == [f"relying_party[0].{key}" for key in keys]


@pytest.mark.parametrize("state", ["test", "production"])
def test_an_app_compiles(state: str) -> None:
    places = ["nl.supplier.app:/cb", "http://127.0.0.1/cb", "http://[::1]:80/cb", "https://x.nl/cb"]
    (party,) = compiled(a_supplier(APP | {"redirect_uris": places}, state=state)).relying_parties
    assert isinstance(party.protocol, OidcClient)
    assert (party.protocol.authentication, party.start_url) == ("none", "")
    assert party.protocol.redirect_uris == tuple(places)
    (party,) = compiled(a_supplier(APP | {"redirect_uris": places[3:]})).relying_parties
    assert party.start_url == "https://x.nl/"


def test_what_is_said_of_tokens_compiles() -> None:
    stated = {"access_tokens": "jwt", "refresh_hours": 24, "refresh_idle_hours": 6}
    client = client_of(a_client(userinfo_algorithm="PS256", id_token_algorithm="EdDSA", **stated))
    assert (client.userinfo_algorithm, client.id_token_algorithm) == ("PS256", "EdDSA")
    assert {name: getattr(client, name) for name in stated} == stated


@pytest.mark.parametrize("profile", ["strict", "compat", "nlgov", "fapi2"])
def test_a_client_with_a_key_may_have_any_profile_but_that_of_apps(profile: str) -> None:
    assert client_of(a_client(profile=profile)).profile == profile


def test_every_system_s_problems_are_found_at_once() -> None:
    bad_metadata = a_service_provider(metadata="<no/>")
    other = a_service_provider(id="b", entity_id="https://b.example")
    assert paths_of(a_supplier(bad_metadata, other)) == [
        "relying_party[0].metadata",
        "relying_party[1].metadata",
    ]


def test_production_knows_no_http() -> None:
    def production(redirect: str, acs: str) -> list[str]:
        provider = a_service_provider(metadata=sp_metadata("https://taaltuin.example", acs=acs))
        parties = a_client(redirect_uris=[redirect]), provider
        return paths_of(a_supplier(*parties, state="production"))

    assert production("https://x.example/cb", "https://x.example/acs") == []
    assert production("http://localhost/cb", "https://x.example/acs") == [
        "relying_party[0].redirect_uris[0]"
    ]
    assert production("https://x.example/cb", "http://localhost/acs") == [
        "relying_party[1].metadata"
    ]


def test_a_client_with_nothing_but_a_secret_authenticates_by_it() -> None:
    party = without(a_client(profile="compat", client_secret_hash=HASH), "jwks")
    assert client_of(party).authentication == "client_secret_basic"
    assert client_of(party | {"authentication": "client_secret_basic"}) == client_of(party)
    strict = party | {"profile": "strict"}
    assert paths_of(a_supplier(strict)) == [
        "relying_party[0].client_secret_hash",
        "relying_party[0].jwks",
    ]


@pytest.mark.parametrize("signed", [True, False])
def test_signed_requests_are_asked_by_document_or_metadata(signed: bool) -> None:
    party = a_service_provider(require_signed_requests=signed)
    assert provider_of(party).require_signed_requests is signed


def test_populations_count_once() -> None:
    attribute = {"name": "sn", "purpose": "x", "populations": ["pupil", "pupil"]}
    assert compiled(a_supplier(attribute=[attribute])).attributes[0].populations == ("pupil",)


@pytest.mark.parametrize(
    ("agreement", "path"),
    [
        (without(an_agreement(), "school"), "school"),
        (an_agreement(board="stichting"), "school"),
        (an_agreement(approved=["shoeSize"]), "approved[0]"),
        (an_agreement(approved=["sn", "stampseudonym"]), "approved[1]"),
        (an_agreement(until=date(2024, 7, 31)), "until"),
        (an_agreement(approved_staff=["sn", "shoeSize"]), "approved_staff[1]"),
        (
            an_agreement(for_groups=[{"groups": ["3A"], "approved": ["pgn"]}]),
            "for_groups[0].approved[0]",
        ),
    ],
)
def test_an_agreement_is_refused(agreement: Table, path: str) -> None:
    assert [found[1] for found in problems_of(a_federation(agreement=agreement))] == [path]


@pytest.mark.parametrize(
    "agreement",
    [
        without(an_agreement(), "approved"),
        an_agreement(until=date(2024, 8, 1)),
        without(an_agreement(board="stichting"), "school"),
    ],
)
def test_an_agreement_compiles(agreement: Table) -> None:
    store = apply(a_federation(agreement=agreement))
    (record,) = (each for key, each in store.records.items() if key[0] is Kind.AGREEMENT)
    assert record.supplier == "rekenrijk"
    assert record.first_day == date(2024, 8, 1)
    assert record.is_in_force(date(2024, 8, 1))


def test_an_agreement_says_of_whom_and_by_whom_it_was_stopped() -> None:
    agreement = an_agreement(
        approved_staff=["sn"],
        for_groups=[{"groups": ["3A", "3B"], "approved": ["initials"]}, {"groups": ["3C"]}],
        sheet=3,
        stopped={"by": "board", "on": date(2024, 9, 1)},
    )
    supplier = a_supplier(sheet={"version": 3})
    store = apply(a_federation(agreement=agreement, supplier=supplier))
    (record,) = (each for key, each in store.records.items() if key[0] is Kind.AGREEMENT)
    assert record.approved_staff == {"sn"}
    assert record.group_rules == (
        GroupRule(frozenset({"3A", "3B"}), frozenset({AttributeName("initials")})),
        GroupRule(frozenset({"3C"}), frozenset()),
    )
    assert record.sheet == 3
    assert record.stopped == Stopped(StoppedBy.BOARD, date(2024, 9, 1))
    assert record.is_in_force(date(2024, 8, 31))
    assert not record.is_in_force(date(2024, 9, 1))


def test_an_agreement_is_signed_on_a_sheet_that_there_is() -> None:
    def paths(sheet: int) -> list[str]:
        supplier = a_supplier(sheet={"version": 2})
        agreement = an_agreement(sheet=sheet)
        found = problems_of(a_federation(agreement=agreement, supplier=supplier))
        return [path for _, path, _ in found]

    assert (paths(1), paths(2), paths(3)) == ([], [], ["sheet"])


def test_the_eck_id_is_approved_for_entitled_suppliers_and_with_an_end() -> None:
    def paths(*, entitled: bool, until: date | None) -> list[str]:
        agreement = an_agreement(approved=["eckId"]) | ({"until": until} if until else {})
        supplier = a_supplier(eck_id_entitled=entitled)
        found = problems_of(a_federation(agreement=agreement, supplier=supplier))
        return [path for _, path, _ in found]

    end = date(2030, 7, 31)
    assert paths(entitled=True, until=end) == []
    assert paths(entitled=True, until=None) == ["approved[0]"]
    assert paths(entitled=False, until=end) == ["approved[0]"]


def test_an_api_compiles() -> None:
    api = {"id": "lessons", "resource": "https://rekenrijk.example/lessons"}
    assert compiled(a_supplier(api=[api])).apis == (SupplierApi(**api),)
    (asking,) = compiled(a_supplier(api=[api | {"jwks": JWKS}])).apis
    assert asking.program is not None
    assert (asking.program.id, asking.program.purposes) == (api["resource"], ())
    published = "https://rekenrijk.example/jwks"
    (asking,) = compiled(a_supplier(api=[api | {"jwks_uri": published}])).apis
    assert asking.program is not None
    assert asking.program.jwks_uri == published


@pytest.mark.parametrize(
    ("api", "path"),
    [
        ({"id": "lessons", "resource": "https://other.example/"}, "api[1].id"),
        ({"id": "two", "resource": "http://other.example/"}, "api[1].resource"),
        ({"id": "two", "resource": "https://other.example/#part"}, "api[1].resource"),
        ({"id": "two", "resource": "https://two.example/", "jwks": {"keys": []}}, "api[1].jwks"),
        (
            {"id": "two", "resource": "https://two.example/", "jwks_uri": "http://two.example/"},
            "api[1].jwks_uri",
        ),
        (
            {
                "id": "two",
                "resource": "https://two.example/",
                "jwks": JWKS,
                "jwks_uri": "https://two.example/",
            },
            "api[1].jwks",
        ),
    ],
)
def test_an_api_is_stated_once_and_over_https(api: Table, path: str) -> None:
    first = {"id": "lessons", "resource": "https://rekenrijk.example/lessons"}
    assert paths_of(a_supplier(api=[first, api])) == [path]


def test_signed_and_pushed_requests_compile() -> None:
    client = client_of(
        a_client(
            request_object_algorithm="PS256",
            request_uris=["https://rekenrijk.example/object"],
            require_pushed_requests=True,
            require_signed_requests=True,
        )
    )
    assert client.request_object_algorithm == "PS256"
    assert client.request_uris == ("https://rekenrijk.example/object",)
    assert (client.require_pushed, client.require_signed_request) == (True, True)
    plain = client_of(a_client())
    assert (plain.request_object_algorithm, plain.request_uris) == (None, ())
    assert (plain.require_pushed, plain.require_signed_request) == (False, False)


SECRET_ONLY = {"profile": "compat", "client_secret_hash": HASH, "jwks": None}
NATIVE = {"profile": "native", "authentication": "none", "jwks": None}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"request_uris": ["http://rekenrijk.example/o"]}, "request_uris[0]"),
        ({"request_uris": ["https://rekenrijk.example/o#x"]}, "request_uris[0]"),
        ({**SECRET_ONLY, "require_signed_requests": True}, "jwks"),
        ({**SECRET_ONLY, "request_uris": ["https://rekenrijk.example/o"]}, "jwks"),
        ({"profile": "fapi2", "request_object_algorithm": "RS256"}, "request_object_algorithm"),
    ],
)
def test_what_signed_requests_need(changes: Table, path: str) -> None:
    party = a_client(**{name: each for name, each in changes.items() if each is not None})
    if changes.get("jwks", "") is None:
        party = without(party, "jwks")
    assert paths_of(a_supplier(party)) == [f"relying_party[0].{path}"]


@pytest.mark.parametrize("name", ["require_signed_requests", "request_uris"])
def test_an_app_signs_no_requests(name: str) -> None:
    value: Any = True if name == "require_signed_requests" else ["https://rekenrijk.example/o"]
    assert f"relying_party[0].{name}" in paths_of(
        a_supplier(a_client(profile="native", authentication="none", **{name: value}))
    )


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        ({"certificate_subject_dn": "CN=rijk,C=NL"}, "subject_dn"),
        ({"certificate_san_dns": "a.example"}, "san_dns"),
        ({"certificate_san_uri": "urn:oin:1"}, "san_uri"),
        ({"certificate_san_ip": "2001:db8::1"}, "san_ip"),
        ({"certificate_san_email": "a@rijk.example"}, "san_email"),
    ],
)
def test_one_name_of_a_certificate_is_registered(stated: Table, kind: str) -> None:
    client = client_of(without(a_client(**stated, certificate_bound_access_tokens=True), "jwks"))
    assert client.authentication == "tls_client_auth"
    assert client.certificate_name is not None
    assert client.certificate_name.kind == kind
    assert client.certificate_name.value in stated.values()
    assert (client.certificate_bound, client.dpop_bound) == (True, False)


def test_two_secrets_stand_side_by_side_while_one_changes() -> None:
    after = "0" * 64
    party = a_client(profile="compat", **BY_SECRET, next_client_secret_hash=after)
    client = client_of(without(party, "jwks"))
    assert (client.secret_hash, client.next_secret_hash) == (HASH, after)
    assert client.authentication == "client_secret_post"


def test_a_client_of_a_self_signed_certificate_states_its_keys() -> None:
    client = client_of(a_client(authentication="self_signed_tls_client_auth"))
    assert client.jwks
    assert client.certificate_name is None
