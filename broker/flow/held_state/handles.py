"""Handles, and the storage keys under which they were made.

A handle opens one record of the login store. It lives with the browser or the relying party, and
says by a letter which of our storage keys it belongs to, so that keys can be changed under running
logins.
"""

import base64
import hmac
from dataclasses import dataclass, field

from broker.flow.held_state.framing import KEY_BYTES, MacKey, extract_key
from broker.flow.held_state.login_store import Absent

HANDLE_BYTES = 32  # 256 bits; RFC 6749 10.10 asks for at least 128
SECRET_TEXT_LENGTH = 43  # base64url (RFC 4648 5) of 32 bytes, no padding
KEY_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class StorageKey:
    """One key of the login store.

    Attributes:
        secret: 32 bytes, of this purpose alone.
        letter: by which handles name it, `a` to `z`; the first key of an installation has none.
        finding: makes locators and claims.
        deriving: HKDF's extract step of it; makes keys and handles.

    Raises:
        ValueError: the key has another length, or the letter is none.
    """

    secret: bytes = field(repr=False)
    letter: str = ""
    finding: MacKey = field(init=False, repr=False, compare=False)
    deriving: MacKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a storage key is {KEY_BYTES} bytes")
        if self.letter and (len(self.letter) != 1 or self.letter not in KEY_LETTERS):
            raise ValueError("a storage key's letter is one of a to z")
        object.__setattr__(self, "finding", MacKey(self.secret))
        object.__setattr__(self, "deriving", extract_key(self.secret))


@dataclass(frozen=True, slots=True)
class Handle:
    """What the browser or relying party holds: 256 random bits. Never shown by repr or str.

    Attributes:
        letter: of the storage key that it was made under; "" for the first one.
    """

    secret: bytes = field(repr=False)
    letter: str = ""

    def __post_init__(self) -> None:
        if len(self.secret) != HANDLE_BYTES:
            raise ValueError(f"a handle is {HANDLE_BYTES} bytes")

    @property
    def text(self) -> str:
        """43 characters of base64url and the key's letter: the cookie, code or token itself."""
        return base64.urlsafe_b64encode(self.secret).rstrip(b"=").decode("ascii") + self.letter


def parse_handle(unverified_text: str) -> Handle:
    """Return the handle that a browser or relying party sent.

    Raises:
        Absent: the text is not one that we could have made; exactly one text stands for a handle.

    >>> parse_handle("A" * 43), parse_handle("A" * 43 + "b")
    (Handle(letter=''), Handle(letter='b'))
    """
    text, letter = unverified_text[:SECRET_TEXT_LENGTH], unverified_text[SECRET_TEXT_LENGTH:]
    if unverified_text.isascii() and (not letter or (len(letter) == 1 and letter in KEY_LETTERS)):
        try:
            handle = Handle(base64.b64decode(text + "=", altchars=b"-_", validate=True), letter)
        except ValueError:
            pass  # refused below, outside the handler, so that no error carries the text along
        else:
            if hmac.compare_digest(handle.text, unverified_text):
                return handle
    raise Absent
