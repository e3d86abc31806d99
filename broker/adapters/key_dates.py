"""When keys that are replaced now and then were made, and when their certificates end."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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

    Raises:
        OSError: a file vanished meanwhile.
    """
    made_at = {
        purpose: min(
            each.stat().st_mtime for each in (folder / purpose).iterdir() if each.is_file()
        )
        for purpose in FOLDERS
    }
    ends_at = {
        purpose: min(each.certificate.not_valid_after_utc.timestamp() for each in found)
        for purpose, found in (
            ("saml-signing", keys.saml_signing),
            ("saml-decryption", keys.saml_decryption),
        )
    }
    return KeyDates(made_at, ends_at)
