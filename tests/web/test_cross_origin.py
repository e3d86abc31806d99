"""Scripts at the endpoints for machines: those of relying parties' own pages, and no others."""

import pytest

from tests.web.broker_site import REDIRECT_URI, Browser

OWN = "/".join(REDIRECT_URI.split("/")[:3])
MACHINES = ("/oidc/token", "/oidc/userinfo", "/oidc/revoke")


@pytest.mark.parametrize("path", MACHINES)
def test_a_page_of_a_relying_party_may_ask_and_read(browser: Browser, path: str) -> None:
    asked = browser.send("OPTIONS", path, headers={"Origin": OWN}).response
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == OWN
    assert "dpop" in asked.headers["access-control-allow-headers"]
    assert "POST" in asked.headers["access-control-allow-methods"]
    answer = browser.send("POST", path, headers={"Origin": OWN}).response
    assert answer.headers["access-control-allow-origin"] == OWN
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["vary"] == "origin"


@pytest.mark.parametrize("path", MACHINES)
@pytest.mark.parametrize("origin", ["https://evil.example", f"{OWN}.evil.example", "null", "*", ""])
def test_no_other_page_reads_anything(browser: Browser, path: str, origin: str) -> None:
    for method in ("OPTIONS", "POST"):
        answer = browser.send(method, path, headers={"Origin": origin}).response
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/oidc/authorize", "/oidc/introspect", "/oidc/par"])
def test_elsewhere_no_script_reads(browser: Browser, path: str) -> None:
    answer = browser.send("POST", path, headers={"Origin": OWN}).response
    assert "access-control-allow-origin" not in answer.headers
