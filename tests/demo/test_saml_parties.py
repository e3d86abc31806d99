"""pysaml2 school against pysaml2 supplier: the demo's two sides of SAML understand each other."""

import base64
from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace

import httpx2
import pytest
from lxml import html

from broker.demo.keys import KeyPair
from broker.demo.people import PEOPLE, REGENBOOG, SHARED_NUMBER, VUURVOGEL, made_up_eck_id
from broker.demo.saml_messages import idp_metadata
from broker.demo.saml_school import MACE_PREFIX, SamlSchool, SamlSchoolSettings
from broker.demo.saml_supplier import SamlSupplier, SamlSupplierSettings, sp_metadata
from broker.demo.start_scenarios import Text
from broker.demo.supplier import Exercises, SupplierPages
from tests.demo.browser import browser, press
from tests.demo.conftest import KnownDocument

SCHOOL = "http://school.test"
SUPPLIER = "http://supplier.test"


@pytest.fixture(scope="module", params=["plain", "strict"])
def parties(request: pytest.FixtureRequest, rsa_pairs: Mapping[str, KeyPair]) -> SimpleNamespace:
    """A school and a supplier that know each other's metadata; strict ones sign all they can."""
    strict = request.param == "strict"
    supplier = SamlSupplierSettings(
        "taaltuin",
        base_url=SUPPLIER,
        keys=rsa_pairs["supplier"],
        sign_requests=strict,
        encryption_keys=rsa_pairs["encryption"],
    )
    school = SamlSchoolSettings(
        REGENBOOG if strict else VUURVOGEL,
        SCHOOL,
        rsa_pairs["school"],
        want_signed_requests=strict,
        sign_response=strict,
        attribute_prefix=MACE_PREFIX if strict else "",
    )
    school_xml = idp_metadata(SCHOOL, keys=school.keys, want_signed_requests=strict)
    exercises = Exercises()
    pages = SupplierPages(
        "taaltuin", name="Taaltuin", tagline=Text("", ""), base_url=SUPPLIER, exercises=exercises
    )
    supplier_xml = sp_metadata(supplier)
    apps = {
        "school.test": SamlSchool(
            school, broker_metadata=KnownDocument(lambda: supplier_xml)
        ).app(),
        "supplier.test": SamlSupplier(
            supplier, pages=pages, broker_metadata=KnownDocument(lambda: school_xml)
        ).app(),
    }
    return SimpleNamespace(apps=apps, school=school, prefix=school.attribute_prefix)


@pytest.fixture
async def client(parties: SimpleNamespace) -> AsyncIterator[httpx2.AsyncClient]:
    async with browser(parties.apps) as each:
        yield each


async def log_in(
    client: httpx2.AsyncClient, pupil: str = "sanne", *, query: str = "", **fields: str
) -> httpx2.Response:
    """Return the supplier's page at the end of a login, or the school's when it stops there."""
    form = await client.get(f"{SUPPLIER}/login{query}")
    passed_on = await press(client, form, ("pupil", pupil), **fields)
    if passed_on.status_code != 200:
        return passed_on
    return await press(client, passed_on)


async def received(client: httpx2.AsyncClient) -> httpx2.Response:
    return await client.get(f"{SUPPLIER}/received.json")


async def test_a_fine_login_brings_what_the_school_knows(
    client: httpx2.AsyncClient, parties: SimpleNamespace
) -> None:
    page = await log_in(client, query="?target=/les/3")
    assert page.url.path == "/les/3"
    answer = (await received(client)).json()
    (person,) = [
        each for each in PEOPLE if each.id == "sanne" and each.school is parties.school.school
    ]
    assert answer["protocol"] == "saml"
    assert answer["subject"] == person.attributes["uid"][0]
    assert answer["claims"] == {
        parties.prefix + name: list(values) for name, values in person.attributes.items()
    }
    assert answer["claims"][parties.prefix + "eckId"] == [made_up_eck_id("sanne")]


async def test_work_stays_with_the_pseudonym(client: httpx2.AsyncClient) -> None:
    await log_in(client)
    before = html.fromstring((await client.get(SUPPLIER)).content).get_element_by_id("exercises")
    await client.post(f"{SUPPLIER}/work")
    await client.post(f"{SUPPLIER}/logout")
    assert (await received(client)).status_code == 404
    await log_in(client)
    after = html.fromstring((await client.get(SUPPLIER)).content).get_element_by_id("exercises")
    assert int(after.text) == int(before.text) + 1


@pytest.mark.parametrize("scenario", ["expired", "tampered"])
async def test_a_faulty_message_is_refused_by_a_careful_party(
    client: httpx2.AsyncClient, scenario: str
) -> None:
    page = await log_in(client, scenario=scenario)
    assert page.status_code == 403
    assert (await received(client)).status_code == 404


async def test_a_tampered_message_differs_in_its_signature_alone(
    client: httpx2.AsyncClient,
) -> None:
    """`tampered` must not be refused for another reason: the same login unchanged is accepted."""
    page = await log_in(client, scenario="tampered")
    assert "SignatureError" in page.text
    assert (await log_in(client, scenario="fine")).status_code == 200


async def test_a_cancelled_login_says_so(client: httpx2.AsyncClient) -> None:
    page = await log_in(client, scenario="cancelled")
    assert page.status_code == 403
    assert (await received(client)).json() == {"error": "StatusAuthnFailed"}


async def test_a_school_that_is_down_answers_503(client: httpx2.AsyncClient) -> None:
    assert (await log_in(client, scenario="down")).status_code == 503


@pytest.mark.parametrize(
    ("scenario", "missing"),
    [("no-eck-id", "eckId"), ("missing-attribute", "eduPersonAffiliation")],
)
async def test_a_scenario_leaves_an_attribute_out(
    client: httpx2.AsyncClient, parties: SimpleNamespace, scenario: str, missing: str
) -> None:
    await log_in(client, scenario=scenario)
    claims = (await received(client)).json()["claims"]
    assert parties.prefix + missing not in claims
    assert parties.prefix + "employeeNumber" in claims


async def test_other_school_states_a_brin_that_is_not_its_own(
    client: httpx2.AsyncClient, parties: SimpleNamespace
) -> None:
    await log_in(client, scenario="other-school")
    claims = (await received(client)).json()["claims"]
    (stated,) = claims[parties.prefix + "nlEduPersonHomeOrganizationId"]
    assert stated != parties.school.school.brin


async def test_hidden_fields_state_anything(
    client: httpx2.AsyncClient, parties: SimpleNamespace
) -> None:
    fields = {"name_id": "somebody-else", "state.eckId": "", "state.employeeNumber": "7"}
    await log_in(client, **fields)
    answer = (await received(client)).json()
    assert answer["subject"] == "somebody-else"
    assert answer["claims"][parties.prefix + "employeeNumber"] == ["7"]
    assert parties.prefix + "eckId" not in answer["claims"]


async def test_a_passive_request_gets_an_answer_without_a_form(
    client: httpx2.AsyncClient,
) -> None:
    refused = await press(client, await client.get(f"{SUPPLIER}/login?is_passive=1"))
    assert refused.status_code == 403
    assert (await received(client)).json() == {"error": "StatusNoPassive"}
    await log_in(client)
    remembered = await press(client, await client.get(f"{SUPPLIER}/login?is_passive=1"))
    assert remembered.status_code == 200
    forced = await press(client, await client.get(f"{SUPPLIER}/login?is_passive=1&force_authn=1"))
    assert forced.status_code == 403


async def test_a_request_with_a_hint_is_understood(client: httpx2.AsyncClient) -> None:
    assert (await log_in(client, query="?idp_hint=11AA")).status_code == 200


async def test_requests_that_are_none_are_refused(client: httpx2.AsyncClient) -> None:
    assert (await client.get(f"{SCHOOL}/saml/sso?SAMLRequest=x")).status_code == 400
    assert (await client.post(f"{SCHOOL}/saml/sso", data={})).status_code == 400
    assert (await client.post(f"{SCHOOL}/login", data={"pupil": "nobody"})).status_code == 400
    assert (await client.post(f"{SCHOOL}/login", data={"pupil": "sanne"})).status_code == 400
    assert (await client.post(f"{SUPPLIER}/saml/acs", data={})).status_code == 403


async def test_an_answer_works_once_and_with_its_relay_state(client: httpx2.AsyncClient) -> None:
    form = await client.get(f"{SUPPLIER}/login")
    passed_on = await press(client, form, ("pupil", "sanne"))
    assert (await press(client, passed_on, RelayState="other")).status_code == 403
    assert (await press(client, passed_on)).status_code == 403


async def test_the_assertion_is_encrypted_and_tells_nothing(client: httpx2.AsyncClient) -> None:
    form = await client.get(f"{SUPPLIER}/login")
    passed_on = await press(client, form, ("pupil", "sanne"))
    (field,) = html.fromstring(passed_on.content).xpath("//input[@name='SAMLResponse']/@value")
    xml = base64.b64decode(field).decode()
    assert "aes256-gcm" in xml
    assert "de Vries" not in xml


async def test_both_publish_their_metadata(client: httpx2.AsyncClient) -> None:
    assert "IDPSSODescriptor" in (await client.get(f"{SCHOOL}/saml/metadata")).text
    assert "SPSSODescriptor" in (await client.get(f"{SUPPLIER}/saml/metadata")).text
    assert (await client.get(SCHOOL)).status_code == 200


def test_a_pupil_and_a_teacher_share_a_number() -> None:
    sharing = [each for each in PEOPLE if each.attributes["employeeNumber"] == (SHARED_NUMBER,)]
    roles = {each.attributes["eduPersonAffiliation"] for each in sharing}
    assert roles == {("student",), ("employee",)}
