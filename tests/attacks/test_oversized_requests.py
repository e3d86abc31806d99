"""Requests that are too large, of another kind, or never end: refused before they cost anything.

What is left to nginx, which sees a request before we do: how many connections there are, how slowly
a header may come, and a request line or header that the server below us would gather in memory.
"""

import pytest
from starlette.types import Message

from broker.web import requests
from tests.web.broker_site import FORM_TYPE, Browser, Site

FORMS = [
    "/oidc/authorize", "/oidc/token", "/oidc/userinfo", "/saml/idp/sso", "/saml/sp/acs",
    "/schools", "/schools/forget", "/login/continue", "/login/not-me",
]  # fmt: skip
"""Every address that reads a form."""

AS_FORM = [(b"content-type", FORM_TYPE.encode())]
BLOCK = b"x" * 65536


def a_post(path: str, *headers: tuple[bytes, bytes]) -> dict[str, object]:
    return {"method": "POST", "path": path, "headers": [*AS_FORM, *headers]}


def refused(lines: object) -> list[str]:
    return [each["check"] for each in lines if each["event"] == "refused"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", FORMS)
def test_a_body_that_says_it_is_too_large_is_not_read(site: Site, path: str) -> None:
    length = (b"content-length", str(site.web.max_body_bytes + 1).encode())
    sent, lines = site.send_raw(a_post(path, length), [])
    assert sent[0]["status"] == 413
    assert refused(lines) == ["check_body_size"]


@pytest.mark.parametrize("path", FORMS)
def test_a_chunked_body_without_end_is_cut_at_the_limit(site: Site, path: str) -> None:
    blocks: list[Message] = [
        {"type": "http.request", "body": BLOCK, "more_body": True} for _ in range(1000)
    ]
    sent, lines = site.send_raw(a_post(path, (b"transfer-encoding", b"chunked")), blocks)
    assert sent[0]["status"] == 413
    assert refused(lines) == ["check_body_size"]


@pytest.mark.parametrize("path", FORMS)
def test_a_body_that_stops_halfway_is_not_waited_for(
    site: Site, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "BODY_WITHIN_SECONDS", 0)
    half: list[Message] = [{"type": "http.request", "body": b"code=", "more_body": True}]
    sent, lines = site.send_raw(a_post(path), half)
    assert sent[0]["status"] == 400
    assert refused(lines) == ["check_body_complete"]


@pytest.mark.parametrize("path", FORMS)
def test_a_body_whose_sender_leaves_is_no_fault_of_ours(site: Site, path: str) -> None:
    sent, lines = site.send_raw(
        a_post(path),
        [{"type": "http.request", "body": b"c", "more_body": True}, {"type": "http.disconnect"}],
    )
    assert sent[0]["status"] == 400
    assert refused(lines) == ["check_body_complete"]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data; boundary=x", "text/xml", "x", ";"]
)
def test_another_kind_of_body_is_not_read(browser: Browser, path: str, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = browser.send("POST", path, content=b'{"code": "x"}', headers=headers)
    assert answer.status == 400
    assert answer.refused == ["check_content_type"]


@pytest.mark.parametrize("path", FORMS)
def test_too_many_fields(browser: Browser, path: str) -> None:
    answer = browser.post(path, {f"f{n}": "x" for n in range(200)})
    assert answer.status == 400
    assert answer.refused == ["check_parameters_encoded"]


def test_a_body_within_the_limits_is_read(site: Site, browser: Browser) -> None:
    large = browser.post("/oidc/token", {"code": "x" * (site.web.max_body_bytes - 100)})
    assert large.status in {400, 401}
    assert large.refused not in (["check_body_size"], [])


@pytest.mark.parametrize(
    "headers",
    [
        [(b"x-%d" % n, b"y") for n in range(5000)],
        [(b"cookie", b"a=b; " * 200_000)],
        [(b"accept-language", b"nl," * 100_000)],
        [(b"authorization", b"Basic " + b"QUFB" * 100_000)],
    ],
    ids=["many", "cookie", "language", "authorization"],
)
@pytest.mark.parametrize("path", ["/schools", "/oidc/userinfo", "/nothing"])
def test_a_flood_of_headers(site: Site, path: str, headers: list[tuple[bytes, bytes]]) -> None:
    sent, lines = site.send_raw({"path": path, "headers": headers}, [])
    assert sent[0]["status"] == 431
    assert refused(lines) == ["check_header_size"]
