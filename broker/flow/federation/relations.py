"""Relations: checks on one document, and the record that it compiles to."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from broker.domain.documents import DocumentProblem, RelationDocument
from broker.domain.federation import Relation, RelationKind
from broker.domain.ids import Brin, SchoolId
from broker.flow.federation.places import refuse_any

MAX_DAYS = 731
"""How long a relation may hold: two school years. Everybody has logged in by then, the new school
has agreements of its own, and numbers of pupils who left may be given out anew."""

_COUNTS: Mapping[RelationKind, tuple[int, int, int, int, str]] = MappingProxyType(
    {
        RelationKind.MERGE: (2, 8, 1, 1, "two old schools or more become one"),
        RelationKind.SPLIT: (1, 1, 2, 8, "one old school becomes two or more"),
        RelationKind.RENUMBER: (1, 1, 1, 1, "one old school becomes one new one"),
    }
)
"""Least and most old schools, least and most new ones, and that in words."""


def check_numbers_of_schools(document: RelationDocument) -> Iterator[DocumentProblem]:
    least_old, most_old, least_new, most_new, words = _COUNTS[document.kind]
    for path, schools, least, most in (
        ("old", document.old, least_old, most_old),
        ("new", document.new, least_new, most_new),
    ):
        if not least <= len(schools) <= most:
            yield DocumentProblem(
                path,
                f"names {len(schools)}: in a {document.kind}, {words}.",
                "A school that goes on under its id stands in both lists; name them all.",
            )


def check_schools_named_once(document: RelationDocument) -> Iterator[DocumentProblem]:
    for path, schools in (("old", document.old), ("new", document.new)):
        for index, school in enumerate(schools):
            if school in schools[:index]:
                yield DocumentProblem(
                    f"{path}[{index}]", f"names {school} once more.", "Name each school once."
                )


def check_relation_days(document: RelationDocument) -> Iterator[DocumentProblem]:
    if document.until < document.from_day:
        yield DocumentProblem("until", "lies before from.", "Correct one of the two days.")
    elif (document.until - document.from_day).days >= MAX_DAYS:
        yield DocumentProblem(
            "until",
            f"lies more than {MAX_DAYS} days after from.",
            "A relation is for the time of change: let it end, and write agreements for the new "
            "school.",
        )
    brins = document.brins_until
    if brins is not None and not document.from_day <= brins <= document.until:
        yield DocumentProblem(
            "brins_until", "does not lie between from and until.", "Correct that day."
        )


def check_agreements_chosen(document: RelationDocument) -> Iterator[DocumentProblem]:
    chosen = document.agreements_of
    if chosen is None:
        return
    if document.agreements == "none":
        yield DocumentProblem(
            "agreements_of", "names a school, but none are carried.", "Remove one of the two keys."
        )
    if chosen not in document.old:
        yield DocumentProblem(
            "agreements_of", f"names {chosen}, which is no old school.", "Name one of old."
        )


def check_numbers_of(document: RelationDocument) -> Iterator[DocumentProblem]:
    """Keys about numbers mean nothing when none go on, and name schools of this relation."""
    if document.numbers == "new":
        for path, stated in (
            ("numbers_of", document.numbers_of),
            ("numbers_at", document.numbers_at),
            ("distinct_numbers", document.distinct_numbers),
        ):
            if stated:
                yield DocumentProblem(
                    path, "says which numbers go on, but all are new.", 'Write numbers = "kept".'
                )
    for index, school in enumerate(document.numbers_of):
        if school not in document.old:
            yield DocumentProblem(
                f"numbers_of[{index}]", f"names {school}, no old school.", "Name one of old."
            )
    if document.numbers_at is not None and document.numbers_at not in document.new:
        yield DocumentProblem(
            "numbers_at", f"names {document.numbers_at}, no new school.", "Name one of new."
        )


def check_numbers_told_apart(document: RelationDocument) -> Iterator[DocumentProblem]:
    """Where two schools may have given out one number, it would open another pupil's account, and
    the register alone cannot tell: it knows those who logged in."""
    if document.numbers == "new" or document.distinct_numbers:
        return
    issuers = {*(document.numbers_of or document.old), *document.new}
    if len(issuers & {*document.old}) > 1:
        yield DocumentProblem(
            "numbers",
            "of several schools go on as those of one, and nothing says that no number was given "
            "out by two of them.",
            "Rehearse with the numbers of all of them; if none collides, write distinct_numbers = "
            "true; else name the one school whose numbers go on in numbers_of.",
        )


def check_numbers_at_one_school(document: RelationDocument) -> Iterator[DocumentProblem]:
    """After a split both schools could give out one number; at one of them it goes on meaning the
    same pupil, and where the old school itself goes on, that is it."""
    if document.kind is not RelationKind.SPLIT or document.numbers == "new":
        return
    goes_on = next((each for each in document.new if each in document.old), None)
    if document.numbers_at is None:
        yield DocumentProblem(
            "numbers",
            "go on, but nothing says at which of the new schools.",
            "Name in numbers_at the one that keeps them; at the others the ECK iD tells who a "
            "pupil is.",
        )
    elif goes_on is not None and document.numbers_at != goes_on:
        yield DocumentProblem(
            "numbers_at",
            f"is {document.numbers_at}, but {goes_on} goes on and still gives out these numbers.",
            f"Name {goes_on}, or let the numbers be new.",
        )


def check_old_brins(document: RelationDocument) -> Iterator[DocumentProblem]:
    """A school that gets another BRIN and keeps its id: only this tells which one it had."""
    if document.old == document.new and not document.old_brins:
        yield DocumentProblem(
            "old_brins",
            "is missing: the school keeps its id, so nothing tells which BRIN it had.",
            "Write the BRIN of before.",
        )


RELATION_CHECKS: tuple[Callable[[RelationDocument], Iterator[DocumentProblem]], ...] = (
    check_numbers_of_schools,
    check_schools_named_once,
    check_relation_days,
    check_agreements_chosen,
    check_numbers_of,
    check_numbers_told_apart,
    check_numbers_at_one_school,
    check_old_brins,
)


def compile_relation(document: RelationDocument) -> Relation:
    """Return the record of a relation.

    Raises:
        DocumentProblems: with everything that is wrong.
    """
    refuse_any(found for check in RELATION_CHECKS for found in check(document))
    kept = document.numbers == "kept"
    return Relation(
        id=document.id,
        kind=document.kind,
        old=tuple(map(SchoolId, document.old)),
        new=tuple(map(SchoolId, document.new)),
        first_day=document.from_day,
        last_day=document.until,
        agreements=document.agreements == "carried",
        agreements_of=None if document.agreements_of is None else SchoolId(document.agreements_of),
        numbers_of=tuple(map(SchoolId, (document.numbers_of or document.old) if kept else ())),
        numbers_at=SchoolId(document.numbers_at or document.new[0]) if kept else None,
        old_brins=tuple(map(Brin, document.old_brins)),
        brins_last_day=document.brins_until or document.until,
    )
