"""SAML systems of suppliers: checks on what a document says of one, and the record of it."""

from collections.abc import Iterator

from msgspec import UNSET, structs

from broker.domain.attributes import is_never_released
from broker.domain.documents import DocumentProblem, RelyingPartyDocument, SupplierDocument
from broker.domain.ids import RelyingPartyId
from broker.domain.relying_parties import SamlServiceProvider
from broker.domain.saml_answer_forms import PAIRWISE_ID, AnswerForm
from broker.flow.federation.documents import StatedDocument
from broker.flow.federation.metadata_origin import read_metadata
from broker.flow.federation.places import (
    DocumentProblems,
    check_location,
    metadata_problem,
    refuse_any,
)
from broker.saml_idp.attributes import PAIRWISE_ID_NAME, PREVIOUS_SUB, canonical_name
from broker.saml_idp.metadata import read_sp_metadata
from broker.saml_xml.refusals import XmlRefusal
from broker.saml_xml.security import XmlSecurity

SAML_KEYS = (
    *("entity_id", "metadata", "metadata_source", "encrypt_assertions"),
    *("sign", "name_ids", "pseudonym_attributes", "attribute_names"),
    *("unsolicited", "proxies_for"),
)

_TAKEN = frozenset({PREVIOUS_SUB, PAIRWISE_ID_NAME, "subject-id"})
"""Names that mean something else, or are written otherwise."""


def check_pseudonym_attributes(
    prefix: str, party: RelyingPartyDocument, supplier: SupplierDocument
) -> Iterator[DocumentProblem]:
    """An attribute is the pseudonym or what a school stated, never now one and now the other."""
    declared = {each.name for each in supplier.attribute}
    for index, name in enumerate(party.pseudonym_attributes):
        path = f"{prefix}pseudonym_attributes[{index}]"
        if is_never_released(name) or name in _TAKEN or "subject-id" in name:
            yield DocumentProblem(
                path,
                "is no name under which a pseudonym can go out.",
                f"Take {PAIRWISE_ID}, or a name of the supplier's own.",
            )
        elif canonical_name(name) in declared:
            yield DocumentProblem(
                path,
                "is an attribute that this supplier declares too.",
                "Declare it no more, or let another attribute hold the pseudonym.",
            )
        elif name in party.pseudonym_attributes[:index]:
            yield DocumentProblem(path, f"states {name} once more.", "State it once.")


def compile_service_provider(
    prefix: str,
    party: RelyingPartyDocument,
    supplier: SupplierDocument,
    stated: StatedDocument,
    *,
    xml: XmlSecurity,
) -> SamlServiceProvider:
    """Return the record of a SAML system.

    Raises:
        DocumentProblems: with everything that is wrong.
    """
    text, path = read_metadata(party, prefix=prefix, stated=stated)
    try:
        found = read_sp_metadata(
            text.encode(),
            xml=xml,
            entity_id=party.entity_id or "",
            encrypt_assertions=party.encrypt_assertions,
        )
    except XmlRefusal as refusal:
        raise DocumentProblems([metadata_problem(path, refusal)]) from None
    refuse_any(
        each
        for url in (
            *(service.url for service in found.assertion_consumer_services),
            *(service.url for service in found.single_logout_services),
            *(service.response_url for service in found.single_logout_services),
        )
        for each in check_location(path, url, state=supplier.state)
    )
    if party.require_signed_requests and not found.signing_certificates:
        raise DocumentProblems(
            [
                DocumentProblem(
                    f"{prefix}require_signed_requests",
                    "cannot be kept: the metadata publish no key for signing.",
                    "Ask the supplier for metadata with a key, or remove this.",
                )
            ]
        )
    answers = compile_answers(party, found)
    if answers.name_ids == "none" and not answers.pseudonym_attributes:
        raise DocumentProblems(
            [
                DocumentProblem(
                    f"{prefix}name_ids",
                    "is none, so an answer would name nobody.",
                    "State pseudonym_attributes too, or remove this.",
                )
            ]
        )
    return structs.replace(
        found,
        metadata_source=party.metadata_source or "",
        require_signed_requests=found.require_signed_requests or party.require_signed_requests,
        answers=answers,
    )


def compile_answers(party: RelyingPartyDocument, found: SamlServiceProvider) -> AnswerForm:
    """Return how a service provider is answered: as its document says, else as it asks itself.

    `subject-id:req` asks for a `pairwise-id`, or says that none may come (subject-id profile 2.3);
    `subject-id` itself is nothing that we have, so it asks for nothing. Whoever leaves open whether
    assertions must be signed gets both signatures: node-saml demands both, and its metadata are
    often written by hand.
    """
    names = party.pseudonym_attributes
    if found.subject_id_required in ("pairwise-id", "any") and PAIRWISE_ID not in names:
        names = (PAIRWISE_ID, *names)
    elif found.subject_id_required == "none":
        names = tuple(each for each in names if each != PAIRWISE_ID)
    signed = "response" if found.want_assertions_signed is False else "both"
    return AnswerForm(
        signed=signed if party.sign is UNSET else party.sign,  # type: ignore[arg-type]
        name_ids=party.name_ids,
        pseudonym_attributes=names,
        attribute_names=party.attribute_names,
        unsolicited=party.unsolicited,
        proxies_for=tuple(map(RelyingPartyId, party.proxies_for)),
    )
