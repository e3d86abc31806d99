"""The example clients of the suppliers' guide, each run as its reader runs it."""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.redis_server import a_free_port

EXAMPLES = Path(__file__).parents[1] / "clients"
_GUIDE_PORT = re.compile(r"localhost:50\d\d")


@dataclass(frozen=True, slots=True)
class ExampleClient:
    """One of the guide's clients.

    Attributes:
        name: of its folder, and of the library.
        program: with its arguments; `{here}` is its folder.
        log_in, log_out: paths of its own pages; "" for the button of its home page.
        home: path of the page that says who is logged in.
    """

    name: str
    program: tuple[str, ...]
    log_in: str = "/login"
    log_out: str = "/logout"
    home: str = "/"

    @property
    def folder(self) -> Path:
        """Where its files stand."""
        return EXAMPLES / self.name


NODE = ("node", "{here}/app.mjs")
PYTHON = (sys.executable, "{here}/app.py")
APACHE = ("/usr/sbin/apache2", "-X", "-f", "{here}/apache2.conf")

EXAMPLE_CLIENTS = (
    ExampleClient("openid-client", NODE),
    ExampleClient("oauth4webapi", NODE),
    ExampleClient("authlib", PYTHON),
    ExampleClient("mozilla-django-oidc", PYTHON, log_in="/oidc/authenticate/", log_out=""),
    ExampleClient(
        "mod_auth_openidc",
        APACHE,
        log_in="/pupils/",
        log_out="/pupils/callback?logout=",
        home="/pupils/",
    ),
)


@dataclass(frozen=True, slots=True)
class RunningClient:
    """A client that answers at `base_url`; `document` is what a federation applies for it."""

    base_url: str
    document: Path


@contextlib.asynccontextmanager
async def running_client(
    example: ExampleClient, folder: Path, *, issuer: str
) -> AsyncIterator[RunningClient]:
    """Run a client on a free port in a folder of its own, until the context ends.

    The broker serves on this event loop meanwhile: a client asks it for discovery as it starts.
    """
    port = a_free_port()
    document = folder / "supplier.toml"
    stated = (example.folder / "supplier.toml").read_text()
    document.write_text(_GUIDE_PORT.sub(f"localhost:{port}", stated))
    base_url = f"http://localhost:{port}"
    program = [each.format(here=example.folder) for each in example.program]
    said = folder / "said.txt"
    with said.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *program,
            cwd=folder,
            env=_environment(example, folder, issuer=issuer, port=port),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        while not await _listens(port):
            assert process.returncode is None, said.read_text()
        yield RunningClient(base_url, document)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def _environment(
    example: ExampleClient, folder: Path, *, issuer: str, port: int
) -> Mapping[str, str]:
    """The place of its issuer and its own; the secret stays the one of the guide."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "ISSUER": issuer,
        "SELF": f"http://localhost:{port}",
        "PORT": str(port),
        "HERE": str(example.folder),
        "FOLDER": str(folder),
    }


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True
