"""Our verification against signxml, the xmlsec1 program and pysaml2, over honest and defective
messages. This is the evidence on which our own code verifies instead of a library."""

import pytest

from broker.saml_xml.refusals import XmlRefusal
from tests.saml_xml.corpus.damage import honest
from tests.saml_xml.corpus.defects import DEFECTS
from tests.saml_xml.corpus.honest import HONEST_MESSAGES, HONEST_TO_SOME
from tests.saml_xml.corpus.keys import rsa_key
from tests.saml_xml.corpus.messages import HONEST
from tests.saml_xml.corpus.oracles import ORACLES, read_name_id


@pytest.mark.parametrize("name", HONEST_MESSAGES)
def test_everybody_accepts_an_honest_message(name: str) -> None:
    key, make = HONEST_MESSAGES[name]
    message = make(key)
    assert read_name_id(message, key.verification) == HONEST
    assert {oracle: ask(message, key) for oracle, ask in ORACLES.items()} == dict.fromkeys(
        ORACLES, True
    )


@pytest.mark.parametrize("name", HONEST_TO_SOME)
def test_what_we_accept_is_accepted_by_an_oracle(name: str) -> None:
    key, make = HONEST_TO_SOME[name]
    message = make(key)
    assert read_name_id(message, key.verification) == HONEST
    assert any(ask(message, key) for ask in ORACLES.values())


@pytest.mark.parametrize("name", DEFECTS)
def test_we_refuse_a_defect_by_its_check_and_say_why_when_an_oracle_does_not(name: str) -> None:
    defect = DEFECTS[name]
    message = defect.make()
    with pytest.raises(XmlRefusal) as refused:
        read_name_id(message, rsa_key().verification)
    assert refused.value.check == defect.check
    accepted_by = [oracle for oracle, ask in ORACLES.items() if ask(message, rsa_key())]
    assert not accepted_by or defect.why, f"accepted by {accepted_by}: say why we are stricter"


def test_the_message_that_the_defects_start_from_is_accepted_by_everybody() -> None:
    assert read_name_id(honest(), rsa_key().verification) == HONEST
    assert all(ask(honest(), rsa_key()) for ask in ORACLES.values())
