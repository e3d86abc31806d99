"""How the broker listens: its address, its certificate, its limits on HTTP, and where it logs."""

import socket
import ssl
from collections.abc import Iterator

import uvicorn

from broker.adapters.serving.http_limits import HttpLimits
from broker.adapters.serving.http_server import allow_connections
from broker.adapters.watching.logs import configure_logs
from broker.flow.federation.documents import FederationProblems, Problem
from broker.settings import LoadedSettings

HEAD_SECONDS = 20
"""Until a request's head is complete; nginx: client_header_timeout."""


def start_logs(loaded: LoadedSettings) -> None:
    """Send logs where the settings say."""
    file = loaded.settings.logging.file
    configure_logs(
        level=loaded.settings.logging.level,
        file=None if file is None else loaded.config_folder / file,
    )


def find_tls_problems(loaded: LoadedSettings) -> Iterator[Problem]:
    """Yield why the certificate and key that the settings name cannot be used, if they cannot."""
    server = loaded.settings.server
    if server.tls_certificate is None or server.tls_key is None:
        return
    certificate, key = (
        loaded.config_folder / each for each in (server.tls_certificate, server.tls_key)
    )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except OSError as error:
        yield Problem(
            str(loaded.config_folder / "broker.toml"),
            "server.tls_certificate",
            f"cannot be used with its key: {error.strerror or error}.",
            "Name PEM files that belong together; the key without passphrase.",
        )


def open_listener(loaded: LoadedSettings) -> socket.socket:
    """Return a socket on the address of the settings, that does not listen yet.

    Raises:
        FederationProblems: the address is in use, or not this machine's.
    """
    host, port = loaded.settings.server.host, loaded.settings.server.port
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        problem = Problem(
            str(loaded.config_folder / "broker.toml"),
            "server.port",
            f"{host} {port} cannot be listened on: {error.strerror or error}.",
            "Stop what listens there, or state another server.host or server.port.",
        )
        raise FederationProblems([problem]) from error
    return listener


def server_config(loaded: LoadedSettings, broker: object) -> uvicorn.Config:
    """Return how the server listens: no access log, for paths and queries say who logs in."""
    server = loaded.settings.server
    folder = loaded.config_folder
    return uvicorn.Config(
        broker,  # type: ignore[arg-type]  # an ASGI application, which uvicorn spells otherwise
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        date_header=True,
        ssl_certfile=None if server.tls_certificate is None else folder / server.tls_certificate,
        ssl_keyfile=None if server.tls_key is None else str(folder / server.tls_key),
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
    )


def read_limits(loaded: LoadedSettings) -> HttpLimits:
    """Return the limits on HTTP: the same numbers that the pages above hold to."""
    from broker.web.edge import MAX_ADDRESS_BYTES, MAX_HEADER_BYTES, MAX_HEADERS
    from broker.web.requests import API_BODY_WITHIN_SECONDS, BODY_WITHIN_SECONDS

    server, limits = loaded.settings.server, loaded.settings.limits
    return HttpLimits(
        address_bytes=MAX_ADDRESS_BYTES,
        headers=MAX_HEADERS,
        header_bytes=MAX_HEADER_BYTES,
        head_seconds=HEAD_SECONDS,
        body_bytes=limits.body_bytes,
        body_seconds=BODY_WITHIN_SECONDS,
        api_body_bytes=limits.api_body_bytes,
        api_body_seconds=API_BODY_WITHIN_SECONDS,
        keep_alive_seconds=server.keep_alive_seconds,
        drain_seconds=server.drain_seconds,
        connections=allow_connections(limits.connections),
    )
