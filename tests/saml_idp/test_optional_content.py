"""What a supplier may say besides: long texts and content that we do not use stop nobody.

Kantara's implementation profile: IIP-G03 (256 characters), IIP-SSO07 (optional content).
"""

from broker.saml_xml import names as n
from broker.saml_xml.elements import build_element
from tests.builders_saml import a_registry, a_service_provider, an_authn_request, as_query, samlp
from tests.saml_idp.asking import a_policy, check

LONG = "urn:x:" + "é&<\u3042\U0001f600" * 50
"""256 characters, of any kind that XML can carry."""


def test_every_text_may_have_256_characters() -> None:
    assert len(LONG) == 256
    request = an_authn_request(
        a_policy(Format=n.NAMEID_PERSISTENT, SPNameQualifier=LONG),
        issuer=LONG,
        ID="_" * 256,
        ProviderName=LONG,
    )
    provider = a_service_provider(entity_id=LONG)
    checked = check(as_query(request, relay_state=LONG), registry=a_registry(provider))
    assert (checked.request_id, checked.relay_state) == ("_" * 256, LONG)


def test_optional_parts_that_we_do_not_use_are_passed_over() -> None:
    extension = build_element(samlp("Extensions"), {}, build_element("{urn:x:ours}Other"))
    said_more = an_authn_request(
        extension,
        a_policy(AllowCreate="false"),
        Consent="urn:oasis:names:tc:SAML:2.0:consent:unspecified",
        ProviderName="Taaltuin",
    )
    assert check(said_more) == check(an_authn_request())
