"""A list of identifiers that a school exported from both systems: read, looked up, never kept.

A CSV in UTF-8, separated by `;`, `,` or tabs, with a line of names first. Each further line is one
person, as each of the two logins would state them: `from_number`, `from_eck_id`, `from_sub`,
`from_profile_id`, `from_real_id`, and the same with `to_`; besides `role` (`student` when absent)
and `brin`. Any other column is refused: names and PGNs have no business in the list.
What is wrong is told by line and kind, and a value is never repeated.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from broker.domain.attributes import (
    AFFILIATION,
    ECK_ID,
    UID,
    AttributeName,
    Population,
    fold_ascii,
    is_never_released,
)
from broker.domain.federation import School, SchoolIdp
from broker.domain.identifiers import MAX_VALUE_CHARACTERS, read_single
from broker.domain.identity import read_population
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.flow.persons.person_records import Presented
from broker.flow.persons.persons import present_roots
from broker.flow.switching.rehearsal import (
    Counts,
    Finding,
    Foreseen,
    Oracle,
    compare,
    find_shared_accounts,
)
from broker.flow.switching.switch_refusals import ListUnusable
from broker.pseudonyms.derivation import PersonRoot, RootKey

MAX_LIST_BYTES = 32 * 1024 * 1024
MAX_LIST_LINES = 100_000  # the largest board has some ten thousands
MAX_LINES_TOLD = 20

ATTRIBUTES: Mapping[str, AttributeName] = MappingProxyType(
    {
        "number": AttributeName("employeeNumber"),
        "eck_id": ECK_ID,
        "sub": UID,
        "profile_id": AttributeName("nlEduPersonProfileId"),
        "real_id": AttributeName("nlEduPersonRealId"),
    }
)
"""Name of a column, without `from_` or `to_` -> what a login states."""

SIDES = ("from", "to")
COLUMNS = (*(f"{side}_{each}" for side in SIDES for each in ATTRIBUTES), "role", "brin")

_STUDENT = "student"

Stated = Mapping[AttributeName, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ListLine:
    """One person as both logins would state them.

    Attributes:
        number: of the line in the file, from 1; that of the names is 1.
    """

    number: int
    before: Stated = field(repr=False)
    after: Stated = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListReport:
    """What a list showed.

    Attributes:
        lines: of each finding but `same`, the numbers of its lines.
    """

    counts: Counts
    lines: Mapping[Finding, Sequence[int]]


def read_list(content: bytes, *, school: School, idps: Sequence[SchoolIdp]) -> list[ListLine]:
    """Return the persons of a list.

    Args:
        idps: the old and the new login.

    Raises:
        ListUnusable: too large, no such list, or with lines that cannot be read; nothing of it
            counts then.
    """
    if len(content) > MAX_LIST_BYTES:
        raise ListUnusable("check_list_size", subject="it is too large")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ListUnusable("check_list_encoding", subject="it is no UTF-8") from None
    names, _, _ = text.partition("\n")
    separator = max(";,\t", key=names.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        columns = [each.strip() for each in next(rows, [])]
        check_columns(columns, idps=idps)
        lines = [(rows.line_num, row) for row in rows if row]
    except csv.Error:
        raise ListUnusable(
            "check_list_form", subject=name_lines([rows.line_num], "are no CSV")
        ) from None
    if not 0 < len(lines) <= MAX_LIST_LINES:
        raise ListUnusable("check_list_lines", subject="it has no lines, or too many")
    refuse_lines(
        "check_line_fields",
        "have more or fewer fields than the first",
        (number for number, row in lines if len(row) != len(columns)),
    )
    persons = [(number, dict(zip(columns, row, strict=True))) for number, row in lines]
    refuse_lines(
        "check_line_of_school",
        "are of another school (brin)",
        (number for number, each in persons if not _is_of(school, each.get("brin", ""))),
    )
    return [
        ListLine(number, _stated(each, "from"), _stated(each, "to")) for number, each in persons
    ]


def check_columns(columns: Sequence[str], *, idps: Sequence[SchoolIdp]) -> None:
    """Hold that the list has what both logins identify by, and nothing that it should not have.

    Raises:
        ListUnusable: names no column but ours, for a stranger's could hold a value.
    """
    if any(map(is_never_released, columns)):
        raise ListUnusable("check_no_pgn", subject="it has a column of PGNs: throw it away")
    if len(set(columns)) != len(columns) or not set(columns) <= set(COLUMNS):
        raise ListUnusable(
            "check_columns_known", subject="it has a column twice, or an unknown one"
        )
    by_attribute = {name: column for column, name in ATTRIBUTES.items()}
    for side, idp in zip(SIDES, idps, strict=True):
        column = f"{side}_{by_attribute.get(idp.identifier, idp.identifier)}"
        if not {column, f"{side}_eck_id"} & set(columns):
            raise ListUnusable("check_columns_needed", subject=f"it lacks the column {column}")


def refuse_lines(check: str, what: str, numbers: Iterable[int]) -> None:
    """Refuse a list by the numbers of its lines, if there are any.

    Raises:
        ListUnusable
    """
    found = list(numbers)
    if found:
        raise ListUnusable(check, subject=name_lines(found, what))


def name_lines(numbers: Sequence[int], what: str) -> str:
    """Return which lines something is said of, by their numbers; never what they hold.

    >>> name_lines([3, 8], "are of another school")
    'lines 3, 8 are of another school'
    """
    told = ", ".join(map(str, numbers[:MAX_LINES_TOLD]))
    left = len(numbers) - MAX_LINES_TOLD
    return f"lines {told}{f' and {left} more' if left > 0 else ''} {what}"


def _is_of(school: School, brin: str) -> bool:
    return brin.strip().upper() in {"", school.brin, school.branch}


def _stated(fields: Mapping[str, str], side: str) -> Stated:
    """Return what a login would state; nothing is trimmed but what is empty is absent."""
    named = {
        name: (fields[f"{side}_{column}"],)
        for column, name in ATTRIBUTES.items()
        if fields.get(f"{side}_{column}")
    }
    role = fields.get("role") or _STUDENT
    return {**named, AFFILIATION: (fold_ascii(role),)}


def present_listed(
    stated: Stated, *, idp: SchoolIdp, school: SchoolId, key: RootKey
) -> Presented | None:
    """Return whom a login would present by these values; None when it would be refused.

    A list is no login, so what comes of it opens nothing.
    """
    if any(len(each) > MAX_VALUE_CHARACTERS for values in stated.values() for each in values):
        return None
    try:
        population = read_population(stated)
        number = read_single(stated, idp.identifier)
        eck_id = None if population is Population.STAFF else read_single(stated, ECK_ID)
        if eck_id is None and (population is None or number is None):
            return None
        return present_roots(school, population=population, number=number, eck_id=eck_id, key=key)
    except Refusal:
        return None


@dataclass(frozen=True, slots=True)
class _Person:
    number: int
    before: Foreseen | None
    after: Foreseen | None
    finding: Finding


async def look_at_list(
    lines: Iterable[ListLine],
    *,
    idps: Sequence[SchoolIdp],
    oracle: Oracle,
    key: RootKey,
) -> ListReport:
    """Return what becomes of the persons of a list.

    Args:
        lines: shown with their progress by whoever hands them on.
        idps: the old and the new login.

    Raises:
        ListUnusable: the same person stands there twice.
        RegisterUnavailable: the register cannot be read.
    """
    people = []
    for line in lines:
        sides = []
        for idp, stated in zip(idps, (line.before, line.after), strict=True):
            presented = present_listed(stated, idp=idp, school=oracle.school, key=key)
            sides.append(None if presented is None else await oracle.foresee(presented))
        before, after = sides
        people.append(_Person(line.number, before, after, compare(before, after)))
    refuse_lines("check_person_listed_once", "name a person who stands before", _twice(people))
    pairs = (
        (each.before.account, each.after.account)
        for each in people
        if each.before is not None and each.after is not None
    )
    shared = find_shared_accounts(pairs)
    findings = [(each.number, _final(each, shared)) for each in people]
    lines_of: dict[Finding, list[int]] = {}
    for number, finding in findings:
        if finding is not Finding.SAME:
            lines_of.setdefault(finding, []).append(number)
    return ListReport(Counter(finding for _, finding in findings), lines_of)


def _twice(people: Sequence[_Person]) -> Iterator[int]:
    seen: set[bytes] = set()
    for each in people:
        if each.before is not None:
            if each.before.account in seen:
                yield each.number
            seen.add(each.before.account)


def _final(person: _Person, shared: set[PersonRoot]) -> Finding:
    after = person.after
    return Finding.ACCOUNT_OF_TWO if after and after.account in shared else person.finding
