"""Static files, read once at start, each under a name that holds a hash of its content.

A changed file has a new name, so every answer may be kept by browsers for good. Serving is a
look-up in a mapping: no path from a request ever reaches the disk.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

STATIC_FOLDER = Path(__file__).parent / "static"
STATIC_PREFIX = "/static/"

CACHE_CONTROL = "public, max-age=31536000, immutable"
"""One year in seconds, the longest that RFC 9111 readers honour; RFC 8246 for `immutable`."""

HASH_CHARACTERS = 16

MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)
"""Every kind of file that we serve; another one stops the start."""


class UnknownStaticFileError(ValueError):
    """A file whose kind we do not serve, or a name that no template may ask for."""


@dataclass(frozen=True, slots=True)
class StaticAsset:
    """One file as it is served: `url_path` starts with the prefix and holds the hash."""

    url_path: str
    media_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StaticAssets:
    """Every static file, by its name in the folder and by the path it is served at."""

    by_name: Mapping[str, StaticAsset]
    by_url_path: Mapping[str, StaticAsset]

    def url(self, name: str) -> str:
        """Return the path to write into a page for the file `name`.

        Raises:
            UnknownStaticFileError: there is no such file.
        """
        try:
            return self.by_name[name].url_path
        except KeyError:
            raise UnknownStaticFileError(f"no static file {name!r}") from None


def load_static_assets(
    folders: tuple[Path, ...] = (STATIC_FOLDER,), *, prefix: str = STATIC_PREFIX
) -> StaticAssets:
    """Read all files of `folders` (flat, no sub-folders); a later folder wins on equal names.

    Raises:
        UnknownStaticFileError: a file is of a kind that has no entry in `MEDIA_TYPES`.
    """
    paths = sorted(path for folder in folders for path in folder.iterdir() if path.is_file())
    ordered = sorted(paths, key=lambda path: folders.index(path.parent))
    by_name = {path.name: _read_asset(path, prefix) for path in ordered}
    return StaticAssets(
        by_name=MappingProxyType(by_name),
        by_url_path=MappingProxyType({each.url_path: each for each in by_name.values()}),
    )


def _read_asset(path: Path, prefix: str) -> StaticAsset:
    if path.suffix not in MEDIA_TYPES:
        raise UnknownStaticFileError(f"{path.name}: only {', '.join(MEDIA_TYPES)} are served")
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:HASH_CHARACTERS]
    return StaticAsset(f"{prefix}{path.stem}.{digest}{path.suffix}", MEDIA_TYPES[path.suffix], body)
