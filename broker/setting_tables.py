"""The tables of `broker.toml`, one class each; what they mean stands in `config/README.md`.

Units stand in the names. A new setting belongs to the table of what it bounds.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Port = Annotated[int, Meta(ge=0, le=65535)]
Positive = Annotated[int, Meta(ge=1)]
MailAddress = Annotated[str, Meta(pattern=r"^[!-?A-~]+@[!-?A-~]+\Z", max_length=254)]
ShownText = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]+\Z", max_length=1000)]
WebAddress = Annotated[str, Meta(pattern=r"^https?://[!-~]+\Z", max_length=2000)]
Scope = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,126}\Z")]
"""SAML V2.0 Subject Identifier Attributes Profile 1.0, 2.1; in small letters, as it is compared."""
AcrValue = Literal[
    "http://eidas.europa.eu/LoA/low",
    "http://eidas.europa.eu/LoA/substantial",
    "http://eidas.europa.eu/LoA/high",
    "https://refeds.org/profile/sfa",
    "https://refeds.org/profile/mfa",
]
"""A level of a login; those of `broker.domain.assurance`."""
HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]+\Z", max_length=100)]
MEMORY_URL = "memory:"
"""The login store in the process itself: one worker, and gone when it stops."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of settings."""


class Server(Section, frozen=True, kw_only=True):
    """Where the broker listens."""

    host: str = "127.0.0.1"
    port: Port = 8000
    metrics_port: Port | None = None
    """Where Prometheus asks; no metrics are served when absent, and never at `port`."""
    metrics_host: str = "127.0.0.1"
    tls_certificate: str | None = None
    """PEM file; only where no proxy stands in front."""
    tls_key: str | None = None
    workers: Positive = 1
    """Processes; more than one need a Redis."""
    keep_alive_seconds: Positive = 75
    """Longer than the proxy keeps an idle connection, so that it is never we who close it."""
    drain_seconds: Positive = 20
    """That idle connections stay open when a worker stops; longer than the proxy likewise."""
    hung_seconds: Positive = 15
    """Silence of a worker's event loop after which it is replaced."""


class Folders(Section, frozen=True, kw_only=True):
    """Relative to the configuration folder."""

    keys: str = "keys"
    data: str = "data"
    """The databases: registry.db, register.db, receipts.db."""


class Store(Section, frozen=True, kw_only=True):
    """Where the login store is: what lives between two requests of one login."""

    url: str = MEMORY_URL
    """`redis://` or `rediss://` (TLS), then [user@]host[:port][/database]."""
    password: str | None = None
    """From the environment only, or from `password_file`."""
    password_file: str | None = None
    ca_file: str | None = None
    """PEM of the authorities that may vouch for a `rediss://` server; the system's when absent."""
    connect_milliseconds: Positive = 1000
    operation_milliseconds: Positive = 1000

    def __repr__(self) -> str:
        return "Store(...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return []


class Times(Section, frozen=True, kw_only=True):
    """How long things live. Protocol constants (codes, assertions) are code, with their source."""

    registry_poll_milliseconds: Positive = 500
    """How often a running broker looks for a changed registry and for changed keys."""
    remembered_school_days: Positive = 180
    receipt_head_minutes: Positive = 60


class Sessions(Section, frozen=True, kw_only=True):
    """A browser's session after a login at school, and its end at suppliers."""

    minutes: Annotated[int, Meta(ge=1, le=720)] = 60
    """After which the school is asked again, however busy the pupil is."""
    logout_minutes: Annotated[int, Meta(ge=1, le=720)] = 240
    """For so long after a release a logout reaches its supplier."""
    logout_wait_seconds: Annotated[int, Meta(ge=0, le=600)] = 20
    """At most so long, and at random, waits each message to a supplier."""
    logout_stop_seconds: Annotated[int, Meta(ge=2, le=120)] = 10
    """So long a browser waits for a party to which it is brought, by SAML, then it goes on."""
    front_channel_logout: bool = False
    """Whether suppliers' own logout pages are shown in frames of ours."""


class Console(Section, frozen=True, kw_only=True):
    """The pages on which schools and suppliers decide."""

    idle_minutes: Annotated[int, Meta(ge=1, le=480)] = 30
    """After which somebody who does nothing must log in again."""
    longest_hours: Annotated[int, Meta(ge=1, le=8)] = 8
    """After which everybody must."""
    signing_levels: Annotated[tuple[AcrValue, ...], Meta(min_length=1)] = (
        "https://refeds.org/profile/mfa",
        "http://eidas.europa.eu/LoA/substantial",
    )
    """Of which a login must have one before it signs, or a higher one."""
    signing_minutes: Annotated[int, Meta(ge=1, le=60)] = 15
    """Since that login, for which the school had to ask anew."""
    invitation_days: Annotated[int, Meta(ge=1, le=60)] = 14
    """That an invitation waits."""


class Joining(Section, frozen=True, kw_only=True):
    """When a new ECK iD's alias to a school's own number holds elsewhere."""

    mature_days: Positive = 30
    mature_login_days: Positive = 5
    share_least_logins: Positive = 20
    """On a day, below which a school's share of logins with ECK iD says nothing."""
    share_dropped_percent: Annotated[int, Meta(ge=1, le=100)] = 30
    """Points by which that share must drop to be told."""


class Takeovers(Section, frozen=True, kw_only=True):
    """Bounds on what a school may sign for when its accounts are taken over by pseudonyms."""

    longest_days: Positive = 400
    """From the signing to the last day."""
    asked_per_school: Positive = 20_000
    """ECK iDs of one school that its suppliers may ask about in all."""


class Switching(Section, frozen=True, kw_only=True):
    """When a school may change its login."""

    most_changed_percent: Annotated[int, Meta(ge=0, le=100)] = 1
    """Of those known in a rehearsal, whose account may change; more need two persons."""


class Transfers(Section, frozen=True, kw_only=True):
    """Pupils who are known elsewhere and arrive at a school."""

    daily_minimum: Positive = 5
    daily_percent: Annotated[int, Meta(ge=0, le=100)] = 2
    """Of the school's published head count."""
    season_factor: Positive = 3
    season_first_month: Annotated[int, Meta(ge=1, le=12)] = 8
    season_last_month: Annotated[int, Meta(ge=1, le=12)] = 10
    total_percent: Annotated[int, Meta(ge=100)] = 115
    """Pupils of a school year, of the head count, with which a newcomer is still let in."""
    first_minimum: Positive = 30
    """Pupils of a school year whom nobody stated before, however small the school; a class."""
    first_without_count: Positive = 50_000
    """The same at a school that published no head count: more than the largest institution has."""
    first_told_percent: Annotated[int, Meta(ge=0, le=100)] = 40
    """Of the head count, in two weeks: more such pupils are told; no intake is as large."""
    first_told_without_count: Positive = 200
    settled_days: Positive = 14
    previous_sub_days: Positive = 365
    """From the first telling on."""


class Pupils(Section, frozen=True, kw_only=True):
    """What pupils ask of their school, and what the school asks about its own pupils."""

    request_days: Annotated[int, Meta(ge=1, le=31)] = 28
    """Within which a school decides; GDPR 12.3 gives it a month."""
    looked_up_daily: Positive = 10_000
    """Pupils whose pseudonyms a school may look up in a day; its teachers together as many."""


class Enrolment(Section, frozen=True, kw_only=True):
    """How far schools' lists of who is there are believed."""

    believed_days: Positive = 400
    """Since a school last sent its list; a school year with its holidays."""
    vanishing_percent: Annotated[int, Meta(ge=0, le=100)] = 10
    lists_a_day: Positive = 48
    """By API, of one school."""


class Conversions(Section, frozen=True, kw_only=True):
    """How many pseudonyms a supplier's own program may convert while its window is open."""

    quota_percent: Positive = 200
    """Of the persons whom the supplier knows."""
    quota_least: Positive = 100
    """What every supplier may."""


class Certificates(Section, frozen=True, kw_only=True):
    """Certificates of suppliers' systems: who states them, and where such systems call."""

    hops: tuple[str, ...] = ()
    """Addresses or networks of the proxies whose header is believed; nobody's by default."""
    header: HeaderName = "Schuilnaam-Client-Certificate"
    """PEM, percent-encoded."""
    verified_header: HeaderName = "Schuilnaam-Client-Verified"
    """`SUCCESS` where one of the proxy's authorities vouches for it."""
    url: Annotated[str, Meta(pattern=r"^https?://[^/\s?#@]+\Z")] | None = None
    """Origin under which the proxy asks for certificates; told as `mtls_endpoint_aliases`."""


class About(Section, frozen=True, kw_only=True):
    """What our SAML metadata tells people of us; what is absent is left out."""

    name_nl: ShownText | None = None
    """In place of `name`."""
    name_en: ShownText | None = None
    description_nl: ShownText = (
        "Logt leerlingen en medewerkers bij lesmateriaal in, met hun account van school."
    )
    description_en: ShownText = (
        "Logs pupils and staff in to learning material, with their account of school."
    )
    logo: WebAddress | None = None
    logo_width: Positive = 80
    """Pixels."""
    logo_height: Positive = 60
    information_url_nl: WebAddress | None = None
    information_url_en: WebAddress | None = None
    privacy_url_nl: WebAddress | None = None
    privacy_url_en: WebAddress | None = None
    organization: ShownText | None = None
    """Who runs the broker; told with its web page."""
    organization_url: WebAddress | None = None
    technical_mail: MailAddress | None = None
    support_mail: MailAddress | None = None
    security_mail: MailAddress | None = None
    error_url: WebAddress | None = None
    """Where a supplier may send people whom our answer did not let in (`errorURL`)."""


class Limits(Section, frozen=True, kw_only=True):
    """Bounds on what one worker takes in."""

    store_records: Positive = 1_000_000
    body_bytes: Positive = 262_144
    api_body_bytes: Positive = 16_777_216
    """Of a request to `/api/`; read only from who proved to be a school or supplier."""
    school_call_seconds: Positive = 5
    requests_at_once: Positive = 500
    """In work in one worker; more are asked to come back in a moment."""
    pushed_requests_a_minute: Positive = 6000
    """Of one relying party, kept by one worker; for more, it is asked to come back."""
    connections: Positive = 2000
    """Open at one worker; for one more, the one that has idled longest is closed."""


class Logging(Section, frozen=True, kw_only=True):
    """Where a request's record goes; never a value of a pupil."""

    level: Annotated[str, Meta(pattern="^(debug|info|warning|error)$")] = "info"
    file: str | None = None
    """Standard error when absent."""
