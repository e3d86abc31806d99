"""Keys that change while the broker runs: taken over when they can be used, else left alone."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from broker.adapters.keys import key_files
from broker.adapters.keys.key_files import KeyProblem, write_once
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import BrokerKeys, KeysUnusable, load_keys
from broker.adapters.keys.keys_standing import find_slots, find_standing
from broker.adapters.keys.keys_watch import KeysWatch, look_at_folder
from broker.adapters.keys.schedule_on_disk import (
    SCHEDULE_FILE,
    format_schedule,
    read_schedule,
    write_schedule,
)
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.flow.key_plans.key_schedule import KeyState, KeyTimes

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module", autouse=True)
def parsed_once():
    """Parse each PEM text once: checking an RSA key takes longer than all the rest here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_files, "load_pem_private_key", cache(key_files.load_pem_private_key))
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "keys"
    init_keys(folder, now=NOW, issuer_name="broker.example")
    return folder


@pytest.fixture
def folder(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "keys", copy_function=shutil.copy2))


def add_hex(folder: Path, name: str, byte: int = 7) -> None:
    write_once(folder / name, bytes([byte]).hex().encode() * 32)


class Watched:
    """A watch over a folder, what it put in force and what it said."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.in_force: list[dict[str, KeyState]] = []
        self.said: list[tuple[str, ...]] = []
        self.fails: Exception | None = None
        self.watch = KeysWatch(
            load_keys(folder),
            folder_seen=look_at_folder(folder),
            started_at=NOW,
            clock=lambda: self.now,
            prepare=self.prepare,
            put_in_force=self.in_force.append,
            report=self.report,
        )

    def prepare(self, keys: BrokerKeys, now: datetime) -> dict[str, KeyState]:
        if self.fails:
            raise self.fails
        return dict(find_standing(keys, now=now))

    def report(self, problems: list[KeyProblem]) -> None:
        self.said.append(tuple(each.file.name for each in problems))

    async def look(self, times: int = 2) -> None:
        for _ in range(times):
            await self.watch.look()


@pytest.fixture
def watched(folder) -> Watched:
    return Watched(folder)


# The folder and its schedule


async def test_nothing_happens_while_nothing_changes(folder, watched):
    (folder / "token/.hidden").write_text("half of a key")
    (folder / "schools").mkdir()
    (folder / "schools/kompas.secret").write_text("read when it is used")
    await watched.look(4)
    assert watched.in_force == watched.said == []


async def test_a_change_is_taken_over_once_it_rested(folder, watched):
    add_hex(folder, "storage/a.hex")
    await watched.look(1)
    add_hex(folder, "storage/b.hex", 8)
    await watched.look(1)
    assert watched.in_force == []  # it may be half done
    await watched.look(1)
    (states,) = watched.in_force
    assert states["storage/a.hex"] is states["storage/b.hex"] is KeyState.ACCEPTED
    assert states["storage/storage.hex"] is KeyState.IN_USE  # what has no times changes nothing
    await watched.look(3)
    assert watched.said == [()]


async def test_the_schedule_says_when_a_key_is_used_and_retired(folder, watched):
    write_schedule(
        folder,
        {
            "cookie/cookie.hex": KeyTimes(retired_from=NOW + 3 * MINUTE),
            "cookie/a.hex": KeyTimes(published_at=NOW, used_from=NOW + MINUTE),
        },
    )
    add_hex(folder, "cookie/a.hex")
    await watched.look()
    for minutes, expected in (
        (0.99, ["in use", "published"]),
        (1, ["accepted", "in use"]),
        (2.99, ["accepted", "in use"]),
        (3, ["retired", "in use"]),
        (9, ["retired", "in use"]),
    ):
        watched.now = NOW + minutes * MINUTE
        await watched.look(1)
        states = watched.in_force[-1]
        assert [states["cookie/cookie.hex"], states["cookie/a.hex"]] == expected
    assert len(watched.in_force) == 3
    assert watched.watch._seconds_to_rest(0.5) == 0.5


async def test_it_wakes_when_the_next_turn_comes(folder, watched):
    write_schedule(folder, {"cookie/a.hex": KeyTimes(used_from=NOW + timedelta(seconds=3))})
    add_hex(folder, "cookie/a.hex")
    await watched.look()
    watched.now = NOW + timedelta(seconds=2.75)
    assert watched.watch._seconds_to_rest(0.5) == 0.25
    watched.now = NOW + timedelta(seconds=4)
    assert watched.watch._seconds_to_rest(0.5) == 0


async def test_a_retirement_without_a_successor_leaves_the_old_key(folder, watched):
    write_schedule(folder, {"cookie/cookie.hex": KeyTimes(retired_from=NOW + MINUTE)})
    await watched.look()
    watched.now = NOW + MINUTE
    await watched.look(3)
    assert watched.said == [(), ("cookie",)]
    assert len(watched.in_force) == 1


@pytest.mark.parametrize("name", ["storage/storage.hex", "saml-signing", "token", "cookie"])
async def test_links_are_followed(folder, name):
    """Kubernetes exchanges the folder behind the links."""
    place = folder / name.split("/")[0]
    real = place.rename(folder / f".{place.name}")
    place.symlink_to(real.name)
    before = look_at_folder(folder)
    assert look_at_folder(folder) == before
    file = next(real.iterdir())
    file.chmod(0o400)
    assert look_at_folder(folder) != before


# What is refused


def world_readable(folder: Path) -> str:
    (folder / "storage/storage.hex").chmod(0o644)
    return "storage.hex"


def missing(folder: Path) -> str:
    (folder / "storage/storage.hex").unlink()
    return "storage"


def wrong_length(folder: Path) -> str:
    (folder / "storage/storage.hex").write_text("ab" * 31)
    return "storage.hex"


def half_written(folder: Path) -> str:
    (file,) = (folder / "saml-signing").iterdir()
    file.write_bytes(file.read_bytes()[:-40])
    return file.name


def in_two_places(folder: Path) -> str:
    shutil.copy2(folder / "storage/storage.hex", folder / "cookie/cookie.hex")
    return "cookie.hex"


def of_another_purpose(folder: Path) -> str:
    (file,) = (folder / "token").glob("es256-*")
    shutil.copy2(file, folder / "saml-signing" / "saml-1.pem")
    file.unlink()
    return "saml-1.pem"


def another_root(folder: Path) -> str:
    (folder / "root/root.hex").write_text("ab" * 32)
    return "root.hex"


def a_pairwise_key_under_another_letter(folder: Path) -> str:
    (folder / "pairwise/a.hex").rename(folder / "pairwise/b.hex")
    return "b.hex"


def a_broken_schedule(folder: Path) -> str:
    (folder / SCHEDULE_FILE).write_text("[[key]")
    (folder / SCHEDULE_FILE).chmod(0o600)
    return SCHEDULE_FILE


def a_key_that_the_schedule_counts_on(folder: Path) -> str:
    write_schedule(folder, {"storage/b.hex": KeyTimes(used_from=NOW + MINUTE)})
    return "b.hex"


def exchanged(folder: Path) -> str:
    storage, cookie = folder / "storage/storage.hex", folder / "cookie/cookie.hex"
    text = storage.read_text()
    storage.write_text(cookie.read_text())
    cookie.write_text(text)
    return "storage.hex"


def moved_to_another_purpose(folder: Path) -> str:
    (folder / "storage/storage.hex").rename(folder / "cookie/a.hex")
    add_hex(folder, "storage/a.hex")
    return "a.hex"


SPOILT = [
    exchanged,
    moved_to_another_purpose,
    world_readable,
    missing,
    wrong_length,
    half_written,
    in_two_places,
    of_another_purpose,
    another_root,
    a_pairwise_key_under_another_letter,
    a_broken_schedule,
    a_key_that_the_schedule_counts_on,
]


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda each: each.__name__)
async def test_keys_that_cannot_be_used_leave_the_old_ones(
    made, folder, watched, spoil: Callable[[Path], str]
):
    expected = spoil(folder)
    await watched.look(4)
    assert watched.in_force == []
    (said,) = watched.said  # once, not at each look
    assert expected in said
    shutil.rmtree(folder)
    shutil.copytree(made, folder, copy_function=shutil.copy2)
    await watched.look()
    assert len(watched.in_force) == 1
    assert watched.said[1:] == [()]


@pytest.mark.parametrize(
    ("fails", "said"),
    [(RegistryUnreadable("locked"), "registry.db"), (OSError(5, "Input/output error"), "keys")],
)
async def test_what_cannot_be_read_now_is_asked_again(folder, watched, fails, said):
    add_hex(folder, "pairwise/b.hex")
    watched.fails = fails
    await watched.look(3)
    assert watched.said == [(said,)]
    watched.fails = None
    await watched.look(1)
    assert len(watched.in_force) == 1


@pytest.mark.parametrize("spoil", [lambda folder: None, world_readable])
async def test_a_turn_that_could_not_be_taken_is_taken_later(folder, watched, spoil):
    """Else this broker would go on with a key that the others retire."""
    write_schedule(folder, {"cookie/a.hex": KeyTimes(NOW, used_from=NOW + MINUTE)})
    add_hex(folder, "cookie/a.hex")
    await watched.look()
    spoil(folder)
    watched.now = NOW + MINUTE
    watched.fails = RegistryUnreadable("locked")
    await watched.look(3)
    assert len(watched.in_force) == 1
    assert watched.watch._seconds_to_rest(0.5) == 0.5  # it does not ask without a pause
    watched.fails = None
    await watched.look()
    assert watched.in_force[-1]["cookie/a.hex"] is KeyState.IN_USE
    assert len(watched.in_force) == 2
    assert watched.watch._next is None


async def test_a_turn_is_taken_at_the_moment_at_which_a_folder_is_refused(folder, watched):
    write_schedule(folder, {"cookie/a.hex": KeyTimes(NOW, used_from=NOW + MINUTE)})
    add_hex(folder, "cookie/a.hex")
    await watched.look()
    world_readable(folder)
    await watched.look(1)
    watched.now = NOW + MINUTE
    await watched.look(1)
    assert watched.said[1] == ("storage.hex",)
    assert watched.in_force[-1]["cookie/a.hex"] is KeyState.IN_USE


async def test_a_broker_whose_clock_is_behind_follows_an_emergency_when_it_gets_there(
    folder, watched
):
    """A key that leaked must not stay in force where "now" is still to come."""
    soon = NOW + timedelta(seconds=3)
    times = {
        "storage/storage.hex": KeyTimes(retired_from=soon),
        "storage/a.hex": KeyTimes(published_at=soon, used_from=soon),
    }
    write_schedule(folder, times)
    add_hex(folder, "storage/a.hex")
    (folder / "storage/storage.hex").unlink()
    await watched.look(4)
    assert watched.in_force == []
    watched.now = soon
    await watched.look(1)
    (states,) = watched.in_force
    assert states["storage/a.hex"] is KeyState.IN_USE
    assert "storage/storage.hex" not in states
    assert watched.said[-1] == ()


def test_a_folder_that_is_away_looks_other_than_before(folder):
    before = look_at_folder(folder)
    shutil.rmtree(folder / "token")
    assert look_at_folder(folder) != before


# Slots and the schedule's file


def test_each_algorithm_of_tokens_is_a_slot_of_its_own(made):
    keys = load_keys(made)
    slots = {(each.purpose, each.algorithm): each.files for each in find_slots(keys)}
    assert list(slots) == [
        ("token", "ES256"),
        ("token", "RS256"),
        ("storage", ""),
        ("cookie", ""),
        ("saml-signing", ""),
        ("saml-decryption", ""),
    ]
    assert set(find_standing(keys, now=NOW).values()) == {KeyState.IN_USE}


def test_a_retired_key_may_be_gone(folder):
    write_schedule(folder, {"storage/b.hex": KeyTimes(retired_from=NOW)})
    keys = load_keys(folder)
    assert find_standing(keys, now=NOW)
    with pytest.raises(KeysUnusable) as found:
        find_standing(keys, now=NOW - MINUTE)
    (problem,) = found.value.problems
    assert "broker keys remove storage/b.hex" in problem.remedy


def test_a_schedule_comes_back_as_it_was_written(folder):
    schedule = {
        "token/es256-1.pem": KeyTimes(NOW, NOW + MINUTE, NOW + 2 * MINUTE),
        "cookie/a.hex": KeyTimes(used_from=NOW),
    }
    assert read_schedule(folder) == {}
    for each in (schedule, {}, schedule):
        write_schedule(folder, each)
        assert read_schedule(folder) == each
    assert [each.name for each in folder.glob(".*")] == []


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[[key]]\nfile = 1",
        '[[key]]\nfile = "cookie/a.hex"\nuntil = 2026-03-01T12:00:00Z',
        '[[key]]\nfile = "cookie/a.hex"\nused_from = 2026-03-01T12:00:00',
        '[[key]]\nfile = "cookie/a.hex"\n[[key]]\nfile = "cookie/a.hex"',
        '[[key]]\nfile = "root/root.hex"\nretired_from = 2026-03-01T12:00:00Z',
        "\xff",
    ],
)
def test_a_schedule_of_another_form_is_refused(folder, text: str):
    file = folder / SCHEDULE_FILE
    file.write_bytes(text.encode("latin-1"))
    file.chmod(0o600)
    with pytest.raises(KeysUnusable) as found:
        load_keys(folder)
    assert [each.file for each in found.value.problems] == [file]
    file.write_text(format_schedule({"cookie/a.hex": KeyTimes(used_from=NOW)}))
    assert load_keys(folder).schedule == {"cookie/a.hex": KeyTimes(used_from=NOW)}


def test_a_schedule_that_cannot_be_written_stays_as_it_was(folder, monkeypatch):
    write_schedule(folder, {"cookie/a.hex": KeyTimes(used_from=NOW)})

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("broker.adapters.keys.schedule_on_disk.os.fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        write_schedule(folder, {})
    assert read_schedule(folder)
    assert [each.name for each in folder.glob(".*")] == []
