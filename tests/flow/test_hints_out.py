"""What a login of several schools is told of the one that was chosen."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from broker.domain.school_hints import SchoolHint
from broker.flow.answers import Redirect
from broker.saml_xml.bindings import decode_redirect
from tests.builders_saml import XML, samlp
from tests.flow.login_answers import Browser
from tests.flow.login_parties import OIDC_IDP, SAML_IDP
from tests.flow.login_world import LoginWorld

BRIN, REALM = SchoolHint.BRIN, SchoolHint.REALM
ONE = {"schools": ("vuurvogel",)}
DOMAINS = {"leerling.vuurvogel.example": "vuurvogel", "vuurvogel.example": "vuurvogel"}


async def sent(world: LoginWorld, school: str) -> str:
    """Return the query by which a browser goes to a school."""
    answer = await world.begin(Browser(), hint=school)
    assert isinstance(answer, Redirect)
    return urlsplit(answer.url).query


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ["11AA"]),
        ({"school_hint": BRIN}, ["11AA"]),
        ({"school_hint": SchoolHint.NONE}, []),
        ({"school_hint": REALM, "domains": DOMAINS}, ["leerling.vuurvogel.example"]),
        ({"school_hint": REALM}, []),  # of two schools, a scope is nobody's
        (ONE, []),
        ({"school_hint": BRIN, **ONE}, ["11AA"]),
        ({"school_hint": REALM, **ONE}, ["vuurvogel.example"]),
        ({"school_hint": REALM, "scopes": (), **ONE}, []),
    ],
)
async def test_by_saml(world: LoginWorld, changes: dict[str, Any], told: list[str]) -> None:
    world.change(SAML_IDP, **changes)
    query = await sent(world, "vuurvogel")
    request = XML.parse(decode_redirect(query.encode()).message).root
    assert [each.get("ProviderID") for each in request.iter(samlp("IDPEntry"))] == told
    assert not list(request.iter(samlp("RequesterID")))


@pytest.mark.parametrize(
    ("hint", "told"),
    [
        (None, {}),
        (SchoolHint.NONE, {}),
        (SchoolHint.HD, {"hd": ["kompas.example"]}),
        (SchoolHint.DOMAIN_HINT, {"domain_hint": ["kompas.example"]}),
    ],
)
async def test_by_openid_connect(
    world: LoginWorld, hint: SchoolHint | None, told: dict[str, list[str]]
) -> None:
    world.change(OIDC_IDP, school_hint=hint)
    query = parse_qs(await sent(world, "kompas"))
    assert {name: query[name] for name in ("hd", "domain_hint") if name in query} == told
