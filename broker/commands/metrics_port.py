"""Metrics at the address that the settings name, if they name one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from broker.flow.federation.documents import FederationProblems, Problem
from broker.settings import LoadedSettings


@contextmanager
def metrics_at_their_port(loaded: LoadedSettings, expose: Callable[[], bytes]) -> Iterator[None]:
    """Serve what `expose` returns while the context lasts; nothing without `server.metrics_port`.

    Raises:
        FederationProblems: the address is in use, or not this machine's.
    """
    from broker.adapters.watching.metrics_server import serving_metrics

    host, port = loaded.settings.server.metrics_host, loaded.settings.server.metrics_port
    with ExitStack() as opened:
        if port is not None:
            try:
                opened.enter_context(serving_metrics(expose, host=host, port=port))
            except OSError as error:
                problem = Problem(
                    str(loaded.config_folder / "broker.toml"),
                    "server.metrics_port",
                    f"{host} {port} cannot be listened on: {error.strerror or error}.",
                    "Stop what listens there, or state another server.metrics_host or "
                    "server.metrics_port.",
                )
                raise FederationProblems([problem]) from error
        yield
