"""Building our own SAML metadata: what our identity and our service provider have in common.

SAML metadata 2.0; metadata extensions for login and discovery (mdui) 1.0 and for algorithm support
1.0; REFEDS security contact. Only `build_` stands here; what partners publish is read in
`metadata` and `published`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from broker.saml_xml import names as n
from broker.saml_xml.bindings import encode_post
from broker.saml_xml.elements import Element, build_element
from broker.saml_xml.instants import format_instant
from broker.saml_xml.keys import RSA_MAX_BITS, RSA_MIN_BITS
from broker.saml_xml.metadata import (
    ENTITY_DESCRIPTOR,
    KEY_DESCRIPTOR,
    X509_CERTIFICATE,
)
from broker.saml_xml.published import (
    DIGEST_METHOD,
    DISPLAY_NAME,
    ENCRYPTION_METHOD,
    EXTENSIONS,
    LANGUAGE,
    LOGO,
    PRIVACY_STATEMENT_URL,
    SIGNING_METHOD,
    SINGLE_LOGOUT_SERVICE,
    UI_INFO,
)

CACHE_DURATION = timedelta(hours=1)
"""After which partners should ask again. Short: a key of ours that leaked must be gone soon."""

REMD = "http://refeds.org/metadata"
SECURITY_CONTACT = "http://refeds.org/metadata/contactType/security"

ACCEPTED_DIGESTS = (n.ALG_SHA256, n.ALG_SHA384, n.ALG_SHA512)
ACCEPTED_RSA = (n.ALG_RSA_SHA256, n.ALG_RSA_SHA384, n.ALG_RSA_SHA512)
ACCEPTED_ECDSA = (n.ALG_ECDSA_SHA256, n.ALG_ECDSA_SHA384, n.ALG_ECDSA_SHA512)
ACCEPTED_ENCRYPTION = (n.ALG_AES256_GCM, n.ALG_AES128_GCM, n.ALG_RSA_OAEP_MGF1P, n.ALG_RSA_OAEP)
"""What we accept, best first; a test holds them to what the adapter takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLogo:
    """A picture of us on the web; width and height in pixels."""

    url: str
    width_pixels: int
    height_pixels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutUs:
    """What our metadata tells people of us; what is empty is left out.

    Attributes:
        names, descriptions, information_urls, privacy_urls: language -> text.
        organization: who runs the broker, with its web page; both or neither.
        technical_mail, support_mail, security_mail: addresses of contacts.
        error_url: page to which a supplier sends people whom our answer did not let in.
        scope: of the scoped values that suppliers get (`pairwise-id`).
    """

    names: Mapping[str, str] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    information_urls: Mapping[str, str] = field(default_factory=dict)
    privacy_urls: Mapping[str, str] = field(default_factory=dict)
    logo: OwnLogo | None = None
    organization: tuple[str, str] | None = None
    technical_mail: str | None = None
    support_mail: str | None = None
    security_mail: str | None = None
    error_url: str | None = None
    scope: str | None = None


NOTHING_ABOUT_US = AboutUs()


def build_key_descriptors(
    certificates: Sequence[bytes], *, use: str, methods: Sequence[str] = ()
) -> list[Element]:
    """Return a KeyDescriptor for each certificate (DER); two stand there during a roll-over.

    Args:
        methods: algorithms of what may be encrypted to them.
    """
    return [
        build_element(
            KEY_DESCRIPTOR,
            {"use": use},
            build_element(
                f"{{{n.DS}}}KeyInfo",
                None,
                build_element(
                    f"{{{n.DS}}}X509Data",
                    None,
                    build_element(X509_CERTIFICATE, text=encode_post(certificate)),
                ),
            ),
            *(build_element(ENCRYPTION_METHOD, {"Algorithm": each}) for each in methods),
        )
        for certificate in certificates
    ]


def build_role_extensions(about: AboutUs, *inside: Element) -> list[Element]:
    """Return the Extensions of a role: `inside`, then what people are shown; none when empty."""
    shown = [
        *_in_languages(DISPLAY_NAME, about.names),
        *_in_languages(f"{{{n.MDUI}}}Description", about.descriptions),
        *_in_languages(f"{{{n.MDUI}}}InformationURL", about.information_urls),
        *_in_languages(PRIVACY_STATEMENT_URL, about.privacy_urls),
    ]
    if about.logo is not None:
        size = {"width": str(about.logo.width_pixels), "height": str(about.logo.height_pixels)}
        shown.append(build_element(LOGO, size, text=about.logo.url))
    extensions = [*inside, *([build_element(UI_INFO, None, *shown)] if shown else [])]
    return [build_element(EXTENSIONS, None, *extensions)] if extensions else []


def build_logout_services(url: str | None, *, soap_url: str | None = None) -> list[Element]:
    """Return our place for logging out by redirect and by POST, and by SOAP; none without it."""
    places = ((n.BINDING_REDIRECT, url), (n.BINDING_POST, url), (n.BINDING_SOAP, soap_url))
    return [
        build_element(SINGLE_LOGOUT_SERVICE, {"Binding": binding, "Location": place})
        for binding, place in places
        if place is not None
    ]


def build_algorithms() -> list[Element]:
    """Return which signatures we accept (metadata profile for algorithm support 2.1, 2.2)."""
    rsa = {"MinKeySize": str(RSA_MIN_BITS), "MaxKeySize": str(RSA_MAX_BITS)}
    return [
        *(build_element(DIGEST_METHOD, {"Algorithm": each}) for each in ACCEPTED_DIGESTS),
        *(build_element(SIGNING_METHOD, {"Algorithm": each, **rsa}) for each in ACCEPTED_RSA),
        *(build_element(SIGNING_METHOD, {"Algorithm": each}) for each in ACCEPTED_ECDSA),
    ]


def build_entity_descriptor(
    entity_id: str,
    role: Element,
    *,
    document_id: str,
    valid_until: datetime,
    about: AboutUs = NOTHING_ABOUT_US,
    extensions: Sequence[Element] = (),
) -> Element:
    """Return the EntityDescriptor around one role (SAML metadata 2.3.2)."""
    return build_element(
        ENTITY_DESCRIPTOR,
        {
            "ID": document_id,
            "entityID": entity_id,
            "validUntil": format_instant(valid_until),
            "cacheDuration": f"PT{int(CACHE_DURATION.total_seconds()) // 3600}H",
        },
        *([build_element(EXTENSIONS, None, *extensions)] if extensions else []),
        role,
        *_organization(about),
        *_contacts(about),
        nsmap=dict(n.NSMAP_OWN_METADATA),
    )


def _organization(about: AboutUs) -> list[Element]:
    """Return who runs the broker, in the words of the first language (SAML metadata 2.3.2.1)."""
    if about.organization is None:
        return []
    name, url = about.organization
    stated = {"OrganizationName": name, "OrganizationDisplayName": name, "OrganizationURL": url}
    return [
        build_element(
            f"{{{n.MD}}}Organization",
            None,
            *(
                build_element(f"{{{n.MD}}}{tag}", {LANGUAGE: "nl"}, text=text)
                for tag, text in stated.items()
            ),
        )
    ]


def _contacts(about: AboutUs) -> list[Element]:
    """Return whom to write to (SAML metadata 2.3.2.2; REFEDS security contact 1.0)."""
    stated = {
        "technical": ({"contactType": "technical"}, about.technical_mail),
        "support": ({"contactType": "support"}, about.support_mail),
        "security": (
            {"contactType": "other", f"{{{REMD}}}contactType": SECURITY_CONTACT},
            about.security_mail,
        ),
    }
    return [
        build_element(
            f"{{{n.MD}}}ContactPerson",
            kind,
            build_element(f"{{{n.MD}}}GivenName", text=name),
            build_element(f"{{{n.MD}}}EmailAddress", text=f"mailto:{mail}"),
        )
        for name, (kind, mail) in stated.items()
        if mail is not None
    ]


def _in_languages(tag: str, texts: Mapping[str, str]) -> list[Element]:
    return [build_element(tag, {LANGUAGE: language}, text=text) for language, text in texts.items()]
