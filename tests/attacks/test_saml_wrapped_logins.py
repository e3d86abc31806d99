"""Signature wrapping, against the whole reader: nobody logs in as the pupil who was not signed."""

from datetime import UTC, datetime

import pytest

from broker.domain.refusals import Refusal
from broker.saml_sp.login import ExpectedResponse
from broker.saml_xml.bindings import encode_post
from tests.builders_saml import a_school_idp, read
from tests.saml_xml.corpus.damage import honest
from tests.saml_xml.corpus.keys import rsa_key
from tests.saml_xml.corpus.messages import ACS, HONEST, IDP, SP
from tests.saml_xml.corpus.wrapping import WRAPPINGS, wrapped

EXPECTED = ExpectedResponse(
    idp=a_school_idp(entity_id=IDP, signing_certificates=(rsa_key().certificate,)),
    request_id="_request",
    acs_url=ACS,
    entity_id=SP,
)
WHEN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def log_in(message: bytes) -> str:
    login = read([("SAMLResponse", encode_post(message))], expected=EXPECTED, now=WHEN)
    return login.name_id.value


@pytest.mark.parametrize("name", WRAPPINGS)
def test_a_wrapped_login_is_refused(name: str) -> None:
    with pytest.raises(Refusal):
        log_in(wrapped(name))


def test_the_login_that_was_wrapped_is_accepted() -> None:
    assert log_in(honest()) == HONEST
