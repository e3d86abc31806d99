"""How an ELO may announce the school of its pupils: the `announcement` of a login's document."""

import msgspec


class Announcing(msgspec.Struct, frozen=True, kw_only=True):
    """Which keys announce, and where browsers go on.

    Attributes:
        key_hashes: hex SHA-256 of each key that may announce; two while one follows the other.
        return_to: a page, or, ending with a slash, everything below it.
    """

    key_hashes: tuple[str, ...]
    return_to: tuple[str, ...]
