"""Around everything: what is too large is turned away, and every request leaves one line."""

import pytest

from broker.adapters.serving import http_protocol, http_server
from broker.web.edge import MAX_ADDRESS_BYTES, MAX_HEADER_BYTES, MAX_HEADERS
from tests.web.broker_site import Browser, Site, fields_of

SECRETS = {"state": "s3cret-state", "login_hint": "sanne@nowhere.example"}


def request_line(lines: object) -> dict[str, object]:
    (line,) = [each for each in lines if each["event"] == "request"]  # type: ignore[attr-defined]
    return line


def headers_of(count: int, size: int) -> list[tuple[bytes, bytes]]:
    """Return so many headers of so many bytes together."""
    each, rest = divmod(size, count)
    return [(b"x", b"y" * (each - 1 + (rest if n == 0 else 0))) for n in range(count)]


class TestLimits:
    @pytest.mark.parametrize(
        "scope",
        [
            {"headers": headers_of(MAX_HEADERS, 500)},
            {"headers": headers_of(10, MAX_HEADER_BYTES)},
            {"query_string": b"q=" + b"x" * (MAX_ADDRESS_BYTES - len("/schools") - 2)},
        ],
    )
    def test_what_fits_is_served(self, site: Site, scope: dict[str, object]) -> None:
        sent, _ = site.send_raw(scope, [])
        assert sent[0]["status"] == 200

    @pytest.mark.parametrize(
        "scope",
        [
            {"headers": headers_of(MAX_HEADERS + 1, 500)},
            {"headers": headers_of(10, MAX_HEADER_BYTES + 1)},
            {"headers": [(b"cookie", b"lang=en; " * 100_000)]},
            {"query_string": b"q=" + b"x" * MAX_ADDRESS_BYTES},
            {"path": "/" + "x" * MAX_ADDRESS_BYTES},
        ],
    )
    def test_check_header_size(self, site: Site, scope: dict[str, object]) -> None:
        sent, lines = site.send_raw(scope, [])
        assert sent[0]["status"] == 431
        assert b"E-HTTP-6" in sent[1]["body"]
        assert [each["check"] for each in lines if each["event"] == "refused"] == [
            "check_header_size"
        ]
        assert request_line(lines)["status"] == 431

    def test_what_the_server_did_not_read_on_is_refused(self, site: Site) -> None:
        sent, lines = site.send_raw({"extensions": {http_protocol.HEAD_TOO_LARGE: {}}}, [])
        assert sent[0]["status"] == 431
        assert b"E-HTTP-6" in sent[1]["body"]
        assert request_line(lines)["status"] == 431


class TestStopping:
    def test_a_server_that_stops_is_not_ready(self, site: Site) -> None:
        scope: dict[str, object] = {"path": "/health/ready"}
        assert site.send_raw(scope, [])[0][0]["status"] == 200
        sent, _ = site.send_raw(scope | {"state": {http_server.DRAINING: True}}, [])
        assert sent[0]["status"] == 503
        assert b'"stopping"' in sent[1]["body"]


class TestTheLine:
    def test_it_says_method_route_status_and_time(self, browser: Browser) -> None:
        line = request_line(browser.get("/schools?q=kompas").lines)
        assert isinstance(line.pop("ms"), float)
        assert line == {
            "event": "request",
            "log_level": "info",
            "method": "GET",
            "route": "/schools",
            "status": 200,
            "step": "show-schools",
            "verdict": "ok",
        }

    def test_a_path_shows_as_its_template_or_not_at_all(self, browser: Browser) -> None:
        assert request_line(browser.get("/static/sanne").lines)["route"] == "/static/{name}"
        assert request_line(browser.get("/sanne").lines)["route"] == ""
        assert request_line(browser.get("/oidc/token").lines)["route"] == "/oidc/token"

    def test_a_made_up_method_is_not_repeated(self, browser: Browser) -> None:
        assert request_line(browser.send("SANNE", "/schools").lines)["method"] == "other"

    def test_it_says_which_step_of_which_login_it_was(self, browser: Browser) -> None:
        begun = browser.begin()
        chooser = browser.get(begun.response.headers["location"])
        chosen = browser.post("/schools", fields_of(chooser) | {"school": "kompas"})
        lines = [request_line(each.lines) for each in (begun, chooser, chosen)]
        assert [each["step"] for each in lines] == ["begin", "show-schools", "choose-school"]
        assert [each["verdict"] for each in lines] == ["begun", "ok", "ok"]
        assert len({each["login"] for each in lines}) == 1
        assert lines[0]["relying_party"] == "rekenrijk"
        assert lines[2]["idp"] == "kompas"
        assert [each["store_trips"] for each in lines] == [1, 1, 2]

    def test_a_refusal_stands_in_it_with_its_reference(self, browser: Browser) -> None:
        answer = browser.get("/oidc/callback?code=x&state=y")
        line = request_line(answer.lines)
        (refused,) = [each for each in answer.lines if each["event"] == "refused"]
        assert line["verdict"] == "refused"
        for name in ("code", "check", "reference"):
            assert line[name] == refused[name]
        assert line["reference"].encode() in answer.response.content  # type: ignore[attr-defined]
        assert "login" not in line

    def test_nothing_of_a_request_is_in_the_log(self, browser: Browser) -> None:
        begun = browser.begin(**SECRETS)
        chooser = browser.get(begun.response.headers["location"])
        login = fields_of(chooser)
        chosen = browser.post("/schools", login | {"school": "kompas", "q": "sanne"})
        back = browser.get("/oidc/callback?code=s3cret-code&state=s3cret")
        told = browser.post("/oidc/token", {"code": "s3cret", "client_assertion": "s3cret"})
        found = browser.get("/schools?q=sanne", headers={"Referer": "https://s3cret.example"})
        said = repr([each.lines for each in (begun, chooser, chosen, back, told, found)])
        assert said.count("'event': 'request'") == 6
        cookies = [value for name, value in browser.cookies.items() if name.startswith("login.")]
        for value in (*SECRETS.values(), *login.values(), *cookies, "s3cret", "sanne"):
            assert value not in said


def test_metrics_are_not_at_the_port_of_logins(browser: Browser) -> None:
    assert browser.get("/metrics").status == 404


class TestOtherKindsOfConnection:
    def test_a_web_socket_is_refused(self, site: Site) -> None:
        sent, _ = site.send_raw(
            {"type": "websocket", "path": "/schools", "subprotocols": []},
            [{"type": "websocket.connect"}],
        )
        assert sent[0]["type"] == "websocket.close"
