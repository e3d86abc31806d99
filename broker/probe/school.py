"""The probe's school: reads the broker's question, and answers it signed and encrypted."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from broker.adapters.xml.xml_security import LxmlSecurity
from broker.domain.ids import RelyingPartyId
from broker.probe.parties import NAME, SCHOOL_ENTITY, SCHOOL_SSO, STATED, ProbeParties
from broker.saml_idp.assertion import ResponseIds, Told
from broker.saml_idp.metadata import read_sp_metadata
from broker.saml_idp.request import CheckedAuthnRequest
from broker.saml_idp.response import build_response
from broker.saml_xml.bindings import decode_redirect
from broker.saml_xml.elements import required_attribute
from broker.saml_xml.forms import PostForm
from broker.saml_xml.metadata import is_true
from broker.saml_xml.registered_keys import verification_keys
from broker.web.own_documents import OwnAddresses

PUPIL = "proefleerling-1"
ID_BYTES = 16  # SAML core 1.3.4 asks for at least 128 bits


class QuestionRefused(Exception):  # noqa: N818 -- says what is wrong
    """The broker asks what it should not. Args: what is wrong, in a few words."""


def answer_question(
    url: str,
    *,
    metadata: bytes,
    broker: OwnAddresses,
    parties: ProbeParties,
    now: datetime,
    random: Callable[[int], bytes],
) -> PostForm:
    """Return the school's answer to the broker's redirect.

    Args:
        url: where the broker sent the browser.
        metadata: of the broker as service provider.

    Raises:
        QuestionRefused, Refusal
    """
    xml = LxmlSecurity()
    target, _, query = url.partition("?")
    if target != SCHOOL_SSO:
        raise QuestionRefused(f"the browser is sent to {urlsplit(url).hostname}, not to the school")
    provider = read_sp_metadata(
        metadata, xml=xml, entity_id=broker.sp_entity_id, encrypt_assertions=True, now=now
    )
    message = decode_redirect(query.encode())
    if message.signature is None:
        raise QuestionRefused("the broker's question is not signed")
    xml.verify_query(message.signature, keys=verification_keys(provider.signing_certificates))
    asked = xml.parse(message.message).root
    request = CheckedAuthnRequest(
        relying_party=RelyingPartyId(NAME),
        request_id=required_attribute(asked, "ID"),
        acs_url=broker.acs_url,
        relay_state=message.relay_state,
        force_login=is_true(asked.get("ForceAuthn")),
    )

    def an_id() -> str:
        return f"_{random(ID_BYTES).hex()}"

    return build_response(
        request,
        Told(pseudonym=PUPIL, attributes=STATED, authenticated_at=now),
        service_provider=provider,
        entity_id=SCHOOL_ENTITY,
        ids=ResponseIds(
            response_id=an_id(),
            assertion_id=an_id(),
            session_index=an_id(),
            transient_name_id=an_id(),
        ),
        now=now,
        signing_key=parties.school,
        xml=xml,
    )
