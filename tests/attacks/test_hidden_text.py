"""Values that two programs read differently: comments, processing instructions, CDATA, entities."""

import pytest

from broker.saml_xml.refusals import XmlRefusal
from tests.saml_xml.corpus.damage import honest
from tests.saml_xml.corpus.keys import rsa_key
from tests.saml_xml.corpus.messages import HONEST
from tests.saml_xml.corpus.oracles import read_name_id

TELLING = HONEST.encode()


@pytest.mark.parametrize(
    "hidden",
    [
        b"sanne@vuurvogel.example<!---->.evil.example",
        b"sanne<!-- x -->@vuurvogel.example",
        b"<!-- x -->sanne@vuurvogel.example",
        b"sanne@vuurvogel.example<!-- x -->",
        b"sanne<?x y?>@vuurvogel.example",
        b"<x/>sanne@vuurvogel.example",
        b"sanne<![CDATA[<!-- x -->]]>@vuurvogel.example",
        b"sanne&x;@vuurvogel.example",
        b"sanne@vuurvogel.example&#0;",
        b" sanne@vuurvogel.example",
        b"sanne@vuurvogel.example\xe2\x80\x8b",
    ],
)
def test_a_value_with_something_hidden_in_it_is_refused(hidden: bytes) -> None:
    message = honest().replace(b">" + TELLING + b"<", b">" + hidden + b"<", 1)
    assert message != honest()
    with pytest.raises(XmlRefusal):
        read_name_id(message, rsa_key().verification)


@pytest.mark.parametrize(
    "same", [b"sanne&#64;vuurvogel.example", b"<![CDATA[sanne]]>@vuurvogel.example", TELLING]
)
def test_the_same_value_written_otherwise_is_the_same_value(same: bytes) -> None:
    message = honest().replace(b">" + TELLING + b"<", b">" + same + b"<", 1)
    assert read_name_id(message, rsa_key().verification) == HONEST
