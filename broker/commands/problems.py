"""What commands share: where the configuration is, and how they say what is wrong."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from sqlalchemy.exc import DatabaseError

from broker.adapters.databases.data_folder import DatabasesLost, Loss
from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.keys.keys_on_disk import KeysUnusable
from broker.adapters.login_store.redis_connections import RedisProblem
from broker.adapters.terminal import show_problems
from broker.flow.federation.change import RegistryMoved
from broker.flow.federation.documents import FederationProblems, Problem
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.settings import SettingsProblem

EXIT_REFUSED = 1

config_option = click.option(
    "--config",
    "config_folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("config"),
    show_default=True,
    help="Folder with broker.toml.",
)


def loss_problem(found: Loss) -> Problem:
    """Return what was lost in the form of all others."""
    return Problem(str(found.file), "-", found.problem, found.remedy)


def key_problems(found: KeysUnusable) -> Iterable[Problem]:
    """Return the problems of keys in the form of all others."""
    return [key_problem(each) for each in found.problems]


def key_problem(found: KeyProblem) -> Problem:
    """Return a key file's problem in the form of all others."""
    remedy = found.remedy[:1].upper() + found.remedy[1:]
    return Problem(str(found.file), "-", f"{found.problem}.", f"{remedy}.")


def store_problem(found: RedisProblem) -> Problem:
    """Return what is wrong with the login store in the form of all others."""
    return Problem("login store", "store.url", f"the Redis {found.problem}", found.remedy)


def find_problems(found: Exception) -> list[Problem]:
    """Return what an exception says to an operator.

    Raises:
        Exception: `found` itself, when it is a fault of ours.
    """
    match found:
        case FederationProblems():
            return list(found.problems)
        case KeysUnusable():
            return list(key_problems(found))
        case DatabasesLost():
            return [loss_problem(each) for each in found.losses]
        case SettingsProblem():
            return [Problem(found.file, found.path, found.problem, found.remedy)]
        case RegistryMoved():
            return [Problem("registry", "-", "was changed meanwhile.", "Run the command again.")]
        case RegistryUnreadable() | DatabaseError():
            why = getattr(found, "orig", found)  # without SQLAlchemy's own advice
            return [Problem("registry", "-", f"cannot be used: {why}.", "Restore or repair it.")]
        case OSError():
            name, why = str(found.filename or "-"), found.strerror or "the system refuses"
            missing = isinstance(found, FileNotFoundError)
            remedy = "Make it, or name another." if missing else "Give this account access."
            return [Problem(name, "-", f"cannot be used: {why}.", remedy)]
    raise found


@contextmanager
def saying_what_is_wrong() -> Iterator[None]:
    """Turn what is wrong into file, key path, problem and remedy on standard error, and exit 1."""
    try:
        yield
    except Exception as found:
        refuse(find_problems(found))


def refuse(problems: Sequence[Problem]) -> None:
    """Show problems and end the program."""
    show_problems(problems, console=Console(stderr=True))
    sys.exit(EXIT_REFUSED)
