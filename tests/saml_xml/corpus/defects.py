"""Messages with one defect each, named after it, made from honest ones.

`why` says why we refuse what an oracle accepts; a defect that every oracle refuses needs none.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from broker.saml_xml import names as n
from broker.saml_xml.elements import build_element
from tests.saml_xml.corpus.by_hand import (
    ENVELOPED,
    EXCLUSIVE,
    HMAC_SHA256,
    INCLUSIVE_C14N,
    RSA_SHA1,
    WITH_COMMENTS,
    Transform,
)
from tests.saml_xml.corpus.damage import (
    an_object,
    changed,
    empty_uri,
    external_general_entity,
    foreign_reference,
    honest,
    key_info_of_the_owner,
    key_of_the_attacker,
    no_id,
    no_key_info_and_wrong_key,
    no_signature,
    reference_type,
    replaced,
    second_signature,
    second_signed_info,
    signature_at_the_end,
    signature_in_subject,
    signed,
    text_in_digest,
    xpath,
    xslt,
)
from tests.saml_xml.corpus.differentials import DIFFERENTIALS
from tests.saml_xml.corpus.keys import ec_key
from tests.saml_xml.corpus.messages import EVIL, HONEST
from tests.saml_xml.corpus.wrapping import WRAPPINGS, wrapped

NARROW = "Only the one shape that SAML core 5.4 recommends is accepted: less to think about."
POSITION = "The oracle says that some element is signed; we, that the one that is read is."


@dataclass(frozen=True, slots=True)
class Defect:
    """One defective message.

    Attributes:
        make: returns the message; the registered key is `rsa_key()`.
        check: which of our checks refuses it.
        why: why we refuse, although an oracle accepts.
    """

    make: Callable[[], bytes]
    check: str
    why: str = ""


_NAME_ID = re.escape(HONEST.encode())

DEFECTS: dict[str, Defect] = {
    # Wrapping: the check depends on where the second element hides.
    **{
        name: Defect(lambda name=name: wrapped(name), check, POSITION)  # type: ignore[misc]
        for name, check in zip(
            WRAPPINGS,
            (
                "unique-ids",
                "unique-ids",
                "one-child",
                "schema",
                "one-child",
                "schema",
                "unique-ids",
                "unique-ids",
                "reference",
                "signature-present",
            ),
            strict=True,
        )
    },
    **{name: Defect(*each) for name, each in DIFFERENTIALS.items()},
    # What XML can hide.
    "comment-in-value": Defect(
        replaced(_NAME_ID, b"sanne<!-- -->@vuurvogel.example"),
        "markup-declaration",
        "Canonicalisation drops comments, so this verifies; programs then read the first half.",
    ),
    "processing-instruction-in-value": Defect(
        replaced(_NAME_ID, b"sanne<?x y?>@vuurvogel.example"), "processing-instruction"
    ),
    "processing-instruction-in-front": Defect(
        replaced(rb"\A", b"<?x y?>"),
        "processing-instruction",
        "Outside the signed element, so harmless today; no honest message needs one.",
    ),
    "comment-behind": Defect(
        replaced(rb"\Z", b"<!-- -->"),
        "markup-declaration",
        "Outside the signed element, so harmless today; no honest message needs one.",
    ),
    "doctype": Defect(
        replaced(rb"\A", b"<!DOCTYPE r>"),
        "markup-declaration",
        "A DOCTYPE can declare entities, default attributes and ID attributes.",
    ),
    "doctype-with-default-attribute": Defect(
        replaced(rb"\A", b'<!DOCTYPE r [<!ATTLIST r a CDATA "b">]>'),
        "markup-declaration",
        "A DOCTYPE can declare entities, default attributes and ID attributes.",
    ),
    "internal-entity": Defect(
        lambda: (
            b'<!DOCTYPE r [<!ENTITY pupil "'
            + HONEST.encode()
            + b'">]>'
            + honest().replace(b">" + HONEST.encode(), b">&pupil;", 1)
        ),
        "markup-declaration",
        "The entity stands for the signed text here; it could stand for a file or a gigabyte.",
    ),
    "external-entity": Defect(external_general_entity, "markup-declaration"),
    "undeclared-entity": Defect(replaced(_NAME_ID, b"&pupil;"), "well-formed"),
    "duplicate-id": Defect(
        replaced(b'ID="_response"', b'ID="_assertion"'),
        "unique-ids",
        "The oracle resolves the ID to one of the two elements; nobody knows which.",
    ),
    "duplicate-id-in-other-spelling": Defect(
        replaced(
            b"<saml:Advice/>|<saml:AttributeStatement>",
            b'<saml:AttributeStatement Id="_assertion">',
        ),
        "unique-ids",
    ),
    "utf-16": Defect(
        lambda: honest().decode().encode("utf-16"),
        "encoding",
        "One encoding: the checks on bytes mean what they say.",
    ),
    "declared-latin-1": Defect(
        replaced(rb"\A", b'<?xml version="1.0" encoding="iso-8859-1"?>'),
        "processing-instruction",
        "The bytes are UTF-8 and the declaration says otherwise: two programs read two texts.",
    ),
    # The signature's value and the digest.
    "digest-changed": Defect(replaced(_NAME_ID + b"<", EVIL.encode() + b"<"), "digest"),
    "signed-info-changed": Defect(
        replaced(b'(<ds:DigestMethod Algorithm="[^"]*)sha256"', rb'\1sha512"'), "signature-value"
    ),
    "digest-value-changed": Defect(
        replaced(b"<ds:DigestValue>.{8}", b"<ds:DigestValue>AAAAAAAA"), "signature-value"
    ),
    "wrong-key": Defect(no_key_info_and_wrong_key, "signature-value"),
    "key-from-key-info": Defect(key_of_the_attacker, "signature-value"),
    "key-info-of-the-owner": Defect(key_info_of_the_owner, "signature-value"),
    "ec-key-not-registered": Defect(
        signed(key=ec_key("attacker"), method=n.ALG_ECDSA_SHA256), "signature-value"
    ),
    "truncated-signature-value": Defect(
        replaced(b"[^>]{8}</ds:SignatureValue>", b"</ds:SignatureValue>"), "signature-value"
    ),
    "truncated-base64": Defect(
        replaced(b"[^>]{3}</ds:SignatureValue>", b"</ds:SignatureValue>"), "schema"
    ),
    "base64-with-rubbish": Defect(
        replaced(b"<ds:SignatureValue>", b"<ds:SignatureValue>*"),
        "base64",
        "A lenient decoder skips what it does not know; so could a filter in front of it.",
    ),
    "base64-without-padding": Defect(
        replaced(b"==</ds:SignatureValue>", b"</ds:SignatureValue>"), "schema"
    ),
    "empty-signature-value": Defect(
        replaced(b"<ds:SignatureValue>[^<]*", b"<ds:SignatureValue>"), "signature-value"
    ),
    "child-in-digest-value": Defect(changed(text_in_digest), "schema"),
    "whitespace-in-signed-value": Defect(
        replaced(_NAME_ID + b"<", HONEST.encode() + b" <"), "digest"
    ),
    "whitespace-between-signed-elements": Defect(
        replaced(b"</saml:Subject>", b"</saml:Subject> "), "digest"
    ),
    # Algorithms.
    "hmac-with-public-key": Defect(signed(method=HMAC_SHA256), "signature-algorithm"),
    "rsa-sha1": Defect(
        signed(method=RSA_SHA1), "signature-algorithm", "Collisions of SHA-1 can be bought."
    ),
    "digest-sha1": Defect(
        signed(digest_method=n.ALG_SHA1), "digest-algorithm", "Collisions of SHA-1 can be bought."
    ),
    "unknown-algorithm": Defect(signed(method="urn:x:sha256"), "signature-algorithm"),
    "inclusive-canonicalization": Defect(
        signed(canonicalization=Transform(INCLUSIVE_C14N)),
        "canonicalization",
        NARROW,
    ),
    "canonicalization-with-comments": Defect(
        signed(canonicalization=Transform(WITH_COMMENTS)), "canonicalization", NARROW
    ),
    # The Reference and its transforms.
    "two-references": Defect(signed(references=2), "signature-shape", NARROW),
    "no-reference": Defect(signed(references=0), "schema"),
    "empty-uri": Defect(
        empty_uri, "reference", "It means the whole document, whatever element it stands in."
    ),
    "foreign-reference": Defect(foreign_reference, "reference", POSITION),
    "reference-to-nothing": Defect(signed(uri="#_nothing"), "reference"),
    "xpointer-reference": Defect(signed(uri="#xpointer(id('_assertion'))"), "reference", NARROW),
    "file-reference": Defect(signed(uri="file:///etc/hostname"), "reference"),
    "reference-with-type": Defect(changed(reference_type), "reference"),
    "transform-with-comments": Defect(
        signed(transforms=(ENVELOPED, Transform(WITH_COMMENTS))), "transforms", NARROW
    ),
    "inclusive-transform": Defect(
        signed(transforms=(ENVELOPED, Transform(INCLUSIVE_C14N))), "transforms", NARROW
    ),
    "transforms-in-other-order": Defect(
        signed(transforms=(EXCLUSIVE, ENVELOPED)), "transforms", NARROW
    ),
    "enveloped-alone": Defect(signed(transforms=(ENVELOPED, ENVELOPED)), "transforms", NARROW),
    "one-transform": Defect(signed(transforms=(EXCLUSIVE,)), "signature-shape"),
    "xpath-transform": Defect(
        signed(transforms=(xpath("not(ancestor-or-self::ds:Signature)"), EXCLUSIVE)),
        "transforms",
        "An XPath chooses what is signed; only the whole element may be.",
    ),
    "third-transform": Defect(
        signed(transforms=(ENVELOPED, xpath("true()"), EXCLUSIVE)),
        "signature-shape",
        "An XPath chooses what is signed; only the whole element may be.",
    ),
    "xslt-transform": Defect(
        signed(transforms=(ENVELOPED, xslt(), EXCLUSIVE)),
        "signature-shape",
        "A program of the sender's choice does not run here.",
    ),
    "base64-transform": Defect(
        signed(transforms=(ENVELOPED, Transform(n.DS + "base64"))), "transforms"
    ),
    "unknown-canonicalization-parameter": Defect(
        signed(
            transforms=(
                ENVELOPED,
                Transform(n.ALG_EXCLUSIVE_C14N, (build_element("{urn:x}y"),)),
            )
        ),
        "canonicalization-parameter",
        "What a parameter means that nobody knows, nobody knows.",
    ),
    # The place and the shape of the signature.
    "unsigned": Defect(changed(no_signature), "signature-present"),
    "multiple-signed-info": Defect(changed(second_signed_info), "schema"),
    "two-signatures": Defect(changed(second_signature), "schema"),
    "signature-at-the-end": Defect(
        changed(signature_at_the_end), "schema", "The schema puts it behind the Issuer."
    ),
    "signature-in-subject": Defect(changed(signature_in_subject), "schema", POSITION),
    "object": Defect(
        changed(an_object), "signature-shape", "SAML core 5.4.6: an Object carries unsigned data."
    ),
    "no-id": Defect(changed(no_id), "schema"),
}
