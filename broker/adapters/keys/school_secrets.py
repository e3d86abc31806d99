"""Our secrets at schools' OpenID Providers."""

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
