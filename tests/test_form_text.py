"""Forms and queries are written as everybody writes them."""

from urllib.parse import parse_qsl, urlencode

from hypothesis import example, given
from hypothesis import strategies as st

from broker.form_text import encode_form

texts = st.text(st.characters(codec="utf-8"))


@given(st.lists(st.tuples(texts, texts)))
@example([("", ""), ("a", "plain-._~09"), ("b", "a b&c=d+e\r\n%"), ("c", "é\x00")])
@example([("line", "ends\n")])
def test_the_same_as_the_standard_library(pairs: list[tuple[str, str]]) -> None:
    assert encode_form(pairs) == urlencode(pairs)
    assert parse_qsl(encode_form(pairs), keep_blank_values=True) == pairs
