"""Logs as JSON lines: names and verdicts, never a value of a pupil (STYLE.md 2)."""

import logging
import sys
from pathlib import Path
from typing import TextIO

import structlog

from broker.flow.audit import AuditEvent

SHUT_LOGGERS = ("signxml", "saml2", "httpcore", "httpcore2", "httpx2", "uvicorn.access")
"""Libraries that would write whole messages, addresses or queries at some level."""


def configure_logs(*, level: str, file: Path | None) -> None:
    """Send every log line to `file`, or to standard error, as one JSON object each."""
    for name in SHUT_LOGGERS:
        logger = logging.getLogger(name)
        logger.disabled = True
        logger.propagate = False
    stream: TextIO = sys.stderr if file is None else file.open("a", encoding="utf-8", buffering=1)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )


def report_registry(event: str, version: int, reason: str) -> None:
    """Log that a registry version came into force, or why it did not."""
    log = structlog.get_logger()
    if reason:
        log.error(event, version=version, reason=reason)
    else:
        log.info(event, version=version)


class AuditLines:
    """`flow.audit.AuditLog`: one line for each release and refusal."""

    def __init__(self) -> None:
        self._log = structlog.get_logger()

    def record(self, event: AuditEvent) -> None:
        """Write one event down, without its empty fields."""
        fields = {
            "code": event.code,
            "check": event.check,
            "reference": event.reference,
            "school": event.school,
            "idp": event.idp,
            "supplier": event.supplier,
            "relying_party": event.relying_party,
            "names": event.names,
        }
        self._log.info(event.action, **{name: value for name, value in fields.items() if value})
