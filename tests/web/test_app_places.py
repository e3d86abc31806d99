"""A page whose button leads to an app lets the browser go there, and nowhere else."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from broker.domain.ids import RelyingPartyId
from broker.domain.registry import Registry
from broker.web.app_places import find_app_places
from tests.web.broker_site import OIDC_REQUEST, Browser, Site


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
        ("http://127.0.0.1/cb", "http://127.0.0.1:*"),
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


def test_another_profile_s_pages_lead_to_no_app(site: Site, browser: Browser) -> None:
    forms = browser.choose().policy
    assert "form-action 'self' https: http://localhost:* http://127.0.0.1:*;" in forms
    assert find_app_places(None) == ()
    party = site.web.snapshots.registry.by_client_id["rekenrijk"]
    assert party.protocol.redirect_uris == (OIDC_REQUEST["redirect_uri"],)  # type: ignore[union-attr]


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
