"""Carries out a Dockerfile's own instructions in a folder, without an engine.

Each stage is a folder that its steps see as `/`, in a mount namespace of their own. What this
machine's Debian has is there read-only (`/usr`), so steps of apt are passed over; a base that was
unpacked from Debian's archive can be named instead, and then they run as well:

    REPLAY_BASE=FOLDER .venv/bin/python -m pytest tests/docker/test_image.py

Needs root, as an engine does.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.docker.dockerfile import ROOT, Instruction, Stage, environment_of

OWN_FOLDERS = (
    "etc",
    "opt",
    "srv",
    "tmp",
    "run",
    "var/lib",
    "var/log",
    "var/cache",
    "root",
    "build",
)
"""Of a stage on this machine's Debian; all else is that Debian's."""
LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
ETC = ("passwd", "group", "shadow", "gshadow", "nsswitch.conf", "ld.so.cache", "alternatives")
PASSED_IN = ("PIP_", "SSL_CERT_FILE", "REQUESTS_CA")
"""Variables by which this machine says from where pip installs, as a builder does."""


@dataclass(frozen=True, slots=True)
class Image:
    """A stage that was carried out.

    Attributes:
        folder: its `/`.
        binds: folders of this machine that it sees read-only.
    """

    folder: Path
    binds: tuple[Path, ...]
    environment: Mapping[str, str]
    work_folder: str = "/"

    def run(
        self,
        command: Sequence[str],
        *,
        user: int | None = None,
        writable: Sequence[str] = ("/",),
        mounts: Mapping[str, Path] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start a program that sees this stage as `/`.

        Args:
            user: its id, without any right of root's; root when absent.
            writable: folders that are; with `/`, all of its own.
            mounts: path inside -> folder outside, writable.
        """
        return subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc",
             self._script(command, user, writable, mounts or {})],
            env={**self.environment, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip

    def _script(
        self,
        command: Sequence[str],
        user: int | None,
        writable: Sequence[str],
        mounts: Mapping[str, Path],
    ) -> str:
        inside = shlex.quote(str(self.folder))
        lines = [f"mount --bind {inside} {inside}"]
        for each in (*self.binds, Path("/dev")):
            target = f"{inside}{each}"
            lines += [f"mkdir -p {target}", f"mount --rbind {each} {target}"]
            if each != Path("/dev"):
                lines.append(f"mount -o remount,bind,ro {target}")
        lines += [f"mkdir -p {inside}/proc", f"mount -t proc proc {inside}/proc"]
        if "/" not in writable:
            lines.append(f"mount -o remount,bind,ro {inside}")
        for each in writable:
            if each != "/":
                lines.append(f"mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs {inside}{each}")
        for place, folder in mounts.items():
            lines.append(f"mount --bind {shlex.quote(str(folder))} {inside}{place}")
        words = shlex.join(command)
        if user is not None:
            words = (
                f"setpriv --reuid {user} --regid {user} --clear-groups --no-new-privs "
                f"--bounding-set=-all --inh-caps=-all -- {words}"
            )
        step = shlex.quote(f"cd {self.work_folder} && exec {words}")
        lines.append(f"exec chroot {inside} sh -c {step}")
        return "\n".join(lines)


def replay(stages: Mapping[str, Stage], name: str, folder: Path) -> Image:
    """Carry out a stage and those on which it stands.

    Raises:
        AssertionError: a step fails; tells which, and what it said.
    """
    made: dict[str, Image] = {}

    def make(name: str) -> Image:
        if name not in made:
            stage = stages[name]
            image = _begin(make(stage.parent) if stage.parent in stages else None, folder / name)
            for each in stage.instructions:
                image = _carry_out(each, image, make)
            made[name] = image
        return made[name]

    return make(name)


def _begin(parent: Image | None, folder: Path) -> Image:
    if parent is not None:
        subprocess.run(["cp", "-a", parent.folder, folder], check=True)
        return replace(parent, folder=folder)
    passed = {name: value for name, value in os.environ.items() if name.startswith(PASSED_IN)} | {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"
    }
    base = os.environ.get("REPLAY_BASE")
    if base is not None:
        subprocess.run(["cp", "-a", base, folder], check=True)
        return Image(folder, (), passed)
    for each in OWN_FOLDERS:
        (folder / each).mkdir(parents=True)
    (folder / "tmp").chmod(0o1777)
    for name, target in LINKS.items():
        (folder / name).symlink_to(target)
    for each in (*ETC, "resolv.conf", "hosts", "ssl", "ca-certificates"):
        if (found := Path("/etc") / each).exists():
            subprocess.run(["cp", "-aL", found, folder / "etc" / each], check=True)
    return Image(folder, (Path("/usr"),), passed)


def _carry_out(step: Instruction, image: Image, make: Callable[[str], Image]) -> Image:
    match step.word:
        case "RUN":
            _run_step(image, step.text)
        case "COPY":
            _copy(image, step.arguments, make)
        case "ENV":
            environment = {**image.environment, **environment_of(step)}
            return replace(image, environment=environment)
        case "WORKDIR":
            place = str(Path(image.work_folder) / step.text)
            (image.folder / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
            return replace(image, work_folder=place)
    return image


def _run_step(image: Image, text: str) -> None:
    steps = list(_steps_here(text)) if image.binds else [text]
    if not steps:
        return
    process = image.run(["sh", "-ec", " && ".join(steps)])
    said, _ = process.communicate()
    assert process.returncode == 0, f"RUN {text}\n{said}"


def _steps_here(text: str) -> Iterator[str]:
    """Yield the steps that do not ask for packages: this machine has them, and keeps them.

    >>> list(_steps_here("apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/*"))
    []
    >>> list(_steps_here("apt-get update && groupadd x"))
    ['groupadd x']
    """
    for step in text.split("&&"):
        if not step.split()[0].startswith("apt-get") and "/var/lib/apt/lists" not in step:
            yield step.strip()


def _copy(image: Image, words: list[str], make: Callable[[str], Image]) -> None:
    source = ROOT
    if words[0].startswith("--from="):
        source = make(words[0].removeprefix("--from=")).folder
        words = words[1:]
    *froms, to = words
    target = image.folder / str(Path(image.work_folder) / to).lstrip("/")
    for each in froms:
        found = source / each.lstrip("/")
        if found.is_dir():
            shutil.copytree(
                found,
                target,
                symlinks=True,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "*.mo")
                if source == ROOT
                else None,
            )
        else:
            place = target / found.name if to.endswith("/") or target.is_dir() else target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(found, place)
