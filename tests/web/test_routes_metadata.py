"""Our metadata as documents and as answers to metadata queries."""

from datetime import UTC, datetime, timedelta
from hashlib import sha1
from urllib.parse import quote

import pytest

from broker.web.own_documents import RENEW_METADATA_AFTER
from tests.web.broker_site import Browser, Site

ROLES = pytest.mark.parametrize("role", ["idp", "sp"])


def queries(entity_id: str) -> list[str]:
    digest = sha1(entity_id.encode(), usedforsecurity=False).hexdigest()
    return [
        f"/saml/mdq/entities/{quote(each, safe='')}" for each in (entity_id, f"{{sha1}}{digest}")
    ]


@ROLES
def test_each_of_our_entities_is_told_by_name_and_by_digest(
    site: Site, browser: Browser, role: str
) -> None:
    document = browser.get(f"/saml/{role}/metadata").response
    for query in queries(f"{site.issuer}/saml/{role}/metadata"):
        told = browser.get(query).response
        assert told.status_code == 200
        assert told.headers["content-type"] == "application/samlmetadata+xml"
        assert told.headers["etag"] == document.headers["etag"]
        assert told.content == document.content


def test_nobody_else_is_told(site: Site, browser: Browser) -> None:
    for name in ("https://stranger.example/saml", f"{site.issuer}/saml/idp", ""):
        for query in queries(name):
            assert browser.get(query).status == 404
    assert browser.get("/saml/mdq/entities/%7Bsha1%7D").status == 404
    assert browser.send("POST", queries(f"{site.issuer}/saml/idp/metadata")[0]).status == 405


@ROLES
def test_who_has_the_document_is_told_so(browser: Browser, role: str) -> None:
    address = f"/saml/{role}/metadata"
    etag = browser.get(address).response.headers["etag"]
    for known in (etag, f'"other", {etag}', etag.removeprefix("W/"), "*"):
        unchanged = browser.get(address, headers={"if-none-match": known}).response
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["etag"] == etag
    for unknown in ("", '"other"', etag.strip('W/"')):
        assert browser.get(address, headers={"if-none-match": unknown}).status == 200


def test_a_document_is_made_anew_before_it_ends(site: Site) -> None:
    told = site.web.documents.saml_sp_metadata
    begun = datetime(2026, 3, 1, 6, tzinfo=UTC)
    first = told(begun)
    assert told(begun + RENEW_METADATA_AFTER - timedelta(seconds=1)) is first
    second = told(begun + RENEW_METADATA_AFTER)
    assert b'validUntil="2026-03-08T12:00:00Z"' in second.content
    assert second.etag != first.etag
    again = told(begun)  # what another worker makes
    assert again.etag == first.etag
