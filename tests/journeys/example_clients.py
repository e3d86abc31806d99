"""The example clients of the suppliers' guide, each run as its reader runs it."""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import httpx2

from tests.redis_server import a_free_port

EXAMPLES = Path(__file__).parents[1] / "clients"
_GUIDE_PORT = re.compile(r"localhost:50\d\d")
_GUIDE_BROKER = "http://localhost:8000"


@dataclass(frozen=True, slots=True)
class ExampleClient:
    """One of the guide's clients.

    Attributes:
        name: of its folder, and of the library.
        program: with its arguments; `{here}` is its folder.
        log_in, log_out: paths of its own pages; "" for the button of its home page.
        home: path of the page that says who is logged in.
        lesson: path of a page behind the login, where it leads after it; "" for none.
        protocol: which one it speaks.
        cookie: begins the names of its cookies; "" for `example-` and its name.
        daemon: a second program, started before; `socket` is there once it listens.
        metadata_at: path at which it tells its metadata; "" where `prepare` makes them.
        is_school: it is a school's login.
    """

    name: str
    program: tuple[str, ...]
    log_in: str = "/login"
    log_out: str = "/logout"
    home: str = "/"
    lesson: str = ""
    protocol: Literal["oidc", "saml"] = "oidc"
    cookie: str = ""
    daemon: tuple[str, ...] = ()
    socket: str = ""
    metadata_at: str = ""
    is_school: bool = False

    @property
    def folder(self) -> Path:
        """Where its files stand."""
        return EXAMPLES / self.name


UNPACKED = Path(sys.prefix) / "unpacked"
SHIBD = UNPACKED / "shibboleth-sp-utils/usr/sbin/shibd"
SHIB_MODULE = UNPACKED / "libapache2-mod-shib/usr/lib/apache2/modules/mod_shib.so"

SIMPLESAMLPHP = UNPACKED / "simplesamlphp/usr/share/simplesamlphp"

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
    ExampleClient(
        "mod_auth_mellon",
        APACHE,
        log_in="/pupils/",
        log_out="/pupils/mellon/logout?ReturnTo={self}/",
        home="/pupils/",
        lesson="/pupils/lesson.shtml?page=3",
        protocol="saml",
        cookie="mellon-pupils",
    ),
    ExampleClient(
        "shibboleth",
        APACHE,
        log_in="/pupils/",
        log_out="/Shibboleth.sso/Logout?return={self}/",
        home="/pupils/",
        lesson="/pupils/lesson.shtml?page=3",
        protocol="saml",
        cookie="_shib",
        daemon=(str(SHIBD), "-F", "-f", "-c", "{folder}/shibboleth2.xml", "-p", "{folder}/pid"),
        socket="shibboleth/shibd.sock",
        metadata_at="/Shibboleth.sso/Metadata",
    ),
    ExampleClient("node-saml", NODE, protocol="saml", metadata_at="/saml"),
)


EXAMPLE_SCHOOL = ExampleClient(
    "simplesamlphp-school",
    ("php", "-S", "127.0.0.1:{port}", "router.php"),
    protocol="saml",
    metadata_at="/simplesaml/saml2/idp/metadata.php",
    is_school=True,
)

OTHER_CLIENTS = {
    "openid-client-5": ExampleClient("others", ("node", "{here}/openid-client-5.mjs")),
    "passport-openidconnect": ExampleClient(
        "others", ("node", "{here}/passport-openidconnect.mjs")
    ),
    "express-openid-connect": ExampleClient(
        "others", ("node", "{here}/express-openid-connect.mjs")
    ),
    "idpyoidc": ExampleClient("others", (sys.executable, "{here}/with-idpyoidc.py")),
    "django-allauth": ExampleClient(
        "others",
        (sys.executable, "{here}/with-allauth.py"),
        log_in="/accounts/oidc/broker/login/",
        log_out="/leave",
    ),
    "go-oidc": ExampleClient("others", (str(Path(sys.prefix) / "bin/example-go-oidc"),)),
}
"""Libraries that the guide does not show, with their defaults, as one system of one supplier."""


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

    Its documents are copied there, with its own place and the broker's in them. The broker serves
    on this event loop meanwhile: a client asks it for discovery as it starts.
    """
    port = a_free_port()
    for each in example.folder.rglob("*"):
        if each.suffix in {".toml", ".xml", ".php"}:
            placed = _GUIDE_PORT.sub(f"localhost:{port}", each.read_text())
            copy = folder / each.relative_to(example.folder)
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(placed.replace(_GUIDE_BROKER, issuer))
    base_url = f"http://localhost:{port}"
    daemon, program = (
        [each.format(here=example.folder, folder=folder, port=port) for each in words]
        for words in (example.daemon, example.program)
    )
    environment = _environment(example, folder, issuer=issuer, port=port)
    said = folder / "said.txt"
    processes: list[asyncio.subprocess.Process] = []

    async def start(*words: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *words,
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        processes.append(process)
        return process

    def look(process: asyncio.subprocess.Process) -> None:
        assert process.returncode is None, said.read_text()

    with said.open("wb") as output, TemporaryDirectory() as short:
        environment["SHIBSP_RUNDIR"] = short  # the system bounds a socket's path
        try:
            if example.protocol == "saml":
                role = "sp" if example.is_school else "idp"
                await take_metadata(f"{issuer}/saml/{role}/metadata", folder / "broker.xml")
                prepared = await start(str(example.folder / "prepare"))
                assert await prepared.wait() == 0, said.read_text()
            if daemon:
                served = await start(*daemon)
                while not Path(short, example.socket).exists():
                    look(served)
                    await asyncio.sleep(0)
            running = await start(*program)
            while not await _listens(port):
                look(running)
            if example.metadata_at:
                file = folder / ("idp.xml" if example.is_school else "sp.xml")
                await take_metadata(base_url + example.metadata_at, file)
            document = folder / ("school.toml" if example.is_school else "supplier.toml")
            yield RunningClient(base_url, document)
        finally:
            for process in reversed(processes):
                if process.returncode is None:
                    process.terminate()
                    await process.wait()


async def take_metadata(url: str, file: Path) -> None:
    """Write what an address tells to a file."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        told = await client.get(url)
    assert told.status_code == 200, told.text
    file.write_bytes(told.content)


def _environment(example: ExampleClient, folder: Path, *, issuer: str, port: int) -> dict[str, str]:
    """The place of its issuer and its own; the secret stays the one of the guide."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "ISSUER": issuer,
        "SELF": f"http://localhost:{port}",
        "PORT": str(port),
        "HERE": str(example.folder),
        "FOLDER": str(folder),
        "SHIB_MODULE": str(SHIB_MODULE),
        "SIMPLESAMLPHP": str(SIMPLESAMLPHP),
        "SIMPLESAMLPHP_CONFIG_DIR": str(folder),
        **{f"SHIBSP_{kind}DIR": str(folder) for kind in ("CFG", "LOG", "CACHE")},
    }


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True
