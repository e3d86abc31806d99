"""The AuthnRequest by which we send a pupil to the school's login.

SAML core 3.4.1, profiles 4.1; saml2int 2.0: no NameIDPolicy Format (SP04) and no
RequestedAuthnContext (SP07) unless asked for. Nothing tells the school which supplier is visited:
no RequesterID, no ProviderName, RelayState is our own random handle.
"""

from collections.abc import Sequence
from datetime import datetime

from broker.domain.federation import SamlIdpEndpoints
from broker.saml_sp.refusals import ProviderUnreachable
from broker.saml_xml.elements import Element, build_element, serialize
from broker.saml_xml.forms import PostForm, RedirectUrl, build_post_form, build_redirect
from broker.saml_xml.instants import format_instant
from broker.saml_xml.keys import SigningKey, algorithm_of
from broker.saml_xml.names import BINDING_POST, NSMAP_PROTOCOL, SAML, SAMLP
from broker.saml_xml.security import XmlSecurity

_AUTHN_REQUEST = f"{{{SAMLP}}}AuthnRequest"
_ISSUER = f"{{{SAML}}}Issuer"
_NSMAP = dict(NSMAP_PROTOCOL)


def build_authn_request(
    endpoints: SamlIdpEndpoints,
    *,
    request_id: str,
    entity_id: str,
    acs_url: str,
    relay_state: str,
    now: datetime,
    force_authn: bool = False,
    is_passive: bool = False,
    authn_contexts: Sequence[str] = (),
    school_hint: str | None = None,
    signing_key: SigningKey | None = None,
    xml: XmlSecurity,
) -> RedirectUrl | PostForm:
    """Return how the browser goes to the school's login: by redirect where it can.

    Args:
        request_id: random, an NCName (begins with a letter or `_`).
        entity_id: ours.
        relay_state: the random handle of the pending login.
        authn_contexts: class references, any of which is good enough (exact comparison).
        school_hint: BRIN or realm, for a provider that serves several schools.
        signing_key: used when the provider wants signed requests.

    Raises:
        ProviderUnreachable: the provider has no endpoint, or wants a signature and there is no
            key, or takes none of its kind.
    """
    location = endpoints.sso_redirect_url or endpoints.sso_post_url
    if location is None:
        raise ProviderUnreachable("check_endpoint_known")
    if endpoints.sign_requests and signing_key is None:
        raise ProviderUnreachable("check_signing_key_present")
    key = signing_key if endpoints.sign_requests else None
    if key is not None:
        check_signing_algorithm_taken(endpoints, algorithm_of(key.private_key))
    request = build_element(
        _AUTHN_REQUEST,
        {
            "ID": request_id,
            "Version": "2.0",
            "IssueInstant": format_instant(now),
            "Destination": location,
            "ForceAuthn": "true" if force_authn else None,
            "IsPassive": "true" if is_passive else None,
            "ProtocolBinding": BINDING_POST,
            "AssertionConsumerServiceURL": acs_url,
        },
        build_element(_ISSUER, text=entity_id),
        *_requested_authn_context(authn_contexts),
        *_scoping(school_hint),
        nsmap=_NSMAP,
    )
    if endpoints.sso_redirect_url is not None:
        return build_redirect(
            location,
            serialize(request),
            kind="SAMLRequest",
            relay_state=relay_state,
            signing_key=key,
            xml=xml,
        )
    if key is not None:
        xml.sign(request, key=key)
    return build_post_form(
        location, serialize(request), kind="SAMLRequest", relay_state=relay_state
    )


def check_signing_algorithm_taken(endpoints: SamlIdpEndpoints, algorithm: str) -> None:
    """SAML metadata algorithm support 2.4: what the provider's metadata lists, if it lists any."""
    if endpoints.signature_algorithms and algorithm not in endpoints.signature_algorithms:
        raise ProviderUnreachable("check_signing_algorithm_taken")


def _requested_authn_context(classes: Sequence[str]) -> list[Element]:
    if not classes:
        return []
    return [
        build_element(
            f"{{{SAMLP}}}RequestedAuthnContext",
            {"Comparison": "exact"},
            *(build_element(f"{{{SAML}}}AuthnContextClassRef", text=each) for each in classes),
        )
    ]


def _scoping(school_hint: str | None) -> list[Element]:
    if school_hint is None:
        return []
    entry = build_element(f"{{{SAMLP}}}IDPEntry", {"ProviderID": school_hint})
    return [
        build_element(
            f"{{{SAMLP}}}Scoping", None, build_element(f"{{{SAMLP}}}IDPList", None, entry)
        )
    ]
