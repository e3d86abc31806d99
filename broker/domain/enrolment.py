"""A school's list of who is there: checked line by line, and as a whole. Pure.

A login of Google or Entra ID sends a `sub` and a mail address, and nothing by which suppliers'
accounts could be found. The school's own list says whose login that is: ECK iD or number, role,
branch, groups. Mail changes hands, so it identifies nobody by itself: the list vouches for it, as
of the day on which it was sent.

A line that cannot be used refuses the whole list. It is told by its number and a reason, never by
a value.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from broker.domain.attributes import AFFILIATION, BRANCH_ID, UNIT, AttributeName, Population
from broker.domain.identifiers import MAX_VALUE_CHARACTERS, is_text
from broker.domain.identity import Identity, check_person_stated
from broker.domain.ids import BRIN6_CHARS, Brin, is_brin
from broker.domain.refusals import Refusal, WhoseTask

COLUMNS = ("login", "eck_id", "number", "role", "branch", "groups", "until", "protected")
"""Of the list, in any order; `login` is required."""

MAX_GROUPS = 50
BRIN4_CHARS = 4
GROUP_SEPARATOR = "|"
MAX_PROBLEMS = 100
"""Lines that are told; the rest is counted."""

_ROLES: Mapping[str, Population] = {
    "": Population.PUPIL,
    "pupil": Population.PUPIL,
    "staff": Population.STAFF,
}
_YES_OR_NO: Mapping[str, bool] = {"": False, "no": False, "yes": True}
_STATED_ROLES: Mapping[Population, str] = {
    Population.PUPIL: "student",
    Population.STAFF: "employee",
}


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One line as it was sent: its number in the list, and its fields by column."""

    number: int
    fields: Mapping[str, str] = field(repr=False)

    def read(self, column: str) -> str:
        """Return a field, "" when the list has no such column."""
        return self.fields.get(column, "")


@dataclass(frozen=True, slots=True)
class OwnBrins:
    """Of which institutions a school may list locations: its own, and those that it goes on for.

    Attributes:
        branch: the school's own BRIN6, when it is one location.
    """

    brins: frozenset[Brin]
    branch: Brin | None = None


@dataclass(frozen=True, slots=True)
class LineProblem:
    """Why a line cannot be used; holds no value."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """What a checked line says. Made by `read_list` only; nothing of it shows in a repr.

    Attributes:
        login: the value of the login's `login_identifier`, exact.
        eck_id: the ECK iD's URI, None when not stated, and for staff.
        number: the school's own pupil or staff number, exact.
        branch: BRIN6 of the location.
        until: last day at this school.
        protected: this pupil's move needs both schools.
    """

    login: str = field(repr=False)
    population: Population
    eck_id: str | None = field(repr=False)
    number: str | None = field(repr=False)
    branch: str | None = field(repr=False)
    groups: tuple[str, ...] = field(repr=False)
    until: date | None = field(repr=False)
    protected: bool = field(repr=False)


class FeedRefused(Refusal):
    """Lines that cannot be used.

    Attributes:
        problems: of the first lines; `count` is that of all.
    """

    code = "E-ENROLMENT-2"
    whose_task = WhoseTask.SCHOOL
    what = "The school's list has lines that cannot be used, so nothing of it was taken over."
    remedy = "The school must correct those lines and send the whole list again."

    def __init__(self, check: str = "", *, problems: Iterable[LineProblem] = ()) -> None:
        super().__init__(check)
        found = sorted(problems, key=lambda each: each.line)
        self.problems, self.count = tuple(found[:MAX_PROBLEMS]), len(found)


def check_login_stated(line: FeedLine, _: OwnBrins) -> str | None:
    """Exact as the login sends it: nothing is trimmed, since that could merge two people."""
    stated = line.read("login")
    if not any(each.isalnum() for each in stated):
        return "login is empty"
    return "login has blanks around it" if stated != stated.strip() else None


def check_values_bounded(line: FeedLine, _: OwnBrins) -> str | None:
    """No value is longer than a login could send, or other than text."""
    for column in COLUMNS:
        if len(line.read(column)) > MAX_VALUE_CHARACTERS:
            return f"{column} is too long"
        if not is_text(line.read(column)):
            return f"{column} holds what is no text"
    return None


def check_role_known(line: FeedLine, _: OwnBrins) -> str | None:
    """Pupil when nothing is stated."""
    return None if line.read("role") in _ROLES else "role is neither pupil nor staff"


def check_person_named(line: FeedLine, _: OwnBrins) -> str | None:
    """Staff by their number, pupils by ECK iD, number or both."""
    number = line.read("number")
    if number != number.strip():
        return "number has blanks around it"
    if number and not any(each.isalnum() for each in number):
        return "number is no number"
    if _ROLES.get(line.read("role")) is Population.STAFF:
        return None if number else "number is empty, and staff are known by their number"
    return None if number or line.read("eck_id") else "eck_id and number are both empty"


def check_branch_own(line: FeedLine, own: OwnBrins) -> str | None:
    """A location of this school: nobody is listed at somebody else's."""
    branch = line.read("branch")
    if not branch:
        return None
    if not is_brin(branch) or len(branch) != BRIN6_CHARS:
        return "branch is no BRIN6, like 11AA00"
    if Brin(branch[:BRIN4_CHARS]) not in own.brins or own.branch not in (None, branch):
        return "branch belongs to another school"
    return None


def check_groups_bounded(line: FeedLine, _: OwnBrins) -> str | None:
    """A pupil is in a handful of groups."""
    groups = line.read("groups").split(GROUP_SEPARATOR)
    return f"groups are more than {MAX_GROUPS}" if len(groups) > MAX_GROUPS else None


def check_until_is_a_day(line: FeedLine, _: OwnBrins) -> str | None:
    """ISO 8601, as 2027-07-31."""
    stated = line.read("until")
    try:
        date.fromisoformat(stated or "2027-07-31")
    except ValueError:
        return "until is no day, like 2027-07-31"
    return None


def check_protected_is_yes_or_no(line: FeedLine, _: OwnBrins) -> str | None:
    """`yes`, `no` or empty, which is no."""
    return None if line.read("protected") in _YES_OR_NO else "protected is neither yes nor no"


LINE_CHECKS: tuple[Callable[[FeedLine, OwnBrins], str | None], ...] = (
    check_values_bounded,
    check_login_stated,
    check_role_known,
    check_person_named,
    check_branch_own,
    check_groups_bounded,
    check_until_is_a_day,
    check_protected_is_yes_or_no,
)
"""Each returns the reason why a line cannot be used. The ECK iD's form is checked where it is
turned into a root."""


def read_list(
    lines: Iterable[FeedLine], *, own: OwnBrins
) -> Iterator[tuple[int, ListedPerson] | LineProblem]:
    """Yield for each line the person with the line's number, or what is wrong with it.

    Somebody who stands there twice, by login, ECK iD or number, is a problem of the second line:
    two logins of one person, or two persons of one number, are not told apart.

    Line by line: a list of a large school takes seconds, in which others log in.
    """
    seen: dict[tuple[str, str], int] = {}
    for line in lines:
        reason = find_problem(line, own=own)
        if reason is None:
            person = _listed(line)
            reason = _stated_twice(person, line.number, seen)
            if reason is None:
                yield line.number, person
                continue
        yield LineProblem(line.number, reason)


def find_problem(line: FeedLine, *, own: OwnBrins) -> str | None:
    """Return why a line cannot be used, or None."""
    return next(filter(None, (check(line, own) for check in LINE_CHECKS)), None)


def _stated_twice(
    person: ListedPerson, number: int, seen: dict[tuple[str, str], int]
) -> str | None:
    keys = {
        "login": ("login", person.login),
        "eck_id": ("eck_id", person.eck_id or ""),
        "number": (f"number of {person.population}", person.number or ""),
    }
    for column, key in keys.items():
        first = seen.setdefault(key, number) if key[1] else number
        if first != number:
            return f"{column} stands in line {first} as well"
    return None


def _listed(line: FeedLine) -> ListedPerson:
    population = _ROLES[line.read("role")]
    until = line.read("until")
    groups = (each.strip() for each in line.read("groups").split(GROUP_SEPARATOR))
    return ListedPerson(
        login=line.read("login"),
        population=population,
        eck_id=None if population is Population.STAFF else line.read("eck_id") or None,
        number=line.read("number") or None,
        branch=line.read("branch") or None,
        groups=tuple(dict.fromkeys(filter(None, groups))),
        until=date.fromisoformat(until) if until else None,
        protected=_YES_OR_NO[line.read("protected")],
    )


def attributes_of(
    population: Population, *, branch: str | None, groups: tuple[str, ...]
) -> Iterator[tuple[AttributeName, tuple[str, ...]]]:
    """Yield what a list states of a person, as attributes that the school stated."""
    yield AFFILIATION, (_STATED_ROLES[population],)
    if branch is not None:
        yield BRANCH_ID, (branch,)
    if groups:
        yield UNIT, groups


def fill_in(
    identity: Identity,
    *,
    population: Population | None,
    attributes: Mapping[AttributeName, tuple[str, ...]],
    name: str = "",
) -> Identity:
    """Return an identity with what its school's list states and its login does not.

    Args:
        population: as listed; None when nothing is listed, and then the login must name somebody.
        attributes: as listed; what the login states goes before.
        name: the attribute that is missing when nobody is named.

    Raises:
        PersonNotStated: nobody is named.
    """
    if population is None:
        check_person_stated(identity.population, identity.identifier, identity.eck_id, name)
        return identity
    return replace(
        identity,
        population=population,
        # A teacher's ECK iD hangs on school and mail address, whoever says that this is one.
        eck_id=None if population is Population.STAFF else identity.eck_id,
        attributes={**attributes, **identity.attributes},
    )
