import zlib
from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.saml_xml import names as n
from broker.saml_xml.bindings import (
    MESSAGE_MAX_BYTES,
    QUERY_MAX_BYTES,
    RELAY_STATE_MAX_BYTES,
    REQUEST_MAX_BYTES,
    build_redirect_query,
    decode_base64,
    decode_post,
    decode_redirect,
    deflate,
    encode_post,
    inflate,
    quote_parameter,
)
from broker.saml_xml.refusals import MessageUnreadable

MESSAGE = b"<samlp:AuthnRequest/>"
ENCODED = quote_parameter(encode_post(deflate(MESSAGE)))
SIGNED = f"SAMLRequest={ENCODED}&RelayState=a%2fb+c&SigAlg={quote_parameter(n.ALG_RSA_SHA256)}"


def refused(check: str) -> "pytest.RaisesExc[MessageUnreadable]":
    return pytest.raises(MessageUnreadable, check=lambda refusal: refusal.check == check)


# Base64.


@given(st.binary(max_size=200))
def test_base64_reads_back(octets: bytes) -> None:
    assert decode_base64(b64encode(octets).decode()) == octets


@pytest.mark.parametrize(
    "text", ["aGFsbG8", "aGFs bG8=", "aGFsbG8=*", "aGFsbG9=", "aGFsb-8=", "é", "="]
)
def test_what_is_not_canonical_base64_is_refused(text: str) -> None:
    with refused("base64"):
        decode_base64(text)


def test_base64_may_stand_in_lines() -> None:
    assert decode_base64("aGFs\r\nbG8=\n") == b"hallo"
    assert decode_base64(" aGFs\tbG8= ", whitespace=" \t") == b"hallo"


# POST.


@given(st.binary(min_size=1, max_size=200))
def test_a_posted_message_reads_back(message: bytes) -> None:
    assert decode_post(encode_post(message)) == message


def test_a_posted_message_may_be_as_large_as_the_cap_and_no_larger() -> None:
    assert len(decode_post(encode_post(b"x" * MESSAGE_MAX_BYTES))) == MESSAGE_MAX_BYTES
    with refused("size"):
        decode_post(encode_post(b"x" * (MESSAGE_MAX_BYTES + 1)))
    with refused("size"):
        decode_post("A" * (MESSAGE_MAX_BYTES * 2))


def test_a_posted_request_has_a_cap_of_its_own() -> None:
    largest = encode_post(b"x" * REQUEST_MAX_BYTES)
    assert len(decode_post(largest, max_bytes=REQUEST_MAX_BYTES)) == REQUEST_MAX_BYTES
    for larger in (encode_post(b"x" * (REQUEST_MAX_BYTES + 1)), "A" * (REQUEST_MAX_BYTES * 2)):
        with refused("size"):
            decode_post(larger, max_bytes=REQUEST_MAX_BYTES)


def test_an_empty_posted_message_is_refused() -> None:
    with refused("size"):
        decode_post("")


# DEFLATE.


@given(st.binary(min_size=1, max_size=2000))
def test_a_deflated_message_reads_back(message: bytes) -> None:
    assert inflate(deflate(message)) == message


def test_the_output_of_inflation_is_bounded() -> None:
    assert len(inflate(deflate(b"x" * REQUEST_MAX_BYTES))) == REQUEST_MAX_BYTES
    bomb = deflate(b"x" * (20 * 1024 * 1024))
    assert len(bomb) < QUERY_MAX_BYTES
    with refused("size"):
        inflate(bomb)


@pytest.mark.parametrize(
    "compressed",
    [b"not deflated", deflate(MESSAGE)[:-1], deflate(MESSAGE) + b"x", zlib.compress(MESSAGE)],
    ids=["rubbish", "cut-off", "followed", "zlib-header"],
)
def test_a_damaged_deflated_message_is_refused(compressed: bytes) -> None:
    with refused("inflate"):
        inflate(compressed)


@pytest.mark.parametrize("compressed", [b"", deflate(b"")], ids=["nothing", "deflated-nothing"])
def test_an_empty_deflated_message_is_refused(compressed: bytes) -> None:
    with refused("size"):
        inflate(compressed)


# Redirect.


@given(st.binary(min_size=1, max_size=200), st.one_of(st.none(), st.text(max_size=100)))
def test_a_redirect_reads_back(message: bytes, relay_state: str | None) -> None:
    try:
        query = build_redirect_query(message, kind="SAMLResponse", relay_state=relay_state)
    except UnicodeEncodeError:
        return  # a lone surrogate is no text
    read = decode_redirect(query.encode())
    assert (read.kind, read.message, read.relay_state) == ("SAMLResponse", message, relay_state)
    assert read.signature is None


def test_the_signed_octets_are_the_raw_bytes_in_the_standards_order() -> None:
    value = quote_parameter(encode_post(b"signature"))
    for query in (
        f"{SIGNED}&Signature={value}",
        f"Signature={value}&" + "&".join(reversed(SIGNED.split("&"))),
        f"a=b&{SIGNED}&Signature={value}&c",
    ):
        read = decode_redirect(query.encode())
        assert read.relay_state == "a/b c"
        assert read.signature is not None
        assert read.signature.octets == SIGNED.encode()
        assert read.signature.algorithm == n.ALG_RSA_SHA256
        assert read.signature.value == b"signature"


def test_a_query_without_relay_state_is_signed_without_it() -> None:
    query = f"SAMLRequest={ENCODED}&SigAlg=urn%3ax&Signature=AAAA"
    read = decode_redirect(query.encode())
    assert read.relay_state is None
    assert read.signature is not None
    assert read.signature.octets == f"SAMLRequest={ENCODED}&SigAlg=urn%3ax".encode()


@pytest.mark.parametrize(
    ("query", "check"),
    [
        ("", "one-message"),
        ("RelayState=x", "one-message"),
        (f"SAMLRequest={ENCODED}&SAMLResponse={ENCODED}", "one-message"),
        (f"SAMLRequest={ENCODED}&SAMLRequest={ENCODED}", "parameter-once"),
        (f"SAMLRequest={ENCODED}&RelayState=a&RelayState=b", "parameter-once"),
        (f"SAMLRequest={ENCODED}&SigAlg=a&SigAlg=b&Signature=AAAA", "parameter-once"),
        (f"SAMLRequest={ENCODED}&%53AMLRequest={ENCODED}", "parameter-once"),
        (f"%53AMLRequest={ENCODED}", "parameter-once"),
        (f"SAMLRequest={ENCODED}&RelayStat%65=b", "parameter-once"),
        (f"SAMLRequest={ENCODED}&RelayState", "parameter-once"),
        (f"SAMLRequest={ENCODED}&SigAlg=a", "signature-whole"),
        (f"SAMLRequest={ENCODED}&Signature=AAAA", "signature-whole"),
        (f"SAMLRequest={ENCODED}&SigAlg=a&Signature=A", "base64"),
        (f"SAMLRequest={ENCODED}&SAMLEncoding=urn:x", "encoding"),
        (f"SAMLRequest={ENCODED}&RelayState=%ff", "parameter-text"),
        (f"SAMLRequest={ENCODED}&RelayState={'x' * (RELAY_STATE_MAX_BYTES + 1)}", "size"),
        ("SAMLRequest=%%%", "base64"),
        ("SAMLRequest=", "size"),
        ("x" * (QUERY_MAX_BYTES + 1), "size"),
    ],
)
def test_a_query_that_could_be_read_in_two_ways_is_refused(query: str, check: str) -> None:
    with refused(check):
        decode_redirect(query.encode())


def test_the_twins_of_those_queries_are_read() -> None:
    deflate_named = quote(n.ENCODING_DEFLATE, safe="")
    query = f"SAMLRequest={ENCODED}&RelayState={'x' * RELAY_STATE_MAX_BYTES}"
    assert decode_redirect(f"{query}&SAMLEncoding={deflate_named}".encode()).message == MESSAGE


def test_nothing_of_a_message_shows_in_its_repr() -> None:
    read = decode_redirect(f"{SIGNED}&Signature=AAAA".encode())
    assert "Authn" not in repr(read)
    assert "a/b c" not in repr(read)
    assert ENCODED not in repr(read)
