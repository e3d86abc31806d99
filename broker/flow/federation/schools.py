"""Schools: checks on one document, and the record that it compiles to."""

from collections.abc import Callable, Iterator

from msgspec import UNSET

from broker.domain.documents import DocumentProblem, SchoolDocument
from broker.domain.federation import School, Sector
from broker.domain.ids import BoardId, Brin, SchoolId
from broker.flow.federation.places import refuse_any

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


SCHOOL_CHECKS: tuple[Callable[[SchoolDocument], Iterator[DocumentProblem]], ...] = (
    check_brin_is_of_institution,
)


def compile_school(document: SchoolDocument) -> School:
    """Return the record of a school.

    Raises:
        DocumentProblems: with everything that is wrong.
    """
    refuse_any(found for check in SCHOOL_CHECKS for found in check(document))
    shared = document.sector is Sector.PO
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
        shared_devices=shared if document.shared_devices is UNSET else document.shared_devices,
        enabled=document.enabled,
    )
