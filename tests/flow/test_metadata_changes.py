"""What differs between two records of a party's metadata."""

from broker.domain.federation import SamlIdpEndpoints
from broker.flow.federation.metadata_changes import find_party_changes
from broker.flow.federation.plan import KeyChange
from tests.builders_saml import SCHOOL_KEY


def test_a_key_that_cannot_be_used_has_no_fingerprint() -> None:
    before = SamlIdpEndpoints(entity_id="x", signing_certificates=(b"none",))
    after = SamlIdpEndpoints(entity_id="x", signing_certificates=(SCHOOL_KEY.certificate,))
    told = f"sha256 {SCHOOL_KEY.verification.key_id[:16]}"
    assert list(find_party_changes(before, after, prefix="")) == [
        KeyChange("signing key", None, told),
        KeyChange("signing key", "unusable", None),
    ]
