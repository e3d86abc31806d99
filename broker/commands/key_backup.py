"""`broker keys backup` and `broker keys restore`: a bundle, and a secret in shares of words."""

import os
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from broker.adapters.databases.data_folder import DataFolder, read_key_checks
from broker.adapters.keys.key_backup import (
    check_bundle_whole,
    check_keys_in_use,
    check_nothing_replaced,
    collect_keys,
    find_keys_left_out,
    put_back,
)
from broker.adapters.keys.key_bundle import (
    KeyBundle,
    SealedBundle,
    check_shares_of_bundle,
    fingerprint_of,
    open_bundle,
    read_bundle,
    seal_bundle,
)
from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.keys.key_shares import (
    SECRET_BYTES,
    SHARES_MAX,
    WORDS_OF_A_SHARE,
    PlacedShare,
    combine_shares,
    read_share,
    split_secret,
)
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.keys.share_files import (
    Ceremony,
    ShareOnPaper,
    read_share_file,
    split_words,
    write_share,
)
from broker.adapters.operators_on_disk import write_new
from broker.adapters.terminal import on_a_screen_of_its_own
from broker.commands.operators import refuse_if_there, saying_what_was_refused
from broker.commands.problems import config_option, key_problem, loss_problem, refuse
from broker.flow.held_state.framing import NONCE_BYTES
from broker.settings import LoadedSettings, load_settings

DISTRIBUTION = "schuilnaam"

count = click.IntRange(1, SHARES_MAX)


@click.command("backup")
@config_option
@click.option("--shares", type=count, default=5, show_default=True, help="How many are made.")
@click.option("--threshold", type=count, default=3, show_default=True, help="How many are needed.")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for the bundle and the shares.",
)
@click.option(
    "--show", is_flag=True, help="Show each share on this terminal instead of writing it."
)
def keys_backup(config_folder: Path, shares: int, threshold: int, folder: Path, show: bool) -> None:
    """Seal the keys that must not be lost in a bundle that any THRESHOLD of SHARES open.

    Root, pairwise, register, receipts and storage keys. keys/README.md tells the ceremony.
    """
    if threshold > shares or (threshold == 1 and shares > 1):
        raise click.UsageError("Of several shares at least two are needed, and at most all.")
    if show and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("--show needs a terminal: a share must not end in a file.")
    with saying_what_was_refused():
        loaded = load_settings(config_folder, environment=os.environ)
        check_apart(folder, loaded)
        bundle = collect(loaded)
        if shares == 1:
            click.echo("Warning: one share opens everything. For tests only.", err=True)
        papers, sealed = make_ceremony(bundle, shares=shares, threshold=threshold)
        ceremony = papers[0].ceremony
        file = folder / f"keys-{ceremony.date}-{ceremony.id}.bundle"
        texts = {folder / share_name(each): write_share(each) for each in papers}
        for each in (file, *(() if show else texts)):
            refuse_if_there(each)
        write_new(file, sealed)
        if show:
            show_shares(list(texts.values()))
        else:
            for name, text in texts.items():
                write_new(name, text.encode())
    click.echo(f"Wrote {file}, fingerprint {papers[0].fingerprint}.")
    if show:
        click.echo(f"Any {threshold} of the {shares} shares open it. Prove it:")
    else:
        click.echo(f"Any {threshold} of the {shares} shares beside it open it. Prove it:")
    how = "--typed" if show else " ".join(f"--share {each}" for each in list(texts)[:threshold])
    click.echo(f"  broker keys restore --check --config {config_folder} --bundle {file} {how}")
    if not show:
        click.echo("Then print each share, hand each to another person, and destroy these files.")


@click.command("restore")
@config_option
@click.option(
    "--bundle",
    "bundle_file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file that `keys backup` made.",
)
@click.option(
    "--share",
    "share_files",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="A share; give as many as are needed.",
)
@click.option("--typed", is_flag=True, help="Ask for the words of the shares that are missing.")
@click.option("--check", "only_check", is_flag=True, help="Prove everything and write nothing.")
def keys_restore(
    config_folder: Path,
    bundle_file: Path,
    share_files: Sequence[Path],
    typed: bool,
    only_check: bool,
) -> None:
    """Put keys back from a bundle and its shares, after proving what they make.

    The golden pseudonyms must come out as they did, and the keys must be those that registry.db
    knows. Writes what is missing, and never over another key.
    """
    with saying_what_was_refused():
        loaded = load_settings(config_folder, environment=os.environ)
        bundle = open_with_shares(read_bundle(bundle_file), share_files, typed=typed)
        check_bundle_whole(bundle, place=bundle_file)
        in_use = read_key_checks(loaded.data_folder)
        folder = loaded.keys_folder
        check_keys_in_use(bundle, keys_folder=folder, in_use=in_use)
        check_nothing_replaced(bundle, keys_folder=folder)
        left_out = [
            KeyProblem(
                folder / name,
                "is known to registry.db, but neither the bundle nor this folder holds it",
                "take a newer bundle, or make one: run `broker keys backup` after each new key",
            )
            for name in find_keys_left_out(bundle, keys_folder=folder, in_use=in_use)
        ]
        if only_check and left_out:
            refuse([key_problem(each) for each in left_out])
        compared = "as registry.db knows them" if in_use else "with no registry.db to compare with"
        click.echo(
            f"{len(bundle.files)} keys, {compared}; {len(bundle.golden)} golden pseudonyms as "
            "they were."
        )
        if only_check:
            click.echo("Nothing was written.")
            return
        made = put_back(bundle, keys_folder=folder)
    for file in made:
        click.echo(f"wrote {file}")
    for each in left_out:
        click.echo(f"Warning: {each}", err=True)
    click.echo("Next: `broker keys init` makes the keys that rotate, then `broker check`.")


def check_apart(folder: Path, loaded: LoadedSettings) -> None:
    """Hold that bundle and shares do not end among what is copied every night.

    Raises:
        KeyProblem: the folder is one of the broker's own.
    """
    for own in (loaded.config_folder, loaded.keys_folder, loaded.data_folder):
        if folder.resolve().is_relative_to(own.resolve()):
            raise KeyProblem(folder, f"lies in {own}, which is the broker's own", "name another")


def collect(loaded: LoadedSettings) -> KeyBundle:
    """Return what goes into a bundle, after looking whether these are the keys in use.

    Raises:
        KeysUnusable, KeyProblem: a key is wrong or cannot be read.
    """
    keys = load_keys(loaded.keys_folder)
    lost = list(DataFolder(loaded.data_folder, loaded.keys_folder, keys).find_lost_keys())
    if lost:
        refuse([loss_problem(each) for each in lost])
    return collect_keys(loaded.keys_folder, keys=keys, program=version(DISTRIBUTION))


def make_ceremony(
    bundle: KeyBundle, *, shares: int, threshold: int
) -> tuple[list[ShareOnPaper], bytes]:
    """Return the shares and the sealed bundle, after proving that they open it."""
    secret = secrets.token_bytes(SECRET_BYTES)
    split = split_secret(secret, shares=shares, threshold=threshold)
    ceremony = Ceremony(split[0].ceremony, f"{datetime.now(UTC):%Y-%m-%d}", shares, threshold)
    sealed = seal_bundle(
        bundle, secret=secret, ceremony=ceremony, nonce=secrets.token_bytes(NONCE_BYTES)
    )
    papers = [ShareOnPaper(each, ceremony, fingerprint_of(sealed)) for each in split]
    combined = combine_shares([PlacedShare(Path(share_name(each)), each.share) for each in papers])
    if not secrets.compare_digest(combined, secret):
        raise KeyProblem(Path("shares"), "do not give back what was split", "run it again")
    return papers, sealed


def share_name(paper: ShareOnPaper) -> str:
    """Return the name of a share's file."""
    return f"share-{paper.share.number}-of-{paper.ceremony.shares}-{paper.ceremony.id}.txt"


def show_shares(texts: Sequence[str]) -> None:
    """Show one share after the other, and leave none on the screen."""
    for number, text in enumerate(texts, 1):
        click.pause(f"Share {number} of {len(texts)}: only its keeper looks. Press a key.")
        with on_a_screen_of_its_own():
            click.echo(text)
            click.pause("Write it down, compare it, then press a key.")


def open_with_shares(
    sealed: SealedBundle, share_files: Sequence[Path], *, typed: bool
) -> KeyBundle:
    """Return what is in a bundle.

    Raises:
        KeyProblem: the shares are too few, mistyped or of another bundle, or it was changed.
    """
    papers = {file: read_share_file(file) for file in share_files}
    if len(papers) < len(share_files):
        raise KeyProblem(share_files[-1], "was named twice", "name another share")
    placed = [PlacedShare(file, each.share) for file, each in papers.items()]
    check_shares_of_bundle(
        sealed,
        {each.place: each.share.ceremony for each in placed},
        {file: each.fingerprint for file, each in papers.items()},
    )
    while typed and len(placed) < sealed.header.ceremony.threshold:
        asked = ask_share(len(placed) + 1)
        if asked is not None:
            check_shares_of_bundle(sealed, {asked.place: asked.share.ceremony}, {})
            placed.append(asked)
    return open_bundle(sealed, secret=combine_shares(placed))


def ask_share(number: int) -> PlacedShare | None:
    """Return the share that somebody types, in as many lines as they like.

    None when it was mistyped at a terminal: that is told, and it is asked for again.

    Raises:
        KeyProblem: it was mistyped where nobody can be asked again.
    """
    place = Path(f"typed share {number}")
    words: list[str] = []
    with on_a_screen_of_its_own():
        while len(words) < WORDS_OF_A_SHARE:
            asked = f"{place}, from word {len(words) + 1}"
            line = click.prompt(asked, default="", show_default=False, err=True)
            if words and not line.strip():
                break
            words += split_words(line)
    try:
        return PlacedShare(place, read_share(words, place=place))
    except KeyProblem as problem:
        if not sys.stdin.isatty():
            raise
        click.echo(str(problem), err=True)
        return None
