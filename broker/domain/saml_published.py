"""What a SAML party publishes of itself, besides the places and keys that a login needs.

Compiled from its metadata with the rest of its record. All of it is the party's own word: text to
be shown as text, addresses that were checked for their scheme alone, and wishes. Nothing here
widens what the party's document allows or switches a check off.
"""

import msgspec


class PublishedParty(msgspec.Struct, frozen=True, kw_only=True):
    """What both kinds of parties publish; what is absent is empty.

    Attributes:
        metadata_source: which source its metadata come from; "" when its document brings them.
        display_names: language -> name (`mdui:DisplayName`); a document's own name goes before it.
        logo: https URL, the first one; no page of ours loads it.
        entity_categories: values of the entity attribute `http://macedir.org/entity-category`.
        signature_algorithms: that it takes, best first (`alg:SigningMethod`); none: ours.
        digest_algorithms: likewise (`alg:DigestMethod`).
        encryption_methods: that go with the key we encrypt to (`md:EncryptionMethod`), best first.
    """

    metadata_source: str = ""
    display_names: dict[str, str] = msgspec.field(default_factory=dict)
    logo: str | None = None
    entity_categories: tuple[str, ...] = ()
    signature_algorithms: tuple[str, ...] = ()
    digest_algorithms: tuple[str, ...] = ()
    encryption_methods: tuple[str, ...] = ()


class PublishedIdp(PublishedParty, frozen=True, kw_only=True):
    """What a school's identity provider publishes.

    A worker's snapshot leaves some of it out (`metadata_validity.without_unread`): names, scopes
    and encryption keys among it.

    Attributes:
        slo_redirect_url, slo_post_url, slo_soap_url: SingleLogoutService of each binding.
        slo_redirect_response_url, slo_post_response_url: where answers go instead, if elsewhere.
        encryption_certificates: DER; a name in a request to log out may be encrypted to the first.
        error_url: https page on what went wrong there (`errorURL`).
        scopes: literal ones (`shibmd:Scope`), none by regular expression. What it *may* assert are
            the scopes of its document (`SchoolIdp.scopes`), never these.
    """

    slo_redirect_url: str | None = None
    slo_redirect_response_url: str | None = None
    slo_post_url: str | None = None
    slo_post_response_url: str | None = None
    slo_soap_url: str | None = None
    encryption_certificates: tuple[bytes, ...] = ()
    error_url: str | None = None
    scopes: tuple[str, ...] = ()


class SingleLogoutService(msgspec.Struct, frozen=True, kw_only=True):
    """One place that takes messages of logging out (SAML metadata 2.4.2).

    Attributes:
        response_url: where answers go instead; None: `url`.
    """

    binding: str
    url: str
    response_url: str | None = None


class RequestedAttribute(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute that a service asks for (SAML metadata 2.4.4.2)."""

    name: str
    required: bool = False


class AttributeConsumingService(msgspec.Struct, frozen=True, kw_only=True):
    """One set of attributes that a request may choose by its index (SAML metadata 2.4.4.1)."""

    index: int
    is_default: bool = False
    requested: tuple[RequestedAttribute, ...] = ()


class PublishedServiceProvider(PublishedParty, frozen=True, kw_only=True):
    """What a supplier's service provider publishes.

    Attributes:
        single_logout_services: redirect, POST and SOAP, in the order of its metadata.
        name_id_formats: that it takes, best first; none: any.
        attribute_consuming_services: a choice among what its document declares.
        want_assertions_signed: `WantAssertionsSigned`; None when it says nothing.
        privacy_urls: language -> https URL (`mdui:PrivacyStatementURL`).
        subject_id_required: `subject-id`, `pairwise-id`, `none` or `any` (subject-id profile 2.3);
            "" when it says nothing.
    """

    single_logout_services: tuple[SingleLogoutService, ...] = ()
    name_id_formats: tuple[str, ...] = ()
    attribute_consuming_services: tuple[AttributeConsumingService, ...] = ()
    want_assertions_signed: bool | None = None
    privacy_urls: dict[str, str] = msgspec.field(default_factory=dict)
    subject_id_required: str = ""
