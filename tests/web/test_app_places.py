"""A page whose button leads to an app lets the browser go there, and nowhere else."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from broker.domain.ids import RelyingPartyId
from broker.domain.registry import Registry
from broker.flow.parties import find_parties
from broker.web.app_places import find_app_places
from broker.web.headers import content_policy
from tests.web.broker_site import Browser, Site


def with_client(registry: Registry, **changes: Any) -> Registry:
    """Return the registry in which rekenrijk is another kind of client."""
    party = registry.by_client_id["rekenrijk"]
    other = msgspec.structs.replace(
        party, protocol=msgspec.structs.replace(party.protocol, **changes)
    )
    return replace(
        registry,
        by_client_id={**registry.by_client_id, "rekenrijk": other},
        relying_parties={**registry.relying_parties, RelyingPartyId("rekenrijk"): other},
    )


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("nl.supplier.app:/cb", "nl.supplier.app:"),
        ("http://127.0.0.1/cb", ""),  # is there already where we are on loopback ourselves
        ("http://[::1]/cb", "http:"),
        ("https://supplier.example/cb", ""),
    ],
)
def test_a_form_may_lead_to_the_app(site: Site, browser: Browser, uri: str, source: str) -> None:
    app = with_client(
        site.web.snapshots.registry, profile="native", authentication="none", redirect_uris=(uri,)
    )
    with site.having(app):
        chooser = browser.choose(redirect_uri=uri)
    assert chooser.status == 200
    (forms,) = [each for each in chooser.policy.split("; ") if each.startswith("form-action")]
    own = "form-action 'self' https: http://localhost:* http://127.0.0.1:*"
    assert forms == f"{own} {source}".strip()


def test_another_profile_s_pages_lead_to_no_app(browser: Browser) -> None:
    forms = browser.choose().policy
    assert "form-action 'self' https: http://localhost:* http://127.0.0.1:*;" in forms
    assert find_app_places(None) == ()


def test_the_places_on_the_device_are_named_once(site: Site) -> None:
    places = ("http://127.0.0.1/a", "http://127.0.0.1:9/b", "http://localhost/c", "nl.app:/d")
    registry = with_client(site.web.snapshots.registry, redirect_uris=places)
    found = find_app_places(find_parties(registry, RelyingPartyId("rekenrijk")))
    assert found == ("http://127.0.0.1:*", "http://localhost:*", "nl.app:")
    assert content_policy(onward=True, secure=True, places=found).endswith(
        "form-action 'self' https: http://127.0.0.1:* http://localhost:* nl.app:; "
        "frame-ancestors 'none'"
    )
    assert "nl.app:" not in content_policy(onward=False, secure=True, places=found)
    saml = find_parties(site.web.snapshots.registry, RelyingPartyId("taaltuin"))
    assert find_app_places(saml) == ()


def test_an_answer_is_posted_by_one_form_that_works_without_script(browser: Browser) -> None:
    posted = browser.begin(response_mode="form_post", prompt="none", state='"><b>')
    assert posted.status == 200
    assert posted.response.headers["cache-control"] == "no-store"
    assert "script-src 'self'" in posted.policy
    assert "frame-ancestors" not in posted.policy  # `prompt=none` may stand in a frame
    assert '"><b>' not in posted.response.text
    assert posted.response.text.count("<form") == 1
    assert 'type="submit"' in posted.response.text


def test_a_posted_answer_is_not_framed_where_pages_are_shown(browser: Browser) -> None:
    posted = browser.begin(response_mode="form_post", response_type="token")
    assert "frame-ancestors 'none'" in posted.policy
    redirected = browser.begin(response_type="token")
    assert redirected.status == 303
