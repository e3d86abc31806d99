"""Log lines from several files, rotated and compressed, and from standard input."""

import gzip
import io
import os
from pathlib import Path

import msgspec
import pytest

from broker.adapters.watching.log_files import find_log_files, open_logs, size_of
from tests.flow.test_story import BEGIN, REFERENCE, WHOLE

LINES = [msgspec.json.encode(each) + b"\n" for each in WHOLE]
OTHER = msgspec.json.encode(msgspec.structs.replace(BEGIN, login="mfrggzdfmztwq2lk")) + b"\n"


def test_a_login_is_found_over_files_and_workers(tmp_path: Path) -> None:
    older, newer = tmp_path / "broker.log.1.gz", tmp_path / "broker.log"
    older.write_bytes(gzip.compress(b"".join((OTHER, LINES[0], LINES[1]))))
    newer.write_bytes(b"".join((LINES[2], OTHER, LINES[3])))
    with open_logs([newer, older], standard_input=None) as source:
        traced = source.trace(REFERENCE)
        assert source.trace(REFERENCE) == traced
    (story,) = traced.stories
    assert [each.step for each in story.steps] == ["begin", "choose-school", "school-answer"]
    assert (traced.lines, traced.damaged) == (6, 0)


def test_from_standard_input(tmp_path: Path) -> None:
    with open_logs([], standard_input=io.BytesIO(b"".join(LINES))) as source:
        (story,) = source.trace(REFERENCE).stories
    assert len(story.steps) == 3


def test_damaged_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "broker.log"
    cut = LINES[1][:40] + b"\n"
    file.write_bytes(b"Started.\n\n" + b"".join((LINES[0], cut, *LINES[2:])) + LINES[0][:70])
    with open_logs([file], standard_input=None) as source:
        traced = source.trace(REFERENCE)
    (story,) = traced.stories
    assert [each.step for each in story.steps] == ["begin", "school-answer"]
    assert (traced.lines, traced.damaged) == (6, 3)


@pytest.mark.parametrize("damage", ["cut-off", "corrupt", "not-compressed"])
def test_a_damaged_archive_spoils_no_other_file(tmp_path: Path, damage: str) -> None:
    packed = bytearray(gzip.compress(OTHER * 10))
    damaged, newer = tmp_path / "broker.log.1.gz", tmp_path / "broker.log"
    if damage == "cut-off":
        del packed[-10:]  # so it looks while it is being written
    elif damage == "corrupt":
        packed[10] = 0xFF  # no such kind of block: RFC 1951 3.2.3
    else:
        packed = bytearray(b"hello")
    damaged.write_bytes(packed)
    newer.write_bytes(b"".join(LINES))
    with open_logs([damaged, newer], standard_input=None) as source:
        traced = source.trace(REFERENCE)
    (story,) = traced.stories
    assert len(story.steps) == 3
    assert traced.damaged == 1


def test_all_bytes_are_told(tmp_path: Path) -> None:
    file = tmp_path / "broker.log"
    file.write_bytes(OTHER * 6000 + b"".join(LINES))
    told: list[int] = []
    with open_logs([file], standard_input=None) as source:
        source.trace(REFERENCE, told=told.append)
    assert sum(told) == 2 * file.stat().st_size
    assert len(told) == 4


def test_rotated_siblings_come_first(tmp_path: Path) -> None:
    names = ["broker.log-20260830.gz", "broker.log.2", "broker.log.1", "broker.log"]
    for age, name in enumerate(reversed([*names, "broker.logs", "other.log"])):
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    (tmp_path / "broker.log.d").mkdir()
    os.utime(tmp_path / "broker.log-20260830.gz", (1, 1))
    os.utime(tmp_path / "broker.log.2", (2, 2))
    os.utime(tmp_path / "broker.log.1", (3, 3))
    assert [each.name for each in find_log_files(tmp_path / "broker.log")] == names


def test_sizes_are_known_of_plain_files(tmp_path: Path) -> None:
    plain, packed = tmp_path / "broker.log", tmp_path / "broker.log.1.gz"
    plain.write_bytes(b"12345")
    packed.write_bytes(gzip.compress(b""))
    assert size_of([plain]) == 5
    assert size_of([plain, packed]) is None
