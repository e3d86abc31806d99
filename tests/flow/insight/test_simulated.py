"""What the simulator shows is what a login sends: the same claims, assertion, or refusal."""

import dataclasses
import json
from base64 import urlsafe_b64decode
from datetime import date
from typing import Any

import pytest
from lxml import etree
from msgspec.structs import replace

from broker.domain.attributes import VOCABULARY, AttributeName, Population
from broker.domain.federation import SchoolFrom
from broker.domain.identity import Identity, identity_at, read_stated
from broker.domain.ids import RelyingPartyId, SupplierId
from broker.domain.refusals import Refusal
from broker.domain.registry import Registry
from broker.domain.release import (
    AgreementNotInForce,
    NoAgreement,
    RequiredAttributeNotStated,
    WithheldBecause,
)
from broker.flow.answers import PostMessage, Refused
from broker.flow.insight.sample_persons import make_sample_login, stated_names
from broker.flow.insight.shown_answers import MessageKind, ShownNames
from broker.flow.insight.simulated import Fate, SimulatedAnswer, simulate_answer
from broker.flow.insight.supposed import suppose_agreement, suppose_supplier
from broker.flow.refusals import SchoolNotOpen
from broker.saml_xml.names import SAML
from tests import builders_oidc as oidc
from tests import builders_saml as saml
from tests.builders import a_declaration, a_school, a_school_idp, an_agreement
from tests.flow.login_answers import Browser, read_redirect, read_response
from tests.flow.login_parties import (
    FIRST_NAME,
    OIDC_IDP,
    REKENRIJK,
    ROLE,
    SAML_IDP,
    SAML_SCHOOL,
    TAALTUIN,
)
from tests.flow.login_world import NOOR, SANNE, LoginWorld

NAMES = ShownNames(oidc.ISSUER, saml.BROKER_IDP, "broker.example")
OF_ONE_LOGIN = {"iat", "nbf", "exp", "jti", "sid", "nonce", "sub", "auth_time"}
"""What is another in each token."""


def simulate(
    world: LoginWorld,
    identity: Identity,
    *,
    party: RelyingPartyId = REKENRIJK,
    registry: Registry | None = None,
) -> SimulatedAnswer:
    seen = registry or world.snapshots.registry
    return simulate_answer(
        identity,
        seen.schools[identity.school],
        seen.relying_parties[party],
        idp=seen.idps[identity.idp],
        registry=seen,
        names=NAMES,
        now=world.now,
        random=world.random,
    )


def a_sample(
    world: LoginWorld,
    population: Population = Population.PUPIL,
    *,
    idp: Any = SAML_IDP,
    **choices: Any,
) -> Identity:
    registry = world.snapshots.registry
    own = registry.idps[idp]
    school = registry.schools[own.schools[0]]
    login = make_sample_login(own, school, population, now=world.now, **choices)
    schools = registry.schools_of(own)
    return identity_at(read_stated(login, schools=schools), school.id, schools=schools)


def identity_of(world: LoginWorld, person: Any, idp: Any) -> Identity:
    """Return the identity that a login of a demo person has."""
    registry = world.snapshots.registry
    sample = a_sample(world, idp=idp)
    own = registry.idps[idp]
    login = make_sample_login(own, registry.schools[sample.school], Population.PUPIL, now=world.now)
    stated = dataclasses.replace(login, attributes=person.attributes)
    schools = registry.schools_of(own)
    return identity_at(read_stated(stated, schools=schools), sample.school, schools=schools)


def claims_of(token: str) -> bytes:
    """Return the claims of a token; that it is signed well, other tests look at."""
    return urlsafe_b64decode(token.split(".")[1] + "==")


def text_of(answer: SimulatedAnswer, kind: MessageKind) -> str:
    (found,) = (each.text for each in answer.messages if each.kind is kind)
    return found


@pytest.mark.parametrize(("person", "idp"), [(SANNE, SAML_IDP), (NOOR, OIDC_IDP)])
async def test_the_claims_are_those_of_a_login(person: Any, idp: Any) -> None:
    world, browser = LoginWorld(), Browser()
    received = read_redirect(await world.arrive(browser, person))
    tokens = await world.redeem(received.code)
    real = json.loads(claims_of(tokens.id_token))
    shown = simulate(world, identity_of(world, person, idp))
    claims = json.loads(text_of(shown, MessageKind.ID_TOKEN))
    assert {name: each for name, each in claims.items() if name not in OF_ONE_LOGIN} == {
        name: each for name, each in real.items() if name not in OF_ONE_LOGIN
    }
    assert set(real) - set(claims) <= {"nonce", "sid"}
    assert claims["sub"] != real["sub"]
    assert len(claims["sub"]) == len(real["sub"])


async def test_the_assertion_is_that_of_a_login() -> None:
    world, browser = LoginWorld(), Browser()
    answer = await world.arrive(browser, SANNE, party=TAALTUIN)
    assert isinstance(answer, PostMessage)
    real = read_response(answer)
    shown = simulate(world, identity_of(world, SANNE, SAML_IDP), party=TAALTUIN)
    root = etree.fromstring(text_of(shown, MessageKind.ASSERTION))
    attributes = {
        each.get("Name"): [of.text for of in each] for each in root.iter(f"{{{SAML}}}Attribute")
    }
    assert attributes == dict(real.claims)
    (name_id,) = root.iter(f"{{{SAML}}}NameID")
    assert name_id.text != real.subject
    assert len(name_id.text or "") == len(real.subject)


def test_each_attribute_has_its_reason() -> None:
    world = LoginWorld()
    world.change("rekenrijk", attributes=tuple(map(a_declaration, (
        "givenName", "sn", "eckId", "schoolMembership", "nlEduPersonProfileId"))))  # fmt: skip
    world.change("vuurvogel/rekenrijk", approved=frozenset(map(AttributeName, (
        "givenName", "eckId", "schoolMembership"))))  # fmt: skip
    shown = simulate(world, a_sample(world, left_out=["nlEduPersonProfileId", "givenName"]))
    found = {str(each.name): (each.fate, each.reason) for each in shown.attributes}
    assert found["schoolMembership"] == (Fate.RELEASED, None)
    assert found["sn"] == (Fate.WITHHELD, WithheldBecause.NOT_APPROVED)
    assert found["mail"] == (Fate.WITHHELD, WithheldBecause.NOT_DECLARED)
    assert found["eckId"] == (Fate.WITHHELD, WithheldBecause.NOT_ENTITLED)
    assert found["givenName"] == (Fate.MISSING, None)
    assert found["nlEduPersonProfileId"] == (Fate.NOT_STATED, None)
    assert shown.released == ("schoolMembership",)
    assert "Voorbeeld" not in repr(shown)
    claims = json.loads(text_of(shown, MessageKind.USERINFO))
    assert claims["school_membership"] == ["student@11AA;since=2025-2026"]


@pytest.mark.parametrize(
    ("key", "changes", "refusal"),
    [
        ("vuurvogel/rekenrijk", {"last_day": date(2025, 9, 1)}, AgreementNotInForce),
        ("vuurvogel", {"enabled": False}, SchoolNotOpen),
        (
            "rekenrijk",
            {"attributes": (a_declaration("eduPersonAffiliation", required=True),)},
            RequiredAttributeNotStated,
        ),
    ],
)
def test_what_would_be_refused_says_why(
    key: str, changes: dict[str, Any], refusal: type[Refusal]
) -> None:
    world = LoginWorld()
    assert simulate(world, a_sample(world)).refusal is None
    world.change(key, **changes)
    shown = simulate(world, a_sample(world, left_out=[ROLE]))
    assert isinstance(shown.refusal, refusal)
    assert (shown.messages, shown.released, shown.agreement_version) == ((), (), 0)


async def test_a_login_is_refused_by_the_same() -> None:
    world = LoginWorld()
    world.put("vuurvogel/rekenrijk", None)
    answer = await world.arrive(Browser(), SANNE)
    assert isinstance(answer, Refused)
    assert isinstance(answer.refusal, NoAgreement)
    assert isinstance(simulate(world, a_sample(world)).refusal, NoAgreement)


@pytest.mark.parametrize("of_board", [False, True])
def test_what_is_not_decided_yet_is_asked_of_the_same_decision(of_board: bool) -> None:
    world = LoginWorld()
    registry = world.snapshots.registry
    school = registry.schools[SAML_SCHOOL]
    world.put("vuurvogel/rekenrijk", None)
    draft = an_agreement(version=7, approved=frozenset({ROLE}))
    if of_board:
        draft = an_agreement(version=7, approved=frozenset({ROLE}), school=None, board=school.board)
    supposed = suppose_agreement(world.snapshots.registry, draft)
    shown = simulate(world, a_sample(world), registry=supposed)
    assert (shown.released, shown.agreement_version) == ((ROLE,), 7)
    now = supposed.school_agreements if not of_board else supposed.board_agreements
    assert len(now) == len(list(now))
    assert draft in now.values()
    assert simulate(world, a_sample(world)).refusal is not None  # nothing is in force


def test_an_agreement_is_somebodys() -> None:
    world = LoginWorld()
    with pytest.raises(ValueError, match="school's or a board's"):
        suppose_agreement(world.snapshots.registry, an_agreement(school=None))


def test_another_sheet_is_asked_of_the_same_decision() -> None:
    world = LoginWorld()
    registry = world.snapshots.registry
    now = registry.suppliers[SupplierId("rekenrijk")]
    fewer = replace(now, attributes=(a_declaration("givenName"),))
    assert simulate(world, a_sample(world)).released == (FIRST_NAME, ROLE)
    shown = simulate(world, a_sample(world), registry=suppose_supplier(registry, fewer))
    assert shown.released == (FIRST_NAME,)


def test_a_name_of_before_is_shown_where_one_is_told() -> None:
    world = LoginWorld()
    world.change("rekenrijk", previous_epoch="a", epoch="b")
    claims = json.loads(text_of(simulate(world, a_sample(world)), MessageKind.ID_TOKEN))
    assert (claims["sub"][0], claims["previous_sub"][0]) == ("b", "a")


@pytest.mark.parametrize("population", Population)
def test_sample_persons_state_what_a_login_can(population: Population) -> None:
    world = LoginWorld()
    identity = a_sample(world, population)
    own = world.snapshots.registry.idps[SAML_IDP]
    assert identity.population is population
    assert set(stated_names(own)) == set(VOCABULARY) - {"schoolMembership"}
    assert set(stated_names(own)) - set(identity.attributes) == {
        "nlEduPersonHomeOrganizationBranchId"
    }


def test_a_sample_of_a_login_that_knows_people_by_domain_or_by_a_list() -> None:
    idp = a_school_idp(
        school_from=SchoolFrom.DOMAIN,
        domains={"vuurvogel.example": "vuurvogel"},
        attributes={"mail": "mail", "first": "givenName"},
        login_identifier="sub",
    )
    login = make_sample_login(idp, a_school(), Population.PUPIL, now=saml.NOW)
    assert login.attributes["mail"] == ("fenna@vuurvogel.example",)
    assert set(login.attributes) == {
        *("givenName", "mail", "eduPersonAffiliation", "nlEduPersonUnit", "eckId"),
        "employeeNumber",
    }
    bare = a_school_idp(scopes=())
    login = make_sample_login(bare, a_school(), Population.STAFF, now=saml.NOW)
    assert login.attributes["mail"] == ("bram@voorbeeld.example",)
    assert login.attributes["uid"] == ("bram",)
