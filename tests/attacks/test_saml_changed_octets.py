"""Whatever octets of a login are changed on the way: it is refused, or it says the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.refusals import Refusal
from broker.saml_xml.bindings import encode_post
from broker.saml_xml.elements import serialize
from tests.builders_saml import a_response, read

MESSAGES = {
    (signed, encrypted): serialize(a_response(signed=signed, encrypted=encrypted))
    for signed in ("assertion", "response", "both")
    for encrypted in (False, True)
}


@given(
    message=st.sampled_from(sorted(MESSAGES)).map(MESSAGES.__getitem__),
    place=st.floats(0, 1, exclude_max=True),
    change=st.sampled_from(
        [b"", b"<", b">", b'"', b" ", b"a", b"0", b"\x00", b"&#65;", b"<!---->"]
    ),
    removed=st.integers(0, 3),
)
def test_a_changed_login_is_refused_or_the_same(
    message: bytes, place: float, change: bytes, removed: int
) -> None:
    at = int(place * len(message))
    changed = message[:at] + change + message[at + removed :]
    try:
        login = read([("SAMLResponse", encode_post(changed))])
    except Refusal:
        return
    assert login == read([("SAMLResponse", encode_post(message))])


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_the_unchanged_login_is_accepted(kind: tuple[str, bool]) -> None:
    assert read([("SAMLResponse", encode_post(MESSAGES[kind]))]).assertion_id == "_assertion"
