"""What must hold between relations and everything else: schools that can go on as one another,
no circle, and at most one relation for a school on any day."""

from collections.abc import Iterator, Mapping

from broker.domain.documents import DocumentProblem, RelationDocument
from broker.flow.federation.link_parts import Federation, Found, other_state, unknown


def check_schools_of_relations(federation: Federation) -> Found:
    """They exist, and are of one state and one education sector: an ECK iD holds inside one."""
    for stated, relation in federation.relations.values():
        first = None
        for path, school in _schools_of(relation):
            known = federation.schools.get(school)
            if known is None:
                yield stated, unknown(path, "school", school)
                continue
            first = first or known[1]
            if known[1].state is not first.state:
                yield (
                    stated,
                    other_state(path, first.state, f"the school {school}", known[1].state),
                )
            if known[1].sector is not first.sector:
                yield (
                    stated,
                    DocumentProblem(
                        path,
                        f"joins a school in {first.sector} with {school}, which is in "
                        f"{known[1].sector}.",
                        "Pupils get another ECK iD there, and by law another pseudonym: leave "
                        "that school out.",
                    ),
                )


def check_relations_make_no_circle(federation: Federation) -> Found:
    """Whose agreement would hold, if a school went on as one that goes on as itself?"""
    leads_to: dict[str, set[str]] = {}
    for _, relation in federation.relations.values():
        for old in relation.old:
            leads_to.setdefault(old, set()).update(set(relation.new) - {old})
    for stated, relation in federation.relations.values():
        for index, new in enumerate(relation.new):
            back = _reachable(leads_to, new) & set(relation.old) - {new}
            if back:
                yield (
                    stated,
                    DocumentProblem(
                        f"new[{index}]",
                        f"is {new}, and relations lead from there back to {min(back)}.",
                        "Remove the relation that is not true any more, or correct this one.",
                    ),
                )


def _reachable(leads_to: Mapping[str, set[str]], start: str) -> set[str]:
    found, waiting = set[str](), [start]
    while waiting:
        for each in leads_to.get(waiting.pop(), set()) - found:
            found.add(each)
            waiting.append(each)
    return found


def check_one_relation_on_a_day(federation: Federation) -> Found:
    """Two relations for one school at once would leave it open which of them counts."""
    seen: dict[tuple[str, str], list[RelationDocument]] = {}
    for stated, relation in federation.relations.values():
        for path, school in _schools_of(relation):
            side = path.partition("[")[0]
            for other in seen.setdefault((side, school), []):
                if (
                    other is not relation
                    and other.from_day <= relation.until
                    and relation.from_day <= other.until
                ):
                    yield (
                        stated,
                        DocumentProblem(
                            path,
                            f"names {school}, as relations/{other.id} does for days of the same "
                            "time.",
                            "Make one relation of the two, or let one end before the other begins.",
                        ),
                    )
            seen[side, school].append(relation)


def check_numbers_comparable(federation: Federation) -> Found:
    """A number goes on only where the logins of both schools call the same attribute the number."""
    for stated, relation in federation.relations.values():
        if relation.numbers == "new":
            continue
        named = {
            idp.identifier
            for _, idp in federation.idps.values()
            if not {*relation.old, *relation.new}.isdisjoint(idp.schools)
        }
        if len(named) > 1:
            yield (
                stated,
                DocumentProblem(
                    "numbers",
                    f"go on, but the schools' logins name people by {' and '.join(sorted(named))}.",
                    'Let all of them have the same identifier, or write numbers = "new".',
                ),
            )


def check_old_brins_free(federation: Federation) -> Found:
    """A BRIN that is a school's own is not stated by another one as its former."""
    for stated, relation in federation.relations.values():
        mine = {*relation.old, *relation.new}
        for index, brin in enumerate(relation.old_brins):
            for _, school in federation.schools.values():
                if school.id not in mine and brin in {school.brin, school.branch}:
                    yield (
                        stated,
                        DocumentProblem(
                            f"old_brins[{index}]",
                            f"is {brin}, the BRIN of {school.id}.",
                            "Name that school in old, or correct the BRIN.",
                        ),
                    )


def _schools_of(relation: RelationDocument) -> Iterator[tuple[str, str]]:
    for side, schools in (("old", relation.old), ("new", relation.new)):
        for index, school in enumerate(schools):
            yield f"{side}[{index}]", school


RELATION_LINK_CHECKS = (
    check_schools_of_relations,
    check_relations_make_no_circle,
    check_one_relation_on_a_day,
    check_numbers_comparable,
    check_old_brins_free,
)
