"""The keys' schedule as a file, `schedule.toml` in the keys folder. It holds no secret.

`broker keys` alone writes it, whole and in one step, always before a key file that it speaks of:
so a new key is never taken for one that was in use from always.
"""

import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from broker.adapters.keys.key_files import KeyProblem, read_safely, sync_folder
from broker.flow.key_plans.key_purposes import ROTATING
from broker.flow.key_plans.key_schedule import KeySchedule, KeyTimes

SCHEDULE_FILE = "schedule.toml"

_REMEDY = "restore it from the backup; do not write it by hand"
_HEAD = """\
# When each key is used. Written by `broker keys`; keep it with the keys. Holds no secret.
"""


class _StatedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str
    published_at: datetime | None = None
    used_from: datetime | None = None
    retired_from: datetime | None = None


class _StatedSchedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: tuple[_StatedKey, ...] = msgspec.field(default=(), name="key")


def read_schedule(folder: Path) -> KeySchedule:
    """Return the schedule of a keys folder; empty where there is none yet.

    Raises:
        KeyProblem: it cannot be read safely, or is not one that `write_schedule` made.
    """
    file = folder / SCHEDULE_FILE
    if not file.is_symlink() and not file.exists():
        return {}
    content = read_safely(file, root=folder)
    try:
        stated = msgspec.toml.decode(content, type=_StatedSchedule)
    except (msgspec.DecodeError, UnicodeDecodeError) as reason:
        raise KeyProblem(file, "is no schedule of keys", _REMEDY) from reason
    found: dict[str, KeyTimes] = {}
    for each in stated.keys:
        moments = (each.published_at, each.used_from, each.retired_from)
        if (
            each.file in found
            or each.file.partition("/")[0] not in ROTATING
            or any(moment is not None and moment.tzinfo is None for moment in moments)
        ):
            raise KeyProblem(file, f"says what cannot be of {each.file}", _REMEDY)
        found[each.file] = KeyTimes(each.published_at, each.used_from, each.retired_from)
    return found


def find_letters(purpose: str, schedule: KeySchedule) -> set[str]:
    """Return the letters that keys of a purpose have or had, as far as the schedule names them.

    >>> times = KeyTimes()
    >>> find_letters("cookie", {"cookie/cookie.hex": times, "cookie/b.hex": times})
    {'b'}
    """
    names = (Path(file) for file in schedule if file.startswith(f"{purpose}/"))
    return {name.stem for name in names if name.stem != purpose}


def write_schedule(folder: Path, schedule: KeySchedule) -> None:
    """Replace the schedule, durably and in one step.

    Raises:
        OSError: the folder cannot be written; the old schedule is still there.
    """
    file = folder / SCHEDULE_FILE
    unfinished = folder / f".{SCHEDULE_FILE}.{secrets.token_hex(8)}"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(format_schedule(schedule))
            opened.flush()
            os.fsync(descriptor)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(folder)


def format_schedule(schedule: KeySchedule) -> str:
    """Return the schedule as TOML.

    >>> times = KeyTimes(used_from=datetime(2026, 3, 1, tzinfo=UTC))
    >>> print(format_schedule({"cookie/a.hex": times}))
    # When each key is used. Written by `broker keys`; keep it with the keys. Holds no secret.
    <BLANKLINE>
    [[key]]
    file = "cookie/a.hex"
    used_from = 2026-03-01T00:00:00Z
    <BLANKLINE>
    """
    return _HEAD + "".join(
        f"\n[[key]]\n{_format_key(file, times)}" for file, times in sorted(schedule.items())
    )


def _format_key(file: str, times: KeyTimes) -> str:
    moments: Mapping[str, datetime | None] = {
        "published_at": times.published_at,
        "used_from": times.used_from,
        "retired_from": times.retired_from,
    }
    lines = [f'file = "{file}"'] + [
        f"{name} = {moment.astimezone(UTC).isoformat().replace('+00:00', 'Z')}"
        for name, moment in moments.items()
        if moment is not None
    ]
    return "".join(f"{line}\n" for line in lines)
