"""`POST /api/pseudonyms/convert`: who may call, both forms of the body, and what is refused."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from broker.domain.federation import ApiScope, Supplier
from broker.flow.programs.api_access import ApiCallerRefused, ApiTokenRefused, SupplierCaller
from broker.flow.programs.quotas import QuotaExceeded
from broker.flow.rotation.conversion import Answer, NotConverted
from broker.flow.rotation.rotation_refusals import WindowNotOpen
from broker.oidc_op.caller_proof import CallerProof
from broker.pseudonyms.derivation import Pseudonym
from broker.web import api_conversion
from broker.web.api_bodies import JSON_TYPE, LINES_TYPE
from broker.web.site import build_site
from tests.web.broker_site import Answer as Answered
from tests.web.broker_site import Browser, Site

PATH = "/api/pseudonyms/convert"


class Asked:
    """Stands in for the journey: remembers who asked what."""

    def __init__(self) -> None:
        self.supplier = ""
        self.texts: list[str] = []
        self.refusal: Exception | None = None

    async def convert(self, texts: Sequence[str], *, supplier: Supplier) -> tuple[Answer, ...]:
        if self.refusal is not None:
            raise self.refusal
        self.supplier, self.texts = supplier.id, list(texts)
        return tuple(
            NotConverted.UNKNOWN if each == "nobody" else Pseudonym(f"new-{each}") for each in texts
        )


class Admitting:
    """Stands in for `ApiAccess`: whoever calls is RekenRijk, with these scopes."""

    closed_meanwhile = False

    def __init__(self, site: Site, *scopes: ApiScope) -> None:
        registry = site.web.snapshots.registry
        party = registry.by_client_id["rekenrijk"]
        self._caller = SupplierCaller(registry.suppliers[party.supplier], party, scopes)

    async def admit(self, _: CallerProof, *, scope: ApiScope | None, **__: str) -> SupplierCaller:
        if scope not in self._caller.scopes:
            raise ApiCallerRefused("check_scope_granted")
        return self._caller

    def still_admitted(self, caller: SupplierCaller) -> SupplierCaller:
        if self.closed_meanwhile:
            raise ApiTokenRefused("check_supplier_enabled")
        return caller


@pytest.fixture
def asked(site: Site) -> Iterator[Asked]:
    """A site that admits RekenRijk for conversions."""
    before, journey = site.app.site, Asked()
    web: Any = replace(
        site.web,
        api=Admitting(site, ApiScope.CONVERSION),  # type: ignore[arg-type]
        conversion=journey,  # type: ignore[arg-type]
    )
    site.app.site = build_site(web)
    yield journey
    site.app.site = before


def test_a_supplier_that_is_closed_while_its_list_arrives_gets_nothing(
    asked: Asked, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert post(browser, {"pseudonyms": ["one"]}).status == 200
    asked.texts = []
    monkeypatch.setattr(Admitting, "closed_meanwhile", True)
    answer = post(browser, {"pseudonyms": ["one"]})
    assert (answer.status, answer.refused) == (401, ["check_supplier_enabled"])
    assert asked.texts == []


def post(browser: Browser, body: object, *, of: str = JSON_TYPE) -> Answered:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return browser.send("POST", PATH, content=content, headers={"content-type": of})


def test_a_batch_is_answered_in_order(browser: Browser, asked: Asked) -> None:
    answer = post(browser, {"pseudonyms": ["one", "nobody"]})
    assert answer.response.json() == {"answers": [{"new": "new-one"}, {"not_converted": "unknown"}]}
    assert (asked.supplier, asked.texts) == ("rekenrijk", ["one", "nobody"])
    assert answer.response.headers["cache-control"] == "no-store"


def test_lines_are_answered_by_lines(browser: Browser, asked: Asked) -> None:
    body = b'{"pseudonym": "one"}\n\n{"pseudonym": "nobody"}'
    answer = post(browser, body, of=LINES_TYPE)
    assert answer.response.headers["content-type"].startswith(LINES_TYPE)
    assert [msgspec.json.decode(each) for each in answer.response.content.splitlines()] == [
        {"pseudonym": "one", "new": "new-one"},
        {"pseudonym": "nobody", "not_converted": "unknown"},
    ]


@pytest.mark.parametrize(
    ("body", "of", "code"),
    [
        (b"{", JSON_TYPE, "E-API-4"),
        (b'{"pseudonyms": "one"}', JSON_TYPE, "E-API-4"),
        (b'{"pseudonyms": ["' + b"x" * 201 + b'"]}', JSON_TYPE, "E-API-4"),
        (b'{"pseudonyms": [], "more": 1}', JSON_TYPE, "E-API-4"),
        (b'"one"', LINES_TYPE, "E-API-4"),
        (b'{"pseudonym": "\xff"}', LINES_TYPE, "E-API-4"),
        (b"one", "text/plain", "E-API-4"),
        (b'{"pseudonym": "x"}\n' * 3, LINES_TYPE, "E-API-7"),
    ],
)
def test_what_is_of_no_known_form_is_refused_whole(
    browser: Browser,
    asked: Asked,
    monkeypatch: pytest.MonkeyPatch,
    body: bytes,
    of: str,
    code: str,
) -> None:
    monkeypatch.setattr(api_conversion, "ASKED_AT_ONCE", 2)
    answer = post(browser, body, of=of)
    assert answer.response.json()["code"] == code
    assert asked.texts == []


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(WindowNotOpen("check_window_open"), 400), (QuotaExceeded("check_quota"), 429)],
)
def test_a_refusal_is_told_by_its_code(
    browser: Browser, asked: Asked, refusal: Any, status: int
) -> None:
    asked.refusal = refusal
    answer = post(browser, {"pseudonyms": ["one"]})
    assert (answer.status, answer.response.json()["code"]) == (status, refusal.code)


def test_a_token_for_something_else_is_refused(site: Site, browser: Browser, asked: Asked) -> None:
    web: Any = replace(site.web, api=Admitting(site, ApiScope.TAKEOVER))  # type: ignore[arg-type]
    site.app.site = build_site(web)
    answer = post(browser, {"pseudonyms": ["one"]})
    assert (answer.status, answer.refused) == (403, ["check_scope_granted"])
    assert asked.texts == []


def test_requests_show_no_pseudonym() -> None:
    line = api_conversion.ConvertLine(pseudonym="secret")
    request = api_conversion.ConvertRequest(pseudonyms=["secret"])
    assert "secret" not in repr(line) + repr(request)
    assert line.__rich_repr__() == request.__rich_repr__() == []
