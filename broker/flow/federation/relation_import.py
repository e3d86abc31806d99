"""From the ministry's published file of transitions to proposed relation documents.

DUO publishes which institutions merged, split or got another BRIN, each week, in a zip of three
files; `OVERGANGEN_<date>.csv` is this one. What is known of it is in `config/README.md`. Only five
columns are used, and of those the kind of transition least: which schools go into which says it.

    NR_ADMIN_VAN, NR_ADMIN_NAAR   BRIN of the old and of the new institution
    DT_OVERGANG                   day, dd-mm-yyyy
    IND_VOLLEDIG                  J: all of the old one goes over, N: a part
    CODE_STAND_RECORD             H: superseded by another line

Nothing here is put in force: somebody reads what is proposed, and decides about numbers.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from broker.domain.documents import DocumentProblem
from broker.domain.federation import RelationKind, School, State
from broker.domain.ids import SchoolId, is_brin
from broker.domain.registry import Registry
from broker.flow.persons.person_records import school_year_of

MAX_TRANSITIONS_BYTES = 64 * 1024 * 1024  # the whole zip has 5 MB
NEEDED_COLUMNS = ("NR_ADMIN_VAN", "NR_ADMIN_NAAR", "DT_OVERGANG")

_BOARD_NUMBER = re.compile(r"[0-9]{5}\Z")
"""Boards, administrations and the like stand in the same columns under numbers of their own."""


class Skipped(StrEnum):
    """Why a line proposes nothing."""

    MALFORMED = "malformed"
    TWICE = "twice"
    NO_SCHOOLS = "no-schools"
    SUPERSEDED = "superseded"
    PAST = "past"
    NOT_OURS = "not-ours"
    ONE_SIDE_OURS = "one-side-ours"
    SEVERAL_LOCATIONS = "several-locations"
    MANY_TO_MANY = "many-to-many"
    KNOWN = "known"


WORDS: Mapping[Skipped, str] = {
    Skipped.MALFORMED: "cannot be read: a field is missing, or a BRIN or day has not its form",
    Skipped.TWICE: "say what another line says",
    Skipped.NO_SCHOOLS: "are about boards and other organisations",
    Skipped.SUPERSEDED: "are superseded",
    Skipped.PAST: "are so long ago that a relation of them would have ended",
    Skipped.NOT_OURS: "are about schools that are not in the registry",
    Skipped.ONE_SIDE_OURS: "lead to or from a school that is not in the registry",
    Skipped.SEVERAL_LOCATIONS: "name an institution of which several locations are in the registry",
    Skipped.MANY_TO_MANY: "belong to a change of several schools into several: write it by hand",
    Skipped.KNOWN: "are in a relation of the registry already",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A relation that the file suggests.

    Attributes:
        goes_on: schools of `old` that go on under their own id, as far as we know.
        lines: of the file, from 1.
    """

    id: str
    kind: RelationKind
    old: tuple[SchoolId, ...]
    new: tuple[SchoolId, ...]
    first_day: date
    last_day: date
    goes_on: tuple[SchoolId, ...]
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Proposals:
    """What a file suggests, and how many of its lines suggest nothing, and why.

    Attributes:
        skipped: numbers of lines.
    """

    proposals: tuple[Proposal, ...]
    skipped: Mapping[Skipped, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Transition:
    line: int
    old: str
    new: str
    day: date
    is_whole: bool


def read_transitions(content: bytes, *, registry: Registry, state: State, today: date) -> Proposals:
    """Return what a file of transitions suggests for the schools of the registry.

    Args:
        content: UTF-8 or, failing that, Latin-1; separated by commas or semicolons.
        state: of the schools that are meant: a test school may have a real one's BRIN.

    Raises:
        DocumentProblem: no such file: its columns are others.
    """
    skipped: dict[Skipped, list[int]] = {}
    schools = _by_brin(each for each in registry.schools.values() if each.state is state)
    seen: set[tuple[str, str, date]] = set()
    edges: dict[date, list[tuple[_Transition, School, School]]] = {}
    for line, row in _rows(content):
        found = _sort_out(_read_row(line, row), seen, today=today)
        if isinstance(found, Skipped):
            skipped.setdefault(found, []).append(line)
            continue
        sides = [schools.get(found.old, []), schools.get(found.new, [])]
        if not all(sides):
            ours = Skipped.ONE_SIDE_OURS if any(sides) else Skipped.NOT_OURS
            skipped.setdefault(ours, []).append(line)
        elif any(len(each) > 1 for each in sides):
            skipped.setdefault(Skipped.SEVERAL_LOCATIONS, []).append(line)
        elif sides[0][0] == sides[1][0]:
            skipped.setdefault(Skipped.KNOWN, []).append(line)
        else:
            edges.setdefault(found.day, []).append((found, sides[0][0], sides[1][0]))
    proposals = []
    for day in sorted(edges):
        for group in _components(edges[day]):
            proposal = _propose(group, registry=registry)
            lines = [transition.line for transition, _, _ in group]
            if proposal is None:
                skipped.setdefault(Skipped.MANY_TO_MANY, []).extend(lines)
            elif _is_known(proposal, registry):
                skipped.setdefault(Skipped.KNOWN, []).extend(lines)
            else:
                proposals.append(proposal)
    return Proposals(tuple(proposals), {why: tuple(lines) for why, lines in skipped.items()})


def _rows(content: bytes) -> Iterator[tuple[int, Mapping[str, str | None]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    head = text.partition("\n")[0]
    separator = ";" if head.count(";") > head.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, restkey="")
    names = [(each or "").strip().upper() for each in reader.fieldnames or ()]
    reader.fieldnames = names
    for name in NEEDED_COLUMNS:
        if names.count(name) != 1:
            raise DocumentProblem(
                name,
                "is no column of this file, or stands there twice.",
                "Take OVERGANGEN_<date>.csv out of the published zip, with its line of names.",
            )
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise DocumentProblem(
            f"line {reader.line_num}", f"cannot be read: {error}.", "Take the published file."
        ) from None


def _read_row(line: int, row: Mapping[str, str | None]) -> _Transition | Skipped:
    if "" in row or None in row.values():
        return Skipped.MALFORMED
    fields = {name: (value or "").strip() for name, value in row.items()}
    old, new = fields["NR_ADMIN_VAN"].upper(), fields["NR_ADMIN_NAAR"].upper()
    for each in (old, new):
        if not is_brin(each):
            return Skipped.NO_SCHOOLS if _BOARD_NUMBER.match(each) else Skipped.MALFORMED
    try:
        day = datetime.strptime(fields["DT_OVERGANG"], "%d-%m-%Y").date()  # noqa: DTZ007 -- a day
    except ValueError:
        return Skipped.MALFORMED
    if fields.get("CODE_STAND_RECORD", "").upper() == "H":
        return Skipped.SUPERSEDED
    return _Transition(line, old, new, day, fields.get("IND_VOLLEDIG", "").upper() != "N")


def _sort_out(
    found: _Transition | Skipped, seen: set[tuple[str, str, date]], *, today: date
) -> _Transition | Skipped:
    if isinstance(found, Skipped):
        return found
    key = (found.old, found.new, found.day)
    if key in seen:
        return Skipped.TWICE
    seen.add(key)
    return Skipped.PAST if _last_day(found.day) < today else found


def _last_day(first_day: date) -> date:
    """Return the end of the first whole school year: by then everybody has logged in."""
    year = school_year_of(first_day)
    begins_with_it = (first_day.month, first_day.day) == (8, 1)
    return date(year + (1 if begins_with_it else 2), 7, 31)


def _by_brin(schools: Iterable[School]) -> dict[str, list[School]]:
    """Return the schools that a BRIN names: a location's own, and its institution's."""
    found: dict[str, list[School]] = {}
    for school in schools:
        for brin in filter(None, (school.brin, school.branch)):
            found.setdefault(brin, []).append(school)
    return found


def _components(
    edges: Sequence[tuple[_Transition, School, School]],
) -> Iterator[list[tuple[_Transition, School, School]]]:
    """Yield the lines of one day that share schools, together."""
    left = list(edges)
    while left:
        group = [left.pop(0)]
        ids = {group[0][1].id, group[0][2].id}
        grown = True
        while grown:
            joined = [each for each in left if not ids.isdisjoint((each[1].id, each[2].id))]
            left = [each for each in left if each not in joined]
            group += joined
            ids |= {school.id for _, old, new in joined for school in (old, new)}
            grown = bool(joined)
        yield sorted(group, key=lambda each: each[0].line)


def _propose(
    group: Sequence[tuple[_Transition, School, School]], *, registry: Registry
) -> Proposal | None:
    old = tuple(dict.fromkeys(each.id for _, each, _ in group))
    new = tuple(dict.fromkeys(each.id for _, _, each in group))
    goes_on: tuple[SchoolId, ...] = tuple(each for each in old if each in new)
    if len(old) == 1 and not all(transition.is_whole for transition, _, _ in group):
        kind, new = RelationKind.SPLIT, tuple(dict.fromkeys((*old, *new)))
        goes_on = old
    elif len(old) == 1:
        kind = RelationKind.SPLIT if len(new) > 1 else RelationKind.RENUMBER
    elif len(new) == 1:
        kind = RelationKind.MERGE
    else:
        return None
    if kind is not RelationKind.SPLIT and new[0] not in old and _has_a_life(registry, new[0]):
        # It was there before: its own pupils' agreements count too, so nothing widens for them.
        kind, old, goes_on = RelationKind.MERGE, (*old, new[0]), new
    first_day = group[0][0].day
    return Proposal(
        id=f"{kind}-{first_day:%Y%m%d}-{new[-1]}"[:64].rstrip("-"),
        kind=kind,
        old=old,
        new=new,
        first_day=first_day,
        last_day=_last_day(first_day),
        goes_on=goes_on,
        lines=tuple(transition.line for transition, _, _ in group),
    )


def _has_a_life(registry: Registry, school: SchoolId) -> bool:
    """Tell whether a school has agreements of its own already."""
    return any((school, supplier) in registry.school_agreements for supplier in registry.suppliers)


def _is_known(proposal: Proposal, registry: Registry) -> bool:
    return any(
        {*each.old, *each.new} == {*proposal.old, *proposal.new}
        and each.first_day == proposal.first_day
        for school in proposal.new
        for each in registry.relations_into.get(school, ())
    )


def write_proposal(proposal: Proposal, *, file: str) -> str:
    """Return a proposed document, with what somebody must decide.

    Args:
        file: name of the file that suggests it.
    """
    lines = ", ".join(map(str, proposal.lines))
    schools = ", ".join(f'"{each}"' for each in proposal.old)
    successors = ", ".join(f'"{each}"' for each in proposal.new)
    goes_on = (
        f"# Taken to go on under its own id: {', '.join(proposal.goes_on)}.\n"
        if proposal.goes_on
        else ""
    )
    return (
        f"# Proposed from {file}, line {lines}. Read it, rehearse it, then apply it.\n"
        f"{goes_on}"
        "# Pupil numbers are taken to be new: see numbers in config/README.md.\n"
        f'id = "{proposal.id}"\n'
        f'kind = "{proposal.kind}"\n'
        f"old = [{schools}]\n"
        f"new = [{successors}]\n"
        f"from = {proposal.first_day}\n"
        f"until = {proposal.last_day}\n"
    )
