"""When keys that are replaced now and then were made, and when their certificates end."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from broker.adapters.keys_on_disk import BrokerKeys

FOLDERS = ("token", "saml-signing", "saml-decryption", "storage", "cookie")


@dataclass(frozen=True, slots=True)
class KeyDates:
    """By purpose, in seconds since 1970.

    Attributes:
        made_at: of the oldest key file; a file that was restored counts from then.
        ends_at: of the certificate that ends first.
    """

    made_at: Mapping[str, float]
    ends_at: Mapping[str, float]


def read_key_dates(folder: Path, keys: BrokerKeys) -> KeyDates:
    """Return the dates of the keys in a folder from which `keys` were loaded.

    A file that vanishes meanwhile is passed over.
    """
    made_at = {
        purpose: min(times) for purpose in FOLDERS if (times := list(_find_times(folder / purpose)))
    }
    ends_at = {
        purpose: min(each.certificate.not_valid_after_utc.timestamp() for each in found)
        for purpose, found in (
            ("saml-signing", keys.saml_signing),
            ("saml-decryption", keys.saml_decryption),
        )
    }
    return KeyDates(made_at, ends_at)


def _find_times(purpose: Path) -> Iterator[float]:
    for file in purpose.iterdir():
        with suppress(FileNotFoundError):
            status = file.stat()
            if S_ISREG(status.st_mode):
                yield status.st_mtime
