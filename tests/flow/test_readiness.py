"""The go-live list of a school: each line, done and left."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from broker.domain.ids import SchoolIdpId
from broker.domain.refusals import WhoseTask
from broker.domain.registry import build_registry
from broker.domain.tolerances import IdpException, Tolerance
from broker.flow.federation.refresh_times import Ending
from broker.flow.key_plans.key_facts import CertificateFacts, KeyFacts
from broker.flow.login_tests.login_tests import LoginTestOutcome
from broker.flow.login_tests.readiness import READY_CHECKS, ReadyLine, SchoolFacts, list_lines
from tests.builders import a_declaration, a_school, a_school_idp, a_supplier, an_agreement
from tests.builders_oidc import school_endpoints

TODAY = date(2026, 3, 2)
IDP = SchoolIdpId("vuurvogel")
FINE, INCOMPLETE = LoginTestOutcome.FINE, LoginTestOutcome.INCOMPLETE
NOW = datetime(2026, 3, 2, tzinfo=UTC)
READY = {"pupils": 200, "processor_agreement": TODAY}


def facts(
    *,
    school: Any = None,
    idp: Any = None,
    supplier: Any = None,
    agreement: Any = None,
    tests: Any = None,
    **changes: Any,
) -> SchoolFacts:
    """Return those of a school of which every line is done, but for what is changed."""
    school = school or a_school(**READY)
    registry = build_registry(
        1,
        schools=[school],
        idps=[idp or a_school_idp()],
        suppliers=[supplier or a_supplier()],
        agreements=[] if agreement == "none" else [agreement or an_agreement()],
    )
    values: dict[str, Any] = {
        "school": school,
        "registry": registry,
        "last_tests": {(IDP, FINE): TODAY} if tests is None else tests,
        "ending_certificates": (),
        "ending_metadata": (),
        "ending_keys": (),
        "today": TODAY,
    }
    return SchoolFacts(**(values | changes))


def left(found: SchoolFacts) -> dict[str, ReadyLine]:
    return {each.item: each for each in list_lines(found) if not each.is_ready}


def test_a_school_that_is_ready() -> None:
    lines = list_lines(facts())
    assert len(lines) == len(READY_CHECKS) == len({each.item for each in lines})
    assert [each for each in lines if not each.is_ready] == []
    assert all(each.told and not each.remedy for each in lines)


def exception(last_day: date) -> IdpException:
    return IdpException(name=next(iter(Tolerance)), last_day=last_day, reason="An old login.")


def certificate(document: str) -> CertificateFacts:
    return CertificateFacts(document, "signing", NOW + timedelta(days=9), only=True)


OWN_KEY = KeyFacts("saml-signing/a.key", "saml-signing", "RSA", "", NOW, "in use")


@pytest.mark.parametrize(
    ("changes", "item", "whose_task"),
    [
        (
            {"school": a_school(pupils=2, processor_agreement=TODAY, enabled=False)},
            "documents",
            WhoseTask.BROKER,
        ),
        ({"idp": a_school_idp(rehearsal_only=True)}, "documents", WhoseTask.BROKER),
        (
            {"ending_certificates": (certificate("identity_providers/vuurvogel"),)},
            "metadata",
            WhoseTask.SCHOOL,
        ),
        (
            {"ending_metadata": (Ending("source", "https://login.vuurvogel.example", NOW, ""),)},
            "metadata",
            WhoseTask.BROKER,
        ),
        ({"ending_keys": (OWN_KEY,)}, "keys", WhoseTask.BROKER),
        (
            {"idp": a_school_idp(exceptions=(exception(TODAY),))},
            "exceptions",
            WhoseTask.SCHOOL,
        ),
        ({"tests": {}}, "tested", WhoseTask.SCHOOL),
        ({"tests": {(IDP, FINE): TODAY - timedelta(days=31)}}, "tested", WhoseTask.SCHOOL),
        (
            {"tests": {(IDP, FINE): TODAY - timedelta(days=2), (IDP, INCOMPLETE): TODAY}},
            "tested",
            WhoseTask.SCHOOL,
        ),
        (
            {"supplier": a_supplier(attributes=(a_declaration("sn", required=True),))},
            "attributes",
            WhoseTask.SCHOOL,
        ),
        (
            {
                "supplier": a_supplier(attributes=(a_declaration("eckId"),)),
                "agreement": an_agreement(approved=frozenset({"eckId"})),
            },
            "attributes",
            WhoseTask.SCHOOL,
        ),
        ({"school": a_school(processor_agreement=TODAY)}, "head count", WhoseTask.BROKER),
        ({"school": a_school(pupils=2)}, "processor agreement", WhoseTask.SCHOOL),
        ({"agreement": "none"}, "agreements", WhoseTask.SCHOOL),
        (
            {"agreement": an_agreement(last_day=TODAY + timedelta(days=1))},
            "end dates",
            WhoseTask.SCHOOL,
        ),
    ],
)
def test_a_line_that_is_left(changes: dict[str, Any], item: str, whose_task: WhoseTask) -> None:
    found = left(facts(**changes))
    assert (set(found), found[item].whose_task) == ({item}, whose_task)
    assert found[item].remedy


@pytest.mark.parametrize(
    "changes",
    [
        {"ending_certificates": (certificate("identity_providers/another"),)},
        {"ending_metadata": (Ending("source", "https://another.example", NOW, ""),)},
        {"idp": a_school_idp(endpoints=school_endpoints())},
        {"idp": a_school_idp(exceptions=(exception(TODAY + timedelta(days=90)),))},
        {"tests": {(IDP, FINE): TODAY, (IDP, INCOMPLETE): TODAY}},
        {"agreement": an_agreement(last_day=TODAY + timedelta(days=90))},
    ],
)
def test_what_leaves_nothing_to_do(changes: dict[str, Any]) -> None:
    assert left(facts(**changes)) == {}
