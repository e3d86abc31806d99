"""`GET /api/schools`, from the token to the list, for suppliers' programs alone."""

import msgspec
import pytest

from broker.domain.federation import State
from broker.domain.registry import Registry, build_registry
from broker.domain.relying_parties import OidcClient
from tests import builders_oidc as oidc
from tests.web.broker_site import Answer, Browser, Site

CLIENT, KEY = "rekenrijk", oidc.make_key()


def with_key(registry: Registry) -> Registry:
    """Return the demo's federation, in which RekenRijk signs with the key of this test."""

    def changed(party: oidc.RelyingParty) -> oidc.RelyingParty:
        if party.id != CLIENT or not isinstance(party.protocol, OidcClient):
            return party
        protocol = msgspec.structs.replace(party.protocol, jwks=oidc.jwks_of(KEY))
        return msgspec.structs.replace(party, protocol=protocol)

    suppliers = [
        msgspec.structs.replace(each, relying_parties=tuple(map(changed, each.relying_parties)))
        for each in registry.suppliers.values()
    ]
    return build_registry(
        registry.version,
        schools=registry.schools.values(),
        idps=registry.idps.values(),
        suppliers=suppliers,
        agreements=[*registry.school_agreements.values(), *registry.board_agreements.values()],
    )


def ask(browser: Browser, site: Site, scope: str) -> Answer:
    seconds = int(site.web.clock().timestamp())
    claims = {"iss": CLIENT, "sub": CLIENT, "aud": site.issuer, "iat": seconds}
    claims |= {"exp": seconds + 60, "jti": site.web.random(8).hex()}
    form = dict(oidc.assertion_form(oidc.an_assertion(key=KEY, **claims)))
    asked = {"grant_type": "client_credentials", "scope": scope, **form}
    token = browser.post("/oidc/token", asked).response.json()["access_token"]
    return browser.get("/api/schools", headers={"authorization": f"Bearer {token}"})


def test_a_supplier_sees_its_own_schools(site: Site, browser: Browser) -> None:
    with site.having(with_key(site.web.snapshots.registry)):
        answer = ask(browser, site, "schools")
    told = answer.response.json()
    assert (answer.status, answer.response.headers["cache-control"]) == (200, "no-store")
    assert told["supplier"] == CLIENT
    assert [each["school"] for each in told["schools"]] == ["kompas", "regenboog", "vuurvogel"]
    assert {each["status"] for each in told["schools"]} == {"open"}
    assert {each["state"] for each in told["schools"]} == {State.TEST.value}
    for other in ("taaltuin", "biosfeer", "stichting", "eduPersonAffiliation"):
        assert other not in answer.response.text


@pytest.mark.parametrize("scope", ["takeover", "conversion"])
def test_another_permission_does_not_open_it(site: Site, browser: Browser, scope: str) -> None:
    with site.having(with_key(site.web.snapshots.registry)):
        answer = ask(browser, site, scope)
    assert (answer.status, answer.refused) == (403, ["check_scope_granted"])


def test_without_a_token_nothing_is_told(browser: Browser) -> None:
    answer = browser.get("/api/schools")
    assert (answer.status, answer.refused) == (401, ["check_access_token_present"])
