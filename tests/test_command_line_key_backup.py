"""`broker keys backup` and `restore`: what they write, and everything for which they refuse."""

import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from broker.__main__ import main
from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.keys import key_backup
from broker.adapters.keys.key_backup import BACKED_UP
from broker.adapters.keys.key_bundle import read_bundle
from broker.adapters.keys.key_files import write_once
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.keys.share_files import number_words, read_share_file, split_words
from broker.commands import key_backup as commands
from broker.settings import load_settings
from tests.builders_saml import NOW

Run = Callable[..., Result]


def set_up(folder: Path) -> Path:
    """Make a broker's keys and databases, as a first start does."""
    folder.mkdir(parents=True)
    (folder / "broker.toml").write_text('issuer = "https://broker.example"\n')
    init_keys(folder / "keys", now=NOW, issuer_name="Test")
    (folder / "data").mkdir(mode=0o700)
    DataFolder(folder / "data", folder / "keys", load_keys(folder / "keys")).open()
    return folder


def run(config: Path, *arguments: str | Path, typed: str | None = None) -> Result:
    command, *rest = map(str, arguments)
    return CliRunner().invoke(main, ["keys", command, "--config", str(config), *rest], input=typed)


class Ceremony:
    """What one backup left in its folder."""

    def __init__(self, folder: Path) -> None:
        (self.bundle,) = folder.glob("*.bundle")
        self.shares = sorted(folder.glob("share-*.txt"))

    def words(self, number: int) -> str:
        return " ".join(read_share_file(self.shares[number - 1]).share.words)

    def secrets(self) -> set[str]:
        return {self.words(number + 1) for number in range(len(self.shares))}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broker whose keys were backed up, 3 of 5 and once more 3 of 5."""
    folder = tmp_path_factory.mktemp("origin")
    set_up(folder / "config")
    for name in ("first", "second"):
        made = run(folder / "config", "backup", "--to", folder / name)
        assert made.exit_code == 0, made.output
    return folder


@pytest.fixture
def ceremony(origin: Path, tmp_path: Path) -> Ceremony:
    """The first backup, copied, to spoil."""
    return Ceremony(Path(shutil.copytree(origin / "first", tmp_path / "ceremony")))


@pytest.fixture
def other(origin: Path) -> Ceremony:
    return Ceremony(origin / "second")


@pytest.fixture
def config(origin: Path, tmp_path: Path) -> Path:
    """The same broker after its keys were lost."""
    folder = Path(shutil.copytree(origin / "config", tmp_path / "config"))
    shutil.rmtree(folder / "keys")
    return folder


def restore(
    config: Path, bundle: Path, *shares: Path, typed: str | None = None, check: bool = False
) -> Result:
    named = [part for each in shares for part in ("--share", each)]
    flags = [*(["--check"] if check else []), *([] if typed is None else ["--typed"])]
    return run(config, "restore", "--bundle", bundle, *named, *flags, typed=typed)


def assert_refused(
    result: Result, told: str, *, config: Path, ceremony: Ceremony, typed: str = ""
) -> None:
    """Hold that it says so, ends with 1, wrote nothing and shows no share.

    Args:
        typed: what the runner itself shows, as a terminal does.
    """
    assert result.exit_code == 1, result.output
    assert told in " ".join(result.stderr.split())
    assert not (config / "keys").exists()
    assert not any(words in result.output for words in ceremony.secrets() if words not in typed)


def files_of(keys: Path) -> dict[str, bytes]:
    return {
        each.relative_to(keys).as_posix(): each.read_bytes()
        for folder in BACKED_UP
        for each in (keys / folder).iterdir()
    }


def test_all_that_lasts_comes_back(origin: Path, config: Path, ceremony: Ceremony) -> None:
    result = restore(config, ceremony.bundle, *ceremony.shares[1:4])
    assert result.exit_code == 0, result.output
    keys = config / "keys"
    assert files_of(keys) == files_of(origin / "config/keys")
    assert {each.name for each in keys.iterdir()} == set(BACKED_UP)
    made = [keys, *keys.rglob("*")]
    assert {stat.S_IMODE(each.stat().st_mode) for each in made if each.is_dir()} == {0o700}
    assert {stat.S_IMODE(each.stat().st_mode) for each in made if each.is_file()} == {0o600}
    assert "as registry.db knows them; 10 golden pseudonyms" in result.output
    assert run(config, "init").exit_code == 0  # makes the rest
    assert CliRunner().invoke(main, ["check", "--config", str(config)]).exit_code == 0


def test_a_second_run_finds_nothing_to_do(config: Path, ceremony: Ceremony) -> None:
    restore(config, ceremony.bundle, *ceremony.shares[:3])
    before = {each: each.stat().st_ino for each in (config / "keys").rglob("*.hex")}
    (config / "keys/storage/storage.hex").unlink()
    again = restore(config, ceremony.bundle, *ceremony.shares[:3])
    assert again.exit_code == 0
    assert again.output.count("wrote ") == 1
    kept = {each: each.stat().st_ino for each in before if "storage" not in each.parts}
    assert kept.items() <= before.items()


def test_check_proves_and_writes_nothing(config: Path, ceremony: Ceremony) -> None:
    result = restore(config, ceremony.bundle, *ceremony.shares[:3], check=True)
    assert result.exit_code == 0, result.output
    assert "Nothing was written." in result.output
    assert not (config / "keys").exists()


def test_check_passes_beside_the_keys_in_use(origin: Path, ceremony: Ceremony) -> None:
    result = restore(origin / "config", ceremony.bundle, *ceremony.shares[:3], check=True)
    assert result.exit_code == 0, result.output


def test_without_a_data_folder_there_is_nothing_to_compare(
    config: Path, ceremony: Ceremony
) -> None:
    shutil.rmtree(config / "data")
    result = restore(config, ceremony.bundle, *ceremony.shares[:3])
    assert result.exit_code == 0
    assert "with no registry.db to compare with" in result.output


def test_shares_may_be_typed(config: Path, ceremony: Ceremony) -> None:
    numbered = number_words(ceremony.words(2).split())
    typed = f"{ceremony.words(1)}\n{numbered}{ceremony.words(5).upper()}\n"
    result = restore(config, ceremony.bundle, typed=typed)
    assert result.exit_code == 0, result.output
    assert (config / "keys/root/root.hex").exists()


def test_files_and_typed_shares_go_together(config: Path, ceremony: Ceremony) -> None:
    result = restore(config, ceremony.bundle, *ceremony.shares[:2], typed=ceremony.words(3) + "\n")
    assert result.exit_code == 0, result.output


def test_what_is_written_is_the_owners_alone(ceremony: Ceremony) -> None:
    for each in (ceremony.bundle, *ceremony.shares):
        assert stat.S_IMODE(each.stat().st_mode) == 0o600


def test_a_share_says_what_it_is_and_nothing_else(ceremony: Ceremony) -> None:
    header = read_bundle(ceremony.bundle).header.ceremony
    heading, _, rows = ceremony.shares[1].read_text().partition("\n 1 ")
    assert heading == (
        "Schuilnaam: one share of the keys\n\nshare: 2 of 5\nneeded: 3\n"
        f"ceremony: {header.id} of {header.date}\n"
        f"bundle: {read_bundle(ceremony.bundle).fingerprint}\n"
    )
    assert split_words(rows) == ceremony.words(2).split()
    assert len(rows.split()) == 2 * 33 - 1


def test_the_bundle_tells_nothing_of_the_keys(origin: Path, ceremony: Ceremony) -> None:
    sealed = ceremony.bundle.read_bytes()
    for content in files_of(origin / "config/keys").values():
        assert content.strip() not in sealed
        assert bytes.fromhex(content.decode()) not in sealed


def too_few(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    return ceremony.bundle, ceremony.shares[:2]


def none(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    return ceremony.bundle, []


def two_ceremonies(ceremony: Ceremony, other: Ceremony) -> tuple[Path, list[Path]]:
    return ceremony.bundle, [*ceremony.shares[:2], other.shares[2]]


def another_bundle(ceremony: Ceremony, other: Ceremony) -> tuple[Path, list[Path]]:
    return other.bundle, ceremony.shares[:3]


def one_twice(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    return ceremony.bundle, [*ceremony.shares[:2], ceremony.shares[0]]


def one_twice_in_two_files(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    copy = ceremony.bundle.parent / "copy.txt"
    shutil.copy(ceremony.shares[0], copy)
    return ceremony.bundle, [*ceremony.shares[:2], copy]


def mistyped(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    share = ceremony.shares[0]
    word = ceremony.words(1).split()[19]
    share.write_text(share.read_text().replace(f"20 {word}", "20 qqqq"))
    return ceremony.bundle, ceremony.shares[:3]


def heading_of_another(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    share = ceremony.shares[0]
    share.write_text(share.read_text().replace("share: 1 of 5", "share: 4 of 5"))
    return ceremony.bundle, ceremony.shares[:3]


def no_share(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    ceremony.shares[0].write_bytes(b"\xff shopping list")
    return ceremony.bundle, ceremony.shares[:3]


def open_to_others(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    ceremony.shares[0].chmod(0o644)
    return ceremony.bundle, ceremony.shares[:3]


def cut_off(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    ceremony.bundle.write_bytes(ceremony.bundle.read_bytes()[:-1])
    return ceremony.bundle, ceremony.shares[:3]


def cut_off_early(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    ceremony.bundle.write_bytes(ceremony.bundle.read_bytes()[:40])
    return ceremony.bundle, ceremony.shares[:3]


def too_long(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    ceremony.bundle.write_bytes(ceremony.bundle.read_bytes() + b"\n")
    return ceremony.bundle, ceremony.shares[:3]


def changed(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    content = bytearray(ceremony.bundle.read_bytes())
    content[-40] ^= 1
    ceremony.bundle.write_bytes(content)
    return ceremony.bundle, ceremony.shares[:3]


def a_header(ceremony: Ceremony, old: str, new: str) -> tuple[Path, list[Path]]:
    content = ceremony.bundle.read_bytes()
    assert old.encode() in content
    ceremony.bundle.write_bytes(content.replace(old.encode(), new.encode()))
    return ceremony.bundle, ceremony.shares[:3]


def of_a_newer_program(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    return a_header(ceremony, '{"format":1,', '{"format":2,"new":1,')


def header_changed(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    return a_header(ceremony, '{"format":1,', '{"format":1,"new":1,')


def no_bundle(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    return ceremony.shares[4], ceremony.shares[:3]


def no_file(ceremony: Ceremony, _: Ceremony) -> tuple[Path, list[Path]]:
    return ceremony.bundle.parent / "none", ceremony.shares[:3]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (too_few, "2 shares, and 3 are needed"),
        (none, "shares: -: were not given"),
        (two_ceremonies, ", and the bundle of "),
        (another_bundle, ", and the bundle of "),
        (one_twice, "was named twice"),
        (one_twice_in_two_files, "is share 1, as "),
        (mistyped, "word 20 is not in the list of words"),
        (heading_of_another, "has the heading of another share"),
        (no_share, "holds no share"),
        (open_to_others, "is open to others than its owner"),
        (cut_off, "is cut off"),
        (cut_off_early, "is cut off"),
        (too_long, "has something after it"),
        (changed, "is not the bundle that"),
        (of_a_newer_program, "was made by a newer program"),
        (header_changed, "its header cannot be read"),
        (no_bundle, "is no bundle of keys"),
        (no_file, "No such file"),
    ],
)
def test_bad_input_is_told_and_nothing_written(
    config: Path,
    ceremony: Ceremony,
    other: Ceremony,
    spoil: Callable[[Ceremony, Ceremony], tuple[Path, list[Path]]],
    told: str,
) -> None:
    readable = Ceremony(Path(shutil.copytree(ceremony.bundle.parent, config / "untouched")))
    bundle, shares = spoil(ceremony, other)
    result = restore(config, bundle, *shares)
    assert_refused(result, told, config=config, ceremony=readable)


def test_a_changed_bundle_does_not_open_with_typed_shares(
    config: Path, ceremony: Ceremony, other: Ceremony
) -> None:
    """What is typed says nothing of the bundle's fingerprint."""
    typed = "".join(f"{ceremony.words(each)}\n" for each in (1, 2, 3))
    bundle, _ = changed(ceremony, other)
    result = restore(config, bundle, typed=typed)
    assert_refused(
        result, "does not open with these shares", config=config, ceremony=ceremony, typed=typed
    )
    result = restore(config, other.bundle, typed=typed)
    assert_refused(result, "typed share 1", config=config, ceremony=ceremony, typed=typed)


def test_a_typed_share_that_is_mistyped_is_told(config: Path, ceremony: Ceremony) -> None:
    typed = " ".join([*ceremony.words(1).split()[:-1], "qqqq"]) + "\n"
    result = restore(config, ceremony.bundle, typed=typed)
    assert_refused(result, "typed share 1", config=config, ceremony=ceremony, typed=typed)
    assert "word 33 is not in the list" in result.output


def test_keys_that_the_registry_does_not_know_are_refused(
    tmp_path: Path, ceremony: Ceremony
) -> None:
    stranger = set_up(tmp_path / "stranger")
    shutil.rmtree(stranger / "keys")
    result = restore(stranger, ceremony.bundle, *ceremony.shares[:3])
    told = "is not the key that registry.db knows"
    assert_refused(result, told, config=stranger, ceremony=ceremony)
    assert result.stderr.count("is not the key that registry.db knows") == 4


def test_another_key_in_the_folder_stays(config: Path, ceremony: Ceremony) -> None:
    mine = config / "keys/root/root.hex"
    mine.parent.mkdir(parents=True)
    mine.write_text("ab" * 32 + "\n")
    mine.chmod(0o600)
    result = restore(config, ceremony.bundle, *ceremony.shares[:3])
    assert result.exit_code == 1
    assert "holds another key" in result.stderr
    assert [each for each in (config / "keys").rglob("*") if each.is_file()] == [mine]
    assert mine.read_text() == "ab" * 32 + "\n"


def test_a_bundle_from_before_a_key_is_told(origin: Path, tmp_path: Path) -> None:
    config = Path(shutil.copytree(origin / "config", tmp_path / "config"))
    new = config / "keys/pairwise/b.hex"
    new.write_text("ab" * 32 + "\n")
    new.chmod(0o600)
    DataFolder(config / "data", config / "keys", load_keys(config / "keys")).open()
    shutil.rmtree(config / "keys")
    ceremony = Ceremony(origin / "first")
    proved = restore(config, ceremony.bundle, *ceremony.shares[:3], check=True)
    assert proved.exit_code == 1
    assert "pairwise/b.hex" in proved.stderr
    done = restore(config, ceremony.bundle, *ceremony.shares[:3])
    assert done.exit_code == 0
    assert "Warning" in done.stderr
    assert "pairwise/b.hex" in done.stderr


def test_a_program_that_derives_otherwise_is_found(
    config: Path, ceremony: Ceremony, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> tuple[str, ...]:
        return ("a/golden-supplier-one/staff",)

    monkeypatch.setattr(key_backup, "find_wrong_golden", broken)
    result = restore(config, ceremony.bundle, *ceremony.shares[:3])
    told = "makes something else than before (1, first a/golden-supplier-one/staff)"
    assert_refused(result, told, config=config, ceremony=ceremony)


@pytest.mark.parametrize("spoil", ["checks", "files"])
def test_a_bundle_whose_parts_disagree_is_refused(
    config: Path, ceremony: Ceremony, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    """Such as nobody but we could have sealed: a fault of the program that made it."""
    opened = commands.open_bundle

    def other_content(*arguments: object, **named: object) -> object:
        bundle = opened(*arguments, **named)  # type: ignore[arg-type]
        changes = {
            "checks": {"checks": bundle.checks | {"root/root.hex": bytes(16)}},
            "files": {"files": bundle.files | {"../outside": b"x"}},
        }[spoil]
        return msgspec.structs.replace(bundle, **changes)

    monkeypatch.setattr(commands, "open_bundle", other_content)
    result = restore(config, ceremony.bundle, *ceremony.shares[:3])
    told = {"checks": "first root/root.hex", "files": "holds files that are no keys"}[spoil]
    assert_refused(result, told, config=config, ceremony=ceremony)


@pytest.mark.parametrize(
    "options",
    [
        ("--shares", "2", "--threshold", "3"),
        ("--shares", "5", "--threshold", "1"),
        ("--shares", "17"),
        ("--threshold", "0"),
        ("--show",),
    ],
)
def test_wrong_usage_ends_with_2(origin: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    result = run(origin / "config", "backup", "--to", tmp_path / "out", *options)
    assert result.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_one_share_is_made_with_a_warning(origin: Path, config: Path, tmp_path: Path) -> None:
    made = run(
        origin / "config", "backup", "--to", tmp_path / "out", "--shares", "1", "--threshold", "1"
    )
    assert made.exit_code == 0
    assert "For tests only" in made.stderr
    alone = Ceremony(tmp_path / "out")
    assert restore(config, alone.bundle, *alone.shares).exit_code == 0


def test_nothing_is_written_over(
    origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "share_name", lambda paper: f"share-{paper.share.number}.txt")
    there = tmp_path / "out/share-4.txt"
    there.parent.mkdir()
    there.write_text("mine")
    result = run(origin / "config", "backup", "--to", tmp_path / "out")
    assert result.exit_code == 1
    assert "is there already" in result.stderr
    assert [each.read_text() for each in (tmp_path / "out").iterdir()] == ["mine"]


@pytest.mark.parametrize("own", ["shares", "keys/shares", "data/shares"])
def test_shares_are_not_kept_with_the_broker(origin: Path, own: str) -> None:
    result = run(origin / "config", "backup", "--to", origin / "config" / own)
    assert result.exit_code == 1
    assert "is the broker's own" in result.stderr
    assert not (origin / "config" / own).exists()


def test_a_storage_key_that_was_replaced_stays_away(config: Path, ceremony: Ceremony) -> None:
    """What rotates is put back only where there is none: one that was removed may have leaked."""
    newer = config / "keys/storage/b.hex"
    newer.parent.mkdir(parents=True)
    newer.write_text("ab" * 32 + "\n")
    newer.chmod(0o600)
    assert restore(config, ceremony.bundle, *ceremony.shares[:3]).exit_code == 0
    assert list(newer.parent.iterdir()) == [newer]
    assert (config / "keys/root/root.hex").exists()


@pytest.mark.parametrize("lost", ["missing", "another"])
def test_keys_that_are_not_in_order_are_not_backed_up(
    origin: Path, tmp_path: Path, lost: str
) -> None:
    config = Path(shutil.copytree(origin / "config", tmp_path / "config"))
    root = config / "keys/root/root.hex"
    if lost == "another":
        root.write_text("ab" * 32 + "\n")
    else:
        root.unlink()
    result = run(config, "backup", "--to", tmp_path / "out")
    assert result.exit_code == 1
    assert "root.hex" in result.stderr
    assert not (tmp_path / "out").exists()


def test_shares_can_be_shown_and_not_written(
    origin: Path,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One at a time, each on a screen that is emptied."""
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    asked: list[str] = []
    monkeypatch.setattr("click.pause", asked.append)
    arguments = ["keys", "backup", "--config", str(origin / "config"), "--show"]
    main([*arguments, "--to", str(tmp_path / "out")], standalone_mode=False)
    shown = capsys.readouterr().out
    (bundle,) = (tmp_path / "out").iterdir()
    screens = shown.split("\x1b[?1049h")[1:]
    assert len(screens) == 5
    assert len(asked) == 10
    words = [screen.partition("\n\n")[2].partition("\n\n")[2] for screen in screens]
    typed = [each.partition("\x1b")[0] for each in words]
    monkeypatch.undo()
    back = restore(config, bundle, typed="".join(typed[:3]))
    assert back.exit_code == 0, back.output


def test_settings_are_those_of_the_folder(config: Path, ceremony: Ceremony) -> None:
    (config / "broker.toml").write_text(
        'issuer = "https://broker.example"\n[folders]\nkeys = "elsewhere/keys"\n'
    )
    assert restore(config, ceremony.bundle, *ceremony.shares[:3]).exit_code == 0
    loaded = load_settings(config, environment={})
    assert (loaded.keys_folder / "root/root.hex").exists()


@pytest.mark.parametrize("written", [1, 2, 3, 4, 5])
def test_a_restore_that_breaks_off_leaves_no_place_for_a_new_key(
    config: Path, ceremony: Ceremony, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    """`keys init` comes next in the instructions: also where there is no registry to notice."""
    calls = 0

    def full(file: Path, content: bytes) -> Path | None:
        nonlocal calls
        calls += 1
        if calls > written:
            raise OSError(28, "No space left on device")
        return write_once(file, content)

    shutil.rmtree(config / "data")
    with monkeypatch.context() as patch:
        patch.setattr(key_backup, "write_once", full)
        restore(config, ceremony.bundle, *ceremony.shares[:3])
    before = [each for each in (config / "keys").rglob("*") if each.is_file()]
    assert len(before) == written
    made = run(config, "init")
    assert made.exit_code == (0 if written == 5 else 1), made.output
    if written < 5:
        assert [each for each in (config / "keys").rglob("*") if each.is_file()] == before
    done = restore(config, ceremony.bundle, *ceremony.shares[:3])
    assert done.exit_code == 0, done.output
    assert run(config, "init").exit_code == 0
