"""Reading what a party publishes of itself besides its places and keys.

SAML metadata 2.0; metadata extensions for login and discovery (mdui) 1.0, for algorithm support
1.0, for entity attributes 1.0; Shibboleth's Scope; the subject-id profile 2.3. All of it is
optional, so what is malformed, too long or not to be used is passed over: a login does not stop
for a logo. The schema does not know the extensions, hence nothing here trusts their form.
"""

from collections.abc import Iterator

from broker.domain.saml_published import (
    AttributeConsumingService,
    RequestedAttribute,
    SingleLogoutService,
)
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, children_of, required_attribute
from broker.saml_xml.metadata import (
    ENCRYPTION,
    KEY_DESCRIPTOR,
    is_safe_location,
    is_true,
    read_certificates,
)
from broker.saml_xml.refusals import XmlRefusal

EXTENSIONS = f"{{{n.MD}}}Extensions"
SINGLE_LOGOUT_SERVICE = f"{{{n.MD}}}SingleLogoutService"
NAME_ID_FORMAT = f"{{{n.MD}}}NameIDFormat"
ENCRYPTION_METHOD = f"{{{n.MD}}}EncryptionMethod"
ATTRIBUTE_CONSUMING_SERVICE = f"{{{n.MD}}}AttributeConsumingService"
REQUESTED_ATTRIBUTE = f"{{{n.MD}}}RequestedAttribute"
UI_INFO = f"{{{n.MDUI}}}UIInfo"
DISPLAY_NAME = f"{{{n.MDUI}}}DisplayName"
LOGO = f"{{{n.MDUI}}}Logo"
PRIVACY_STATEMENT_URL = f"{{{n.MDUI}}}PrivacyStatementURL"
ENTITY_ATTRIBUTES = f"{{{n.MDATTR}}}EntityAttributes"
ATTRIBUTE = f"{{{n.SAML}}}Attribute"
ATTRIBUTE_VALUE = f"{{{n.SAML}}}AttributeValue"
SCOPE = f"{{{n.SHIBMD}}}Scope"
SIGNING_METHOD = f"{{{n.ALG}}}SigningMethod"
DIGEST_METHOD = f"{{{n.ALG}}}DigestMethod"
LANGUAGE = f"{{{n.XML}}}lang"

ENTITY_CATEGORY = "http://macedir.org/entity-category"  # RFC 8409 3.1
SUBJECT_ID_REQUIRED = "urn:oasis:names:tc:SAML:profiles:subject-id:req"
SUBJECT_ID_VALUES = frozenset({"subject-id", "pairwise-id", "none", "any"})

TEXT_MAX_CHARACTERS = 256  # of a name, a scope, an identifier: what the profile asks for (IIP-G02)
URL_MAX_CHARACTERS = 2_000  # as in our own documents
VALUES_MAX = 64
"""Ours, of any one kind: every worker reads them."""

LOGOUT_BINDINGS = (n.BINDING_REDIRECT, n.BINDING_POST, n.BINDING_SOAP)


def read_single_logout_services(role: Element) -> tuple[SingleLogoutService, ...]:
    """Return the places for logging out that speak a binding of ours, in document order.

    One that is not safe is no place at all: logins go on, logging out there does not.
    """
    found = []
    for each in children_of(role, SINGLE_LOGOUT_SERVICE)[:VALUES_MAX]:
        binding, url = required_attribute(each, "Binding"), each.get("Location", "")
        answers = each.get("ResponseLocation")
        if binding not in LOGOUT_BINDINGS or not is_safe_location(url):
            continue
        if answers is not None and not is_safe_location(answers):
            continue
        found.append(SingleLogoutService(binding=binding, url=url, response_url=answers))
    return tuple(found)


def read_name_id_formats(role: Element) -> tuple[str, ...]:
    """Return the formats of names that it takes, in document order."""
    return _texts(children_of(role, NAME_ID_FORMAT))


def read_attribute_consuming_services(role: Element) -> tuple[AttributeConsumingService, ...]:
    """Return the sets of attributes among which a request may choose."""
    return tuple(
        AttributeConsumingService(
            index=int(required_attribute(each, "index")),
            is_default=is_true(each.get("isDefault")),
            requested=tuple(
                RequestedAttribute(
                    name=required_attribute(wanted, "Name"),
                    required=is_true(wanted.get("isRequired")),
                )
                for wanted in children_of(each, REQUESTED_ATTRIBUTE)[:VALUES_MAX]
            ),
        )
        for each in children_of(role, ATTRIBUTE_CONSUMING_SERVICE)[:VALUES_MAX]
    )


def read_encryption_certificates(role: Element) -> tuple[bytes, ...]:
    """Return the certificates (DER) that a login's names may be encrypted to, if all are usable.

    For roles that we need not encrypt to; where a document asks for it, `read_certificates`.
    """
    try:
        return read_certificates(role, use=ENCRYPTION)
    except XmlRefusal:
        return ()


def read_encryption_methods(role: Element) -> tuple[str, ...]:
    """Return the algorithms of the first key for encryption that names any (IIP-MD10)."""
    for descriptor in children_of(role, KEY_DESCRIPTOR):
        if descriptor.get("use", ENCRYPTION) == ENCRYPTION:
            found = _algorithms(children_of(descriptor, ENCRYPTION_METHOD))
            if found:
                return found
    return ()


def read_algorithms(entity: Element, role: Element, tag: str) -> tuple[str, ...]:
    """Return the algorithms of `SIGNING_METHOD` or `DIGEST_METHOD`: the role's own, else the
    entity's (metadata profile for algorithm support 2.3)."""
    return _algorithms(_extensions(role, tag)) or _algorithms(_extensions(entity, tag))


def read_display_names(role: Element) -> dict[str, str]:
    """Return the names by language, the first of each; untrusted text."""
    return _by_language(_ui_info(role, DISPLAY_NAME), max_characters=TEXT_MAX_CHARACTERS)


def read_privacy_urls(role: Element) -> dict[str, str]:
    """Return the https URLs of privacy statements by language."""
    found = _by_language(_ui_info(role, PRIVACY_STATEMENT_URL), max_characters=URL_MAX_CHARACTERS)
    return {language: url for language, url in found.items() if is_web_page(url)}


def read_logo(role: Element) -> str | None:
    """Return the first logo that stands on the web; one inside the document is passed over."""
    urls = (_text(each, max_characters=URL_MAX_CHARACTERS) for each in _ui_info(role, LOGO))
    return next((url for url in urls if is_web_page(url)), None)


def read_error_url(role: Element) -> str | None:
    """Return the page on what went wrong there (SAML metadata 2.4.1, saml2int MD12)."""
    url = role.get("errorURL", "")
    return url if is_web_page(url) else None


def read_scopes(entity: Element, role: Element) -> tuple[str, ...]:
    """Return the literal scopes of the role and its entity; a regular expression is none.

    The default of `regexp` is false; whatever is not plainly false is passed over.
    """
    found: dict[str, None] = {}
    for each in (*_extensions(role, SCOPE), *_extensions(entity, SCOPE)):
        if each.get("regexp", "false").strip() in ("false", "0"):
            scope = _text(each, max_characters=TEXT_MAX_CHARACTERS)
            if scope and not any(character.isspace() for character in scope):
                found[scope] = None
    return tuple(found)[:VALUES_MAX]


def read_entity_categories(entity: Element) -> tuple[str, ...]:
    """Return the categories that whoever vouches for the metadata put it in (RFC 8409)."""
    return _entity_attribute(entity, ENTITY_CATEGORY)


def read_subject_id_required(entity: Element) -> str:
    """Return the subject identifier that a service needs; "" when it says nothing we understand."""
    values = _entity_attribute(entity, SUBJECT_ID_REQUIRED)
    return values[0] if len(values) == 1 and values[0] in SUBJECT_ID_VALUES else ""


def is_web_page(url: str) -> bool:
    """Tell whether `url` is one that people may be shown: https, and of sane length.

    >>> is_web_page("https://school.example/help"), is_web_page("javascript:alert(1)")
    (True, False)
    """
    return url.startswith("https:") and len(url) <= URL_MAX_CHARACTERS and is_safe_location(url)


def _entity_attribute(entity: Element, name: str) -> tuple[str, ...]:
    values = (
        value
        for attributes in _extensions(entity, ENTITY_ATTRIBUTES)
        for attribute in children_of(attributes, ATTRIBUTE)
        if attribute.get("Name") == name
        for value in children_of(attribute, ATTRIBUTE_VALUE)
    )
    return _texts(values)


def _extensions(element: Element, tag: str) -> Iterator[Element]:
    for extensions in children_of(element, EXTENSIONS):
        yield from children_of(extensions, tag)


def _ui_info(role: Element, tag: str) -> Iterator[Element]:
    for info in _extensions(role, UI_INFO):
        yield from children_of(info, tag)


def _by_language(elements: Iterator[Element], *, max_characters: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in elements:
        language, text = each.get(LANGUAGE, "").lower(), _text(each, max_characters=max_characters)
        if text and 0 < len(language) <= 16 and len(found) < VALUES_MAX:
            found.setdefault(language, text)
    return found


def _algorithms(elements: Iterator[Element] | list[Element]) -> tuple[str, ...]:
    found = dict.fromkeys(each.get("Algorithm", "") for each in elements)
    return tuple(each for each in found if 0 < len(each) <= TEXT_MAX_CHARACTERS)[:VALUES_MAX]


def _texts(elements: Iterator[Element] | list[Element]) -> tuple[str, ...]:
    found = dict.fromkeys(_text(each, max_characters=TEXT_MAX_CHARACTERS) for each in elements)
    return tuple(each for each in found if each)[:VALUES_MAX]


def _text(element: Element, *, max_characters: int) -> str:
    """Return the text without whitespace around it; "" for one with children or too long."""
    text = "" if len(element) else (element.text or "").strip()
    return text if len(text) <= max_characters else ""
