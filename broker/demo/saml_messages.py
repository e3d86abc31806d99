"""What the demo's SAML schools say, built by pysaml2: signed, then encrypted, by default flawless.

pysaml2 encrypts with triple DES unless told otherwise; `SchoolServer` tells it AES-256-GCM with
RSA-OAEP. Attributes are written here rather than by pysaml2's converters, which know no Entree
names and would drop them.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import etree

from broker.demo.keys import KeyPair
from broker.demo.pysaml2 import (
    AES_256_GCM,
    BINDING_HTTP_POST,
    BINDING_HTTP_REDIRECT,
    RSA_OAEP,
    XMLSEC1,
    IdPConfig,
    Server,
    entity_descriptor,
    make_temporary_file,
    saml,
    samlp,
    sigver,
    xmldsig,
)
from broker.demo.saml_logout import logout_endpoints
from broker.demo.scenarios import Statement

ATTRIBUTE_NAME_FORMAT = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
UNSPECIFIED_NAME_ID = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
EXPIRED_FOR = timedelta(hours=1)
LIFETIME_MINUTES = 5
SAML_TIME = "%Y-%m-%dT%H:%M:%SZ"

_ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}"


class SchoolServer(Server):  # type: ignore[misc]  # pysaml2 has no types
    """pysaml2's identity provider with today's encryption."""

    def _encrypt_assertion(
        self,
        encrypt_cert: str | None,
        sp_entity_id: str,
        response: str,
        node_xpath: str | None = None,
    ) -> str:
        certificates = self.metadata.certs(sp_entity_id, "any", "encryption")
        wrapped, unwrapped = sigver.get_pem_wrapped_unwrapped(encrypt_cert or certificates[0][1])
        certificate = make_temporary_file(wrapped, decode=False)
        template = sigver.pre_encryption_part(
            msg_enc=AES_256_GCM, key_enc=RSA_OAEP, encrypt_cert=unwrapped
        )
        encrypted = self.sec.encrypt_assertion(
            response, certificate.name, template, key_type="aes-256", node_xpath=node_xpath
        )
        return str(encrypted)


class TamperingServer(SchoolServer):
    """A school whose signed assertion somebody changes before it is encrypted."""

    def _encrypt_assertion(
        self,
        encrypt_cert: str | None,
        sp_entity_id: str,
        response: str,
        node_xpath: str | None = None,
    ) -> str:
        tree = etree.fromstring(response.encode())
        name_id = next(tree.iter(_ASSERTION + "NameID"))
        name_id.text = f"not-{name_id.text}"
        changed = etree.tostring(tree, encoding="unicode")
        return super()._encrypt_assertion(encrypt_cert, sp_entity_id, changed, node_xpath)


def idp_config(
    base_url: str, *, keys: KeyPair, want_signed_requests: bool, broker_metadata: str | None
) -> IdPConfig:
    """Return pysaml2's configuration of a school.

    Args:
        broker_metadata: XML; None when only the school's own metadata is wanted.
    """
    settings: dict[str, Any] = {
        "entityid": f"{base_url}/saml/metadata",
        "xmlsec_binary": XMLSEC1,
        "key_file": str(keys.key_file),
        "cert_file": str(keys.certificate_file),
        "accepted_time_diff": 60,
        "service": {
            "idp": {
                "endpoints": {
                    "single_sign_on_service": [
                        (f"{base_url}/saml/sso", BINDING_HTTP_REDIRECT),
                        (f"{base_url}/saml/sso", BINDING_HTTP_POST),
                    ],
                    "single_logout_service": logout_endpoints(base_url, soap=False),
                },
                "want_authn_requests_signed": want_signed_requests,
                "name_id_format": [UNSPECIFIED_NAME_ID],
                "policy": {"default": {"lifetime": {"minutes": LIFETIME_MINUTES}}},
            }
        },
    }
    if broker_metadata is not None:
        settings["metadata"] = {"inline": [broker_metadata]}
    return IdPConfig().load(settings)


def idp_metadata(base_url: str, *, keys: KeyPair, want_signed_requests: bool) -> str:
    """Return the school's own metadata as XML, unsigned."""
    config = idp_config(
        base_url, keys=keys, want_signed_requests=want_signed_requests, broker_metadata=None
    )
    return str(entity_descriptor(config))


def build_response(
    server: SchoolServer,
    statement: Statement,
    *,
    request_id: str,
    sp_entity_id: str,
    acs_url: str,
    sign_response: bool,
    attribute_prefix: str,
    authenticated_at: datetime,
    session_index: str,
    level: str = "",
) -> str:
    """Return a Response with one signed and encrypted assertion, as XML.

    Args:
        sign_response: sign the Response too, around the encrypted assertion.
        attribute_prefix: before each attribute's name, `""` or `urn:mace:dir:attribute-def:`.
        session_index: of the school's session with this browser.
        level: that was asked; this school gives any, by a second step that nobody sees.
    """
    assertion = server.setup_assertion(
        authn={"class_ref": level or PASSWORD},
        sp_entity_id=sp_entity_id,
        in_response_to=request_id,
        consumer_url=acs_url,
        name_id=saml.NameID(format=UNSPECIFIED_NAME_ID, text=statement.name_id),
        policy=server.config.getattr("policy", "idp"),
        _issuer=server._issuer(),  # noqa: SLF001 -- pysaml2's own way to its entity id
        authn_statement=None,
        identity={},
        best_effort=True,
        sign_response=None,
    )
    assertion.attribute_statement = [
        saml.AttributeStatement(
            attribute=[
                saml.Attribute(
                    name=attribute_prefix + name,
                    name_format=ATTRIBUTE_NAME_FORMAT,
                    attribute_value=[saml.AttributeValue(text=value) for value in values],
                )
                for name, values in statement.attributes.items()
            ]
        )
    ]
    assertion.authn_statement[0].session_index = session_index
    assertion.authn_statement[0].authn_instant = authenticated_at.strftime(SAML_TIME)
    if statement.expired:
        move_times(assertion, by=-EXPIRED_FOR)
    response = server._response(  # noqa: SLF001 -- create_authn_response allows no own assertion
        request_id,
        acs_url,
        sp_entity_id=sp_entity_id,
        sign=sign_response,
        sign_assertion=True,
        encrypt_assertion=True,
        encrypt_assertion_self_contained=True,
        sign_alg=xmldsig.SIG_RSA_SHA256,
        digest_alg=xmldsig.DIGEST_SHA256,
        assertion=assertion,
    )
    return str(response)


def build_refusal(
    server: SchoolServer, *, request_id: str, acs_url: str, status: str, text: str
) -> str:
    """Return a signed Response without assertion: status Responder, and `status` below it."""
    response = server.create_error_response(
        request_id,
        acs_url,
        (status, text),
        sign=True,
        sign_alg=xmldsig.SIG_RSA_SHA256,
        digest_alg=xmldsig.DIGEST_SHA256,
    )
    return str(response)


CANCELLED = samlp.STATUS_AUTHN_FAILED
NO_PASSIVE = samlp.STATUS_NO_PASSIVE


def move_times(assertion: Any, *, by: timedelta) -> None:
    """Move every time in a pysaml2 assertion that is not signed yet."""

    def moved(text: str | None) -> str | None:
        if text is None:
            return None
        at = datetime.strptime(text, SAML_TIME).replace(tzinfo=UTC) + by
        return at.strftime(SAML_TIME)

    assertion.issue_instant = moved(assertion.issue_instant)
    assertion.conditions.not_before = moved(assertion.conditions.not_before)
    assertion.conditions.not_on_or_after = moved(assertion.conditions.not_on_or_after)
    for statement in assertion.authn_statement:
        statement.authn_instant = moved(statement.authn_instant)
        statement.session_not_on_or_after = moved(statement.session_not_on_or_after)
    for confirmation in assertion.subject.subject_confirmation:
        confirmed = confirmation.subject_confirmation_data
        confirmed.not_on_or_after = moved(confirmed.not_on_or_after)
