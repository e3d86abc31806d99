"""What a change of documents would do to people: new pseudonyms, and releases that nobody expects.

A pseudonym hangs on the ids of school and supplier and on the attribute that identifies. A change
of one of them makes strangers of pupils, so it is refused unless the operator wants just that.
What a school may well mean, but might not see, is a warning. Only one change is looked at: what is
removed in one and comes back under another id in a later one is not noticed.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TypeVar

from broker.domain.documents import (
    AgreementDocument,
    AnyDocument,
    DocumentProblem,
    IdentityProviderDocument,
    RelationDocument,
    SchoolDocument,
    SupplierDocument,
)
from broker.flow.federation.documents import Key, Problem, StatedDocument
from broker.flow.federation.plan import Action, Plan
from broker.flow.federation.sheet_versions import find_sudden_demands

Documents = Mapping[Key, StatedDocument]
Of = TypeVar("Of", bound=AnyDocument)

ALLOW = "Take it back; only if new pseudonyms are meant, add --allow-new-pseudonyms."


def find_new_pseudonyms(current: Documents, after: Documents) -> Iterator[Problem]:
    """Yield what would make strangers of people who are known."""
    yield from _find_changed_identifiers(current, after)
    yield from _find_moved_parties(current, after)
    yield from _find_renamed_suppliers(current, after)
    yield from _find_renamed_schools(current, after)


def find_surprises(current: Documents, plan: Plan, *, today: date | None) -> Iterator[Problem]:
    """Yield agreements that begin later while one is in force today, and what a supplier requires
    all at once.

    Args:
        today: None: days are not looked at.
    """
    for key in plan.keys(Action.CHANGED):
        stated, before = plan.after[key], current[key].document
        after = stated.document
        if isinstance(before, SupplierDocument) and isinstance(after, SupplierDocument):
            yield from map(stated.problem, find_sudden_demands(before, after))
        if today is None or not isinstance(before, AgreementDocument):
            continue
        ends = before.until or date.max
        begins = after.from_day if isinstance(after, AgreementDocument) else today
        if before.from_day <= today <= ends and today < begins:
            yield stated.problem(
                DocumentProblem(
                    "from",
                    f"lies after today, but version {before.version} is in force: until {begins} "
                    "nothing is agreed, and nobody can log in by it.",
                    "Apply it on that day, or let it begin today.",
                )
            )


def find_other_identifiers(current: Documents, plan: Plan) -> Iterator[Problem]:
    """Yield schools of which two logins name people by different attributes from now on, or still
    do after a change of one of them."""
    changed = set(plan.keys(*Action))
    touched = {
        school
        for documents in (current, plan.after)
        for stated, each in _of_type(documents, IdentityProviderDocument)
        if stated.key in changed
        for school in each.schools
    }
    logins = [each for _, each in _of_type(plan.after, IdentityProviderDocument) if each.enabled]
    named = ((school, each.identifier) for each in logins for school in each.schools)
    yield from warn_of_identifiers(each for each in named if each[0] in touched)


def warn_of_identifiers(named: Iterable[tuple[str, str]]) -> Iterator[Problem]:
    """Yield a warning for each school whose logins name people by different attributes.

    Args:
        named: of each login that is switched on: a school, and by what it names people there.
    """
    identifiers: dict[str, set[str]] = {}
    for school, identifier in named:
        identifiers.setdefault(school, set()).add(identifier)
    for school, found in sorted(identifiers.items()):
        if len(found) > 1:
            yield Problem(
                f"schools/{school}",
                "identifier",
                f"differs between its logins: {', '.join(sorted(found))}. Who states no ECK iD is"
                " somebody else at each, unless both hold the same number.",
                "Find out by `broker rehearse` before pupils go from one login to the other.",
            )


def find_ended_relations(
    current: Documents, plan: Plan, *, today: date | None
) -> Iterator[Problem]:
    """Yield relations that are taken away while they hold, by a removal or by going back."""
    for key in plan.keys(Action.REMOVED):
        before = current[key].document
        if isinstance(before, RelationDocument) and (
            today is None or before.from_day <= today <= before.until
        ):
            yield Problem(
                f"relations/{before.id}",
                "until",
                f"is {before.until}: it is taken away before, and pupils of "
                f"{', '.join(before.old)} who were not at {', '.join(before.new)} yet begin anew "
                "there.",
                "Nothing is lost at the old schools; apply it again to go on.",
            )


def find_returning_agreements(current: Documents, plan: Plan) -> Iterator[Problem]:
    """Yield agreements of which going back brings an older version, or one that was removed."""
    for key in plan.keys(Action.ADDED, Action.CHANGED):
        stated = plan.after[key]
        if isinstance(stated.document, AgreementDocument):
            before = current[key].document if key in current else None
            gone = (
                f"version {before.version}, which says what the school decided since"
                if isinstance(before, AgreementDocument)
                else "no agreement, since it was removed"
            )
            yield stated.problem(
                DocumentProblem(
                    "version",
                    f"is {stated.document.version} again, in place of {gone}.",
                    "Make sure that the school wants what it says released again.",
                )
            )


def _find_changed_identifiers(current: Documents, after: Documents) -> Iterator[Problem]:
    """Also of a login that stands under another id now."""
    before = {
        _issuer_of(each): each.identifier for _, each in _of_type(current, IdentityProviderDocument)
    }
    for stated, idp in _of_type(after, IdentityProviderDocument):
        known = current.get(stated.key)
        was = (
            known.document.identifier
            if known is not None and isinstance(known.document, IdentityProviderDocument)
            else before.get(_issuer_of(idp), idp.identifier)
        )
        if was != idp.identifier:
            yield _refused(
                stated,
                "identifier",
                f"changes from {was} to {idp.identifier}: all whom it names become strangers.",
            )


def _find_moved_parties(current: Documents, after: Documents) -> Iterator[Problem]:
    before = {
        name: supplier.id
        for _, supplier in _of_type(current, SupplierDocument)
        for _, name in _names_of(supplier)
    }
    for stated, supplier in _of_type(after, SupplierDocument):
        for path, name in _names_of(supplier):
            was = before.get(name, supplier.id)
            if was != supplier.id:
                yield _refused(
                    stated,
                    path,
                    f"is {name}, of the supplier {was} until now: it would get other pseudonyms.",
                )


def _find_renamed_suppliers(current: Documents, after: Documents) -> Iterator[Problem]:
    gone = {
        each.legal_name: each.id
        for stated, each in _of_type(current, SupplierDocument)
        if stated.key not in after
    }
    for stated, supplier in _of_type(after, SupplierDocument):
        if stated.key not in current and supplier.legal_name in gone:
            yield _refused(
                stated,
                "id",
                f"is {supplier.id}, but {supplier.legal_name} was {gone[supplier.legal_name]}: it "
                "would get other pseudonyms.",
            )


def _find_renamed_schools(current: Documents, after: Documents) -> Iterator[Problem]:
    gone = {
        each.branch or each.brin: each.id
        for stated, each in _of_type(current, SchoolDocument)
        if stated.key not in after
    }
    for stated, school in _of_type(after, SchoolDocument):
        brin = school.branch or school.brin
        if stated.key not in current and brin in gone:
            yield _refused(
                stated,
                "id",
                f"is {school.id}, but the school {brin} was {gone[brin]}: its people without ECK "
                "iD become strangers.",
            )


def _of_type(documents: Documents, kind: type[Of]) -> Iterator[tuple[StatedDocument, Of]]:
    for each in documents.values():
        if isinstance(each.document, kind):
            yield each, each.document


def _names_of(supplier: SupplierDocument) -> Iterator[tuple[str, str]]:
    """Yield by what its systems know us and we them, each with its key path."""
    for index, party in enumerate(supplier.relying_party):
        for key in ("client_id", "entity_id"):
            if getattr(party, key) is not None:
                yield f"relying_party[{index}].{key}", getattr(party, key)


def _issuer_of(idp: IdentityProviderDocument) -> str:
    return idp.entity_id or idp.issuer or ""


def _refused(stated: StatedDocument, path: str, problem: str) -> Problem:
    return stated.problem(DocumentProblem(path, problem, ALLOW))
