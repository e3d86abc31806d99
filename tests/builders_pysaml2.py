"""pysaml2 as the other side: a school that answers us, a supplier that reads our answers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from broker.demo.keys import KeyPair
from broker.demo.pysaml2 import BINDING_HTTP_POST, XMLSEC1, Saml2Client, SPConfig
from broker.demo.saml_messages import SchoolServer, idp_config
from broker.saml_idp.own_metadata import build_idp_metadata
from broker.saml_sp.own_metadata import build_sp_metadata
from tests.builders_saml import (
    BROKER_ACS,
    BROKER_ENCRYPTION,
    BROKER_IDP,
    BROKER_KEY,
    BROKER_SP,
    BROKER_SSO,
    SUPPLIER_ACS,
    SUPPLIER_ENTITY,
    XML,
)
from tests.saml_xml.corpus.keys import PartyKey

SCHOOL_URL = "https://login.vuurvogel.example"


def this_moment() -> datetime:
    """pysaml2 reads the clock itself, so both sides take the real one."""
    return datetime.now(UTC).replace(microsecond=0)


def as_files(key: PartyKey, folder: Path) -> KeyPair:
    """Write a key as the PEM files that pysaml2 wants."""
    pair = KeyPair(folder / "key.pem", folder / "certificate.pem")
    pair.key_file.write_text(key.private_pem)
    pair.certificate_file.write_text(key.certificate_pem)
    return pair


def a_pysaml2_school(pair: KeyPair, *, want_signed_requests: bool = False) -> SchoolServer:
    """Return a school that knows us by our own metadata."""
    ours = build_sp_metadata(
        entity_id=BROKER_SP,
        acs_url=BROKER_ACS,
        signing_certificates=[BROKER_KEY.certificate],
        encryption_certificates=[BROKER_ENCRYPTION.certificate],
        document_id="_md",
        valid_until=this_moment() + timedelta(days=1),
        xml=XML,
    )
    config = idp_config(
        SCHOOL_URL,
        keys=pair,
        want_signed_requests=want_signed_requests,
        broker_metadata=ours.decode(),
    )
    return SchoolServer(config=config)


def a_pysaml2_supplier(pair: KeyPair, **service: Any) -> Saml2Client:
    """Return a supplier that knows us by our own metadata; pysaml2's defaults but for `service`."""
    ours = build_idp_metadata(
        entity_id=BROKER_IDP,
        sso_url=BROKER_SSO,
        signing_certificates=[BROKER_KEY.certificate],
        document_id="_md",
        valid_until=this_moment() + timedelta(days=1),
        xml=XML,
    )
    return Saml2Client(config=supplier_config(pair, metadata=ours.decode(), **service))


def supplier_config(pair: KeyPair, *, metadata: str | None = None, **service: Any) -> SPConfig:
    """Return pysaml2's configuration of the supplier."""
    keys = {"key_file": str(pair.key_file), "cert_file": str(pair.certificate_file)}
    endpoints = {"assertion_consumer_service": [(SUPPLIER_ACS, BINDING_HTTP_POST)]}
    config: dict[str, Any] = {
        "entityid": SUPPLIER_ENTITY,
        "xmlsec_binary": XMLSEC1,
        "encryption_keypairs": [keys],
        "allow_unknown_attributes": True,
        "service": {"sp": {"endpoints": endpoints} | service},
        **keys,
    }
    if metadata is not None:
        config["metadata"] = {"inline": [metadata]}
    return SPConfig().load(config)
