"""`broker backup` and `broker restore`: databases and configuration in one file, never a key."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from broker.adapters.backups.backup_archive import (
    ArchiveProblem,
    Manifest,
    describe_file,
    extract_archive,
    fingerprint_of,
    read_archived,
    verify_archive,
    write_archive,
)
from broker.adapters.backups.backup_source import (
    SETTINGS_FILE,
    BrokerFolders,
    copy_broker,
    count_bytes,
)
from broker.adapters.backups.backup_target import (
    check_empty,
    check_nobody_listens,
    put_in_place,
    staging_in,
)
from broker.adapters.databases.sql_upgrade import known_revisions
from broker.adapters.keys.key_files import sync_folder
from broker.adapters.terminal import showing_bytes
from broker.commands.key_backup import DISTRIBUTION
from broker.commands.operators import refuse_if_there
from broker.commands.problems import config_option, refuse, saying_what_is_wrong
from broker.flow.federation.documents import Problem
from broker.settings import LoadedSettings, SettingsProblem, load_settings

file_argument = click.Path(dir_okay=False, path_type=Path)


@click.command()
@config_option
@click.option("--check", "only_check", is_flag=True, help="Verify FILE and make nothing.")
@click.argument("file", type=file_argument)
def backup(config_folder: Path, only_check: bool, file: Path) -> None:
    """Copy databases and configuration to FILE, while the broker serves.

    Registry, register and receipts, broker.toml, federation documents, operators and used actions.
    Never a key: `broker keys backup` does that, and the two belong in different places.
    """
    with saying_what_is_wrong(), saying_what_archives_lack():
        if only_check:
            manifest = verify(file)
        else:
            refuse_if_there(file)
            loaded = load_settings(config_folder, environment=os.environ)
            manifest = make_backup(loaded, file)
    click.echo(f"{file} is whole: {describe(manifest)}.")
    click.echo(f"Fingerprint {fingerprint_of(manifest)}.")


@click.command()
@config_option
@click.argument("file", type=file_argument)
def restore(config_folder: Path, file: Path) -> None:
    """Put FILE back into an empty configuration folder.

    All of it is verified before anything is written. The keys come next: `broker keys restore`.
    """
    with saying_what_is_wrong(), saying_what_archives_lack():
        manifest = verify(file)
        check_revisions_known(file, manifest)
        loaded = settings_in(file, config_folder)
        folders = folders_of(loaded)
        check_empty(folders)
        check_nobody_listens(loaded.settings.server.host, loaded.settings.server.port)
        with staging_in(folders.config) as config, staging_in(folders.data) as data:
            staged = {"config": config, "data": data}
            with showing_bytes("Putting back", total=manifest.size_bytes) as progress:
                extract_archive(file, staged, expected=manifest, progress=progress)
            put_in_place(staged, folders, put_back_at=int(datetime.now(UTC).timestamp()))
    click.echo(f"Put back in {config_folder}: {describe(manifest)}.")
    for line in say_what_is_next(loaded, manifest):
        click.echo(line)


def make_backup(loaded: LoadedSettings, file: Path) -> Manifest:
    """Write a backup that was read back, under its name only when it is whole.

    Raises:
        ArchiveProblem, RegistryUnreadable, OSError: it cannot be made; nothing is left then.
    """
    made_at, folders = datetime.now(UTC).replace(microsecond=0), folders_of(loaded)
    staging = file.parent / f".{file.name}.{secrets.token_hex(4)}"
    staging.mkdir(mode=0o700)
    try:
        with showing_bytes("Copying", total=count_bytes(folders)) as progress:
            copied = copy_broker(folders, staging, progress=progress)
        size = sum(each.stat().st_size for each in copied.files.values())
        with showing_bytes("Writing", total=2 * size) as progress:
            manifest = Manifest(
                made_at=made_at,
                program=version(DISTRIBUTION),
                issuer=loaded.settings.issuer,
                revisions=dict(copied.revisions),
                files=tuple(
                    describe_file(path, place, progress=progress)
                    for path, place in copied.files.items()
                ),
            )
            sources = list(copied.files.values())
            write_archive(staging / "archive", manifest, sources, progress=progress)
        verify(staging / "archive")
        refuse_if_there(file)
        (staging / "archive").rename(file)
        sync_folder(file.parent)
    finally:
        shutil.rmtree(staging)
    return manifest


def verify(file: Path) -> Manifest:
    """Read a whole archive, with a bar.

    Raises:
        ArchiveProblem: it is cut off, changed, or a newer program's.
    """
    with showing_bytes("Verifying", total=file.stat().st_size) as progress:
        return verify_archive(file, progress=progress)


def check_revisions_known(file: Path, manifest: Manifest) -> None:
    """Hold that this program knows the tables of each database.

    Raises:
        ArchiveProblem: a newer one made them.
    """
    for name, revision in manifest.revisions.items():
        if revision not in known_revisions(name):
            raise ArchiveProblem(
                file,
                f"holds the {name} of a newer program ({revision})",
                f"install version {manifest.program} or a later one",
            )


def settings_in(file: Path, config_folder: Path) -> LoadedSettings:
    """Return the settings in an archive as they will be in a folder: they say what goes where.

    Raises:
        ArchiveProblem: it holds none.
        SettingsProblem: this program cannot use them.
    """
    with TemporaryDirectory() as empty:
        settings = Path(empty) / SETTINGS_FILE
        settings.write_bytes(read_archived(file, f"config/{SETTINGS_FILE}"))
        try:
            loaded = load_settings(settings.parent, environment=os.environ)
        except SettingsProblem as found:
            if found.file != str(settings):
                raise
            where = f"{file}, config/{SETTINGS_FILE}"
            raise SettingsProblem(where, found.path, found.problem, found.remedy) from None
    return LoadedSettings(loaded.settings, config_folder)


def folders_of(loaded: LoadedSettings) -> BrokerFolders:
    """Return where a broker's files are."""
    return BrokerFolders(loaded.config_folder, loaded.data_folder, loaded.keys_folder)


def describe(manifest: Manifest) -> str:
    """Return what an archive holds, in a line."""
    return (
        f"{len(manifest.files)} files, {manifest.size_bytes} bytes, of {manifest.issuer} at "
        f"{manifest.made_at:%Y-%m-%d %H:%M:%S} UTC, by version {manifest.program}"
    )


def say_what_is_next(loaded: LoadedSettings, manifest: Manifest) -> Iterator[str]:
    """Yield what is lost, and what somebody must do before this broker serves."""
    settings, config = loaded.settings, loaded.config_folder
    elsewhere = (
        *(settings.server.tls_certificate, settings.server.tls_key),
        *(settings.store.password_file, settings.store.ca_file),
    )
    missing = [each for each in elsewhere if each is not None and not (config / each).exists()]
    yield f"What happened after {manifest.made_at:%Y-%m-%d %H:%M} UTC is not in it:"
    yield "  agreements that ended since are in force again, as are keys and addresses that"
    yield "  partners withdrew, and removed operators are back;"
    yield "  who was erased since is known again, and who was new since is not;"
    yield "  receipts written since are missing."
    yield "Next, before it serves:"
    if missing:
        yield f"  put back what the settings name: {', '.join(missing)}"
    yield f"  broker keys restore --config {config} --bundle FILE --share FILE ..."
    yield f"  broker keys init --config {config}"
    yield f"  broker operator list --config {config}, and erase once more who was erased since"
    yield f"  broker apply --config {config} --prune PATH...  (the documents of today)"
    yield f"  broker receipts verify --config {config} --head FILE  (heads that somebody kept)"
    yield f"  broker check --config {config}"
    if settings.store.url != "memory:":
        yield "  flush the Redis of the login store"


@contextmanager
def saying_what_archives_lack() -> Iterator[None]:
    """Say what is wrong with an archive, and exit 1."""
    try:
        yield
    except ArchiveProblem as found:
        remedy = found.remedy[:1].upper() + found.remedy[1:].rstrip(".")
        refuse([Problem(str(found.file), "-", f"{found.problem}.", f"{remedy}.")])
