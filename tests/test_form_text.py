"""Forms and queries are written as everybody writes them."""

from urllib.parse import parse_qsl, unquote_to_bytes, urlencode

from hypothesis import example, given
from hypothesis import strategies as st

from broker.form_text import encode_form, unescape

texts = st.text(st.characters(codec="utf-8"))


@given(st.lists(st.tuples(texts, texts)))
@example([("", ""), ("a", "plain-._~09"), ("b", "a b&c=d+e\r\n%"), ("c", "é\x00")])
@example([("line", "ends\n")])
def test_the_same_as_the_standard_library(pairs: list[tuple[str, str]]) -> None:
    assert encode_form(pairs) == urlencode(pairs)
    assert parse_qsl(encode_form(pairs), keep_blank_values=True) == pairs


pieces = st.sampled_from(
    [b"%2B", b"%2F", b"%3D", b"%25", b"%", b"2", b"3", b"B", b"D", b"%2b", b"+"]
)


@given(st.lists(pieces).map(b"".join))
@example(b"%252B")
@example(b"%2%2BB")
@example(b"%3%3D")
@example(b"%00%C3%A9")
def test_escapes_are_undone_as_the_standard_library_does(encoded: bytes) -> None:
    assert unescape(encoded) == unquote_to_bytes(encoded)
