"""Logs as JSON lines: names and verdicts, never a value of a pupil.

What a library wants to say goes through `LibraryLines`, which keeps who said it and where, and
not the text: an error's text may hold an address, a query or a whole message.

A line that cannot be written fails nobody: no login, no worker, no supervisor. It is lost, and the
first line that can be written again is followed by one that says how many were.
"""

import logging
import os
import socket
import sys
from collections.abc import Callable, Sequence
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import msgspec
import structlog
from structlog.typing import EventDict

from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.login_store.redis_connections import RedisProblem
from broker.adapters.serving.worker_processes import WorkerEvent
from broker.flow.audit import AuditEvent
from broker.flow.following.trail import current_trail

SHUT_LOGGERS = ("signxml", "saml2", "httpcore", "httpcore2", "httpx2", "uvicorn.access")
"""Libraries that would write whole messages, addresses or queries at some level."""

SPEAKS_FOR_ITSELF = "uvicorn.error"
"""Tells an operator that a port is taken; its texts hold nothing of a request."""

SOMEBODY_MUST_LOOK = {WorkerEvent.HUNG, WorkerEvent.REFUSED, WorkerEvent.RELOAD_REFUSED}

LOST = "lines-lost"

_encoder = msgspec.json.Encoder(enc_hook=lambda value: type(value).__name__)


def configure_logs(*, level: str, file: Path | None) -> None:
    """Send every log line to `file`, or to standard error, as one JSON object each."""
    for name in SHUT_LOGGERS:
        logger = logging.getLogger(name)
        logger.disabled = True
        logger.propagate = False
    logging.getLogger().handlers[:] = [LibraryLines(logging.WARNING)]
    lines = Lines(file, tell_lost=lambda count: structlog.get_logger().error(LOST, lines=count))
    worker = f"{socket.gethostname()}/{os.getpid()}"

    def name_worker(_logger: object, _method: str, event: EventDict) -> EventDict:
        event["worker"] = worker
        return event

    structlog.configure(
        processors=[
            name_worker,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _to_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )


class Lines:
    """What structlog writes to: a full disk or a closed pipe is no fault of who says something.

    Each line of a file is one call to the system, so that workers do not cut into each other's.

    Args:
        file: to append to; standard error when None.
        tell_lost: called with a number of lines when writing works again.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, file: Path | None, *, tell_lost: Callable[[int], None]) -> None:
        self._stream: BinaryIO | FileIO = (
            sys.stderr.buffer if file is None else file.open("ab", buffering=0)
        )
        self._tell_lost = tell_lost
        self._lost = 0
        self._lock = Lock()

    def msg(self, line: bytes) -> None:
        """Write one line, or count it as lost."""
        with self._lock:
            begin = b"\n" if self._lost else b""  # what was lost may have been cut off
            try:
                self._stream.write(b"%b%b\n" % (begin, line))
                self._stream.flush()
            except OSError:
                self._lost += 1
                return
            lost, self._lost = self._lost, 0
        if lost:
            self._tell_lost(lost)

    debug = info = warning = error = critical = msg

    def close(self) -> None:
        """Close the file; standard error stays open."""
        if isinstance(self._stream, FileIO):
            self._stream.close()


def _to_json(_logger: object, _method: str, event: EventDict) -> bytes:
    """Return one line; a value of an unforeseen type shows its type alone, never its repr."""
    return _encoder.encode(event)


class LibraryLines(logging.Handler):
    """Writes who warned and where; the text only of `SPEAKS_FOR_ITSELF`, and never of an error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line about a record of the standard library's logging."""
        kind = record.exc_info[0] if record.exc_info else None
        says = record.getMessage() if record.name == SPEAKS_FOR_ITSELF and kind is None else ""
        fields = {
            "library": record.name,
            "place": f"{record.module}.{record.funcName}:{record.lineno}",
            "kind": "" if kind is None else kind.__name__,
            "says": says,
        }
        log = structlog.get_logger()
        write = log.error if record.levelno >= logging.ERROR else log.warning
        write("library", **{name: value for name, value in fields.items() if value})


def report_registry(event: str, version: int, reason: str) -> None:
    """Log that a registry version came into force, or why it did not."""
    log = structlog.get_logger()
    if reason:
        log.error(event, version=version, reason=reason)
    else:
        log.info(event, version=version)


def report_store(found: RedisProblem | None) -> None:
    """Log that the login store became usable, or why it is not and what to do."""
    log = structlog.get_logger()
    if found is None:
        log.info("store-usable")
    else:
        log.error("store-unusable", reason=found.problem, remedy=found.remedy)


def report_metadata(event: str, **fields: str) -> None:
    """Log what somebody should know of a source of metadata: ids of documents, never of people."""
    structlog.get_logger().error(event, **{name: each for name, each in fields.items() if each})


def report_workers(event: WorkerEvent, **fields: str | int) -> None:
    """Log what became of a worker, or of a reload."""
    log = structlog.get_logger()
    write = log.error if event in SOMEBODY_MUST_LOOK else log.info
    write(event.value, **fields)


def report_keys(problems: Sequence[KeyProblem]) -> None:
    """Log that other keys are in force, or why those of before stay and what to do."""
    log = structlog.get_logger()
    if not problems:
        log.info("keys-loaded")
    for each in problems:
        log.error("keys-refused", file=str(each.file), problem=each.problem, remedy=each.remedy)


class AuditLines:
    """`flow.audit.AuditLog`: one line for each release and refusal, at every level of logging."""

    def __init__(self) -> None:
        every_level = structlog.make_filtering_bound_logger(logging.NOTSET)
        self._log = structlog.wrap_logger(None, wrapper_class=every_level)

    def record(self, event: AuditEvent) -> None:
        """Write one event down, without its empty fields."""
        fields = {
            "login": current_trail().login,
            "code": event.code,
            "check": event.check,
            "reference": event.reference,
            "school": event.school,
            "idp": event.idp,
            "supplier": event.supplier,
            "relying_party": event.relying_party,
            "names": event.names,
            "withheld": dict(event.withheld),
            "missing": event.missing,
            "subject": event.subject,
            "operators": event.operators,
            "counts": dict(event.counts),
            "source": event.source,
        }
        self._log.info(event.action, **{name: value for name, value in fields.items() if value})
