"""Tokens under a shared key: what joserfc makes opens, and nothing else does."""

import base64
import json

import pytest

from broker.jose.encrypted_tokens import open_encrypted_token, read_shared_key
from broker.jose.tokens import TokenRefused
from tests.builders_announcing import KEY, NEXT_KEY, TYPE, seal


def key_of(text: str) -> bytes:
    found = read_shared_key(text)
    assert found is not None
    return found


def opened(token: str, *keys: str) -> bytes:
    return open_encrypted_token(token, keys=[key_of(each) for each in keys or (KEY,)], typ=TYPE)


def refused(token: str, *keys: str) -> str:
    with pytest.raises(TokenRefused) as caught:
        opened(token, *keys)
    return caught.value.check


def with_header(token: str, header: object) -> str:
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return ".".join([encoded, *token.split(".")[1:]])


def with_part(token: str, index: int, text: str) -> str:
    parts = token.split(".")
    parts[index] = text
    return ".".join(parts)


def test_what_another_library_made_opens() -> None:
    assert opened(seal(b'{"a": 1}')) == b'{"a": 1}'
    assert opened(seal(b"", kid="2026", cty="json")) == b""
    assert opened(seal(b"x", typ="application/School-Announcement+JWT")) == b"x"


def test_either_key_opens_while_one_follows_the_other() -> None:
    assert opened(seal(b"x", key=NEXT_KEY), KEY, NEXT_KEY) == b"x"
    assert refused(seal(b"x", key=NEXT_KEY), KEY) == "check_token_decrypted"


@pytest.mark.parametrize("index", [2, 3, 4])
def test_a_changed_octet_opens_nothing(index: int) -> None:
    token = seal(b"school")
    text = token.split(".")[index]
    changed = ("B" if text[0] != "B" else "C") + text[1:]
    assert refused(with_part(token, index, changed)) == "check_token_decrypted"


def test_the_header_is_bound_too() -> None:
    token = seal(b"x")
    header = {"alg": "dir", "enc": "A256GCM", "typ": TYPE, "kid": "another"}
    assert refused(with_header(token, header)) == "check_token_decrypted"


@pytest.mark.parametrize(
    ("header", "check"),
    [
        ({"zip": "DEF"}, "check_token_header_known"),
        ({"typ": "JWT"}, "check_token_type"),
        ({"typ": None}, "check_token_type"),
    ],
)
def test_headers_of_honest_makers_that_are_not_ours(header: dict[str, str], check: str) -> None:
    assert refused(seal(b"x", **header)) == check


@pytest.mark.parametrize(
    ("header", "check"),
    [
        ({"alg": "RSA1_5", "enc": "A256GCM", "typ": TYPE}, "check_token_algorithm_allowed"),
        ({"alg": "PBES2-HS256+A128KW", "enc": "A256GCM"}, "check_token_algorithm_allowed"),
        ({"alg": "dir", "enc": "A128CBC-HS256", "typ": TYPE}, "check_token_algorithm_allowed"),
        ({"alg": "none"}, "check_token_algorithm_allowed"),
        ({"alg": "dir", "enc": "A256GCM", "typ": TYPE, "p2c": "9"}, "check_token_header_known"),
        ({"alg": "dir", "enc": "A256GCM", "typ": TYPE, "p2c": 9}, "check_token_header_readable"),
        ({"alg": "dir", "enc": "A256GCM", "crit": ["x"]}, "check_token_header_readable"),
        (["alg"], "check_token_header_readable"),
    ],
)
def test_headers_of_nobody_honest(header: object, check: str) -> None:
    assert refused(with_header(seal(b"x"), header)) == check


@pytest.mark.parametrize(
    ("token", "check"),
    [
        ("", "check_token_size"),
        ("a.b.c", "check_token_size"),
        ("....", "check_token_header_readable"),
        ("!!....", "check_token_header_readable"),
        (f"{'A' * 600}....", "check_token_size"),
        (with_part(seal(b"x"), 3, "A" * 5000), "check_token_size"),
        (with_part(seal(b"x"), 1, "AAAA"), "check_token_header_known"),
        (with_part(seal(b"x"), 2, "AAAA"), "check_token_decrypted"),
        (with_part(seal(b"x"), 2, "\x00\u00e9!"), "check_token_decrypted"),
        (with_part(seal(b"x"), 3, "QQ=="), "check_token_decrypted"),
        (with_part(seal(b"x"), 4, "AAAA"), "check_token_decrypted"),
    ],
)
def test_what_is_no_token(token: str, check: str) -> None:
    assert refused(token) == check


def test_no_key_opens_nothing() -> None:
    with pytest.raises(TokenRefused):
        open_encrypted_token(seal(b"x"), keys=[], typ=TYPE)


@pytest.mark.parametrize("text", ["", "A" * 42, "A" * 44, "!" * 43, "\u00e9" * 43])
def test_a_key_has_32_octets(text: str) -> None:
    assert read_shared_key(text) is None
    assert read_shared_key(KEY) is not None
