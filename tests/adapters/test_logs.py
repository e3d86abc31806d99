"""Log lines: JSON, one event each; names and verdicts, and nothing that a library repeats."""

import contextlib
import json
import logging
import os
import resource
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from broker.adapters.watching.logs import (
    LOST,
    SHUT_LOGGERS,
    AuditLines,
    Lines,
    configure_logs,
    report_registry,
)
from broker.domain.ids import RelyingPartyId, SchoolId, SupplierId
from broker.flow.audit import AuditEvent

Read = Callable[[], list[dict[str, Any]]]
PUPIL = "sanne@vuurvogel.example"


@pytest.fixture
def _restored() -> Iterator[None]:
    """Leave logging as it was, for other tests in this process."""
    root = logging.getLogger()
    handlers = list(root.handlers)
    yield
    lines = structlog.get_config()["logger_factory"]()
    if isinstance(lines, Lines):
        lines.close()
    root.handlers[:] = handlers
    for name in SHUT_LOGGERS:
        logging.getLogger(name).disabled = False
        logging.getLogger(name).propagate = True
    structlog.reset_defaults()


@pytest.fixture
def configure(tmp_path: Path, _restored: None) -> Callable[[str], Read]:
    def at(level: str) -> Read:
        file = tmp_path / "broker.log"
        configure_logs(level=level, file=file)
        return lambda: [json.loads(line) for line in file.read_text().splitlines()]

    return at


def test_a_line_is_one_json_object_with_its_time(configure: Callable[[str], Read]) -> None:
    lines = configure("info")
    structlog.get_logger().info("request", route="/schools", note="two\nlines")
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line.pop("worker") == f"{socket.gethostname()}/{os.getpid()}"
    assert line == {"event": "request", "level": "info", "route": "/schools", "note": "two\nlines"}


def test_a_value_of_another_type_shows_its_type_alone(configure: Callable[[str], Read]) -> None:
    lines = configure("info")
    structlog.get_logger().info("request", fault=ValueError(PUPIL))
    assert lines()[0]["fault"] == "ValueError"


def test_an_audit_event_is_written_without_its_empty_fields(
    configure: Callable[[str], Read],
) -> None:
    lines = configure("info")
    AuditLines().record(
        AuditEvent(
            action="released",
            school=SchoolId("vuurvogel"),
            supplier=SupplierId("rekenrijk"),
            relying_party=RelyingPartyId("rekenrijk"),
            names=("givenName",),
        )
    )
    (line,) = lines()
    assert {name: line[name] for name in line if name not in {"timestamp", "level", "worker"}} == {
        "event": "released",
        "school": "vuurvogel",
        "supplier": "rekenrijk",
        "relying_party": "rekenrijk",
        "names": ["givenName"],
    }


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_the_audit_is_written_at_every_level(configure: Callable[[str], Read], level: str) -> None:
    lines = configure(level)
    AuditLines().record(AuditEvent(action="refused", code="E-LOGIN-1", check="check_x"))
    assert [each["event"] for each in lines()] == ["refused"]


def test_other_lines_keep_to_the_level(configure: Callable[[str], Read]) -> None:
    lines = configure("warning")
    structlog.get_logger().info("request")
    structlog.get_logger().warning("something")
    assert [each["event"] for each in lines()] == ["something"]


def test_a_registry_that_is_refused_is_an_error(configure: Callable[[str], Read]) -> None:
    lines = configure("info")
    report_registry("registry-loaded", 2, "")
    report_registry("registry-refused", 2, "no key for epoch b")
    assert [(each["level"], each.get("reason")) for each in lines()] == [
        ("info", None),
        ("error", "no key for epoch b"),
    ]


class TestLibraries:
    @pytest.mark.parametrize("name", SHUT_LOGGERS)
    def test_those_that_write_messages_are_shut(
        self, configure: Callable[[str], Read], name: str
    ) -> None:
        lines = configure("debug")
        logging.getLogger(name).critical(PUPIL)
        assert lines() == []

    def test_another_is_named_and_not_repeated(self, configure: Callable[[str], Read]) -> None:
        lines = configure("info")
        logging.getLogger("asyncio").error("Task exception: %s", PUPIL)
        (line,) = lines()
        assert line["library"] == "asyncio"
        assert line["level"] == "error"
        assert line["place"].startswith("test_logs.")
        assert PUPIL not in str(line)

    def test_the_text_of_an_error_is_left_out(self, configure: Callable[[str], Read]) -> None:
        lines = configure("info")
        try:
            raise RuntimeError(PUPIL)
        except RuntimeError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
        (line,) = lines()
        assert line["kind"] == "RuntimeError"
        assert PUPIL not in str(line)

    def test_the_server_may_tell_that_a_port_is_taken(
        self, configure: Callable[[str], Read]
    ) -> None:
        lines = configure("info")
        logging.getLogger("uvicorn.error").error("address already in use")
        assert lines()[0]["says"] == "address already in use"

    def test_small_talk_is_not_written(self, configure: Callable[[str], Read]) -> None:
        lines = configure("debug")
        logging.getLogger("asyncio").debug("Using selector")
        assert lines() == []


@pytest.mark.usefixtures("_restored")
def test_without_a_file_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(level="info", file=None)
    structlog.get_logger().info("request")
    said = capsys.readouterr()
    assert said.out == ""
    assert json.loads(said.err)["event"] == "request"


@contextlib.contextmanager
def no_file_may_grow_beyond(size_bytes: int) -> Iterator[None]:
    """A disk that is full after so many bytes, for this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("_restored")
class TestLinesThatCannotBeWritten:
    def test_a_full_disk_fails_nobody(self) -> None:
        configure_logs(level="info", file=Path("/dev/full"))
        structlog.get_logger().info("request")
        AuditLines().record(AuditEvent(action="released"))
        logging.getLogger("asyncio").error("Task exception: %s", PUPIL)

    def test_a_pipe_without_reader_fails_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w", buffering=1) as pipe:
            monkeypatch.setattr(sys, "stderr", pipe)
            configure_logs(level="info", file=None)
            structlog.get_logger().info("request")
            monkeypatch.undo()
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def test_when_there_is_room_again_it_says_how_many_were_lost(
        self, configure: Callable[[str], Read], tmp_path: Path
    ) -> None:
        configure("info")
        log, file = structlog.get_logger(), tmp_path / "broker.log"
        log.info("before")
        with no_file_may_grow_beyond(file.stat().st_size + len('{"event"')):
            log.info("cut-off")
            log.info("lost")
        log.info("after")
        log.info("later")
        written = file.read_text().splitlines()
        assert written.pop(1) == '{"event"'
        assert [
            (each["event"], each.get("lines")) for each in map(json.loads, written) if each
        ] == [
            ("before", None),
            ("after", None),
            (LOST, 1),
            ("later", None),
        ]
