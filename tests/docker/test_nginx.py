"""What nginx with `docker/nginx` lets through, turns away, repeats, and says by itself."""

import asyncio
import base64
import hashlib
import json
import os
import re
import socket
import ssl
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
import pytest

from broker.demo.servers import TlsFiles
from tests.docker.nginx import CLIENTS_HOST, FILES, HOST, Nginx, running_nginx
from tests.docker.upstream import Upstream, running_upstream
from tests.journeys.certificates import (
    MadeCertificate,
    make_certificate,
    make_client_certificate,
)
from tests.redis_server import a_free_port

CERTIFICATE_HEADER = "schuilnaam-client-certificate"
SUITES_OF_TLS_1_2 = {
    f"ECDHE-{key}-{cipher}"
    for key in ("ECDSA", "RSA")
    for cipher in ("AES256-GCM-SHA384", "CHACHA20-POLY1305", "AES128-GCM-SHA256")
}
"""NCSC-NL, IT-beveiligingsrichtlijnen voor TLS: those that it calls good."""


@pytest.fixture(scope="module", autouse=True)
def _names() -> Iterator[None]:
    """Let the name for clients lead to this machine, without a name server."""
    look_up = socket.getaddrinfo

    def look_up_here(host: object, *args: Any, **kwargs: Any) -> Any:
        here = host in (CLIENTS_HOST, CLIENTS_HOST.encode())
        return look_up("127.0.0.1" if here else host, *args, **kwargs)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", look_up_here)
        yield


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> MadeCertificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), hosts=[HOST, CLIENTS_HOST])


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """A certificate of a supplier's program."""
    return make_client_certificate(tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="module")
def everybody(
    tmp_path_factory: pytest.TempPathFactory, certificate: MadeCertificate
) -> Iterator[tuple[Nginx, Upstream, Upstream]]:
    with running_upstream() as first, running_upstream() as second:
        folder = tmp_path_factory.mktemp("nginx")
        ports = [first.port, second.port]
        with running_nginx(folder, brokers=ports, certificate=certificate) as nginx:
            yield nginx, first, second


@pytest.fixture
def nginx(everybody: tuple[Nginx, Upstream, Upstream]) -> Nginx:
    return everybody[0]


@pytest.fixture
def brokers(everybody: tuple[Nginx, Upstream, Upstream]) -> tuple[Upstream, Upstream]:
    for each in everybody[1:]:
        each.asked.clear()
        each.status, each.hangs_up = 200, False
    return everybody[1:]


@pytest.fixture
def client(nginx: Nginx, certificate: MadeCertificate) -> Iterator[httpx2.Client]:
    with new_client(nginx, certificate) as opened:
        yield opened


def new_client(
    nginx: Nginx,
    certificate: MadeCertificate,
    *,
    host: str = HOST,
    shows: TlsFiles | None = None,
) -> httpx2.Client:
    """Return a client of one of nginx's names; it `shows` this certificate when asked for one."""
    trust = ssl.create_default_context(cafile=str(certificate.ca_file))
    if shows is not None:
        trust.load_cert_chain(shows.certificate_file, shows.key_file)
    return httpx2.Client(
        base_url=f"https://{host}:{nginx.https_port}", verify=trust, trust_env=False, timeout=30
    )


def asked(brokers: tuple[Upstream, Upstream]) -> list[str]:
    return [f"{each.method} {each.address}" for broker in brokers for each in broker.asked]


def test_the_files_are_in_order(nginx: Nginx) -> None:
    said = nginx.check()
    assert "test is successful" in said
    assert "warn" not in said


def test_a_request_goes_on_as_it_came(
    client: httpx2.Client, brokers: tuple[Upstream, Upstream]
) -> None:
    answer = client.get("/oidc/authorize?client_id=x&state=%2F")
    assert answer.text == "from a broker"
    assert asked(brokers) == ["GET /oidc/authorize?client_id=x&state=%2F"]


@pytest.mark.parametrize(
    "name",
    [
        *("Client-Cert", "Client-Cert-Chain", "X-Client-Cert", "X-Client-Certificate"),
        *("X-SSL-Cert", "X-SSL-Client-Cert", "X-Forwarded-Client-Cert"),
        *("Schuilnaam-Client-Certificate", "Schuilnaam_Client_Certificate"),
        "Schuilnaam-Client-Verified",
        *("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port"),
        *("X-Forwarded-Prefix", "X-Forwarded-Proto", "X-Real-IP"),
        *("X-Original-URL", "X-Rewrite-URL"),
    ],
)
def test_nobody_outside_states_what_only_the_hop_may_state(
    client: httpx2.Client, brokers: tuple[Upstream, Upstream], name: str
) -> None:
    client.get("/", headers={name: "forged", "X-Other": "kept"})
    (seen,) = [each.headers for broker in brokers for each in broker.asked]
    assert seen["x-other"] == "kept"
    assert "forged" not in seen.values()


def test_a_clients_certificate_reaches_the_broker(
    nginx: Nginx,
    certificate: MadeCertificate,
    clients: TlsFiles,
    brokers: tuple[Upstream, Upstream],
) -> None:
    with new_client(nginx, certificate, host=CLIENTS_HOST, shows=clients) as client:
        client.post("/oidc/token", headers={CERTIFICATE_HEADER: "forged"})
    (seen,) = [each.headers for broker in brokers for each in broker.asked]
    assert unquote(seen[CERTIFICATE_HEADER]) == clients.certificate_file.read_text()


def test_a_clients_certificate_goes_along_to_the_api(
    nginx: Nginx,
    certificate: MadeCertificate,
    clients: TlsFiles,
    brokers: tuple[Upstream, Upstream],
) -> None:
    with new_client(nginx, certificate, host=CLIENTS_HOST, shows=clients) as client:
        client.get("/api/access", headers={CERTIFICATE_HEADER: "forged"})
    (seen,) = [each.headers for broker in brokers for each in broker.asked]
    assert unquote(seen[CERTIFICATE_HEADER]) == clients.certificate_file.read_text()


def test_a_client_without_certificate_has_none(
    nginx: Nginx, certificate: MadeCertificate, brokers: tuple[Upstream, Upstream]
) -> None:
    with new_client(nginx, certificate, host=CLIENTS_HOST) as client:
        client.post("/oidc/token", headers={CERTIFICATE_HEADER: "forged"})
    (seen,) = [each.headers for broker in brokers for each in broker.asked]
    assert CERTIFICATE_HEADER not in seen


def test_a_browser_is_not_asked_for_a_certificate(
    nginx: Nginx,
    certificate: MadeCertificate,
    clients: TlsFiles,
    brokers: tuple[Upstream, Upstream],
) -> None:
    with new_client(nginx, certificate, shows=clients) as client:
        client.post("/oidc/token")
    (seen,) = [each.headers for broker in brokers for each in broker.asked]
    assert CERTIFICATE_HEADER not in seen


@pytest.mark.parametrize("path", ["/oidc/authorize", "/schools", "/saml/sp/acs", "/"])
def test_the_name_for_clients_is_for_clients(
    nginx: Nginx, certificate: MadeCertificate, brokers: tuple[Upstream, Upstream], path: str
) -> None:
    with new_client(nginx, certificate, host=CLIENTS_HOST) as client:
        assert client.get(path).status_code == 404
    assert asked(brokers) == []


@pytest.mark.parametrize(
    "path", ["/health/live", "/health/ready", "/%68ealth/live", "/metrics", "/x/../metrics"]
)
def test_what_is_for_inside_is_not_shown(
    nginx: Nginx, certificate: MadeCertificate, brokers: tuple[Upstream, Upstream], path: str
) -> None:
    said = ask_raw(nginx, certificate, f"GET {path} HTTP/1.1")
    assert said.startswith("HTTP/1.1 404")
    assert asked(brokers) == []


def ask_raw(nginx: Nginx, certificate: MadeCertificate, line: str) -> str:
    """Send one request line as it is, which clients would tidy up first."""
    return subprocess.run(
        [
            *("openssl", "s_client", "-quiet", "-verify_quiet", "-ign_eof"),
            *("-CAfile", str(certificate.ca_file), "-servername", HOST),
            *("-connect", f"127.0.0.1:{nginx.https_port}"),
        ],
        input=f"{line}\r\nHost: {HOST}\r\nConnection: close\r\n\r\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    ).stdout


def test_plain_http_leads_to_https(nginx: Nginx, brokers: tuple[Upstream, Upstream]) -> None:
    with httpx2.Client(trust_env=False) as client:
        answer = client.get(f"http://{HOST}:{nginx.http_port}/schools?q=a")
    assert answer.status_code == 301
    assert answer.headers["location"] == f"https://{HOST}:{nginx.https_port}/schools?q=a"
    assert asked(brokers) == []


def test_another_name_gets_nothing(
    nginx: Nginx, client: httpx2.Client, brokers: tuple[Upstream, Upstream]
) -> None:
    with httpx2.Client(trust_env=False) as other, pytest.raises(httpx2.TransportError):
        other.get(f"http://127.0.0.1:{nginx.http_port}/")
    with pytest.raises(httpx2.TransportError):
        client.get("/", headers={"Host": "elsewhere.example"})
    assert handshake(nginx, "-servername", "elsewhere.example") is None
    assert asked(brokers) == []


def handshake(nginx: Nginx, *how: str) -> str | None:
    """Return protocol and suite of a handshake, or None when nginx refuses it."""
    said = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{nginx.https_port}", *how],
        input="",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    ).stdout
    found = re.search(r"^New, (TLSv[\d.]+), Cipher is (\S+)$", said, re.M)
    return None if found is None else f"{found[1]} {found[2]}"


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_tls_of_today_is_spoken(nginx: Nginx, version: str) -> None:
    spoken = handshake(nginx, "-servername", HOST, f"-{version}")
    assert spoken is not None


@pytest.mark.parametrize("version", ["tls1", "tls1_1"])
def test_tls_of_yesterday_is_not(nginx: Nginx, version: str) -> None:
    old = ("-cipher", "ALL:@SECLEVEL=0")
    assert handshake(nginx, "-servername", HOST, f"-{version}", *old) is None


@pytest.mark.parametrize(
    "suite", ["ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-CCM8"]
)
def test_no_other_suite(nginx: Nginx, suite: str) -> None:
    how = ("-servername", HOST, "-tls1_2", "-cipher")
    assert handshake(nginx, *how, f"{suite}:@SECLEVEL=0") is None
    assert handshake(nginx, *how, "ECDHE-ECDSA-AES256-GCM-SHA384") is not None


def test_the_suites_are_those_of_the_guidelines() -> None:
    (stated,) = re.findall(r"^ssl_ciphers (.+);$", (FILES / "tls.conf").read_text(), re.M)
    assert set(stated.split(":")) == SUITES_OF_TLS_1_2


@pytest.mark.parametrize("curve", ["P-521", "brainpoolP256r1"])
def test_no_other_curve(nginx: Nginx, curve: str) -> None:
    assert handshake(nginx, "-servername", HOST, "-curves", curve) is None
    assert handshake(nginx, "-servername", HOST, "-curves", "X25519") is not None


def test_a_body_of_the_largest_size_passes(
    client: httpx2.Client, brokers: tuple[Upstream, Upstream]
) -> None:
    assert client.post("/saml/sp/acs", content=b"x" * 262_144).status_code == 200
    refused = client.post("/saml/sp/acs", content=b"x" * 262_145)
    assert refused.status_code == 413
    assert "too large" in refused.text
    assert "nginx" not in refused.text
    assert asked(brokers) == ["POST /saml/sp/acs"]


def test_headers_of_an_honest_size_pass(
    client: httpx2.Client, brokers: tuple[Upstream, Upstream]
) -> None:
    assert client.get("/", headers={f"X-{i}": "x" * 5000 for i in range(3)}).status_code == 200
    refused = client.get("/", headers={"X-One": "x" * 9000})
    assert refused.status_code == 400
    assert "remove the cookies of this site" in refused.text
    assert not {"retry-after", "refresh"} & set(refused.headers)
    assert client.get("/", headers={f"X-{i}": "x" * 5000 for i in range(9)}).status_code == 400
    refused = client.get("/?" + "x" * 9000)
    assert refused.status_code == 414
    assert "too large" in refused.text
    assert asked(brokers) == ["GET /"]


def test_a_form_for_a_broker_that_is_away_goes_to_the_other(
    tmp_path: Path, certificate: MadeCertificate
) -> None:
    with running_upstream() as gone:
        pass
    with (
        running_upstream() as there,
        running_nginx(tmp_path, brokers=[gone.port, there.port], certificate=certificate) as nginx,
        new_client(nginx, certificate) as client,
    ):
        for _ in range(6):
            assert client.post("/saml/sp/acs", data={"a": "b"}).status_code == 200
        assert len(there.asked) == 6


def test_a_form_that_was_sent_is_never_sent_again(
    client: httpx2.Client, brokers: tuple[Upstream, Upstream]
) -> None:
    for each in brokers:
        each.hangs_up = True
    answer = client.post("/saml/sp/acs", data={"a": "b"})
    assert asked(brokers) == ["POST /saml/sp/acs"]
    assert answer.status_code == 503
    assert "Refresh" not in answer.headers


def test_a_page_is_asked_of_the_other_broker(
    client: httpx2.Client, brokers: tuple[Upstream, Upstream]
) -> None:
    brokers[0].hangs_up = True
    for _ in range(3):
        assert client.get("/oidc/authorize").status_code == 200
    assert len(brokers[1].asked) == 3


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_a_broker_answers_is_passed_on(
    client: httpx2.Client, brokers: tuple[Upstream, Upstream], status: int
) -> None:
    for each in brokers:
        each.status = status
    for path in ("/oidc/authorize", "/oidc/token"):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (status, "from a broker")
    assert len(asked(brokers)) == 2


def test_without_any_broker_there_is_a_page(tmp_path: Path, certificate: MadeCertificate) -> None:
    with running_upstream() as gone:
        pass
    with (
        running_nginx(tmp_path, brokers=[gone.port], certificate=certificate) as nginx,
        new_client(nginx, certificate) as client,
    ):
        page = client.get("/oidc/authorize?state=x")
        assert page.status_code == 503
        assert page.headers["refresh"] == "5"
        for words in ("Even geduld", "One moment please"):
            assert words in page.text
        assert page.headers["strict-transport-security"].startswith("max-age=63072000")
        assert page.headers["cache-control"] == "no-store"
        assert "nginx" not in page.text

        posted = client.post("/saml/sp/acs", data={"SAMLResponse": "x"})
        assert (posted.status_code, posted.text) == (503, page.text)
        assert "refresh" not in posted.headers

        told = client.post("/oidc/token", data={"code": "geheim"})
        assert told.status_code == 503
        assert told.headers["content-type"] == "application/json"
        assert told.headers["retry-after"] == "5"
        assert told.json() == {"error": "temporarily_unavailable"}
        said = nginx.said.read_text()
    assert "state=x" not in said
    assert "geheim" not in said


@pytest.mark.parametrize("name", ["unavailable.html", "unreadable.html"])
def test_the_page_may_style_itself_and_nothing_else(name: str) -> None:
    page = (FILES / "pages" / name).read_text()
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.S)
    stated = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{stated}'" in (FILES / "page-headers.conf").read_text()
    assert not re.search(r"<script|\son\w+=|style=|https?:", page)


def test_a_school_behind_one_address_passes(
    nginx: Nginx, certificate: MadeCertificate, brokers: tuple[Upstream, Upstream]
) -> None:
    async def everybody_at_once() -> list[int]:
        trust = ssl.create_default_context(cafile=str(certificate.ca_file))
        async with httpx2.AsyncClient(
            base_url=f"https://{HOST}:{nginx.https_port}", verify=trust, trust_env=False, timeout=60
        ) as client:
            lines = asyncio.Semaphore(30)

            async def one(number: int) -> int:
                async with lines:
                    return (await client.get(f"/oidc/authorize?state={number}")).status_code

            return list(await asyncio.gather(*map(one, range(600))))

    assert set(asyncio.run(everybody_at_once())) == {200}
    assert len(asked(brokers)) == 600


def test_one_browser_that_hammers_the_chooser_waits(
    client: httpx2.Client, brokers: tuple[Upstream, Upstream]
) -> None:
    hammering = {"Cookie": "__Host-lang=nl; __Host-form=" + "0" * 32}
    told = [client.get("/schools?q=a", headers=hammering).status_code for _ in range(200)]
    assert told[0] == 200
    assert 429 in told
    other = {"Cookie": "__Host-form=" + "1" * 32}
    assert client.get("/schools?q=a", headers=other).status_code == 200
    refused = client.get("/schools?q=a", headers=hammering)
    if refused.status_code == 429:
        assert "One moment please" in refused.text


def test_each_line_of_the_log_is_json_without_persons(
    nginx: Nginx, client: httpx2.Client, brokers: tuple[Upstream, Upstream]
) -> None:
    client.get("/oidc/callback?code=geheim", headers={"User-Agent": "mine", "Referer": "there"})
    while '"GET /oidc/callback"' not in (said := nginx.said.read_text()) or said[-1] != "\n":
        assert nginx.process is not None  # it writes the line once it has answered
        assert nginx.process.poll() is None
    lines = [json.loads(line) for line in said.splitlines()]
    (line,) = [each for each in lines if each["asked"] == "GET /oidc/callback"]
    assert line["status"] == "200"
    for secret in ("geheim", "mine", "there", "127.0.0.1"):
        assert secret not in json.dumps({**line, "broker": ""})


def test_an_error_of_nginx_itself_tells_nothing_of_the_request(
    tmp_path: Path, certificate: MadeCertificate
) -> None:
    with running_nginx(tmp_path, brokers=[a_free_port()], certificate=certificate) as nginx:
        page = tmp_path / "conf" / "pages" / "unavailable.html"
        page.unlink()
        os.mknod(page, stat.S_IFSOCK)  # cannot be opened: a critical error, as nginx sees it
        with new_client(nginx, certificate) as client:
            referrer = {"referer": "https://school.example/s3cret"}
            assert client.get("/oidc/callback?code=s3cret", headers=referrer).status_code == 500
        conf = tmp_path / "conf" / "nginx.conf"
        conf.write_text("no such directive;")
        nginx.reload()
        while "[emerg]" not in (said := nginx.said.read_text()):
            assert nginx.process is not None
            assert nginx.process.poll() is None
        assert '"asked":"GET /oidc/callback"' in said
        assert "s3cret" not in said
        assert "client: " not in said
