"""Finding a school: by what a person types, or by a hint that came with the request.

A hint only ever skips the chooser; it never authenticates and never decides whose agreement counts.
The index is built once per registry version, so that a search over 7,000 schools
is one scan over short prepared texts.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from broker.domain.federation import School, SchoolIdp, State
from broker.domain.registry import Registry
from broker.domain.relations import successor

MAX_QUERY_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class SchoolIndex:
    """The schools that can be chosen, in the order of their names.

    Attributes:
        entries: (searchable text, name for ranking, school), of enabled schools with a login.
    """

    registry: Registry = field(repr=False)
    entries: Sequence[tuple[str, str, School]] = field(repr=False)


def build_school_index(registry: Registry) -> SchoolIndex:
    """Prepare the search over one registry version."""
    schools = [
        each for each in registry.schools.values() if each.enabled and registry.has_login(each.id)
    ]
    entries = [
        (
            " ".join(map(fold, (each.name, each.place, each.branch or each.brin))),
            fold(each.name),
            each,
        )
        for each in schools
    ]
    return SchoolIndex(registry, sorted(entries, key=lambda each: each[:2]))


def follow_school_index(before: SchoolIndex | None, registry: Registry) -> SchoolIndex:
    """Return the search over the next registry version; where no school changed, as it was."""
    if before is not None and (
        before.registry.schools is registry.schools
        and before.registry.idps_of_school is registry.idps_of_school
        and before.registry.switches is registry.switches
    ):
        return SchoolIndex(registry, before.entries)
    return build_school_index(registry)


def fold(text: str) -> str:
    """Return `text` for comparison by people: lower case, no accents, single spaces.

    For searching only: never for identifiers.

    >>> fold("  École  Bénin ")
    'ecole benin'
    """
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(each for each in decomposed if not unicodedata.combining(each))
    return " ".join(bare.casefold().split())


def search_schools(index: SchoolIndex, query: str, *, state: State | None) -> list[School]:
    """Return the schools in which every word of `query` occurs, best first.

    Args:
        query: as typed; an empty one finds all.
        state: of the supplier, so that test and production never meet; None for all.

    Order: names that begin with the query, then names that hold it, then the rest; each by name.
    """
    folded = fold(query[:MAX_QUERY_CHARACTERS])
    words = folded.split()
    entries: Sequence[tuple[str, str, School]] = index.entries
    for word in words:  # a scan for each word costs a third of one with a loop inside
        entries = [each for each in entries if word in each[0]]
    found = [
        (name, school) for _, name, school in entries if state is None or school.state is state
    ]
    if words:
        found.sort(key=lambda each: (not each[0].startswith(folded), folded not in each[0]))
    return [school for _, school in found]


def find_hinted_school(
    index: SchoolIndex, hints: Iterable[str], *, state: State, today: date
) -> tuple[School, SchoolIdp | None] | None:
    """Return the school, and the login if it names one, of the first understood hint, or None.

    Understood: a school's id, BRIN4 or BRIN6, an identity provider's entity id or issuer, a realm
    or `anything@realm`. A hint that fits two schools of this state is not understood. What stands
    before the @ is thrown away unread. A school that nobody can log in at any more stands for the
    one that it goes on as.
    """
    for hint in hints:
        found = _find_by_hint(index.registry, hint.strip(), state=state, today=today)
        if found is not None and found[0].state is state and found[0].enabled:
            return found
    return None


def _find_by_hint(
    registry: Registry, hint: str, *, state: State, today: date
) -> tuple[School, SchoolIdp | None] | None:
    idp = registry.by_idp_entity_id.get(hint) or registry.by_idp_issuer.get(hint)
    if idp is not None:
        return (registry.schools[idp.schools[0]], idp) if idp.enabled else None
    meant = [
        registry.schools[each]
        for each in registry.by_hint.get(hint.rpartition("@")[2].lower(), ())
        if registry.schools[each].state is state  # a test school may share a BRIN with a real one
    ]
    if len(meant) != 1:
        return None
    school = meant[0]
    if not (school.enabled and registry.has_login(school.id)):
        onwards = successor(registry, school.id, today)
        if onwards is None:
            return None
        school = registry.schools[onwards]
    return (school, None) if registry.has_login(school.id) else None
