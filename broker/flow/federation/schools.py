"""Schools: checks on one document, and the record that it compiles to."""

from collections.abc import Callable, Iterator

from msgspec import UNSET

from broker.domain.documents import ApiClientDocument, DocumentProblem, SchoolDocument
from broker.domain.federation import ApiClient, ApiScope, School, Sector, SingleSignOn
from broker.domain.ids import BoardId, Brin, SchoolId
from broker.flow.federation.documents import StatedDocument
from broker.flow.federation.places import (
    check_key_set,
    check_location,
    read_inline,
    refuse_any,
)

BRIN4_CHARACTERS = 4


def check_brin_is_of_institution(document: SchoolDocument) -> Iterator[DocumentProblem]:
    """`brin` is the institution's (BRIN4), `branch` its location's (BRIN6)."""
    if len(document.brin) != BRIN4_CHARACTERS:
        yield DocumentProblem(
            "brin", f"is the BRIN6 {document.brin}.", "Write BRIN4 here, BRIN6 as branch."
        )
    elif document.branch is not None and (
        len(document.branch) == BRIN4_CHARACTERS or not document.branch.startswith(document.brin)
    ):
        yield DocumentProblem(
            "branch",
            f"is no location of {document.brin}.",
            "Write its BRIN6: the BRIN4 and two digits.",
        )


def check_api_clients(document: SchoolDocument) -> Iterator[DocumentProblem]:
    """A program of a school proves who it is by a key, and asks only for what a school may do."""
    for index, each in enumerate(document.api_client):
        prefix = f"api_client[{index}]."
        yield from check_location(f"{prefix}jwks_uri", each.jwks_uri, state=document.state)
        if (each.jwks is None) == (each.jwks_uri is None):
            stated = "is missing" if each.jwks is None else "stands beside jwks_uri"
            yield DocumentProblem(
                f"{prefix}jwks",
                f"{stated}.",
                "State the program's public keys as jwks, or where they are published as jwks_uri.",
            )
        for purpose in each.purposes:
            if purpose not in SCHOOL_PURPOSES:
                yield DocumentProblem(
                    f"{prefix}purposes",
                    f"names {purpose}, which is for suppliers.",
                    f"Use {', '.join(SCHOOL_PURPOSES)}.",
                )


SCHOOL_PURPOSES = (ApiScope.ENROLMENT, ApiScope.TAKEOVER, ApiScope.TRANSFERS)
"""What a program of a school may be let in for."""


def has_shared_devices(document: SchoolDocument) -> bool:
    """Tell whether pupils share devices; small children do, unless their school says otherwise."""
    stated = document.shared_devices
    return document.sector is Sector.PO if stated is UNSET else stated


def check_no_session_on_shared_devices(document: SchoolDocument) -> Iterator[DocumentProblem]:
    """Who sits down next must never go on as who sat there before."""
    wanted = document.single_sign_on
    if wanted not in (UNSET, SingleSignOn.OFF) and has_shared_devices(document):
        yield DocumentProblem(
            "single_sign_on",
            f"is {wanted}, where pupils share devices.",
            "Remove it, or write shared_devices = false.",
        )


SCHOOL_CHECKS: tuple[Callable[[SchoolDocument], Iterator[DocumentProblem]], ...] = (
    check_brin_is_of_institution,
    check_api_clients,
    check_no_session_on_shared_devices,
)


def compile_school(document: SchoolDocument, stated: StatedDocument) -> School:
    """Return the record of a school.

    Raises:
        DocumentProblems: with everything that is wrong.
    """
    refuse_any(found for check in SCHOOL_CHECKS for found in check(document))
    shared, wanted = has_shared_devices(document), document.single_sign_on
    usual = SingleSignOn.OFF if shared else SingleSignOn.ON
    return School(
        id=SchoolId(document.id),
        name=document.name,
        place=document.place,
        brin=Brin(document.brin),
        branch=None if document.branch is None else Brin(document.branch),
        sector=document.sector,
        board=BoardId(document.board),
        state=document.state,
        eck_id_required=document.eck_id == "required",
        shared_devices=shared,
        single_sign_on=usual if wanted is UNSET else wanted,
        pupils=document.pupils,
        four_eyes=document.four_eyes,
        processor_agreement=document.processor_agreement,
        enabled=document.enabled,
        api_clients=tuple(
            _compile_api_client(f"api_client[{index}].", each, stated)
            for index, each in enumerate(document.api_client)
        ),
        objection_blocks=document.objection_blocks,
    )


def _compile_api_client(prefix: str, each: ApiClientDocument, stated: StatedDocument) -> ApiClient:
    jwks = read_inline(each.jwks, stated.files.get(f"{prefix}jwks"))
    if jwks:
        refuse_any(check_key_set(f"{prefix}jwks", jwks))
    return ApiClient(
        id=each.id,
        jwks=jwks,
        jwks_uri=each.jwks_uri,
        purposes=tuple(dict.fromkeys(each.purposes)),
    )
