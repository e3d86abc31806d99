"""Our secrets at schools' OpenID Providers, and the keys by which ELOs announce schools."""

from pathlib import Path

from broker.adapters.keys.key_files import KeyProblem, read_safely
from broker.domain.ids import SchoolIdpId


def read_client_secret(keys_folder: Path, idp: SchoolIdpId) -> str | None:
    """Read our secret at a school's provider: `keys/schools/<identity provider>.secret`.

    Read when it is used, so that a school that is applied while we run needs no restart.
    """
    file = keys_folder / "schools" / f"{idp}.secret"
    try:
        return read_safely(file, root=keys_folder).decode().strip()
    except (KeyProblem, UnicodeDecodeError):
        return None  # the school's token endpoint is then not asked at all


def read_announcement_keys(keys_folder: Path, idp: SchoolIdpId) -> tuple[str, ...]:
    """Read with which keys an ELO may announce: `keys/schools/<identity provider>.announcement`.

    One a line, as base64url. Which of them count is the document's to say; read when it is used.
    """
    file = keys_folder / "schools" / f"{idp}.announcement"
    try:
        return tuple(read_safely(file, root=keys_folder).decode().split())
    except (KeyProblem, UnicodeDecodeError):
        return ()
