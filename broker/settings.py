"""Typed settings: `broker.toml` of a configuration folder, overridden by `BROKER_...` variables.

Units stand in the names. An unknown key stops the start and names its path, so that a typing error
never silently leaves a default in place. Secrets never stand here: they are files in `keys/`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from broker.setting_tables import (
    MEMORY_URL,
    About,
    Certificates,
    Console,
    Conversions,
    Enrolment,
    Folders,
    Joining,
    Limits,
    Logging,
    Pupils,
    Scope,
    Section,
    Server,
    Sessions,
    Store,
    Switching,
    Takeovers,
    Times,
    Transfers,
    WebAddress,
)

ENVIRONMENT_PREFIX = "BROKER_"
"""`BROKER_ISSUER` sets `issuer`, `BROKER_SERVER__PORT` sets `server.port`."""

REDIS_PORT = 6379
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

_FIELD = re.compile(r"field `(.+)`")
"""Names the key in what msgspec says of one that is unknown or missing."""


class SettingsProblem(Exception):  # noqa: N818 -- said to an operator, with its remedy
    """A setting that cannot be used: `file`, `path` of the key, `problem`, `remedy`."""

    def __init__(self, file: str, path: str, problem: str, remedy: str) -> None:
        super().__init__(f"{file}: {path}: {problem} {remedy}")
        self.file, self.path, self.problem, self.remedy = file, path, problem, remedy


class Settings(Section, frozen=True, kw_only=True):
    """All settings of a broker.

    The issuer is https unless its host is loopback; it never comes from a request.
    """

    issuer: str
    name: str = "Schuilnaam"
    service_documentation: WebAddress | None = None
    """Where suppliers' developers read how to connect (RFC 8414 2)."""
    about: About = About()
    server: Server = Server()
    folders: Folders = Folders()
    store: Store = Store()
    times: Times = Times()
    sessions: Sessions = Sessions()
    console: Console = Console()
    joining: Joining = Joining()
    takeover: Takeovers = Takeovers()
    switching: Switching = Switching()
    transfers: Transfers = Transfers()
    pupils: Pupils = Pupils()
    enrolment: Enrolment = Enrolment()
    conversion: Conversions = Conversions()
    certificates: Certificates = Certificates()
    limits: Limits = Limits()
    logging: Logging = Logging()
    pairwise_scope: Scope | None = None
    """What stands behind the @ of a `pairwise-id`, for good; the issuer's host when absent."""
    fetch_allowed_hosts: tuple[str, ...] = ()
    """Hosts on private addresses that may be fetched from all the same, e.g. in a demo."""

    @property
    def pairwise_scope_in_force(self) -> str:
        """Return the scope of every `pairwise-id`; host names are ASCII and lower case here."""
        return self.pairwise_scope or urlsplit(self.issuer).hostname or ""


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings with the folder that relative paths start from."""

    settings: Settings
    config_folder: Path

    @property
    def keys_folder(self) -> Path:
        return self.config_folder / self.settings.folders.keys

    @property
    def data_folder(self) -> Path:
        return self.config_folder / self.settings.folders.data


def load_settings(config_folder: Path, *, environment: Mapping[str, str]) -> LoadedSettings:
    """Read `config_folder/broker.toml` and lay `BROKER_...` variables over it.

    Raises:
        SettingsProblem: file missing or unreadable, key unknown, value of the wrong type, or an
            issuer that is not https although its host is not loopback.
    """
    file = config_folder / "broker.toml"
    try:
        stated = msgspec.toml.decode(file.read_bytes(), type=dict)
    except OSError as error:
        raise SettingsProblem(
            str(file),
            "-",
            f"cannot be read: {error.strerror}.",
            "Make it, or name another --config.",
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsProblem(
            str(file), "-", f"is not TOML: {error}.", "Correct that line."
        ) from error
    check_no_password_stated(stated, file=str(file))
    for name, value in environment.items():
        if name.startswith(ENVIRONMENT_PREFIX):
            _lay_over(stated, name, value)
    try:
        settings = msgspec.convert(stated, Settings, strict=False)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at ")
        named = _FIELD.search(problem)
        key = ".".join(filter(None, (path.strip("`$."), named[1] if named is not None else "")))
        where = _where_stated(key, environment, file)
        raise SettingsProblem(where, key or "-", f"{problem}.", "See config/README.md.") from error
    check_issuer(settings.issuer, file=_where_stated("issuer", environment, file))
    check_tls(settings.server, file=str(file))
    check_store(settings.store, file=str(file))
    check_certificate_hops(
        settings.certificates, file=_where_stated("certificates", environment, file)
    )
    check_workers(
        settings.server.workers,
        settings.store,
        file=_where_stated("server.workers", environment, file),
    )
    return LoadedSettings(settings, config_folder)


def check_tls(server: Server, *, file: str) -> None:
    """Refuse a certificate without its key, and a key without its certificate."""
    if (server.tls_certificate is None) != (server.tls_key is None):
        missing = "tls_key" if server.tls_key is None else "tls_certificate"
        raise SettingsProblem(
            file, f"server.{missing}", "is missing.", "State both files, or neither behind a proxy."
        )


def check_certificate_hops(certificates: Certificates, *, file: str) -> None:
    """Refuse what is no address of a proxy: what it said of certificates would be ignored."""
    for stated in certificates.hops:
        try:
            ip_network(stated)
        except ValueError:
            raise SettingsProblem(
                file,
                "certificates.hops",
                f"{stated} is no address or network.",
                "Write the proxies' own addresses, such as 127.0.0.1 or 172.30.80.0/24.",
            ) from None


def check_issuer(issuer: str, *, file: str) -> None:
    """Refuse an issuer that is no https origin (http only on loopback)."""
    parts = urlsplit(issuer)
    loopback = parts.hostname in LOOPBACK_HOSTS
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise SettingsProblem(
            file, "issuer", "must begin with https:// .", "Only a loopback host may use http."
        )
    if issuer != _origin(issuer):
        raise SettingsProblem(
            file,
            "issuer",
            "must be an origin, as browsers write it.",
            "Write scheme and host in small letters, a port only where it is not the usual one, "
            "and no path or slash.",
        )


def check_no_password_stated(stated: Mapping[str, object], *, file: str) -> None:
    """Refuse a password in the settings' own file, which is copied, shown and kept in versions."""
    store = stated.get("store")
    if isinstance(store, dict) and "password" in store:
        raise SettingsProblem(
            file,
            "store.password",
            "does not belong here.",
            "Name a store.password_file, or set BROKER_STORE__PASSWORD.",
        )


def check_store(store: Store, *, file: str) -> None:
    """Refuse an address of the login store that is none, or that holds a password."""
    if store.url != MEMORY_URL and parse_store_url(store.url) is None:
        raise SettingsProblem(
            file,
            "store.url",
            f"is neither {MEMORY_URL} nor redis:// or rediss:// and a host.",
            "Write redis[s]://[user@]host[:port][/database]; the password stands elsewhere.",
        )
    if store.password is not None and store.password_file is not None:
        raise SettingsProblem(
            file, "store.password_file", "is one of two passwords.", "Leave one out."
        )


def check_workers(workers: int, store: Store, *, file: str) -> None:
    """Refuse several workers that would not know each other's logins."""
    if workers > 1 and store.url == MEMORY_URL:
        raise SettingsProblem(
            file,
            "server.workers",
            "is more than 1, but each worker would have a login store of its own.",
            "Name a Redis as store.url, or leave it at 1.",
        )


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """What the URL of a Redis server says."""

    host: str
    port: int
    database: int
    username: str | None
    tls: bool


def parse_store_url(url: str) -> StoreAddress | None:
    """Return what the URL says; None when it is no address without password of a Redis server.

    >>> parse_store_url("rediss://broker@redis.example/1")
    StoreAddress(host='redis.example', port=6379, database=1, username='broker', tls=True)
    >>> parse_store_url("redis://:secret@redis.example")
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    database = re.fullmatch(r"/?([0-9]{0,4})", parts.path, re.ASCII)
    if (
        parts.scheme not in ("redis", "rediss")
        or not parts.hostname
        or database is None
        or parts.password is not None
        or parts.query
        or parts.fragment
    ):
        return None
    return StoreAddress(
        host=parts.hostname,
        port=REDIS_PORT if port is None else port,
        database=int(database[1] or 0),
        username=parts.username or None,
        tls=parts.scheme == "rediss",
    )


def _origin(url: str) -> str:
    """Return the origin of a URL as browsers serialise it (RFC 6454 6.2); "" when it has none."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    bracketed = f"[{host}]" if ":" in host else host
    usual = port is None or port == {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{bracketed}{'' if usual else f':{port}'}" if host else ""


def _where_stated(key: str, environment: Mapping[str, str], file: Path) -> str:
    """Return the variable that stated a setting, else the file."""
    variable = ENVIRONMENT_PREFIX + key.upper().replace(".", "__")
    return variable if variable in environment else str(file)


def _lay_over(stated: dict[str, object], name: str, value: str) -> None:
    *tables, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
    place = stated
    for table in tables:
        inner = place.setdefault(table, {})
        if not isinstance(inner, dict):
            raise SettingsProblem("environment", name, "names no table.", "See config/README.md.")
        place = inner
    place[key] = value
