"""`make bench`: run the benchmarks, or those that are named, and print a JSON line for each."""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache

import click
import msgspec

from tests.bench.accounting import share_core
from tests.bench.chooser import bench_chooser
from tests.bench.console import bench_console
from tests.bench.convert_million import bench_convert_million
from tests.bench.figures import Line
from tests.bench.first_day import bench_first_day
from tests.bench.forged_messages import bench_forged_messages
from tests.bench.logins_on_redis import bench_on_redis
from tests.bench.metadata_aggregate import bench_metadata
from tests.bench.progress import Bar, progress_bars
from tests.bench.register_scale import bench_register
from tests.bench.scale_schools import bench_scale_schools
from tests.bench.whole_logins import (
    OIDC_OIDC,
    SAML_OIDC,
    SAML_SAML,
    bench_in_process,
)
from tests.bench.world import BenchWorld, prepare_world

IN_ONE_WORLD: Mapping[str, Callable[[BenchWorld, Bar], Iterator[Line]]] = {
    "login-saml-oidc": bench_in_process,
    "login-saml-oidc-redis": bench_on_redis("login-saml-oidc-redis", SAML_OIDC),
    "login-saml-saml-redis": bench_on_redis("login-saml-saml-redis", SAML_SAML),
    "login-oidc-oidc-redis": bench_on_redis("login-oidc-oidc-redis", OIDC_OIDC),
    "first-day": bench_first_day,
    "forged-messages": bench_forged_messages,
    "chooser": bench_chooser,
}
IN_WORLDS_OF_THEIR_OWN: Mapping[str, Callable[[Bar], Iterator[Line]]] = {
    "scale-schools": bench_scale_schools,
    "console": bench_console,
    "metadata-7000": bench_metadata,
    "register-3-million": bench_register,
    "convert-million": bench_convert_million,
}
NAMES = (*IN_ONE_WORLD, *IN_WORLDS_OF_THEIR_OWN)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
def main(names: tuple[str, ...]) -> None:
    """Print the figures on standard output as they come, the progress on standard error."""
    share_core()
    with progress_bars() as bar:

        @cache
        def world() -> BenchWorld:
            prepared = bar("set up", 1)
            made = prepare_world()
            prepared()
            return made

        for name in names or NAMES:
            own = IN_WORLDS_OF_THEIR_OWN.get(name)
            for line in IN_ONE_WORLD[name](world(), bar) if own is None else own(bar):
                sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
