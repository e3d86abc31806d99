"""Schools and their logins: every refusal, and what a sound document compiles to."""

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from broker.domain.announcing import Announcing
from broker.domain.attributes import ENTREE_NAMES, OIDC_NAMES
from broker.domain.documents import Kind
from broker.domain.federation import (
    ApiScope,
    OidcIdpEndpoints,
    SamlIdpEndpoints,
    SchoolFrom,
    SchoolIdp,
)
from broker.domain.school_hints import SchoolHint
from broker.domain.tolerances import Tolerance
from broker.flow.federation.attribute_names import is_restricted
from broker.flow.federation.login_checks import IDP_CHECKS
from broker.flow.federation.logins import with_built_in_names
from broker.flow.federation.schools import SCHOOL_CHECKS
from tests.flow.federation_builders import (
    JWKS,
    a_federation,
    a_saml_login,
    a_school,
    an_oidc_login,
    apply,
    discovery,
    idp_metadata,
    problems_of,
    stated,
    without,
)

SECOND_SCHOOL = stated(Kind.SCHOOL, a_school(id="regenboog", brin="33CC"))


def an_exception(name: str) -> dict[str, Any]:
    return {"name": name, "until": "2030-01-01", "reason": "y"}


def announcing(*pages: str) -> dict[str, Any]:
    return a_saml_login(announcement={"key_hashes": ["ab" * 32], "return_to": list(pages)})


def compiled_login(login: dict[str, Any], **files: str) -> SchoolIdp:
    documents = a_federation(more=[stated(Kind.IDENTITY_PROVIDER, login, **files), SECOND_SCHOOL])
    del documents[1]
    record = apply(documents).records[Kind.IDENTITY_PROVIDER, login["id"]]
    assert isinstance(record, SchoolIdp)
    return record


def paths_of(login: dict[str, Any], **compiler: Any) -> list[str]:
    found = problems_of(a_federation(login=login, more=[SECOND_SCHOOL]), **compiler)
    return [path for _, path, _ in found]


def test_checks_are_counted() -> None:
    assert (len(SCHOOL_CHECKS), len(IDP_CHECKS)) == (3, 17)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "off"),
        ({"sector": "vo"}, "on"),
        ({"shared_devices": False}, "on"),
        ({"sector": "vo", "single_sign_on": "ask"}, "ask"),
        ({"single_sign_on": "off"}, "off"),
    ],
)
def test_sessions_are_for_devices_of_ones_own(changes: Any, expected: str) -> None:
    store = apply(a_federation(school=a_school(**changes)))
    assert store.records[Kind.SCHOOL, "vuurvogel"].single_sign_on == expected


def test_a_session_on_shared_devices_is_refused() -> None:
    found = problems_of(a_federation(school=a_school(single_sign_on="ask")))
    assert [path for _, path, _ in found] == ["single_sign_on"]


@pytest.mark.parametrize(
    ("changes", "shared"),
    [({}, True), ({"sector": "vo"}, False), ({"shared_devices": False}, False)],
)
def test_children_in_po_share_devices_unless_stated(changes: Any, shared: bool) -> None:
    store = apply(a_federation(school=a_school(**changes)))
    assert store.records[Kind.SCHOOL, "vuurvogel"].shared_devices is shared


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"brin": "11AA00"}, "brin"),
        ({"branch": "11AA"}, "branch"),
        ({"branch": "22BB00"}, "branch"),
    ],
)
def test_a_branch_is_a_location_of_the_institution(changes: Any, path: str) -> None:
    assert problems_of(a_federation(school=a_school(**changes)))[0][1] == path
    assert problems_of(a_federation(school=a_school(branch="11AA00"))) == []


def a_program(**changes: Any) -> dict[str, Any]:
    return {"id": "vuurvogel-las", "purposes": ["enrolment"], "jwks": JWKS} | changes


def test_a_program_of_a_school_compiles() -> None:
    jwks = msgspec.json.encode(JWKS).decode()
    twice = a_program(purposes=["enrolment", "takeover", "enrolment"])
    store = apply(a_federation(school=a_school(api_client=[twice])))
    (program,) = store.records[Kind.SCHOOL, "vuurvogel"].api_clients
    assert (program.id, program.jwks, program.purposes) == (
        "vuurvogel-las",
        jwks,
        (ApiScope.ENROLMENT, ApiScope.TAKEOVER),
    )
    published = without(a_program(jwks_uri="https://las.example/jwks"), "jwks")
    store = apply(a_federation(school=a_school(api_client=[published])))
    (program,) = store.records[Kind.SCHOOL, "vuurvogel"].api_clients
    assert (program.jwks, program.jwks_uri) == ("", "https://las.example/jwks")


@pytest.mark.parametrize(
    ("program", "path"),
    [
        (without(a_program(), "jwks"), "jwks"),
        (a_program(jwks_uri="https://las.example/jwks"), "jwks"),
        (without(a_program(jwks_uri="http://las.example/jwks"), "jwks"), "jwks_uri"),
        (a_program(purposes=["conversion"]), "purposes"),
        (a_program(jwks={"keys": []}), "jwks"),
    ],
)
def test_a_program_has_one_key_and_a_school_s_purposes(program: Any, path: str) -> None:
    found = problems_of(a_federation(school=a_school(api_client=[program])))
    assert found[0][1] == f"api_client[0].{path}"
    assert problems_of(a_federation(school=a_school(api_client=[a_program()]))) == []


def test_keys_of_a_program_may_stand_beside_the_document() -> None:
    school = a_school(api_client=[a_program(jwks="las.json")])
    jwks = msgspec.json.encode(JWKS).decode()
    documents = a_federation()
    documents[0] = stated(Kind.SCHOOL, school, **{"api_client[0].jwks": jwks})
    (program,) = apply(documents).records[Kind.SCHOOL, "vuurvogel"].api_clients
    assert program.jwks == jwks


@pytest.mark.parametrize("login", [a_saml_login(), an_oidc_login()])
def test_a_sound_login_compiles(login: dict[str, Any]) -> None:
    record = compiled_login(login)
    kind = SamlIdpEndpoints if login["protocol"] == "saml" else OidcIdpEndpoints
    assert isinstance(record.endpoints, kind)
    assert record.school_from is SchoolFrom.FIXED


def test_metadata_may_stand_beside_the_document() -> None:
    login = a_saml_login(metadata="vuurvogel.xml")
    text = idp_metadata("https://login.vuurvogel.example")
    assert compiled_login(login, metadata=text) == compiled_login(a_saml_login())


@pytest.mark.parametrize(
    ("login", "path"),
    [
        (a_saml_login(client_id="x"), "client_id"),
        (an_oidc_login(entity_id="x"), "entity_id"),
        (without(a_saml_login(), "entity_id"), "entity_id"),
        (without(a_saml_login(), "metadata"), "metadata"),
        (without(an_oidc_login(), "issuer"), "issuer"),
        (without(an_oidc_login(), "client_id"), "client_id"),
        (without(an_oidc_login(), "algorithms"), "algorithms"),
        (an_oidc_login(schools=["vuurvogel", "vuurvogel"], school_from="attribute"), "schools[1]"),
        (an_oidc_login(schools=["vuurvogel", "regenboog"], school_from="fixed"), "school_from"),
        (an_oidc_login(school_from="domain"), "domains"),
        (an_oidc_login(domains={"x.example": "regenboog"}), "domains.x.example"),
        (
            an_oidc_login(
                schools=["vuurvogel", "regenboog"],
                domains={"x.example": "vuurvogel", "X.example": "regenboog"},
            ),
            "domains.X.example",
        ),
        (an_oidc_login(identifier="mail"), "identifier"),
        (an_oidc_login(identifier="eckId"), "identifier"),
        (an_oidc_login(attributes={"email": "employeeNumber"}), "attributes.email"),
        (an_oidc_login(attributes={"x": "shoeSize"}), "attributes.x"),
        (an_oidc_login(attributes={"bsn": "uid"}), "attributes.bsn"),
        (an_oidc_login(attributes={"uid": "shoeSize"}), "attributes.uid"),
        (
            an_oidc_login(exception=[{"name": "x", "until": "2030-01-01", "reason": "y"}]),
            "exception[0].name",
        ),
        (a_saml_login(exception=[an_exception("x")]), "exception[0].name"),
        (a_saml_login(exception=[an_exception("aes-cbc")] * 2), "exception[1].name"),
        (an_oidc_login(exception=[an_exception("aes-cbc")]), "exception[0].name"),
        (announcing("http://elo.example/"), "announcement.return_to[0]"),
        (announcing("https://elo.example/?x=/"), "announcement.return_to[0]"),
        (announcing("https://elo.example/#x"), "announcement.return_to[0]"),
        (a_saml_login(school_hint="hd"), "school_hint"),
        (an_oidc_login(school_hint="brin"), "school_hint"),
        (a_saml_login(school_hint="realm"), "domains"),
        (an_oidc_login(sign_requests=True), "sign_requests"),
        (an_oidc_login(single_logout=True), "single_logout"),
        (a_saml_login(single_logout=True), "single_logout"),
        (an_oidc_login(oidc_scopes=["profile"]), "oidc_scopes"),
        (an_oidc_login(issuer="http://login.vuurvogel.example"), "issuer"),
        (an_oidc_login(token_endpoint="https://u@x.example/#f"), "token_endpoint"),
        (an_oidc_login(jwks={"keys": []}), "jwks"),
        (an_oidc_login(jwks='{"no": 1}'), "jwks"),
        (an_oidc_login(jwks={"keys": [{"kty": "oct", "k": "AA"}]}), "jwks"),
        (a_saml_login(entity_id="https://another.example"), "metadata"),
        (a_saml_login(metadata="<no/>"), "metadata"),
    ],
)
def test_a_login_is_refused(login: dict[str, Any], path: str) -> None:
    assert paths_of(login) == [path]


def test_how_an_elo_announces_is_kept_as_stated() -> None:
    pages = ("https://elo.example/vandaag?dag=1", "https://elo.example/les/")
    kept = compiled_login(announcing(*pages)).announcing
    assert kept == Announcing(key_hashes=("ab" * 32,), return_to=pages)
    assert compiled_login(a_saml_login()).announcing is None


def test_exceptions_are_kept_with_their_end_and_reason() -> None:
    names = ["sha1-signatures", "aes-cbc", "no-name-id"]
    kept = compiled_login(a_saml_login(exception=list(map(an_exception, names)))).exceptions
    assert [each.name for each in kept] == list(Tolerance) == names
    assert {(each.last_day, each.reason) for each in kept} == {(date(2030, 1, 1), "y")}


@pytest.mark.parametrize(
    ("login", "hint"),
    [
        (a_saml_login(), None),
        (a_saml_login(school_hint="none"), SchoolHint.NONE),
        (a_saml_login(school_hint="realm", scopes=["vuurvogel.example"]), SchoolHint.REALM),
        (an_oidc_login(school_hint="hd", domains={"x.example": "vuurvogel"}), SchoolHint.HD),
    ],
)
def test_how_a_login_is_told_of_its_school(login: dict[str, Any], hint: SchoolHint | None) -> None:
    assert compiled_login(login).school_hint == hint


def test_a_login_with_a_place_to_log_out_may_be_asked_to() -> None:
    metadata = idp_metadata(
        "https://login.vuurvogel.example", slo="https://login.vuurvogel.example/slo"
    )
    login = compiled_login(a_saml_login(single_logout=True, metadata=metadata))
    assert login.single_logout
    assert not compiled_login(a_saml_login(metadata=metadata)).single_logout


@pytest.mark.parametrize(("stated", "signs"), [({}, False), ({"sign_requests": True}, True)])
def test_requests_are_signed_as_the_document_says_or_else_the_metadata(
    stated: dict[str, Any], signs: bool
) -> None:
    endpoints = compiled_login(a_saml_login(**stated)).endpoints
    assert isinstance(endpoints, SamlIdpEndpoints)
    assert endpoints.sign_requests is signs


PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


@pytest.mark.parametrize(
    ("stated", "level", "fine"),
    [
        (PASSWORD, "low", True),
        (PASSWORD, "substantial", False),
        ("urn:school:two-factors", "substantial", True),
        ("urn:school:two-factors", "high", False),
        ("http://eidas.europa.eu/LoA/low", "substantial", False),
        ("2", "gold", False),
    ],
)
def test_no_document_raises_a_level(stated: str, level: str, fine: bool) -> None:
    acr = {stated: f"http://eidas.europa.eu/LoA/{level}"}
    assert paths_of(a_saml_login(acr=acr)) == ([] if fine else [f"acr.{stated}"])
    if fine:
        assert compiled_login(a_saml_login(acr=acr)).acr == acr


@pytest.mark.parametrize(
    "changes",
    [
        {"schools": ["vuurvogel", "regenboog"]},
        {"schools": ["vuurvogel", "regenboog"], "school_from": "attribute"},
        {
            "schools": ["vuurvogel", "regenboog"],
            "school_from": "domain",
            "domains": {"V.example": "vuurvogel", "r.example": "regenboog"},
        },
        {"identifier": "uid", "attributes": {"sub": "uid", "email": "mail", "bsn": "ignore"}},
        {"attributes": {"oid": "employeeNumber", "x": "ignore"}},
        {"issuer": "http://localhost:8011"},
        {"jwks_uri": "https://login.vuurvogel.example/keys"},
    ],
)
def test_what_is_close_to_a_refusal_is_fine(changes: Any) -> None:
    assert paths_of(an_oidc_login(**changes)) == []


RESTRICTED_SPELLINGS = sorted(
    {
        (incoming, name)
        for names in (ENTREE_NAMES, OIDC_NAMES)
        for incoming, name in names.items()
        if is_restricted(name)
    }
)


@pytest.mark.parametrize(("incoming", "name"), [*RESTRICTED_SPELLINGS, ("ECKID", "eckId")])
@pytest.mark.parametrize("login", [a_saml_login, an_oidc_login])
def test_what_identifies_across_suppliers_is_not_made_free_by_a_mapping(
    login: Callable[..., dict[str, Any]], incoming: str, name: str
) -> None:
    assert paths_of(login(attributes={incoming: "nlEduPersonUnit"})) == [f"attributes.{incoming}"]
    for fine in (name, "employeeNumber", "ignore"):
        assert paths_of(login(attributes={incoming: fine})) == []


def test_every_restricted_attribute_is_guarded_in_each_of_its_names() -> None:
    assert {name for _, name in RESTRICTED_SPELLINGS} == {
        *("eckId", "uid", "employeeNumber", "nlEduPersonProfileId", "nlEduPersonRealId")
    }
    assert {"eck_id", "urn:oid:2.16.840.1.113730.3.1.3", "urn:mace:dir:attribute-def:uid"} <= {
        incoming for incoming, _ in RESTRICTED_SPELLINGS
    }


def test_several_schools_are_told_apart_by_attribute_unless_stated() -> None:
    record = compiled_login(an_oidc_login(schools=["vuurvogel", "regenboog"]))
    assert record.school_from is SchoolFrom.ATTRIBUTE


def test_domains_are_compared_in_lower_case() -> None:
    login = an_oidc_login(school_from="domain", domains={"V.Example": "vuurvogel"})
    assert compiled_login(login).domains == {"v.example": "vuurvogel"}


def test_production_knows_no_http() -> None:
    def production(issuer: str, sso: str) -> list[str]:
        oidc = stated(
            Kind.IDENTITY_PROVIDER, an_oidc_login(issuer=issuer, state="production", id="o")
        )
        saml = stated(
            Kind.IDENTITY_PROVIDER,
            a_saml_login(
                metadata=idp_metadata("https://login.vuurvogel.example", sso=sso),
                state="production",
                id="s",
            ),
        )
        school = stated(Kind.SCHOOL, a_school(state="production"))
        return [path for _, path, _ in problems_of([school, oidc, saml])]

    assert production("https://x.example", "https://x.example/sso") == []
    assert production("http://localhost:1", "http://localhost:1/sso") == ["issuer", "metadata"]


def test_endpoints_that_are_left_out_come_from_discovery_once() -> None:
    asked: list[str] = []

    def fetch(url: str) -> str:
        asked.append(url)
        return discovery()

    login = without(an_oidc_login(), "authorization_endpoint", "token_endpoint", "jwks")
    store = apply(a_federation(login=login), fetch=fetch)
    endpoints = store.records[Kind.IDENTITY_PROVIDER, "vuurvogel"].endpoints
    assert endpoints.token_endpoint == "https://login.vuurvogel.example/found/token"
    assert endpoints.jwks_uri == "https://login.vuurvogel.example/found/keys"
    apply(a_federation(login=login), store, fetch=fetch)
    assert asked == ["https://login.vuurvogel.example/.well-known/openid-configuration"]


def test_what_the_document_states_goes_before_discovery() -> None:
    login = without(an_oidc_login(), "token_endpoint")
    store = apply(a_federation(login=login), fetch=lambda _: discovery())
    endpoints = store.records[Kind.IDENTITY_PROVIDER, "vuurvogel"].endpoints
    assert endpoints.authorization_endpoint == "https://login.vuurvogel.example/authorize"
    assert endpoints.token_endpoint == "https://login.vuurvogel.example/found/token"


@pytest.mark.parametrize(
    "answer",
    [
        "no JSON",
        discovery(issuer="https://login.vuurvogel.example/"),
        discovery(token_endpoint="http://login.vuurvogel.example/token"),
        discovery(jwks_uri="javascript:x"),
    ],
)
def test_discovery_that_cannot_be_used_is_a_problem(answer: str) -> None:
    login = without(an_oidc_login(), "token_endpoint")
    assert paths_of(login, fetch=lambda _: answer) == ["issuer"]
    assert paths_of(login) == ["issuer"]  # no answer at all
    assert paths_of(login, fetch=lambda _: discovery()) == []


@pytest.mark.parametrize("by_document", [False, True])
@pytest.mark.parametrize("by_metadata", [False, True])
def test_who_states_its_issuer_says_so_itself_or_in_its_metadata(
    by_document: bool, by_metadata: bool
) -> None:
    """RFC 9207 2.4; a document that states everything has no metadata that is read."""
    found = discovery(authorization_response_iss_parameter_supported=by_metadata)

    def states(login: dict[str, Any]) -> bool:
        store = apply(a_federation(login=login), fetch=lambda _: found)
        return bool(store.records[Kind.IDENTITY_PROVIDER, "vuurvogel"].endpoints.states_issuer)

    login = an_oidc_login(states_issuer=by_document)
    assert states(without(login, "token_endpoint")) is (by_document or by_metadata)
    assert states(login) is by_document


def test_an_assertion_of_ours_is_for_the_issuer_unless_stated() -> None:
    """draft-ietf-oauth-rfc7523bis 4: the issuer is the sole audience."""

    def audience(**changes: Any) -> str:
        store = apply(a_federation(login=an_oidc_login(**changes)))
        return str(
            store.records[Kind.IDENTITY_PROVIDER, "vuurvogel"].endpoints.client_assertion_audience
        )

    assert audience() == an_oidc_login()["issuer"]
    stated = "https://login.vuurvogel.example/token"
    assert audience(client_assertion_audience=stated) == stated


def test_keys_must_come_from_somewhere() -> None:
    login = without(an_oidc_login(), "jwks")
    assert paths_of(login, fetch=lambda _: discovery(jwks_uri=None)) == ["jwks"]


def test_nothing_is_fetched_for_a_document_that_is_refused_anyway() -> None:
    login = without(an_oidc_login(identifier="mail"), "token_endpoint")
    assert paths_of(login, fetch=lambda _: pytest.fail("fetched")) == ["identifier"]


def test_a_login_s_own_names_lie_over_the_built_in_ones() -> None:
    plain = compiled_login(an_oidc_login())
    own = compiled_login(an_oidc_login(attributes={"sub": "uid"}))
    saml = compiled_login(a_saml_login())
    first, second, third, fourth = with_built_in_names([plain, plain, own, saml])
    assert first.attributes == dict(OIDC_NAMES)
    assert first.attributes is second.attributes
    assert third.attributes == {**OIDC_NAMES, "sub": "uid"}
    assert fourth.attributes == dict(ENTREE_NAMES)


def test_a_login_identifier_is_what_a_list_vouches_for() -> None:
    for name in ("sub", "mail", "uid"):
        assert compiled_login(an_oidc_login(login_identifier=name)).login_identifier == name
    assert compiled_login(an_oidc_login()).login_identifier is None
    assert paths_of(an_oidc_login(login_identifier="bsn")) == ["login_identifier"]
