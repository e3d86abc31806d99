"""A list of pupils that a school uploads to see who could be recognised. In memory, and no longer.

The columns are attributes, by our names or by the headings of Dutch school administrations. Who
uploads has the list before him, so counts of it are exact; what is told are counts alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from broker.domain.attributes import (
    AFFILIATION,
    UNIT,
    VOCABULARY,
    AttributeName,
    Population,
    is_never_released,
)
from broker.domain.csv_reading import CsvColumn, read_table
from broker.domain.linkability import (
    Linkability,
    Matches,
    Shown,
    identifies,
    measure_linkability,
    measure_matches,
)
from broker.domain.refusals import Refusal, WhoseTask

MAX_PERSONS = 5_000  # the largest school has half of that at one location
MAX_LIST_BYTES = 2 * 2**20
GROUP_SEPARATOR = "|"
_STAFF = frozenset({"employee", "staff", "medewerker", "docent", "leraar", "leerkracht"})

_ALSO: Mapping[str, tuple[str, ...]] = {
    "givenName": ("roepnaam", "voornaam", "first name", "given_name"),
    "sn": ("achternaam", "familienaam", "surname", "last name", "family_name"),
    "nlEduPersonTussenvoegsels": ("tussenvoegsel", "tussenvoegsels", "voorvoegsel"),
    "initials": ("voorletters", "initialen"),
    "mail": ("email", "e-mailadres", "mailadres"),
    "eduPersonAffiliation": ("rol", "role", "functie"),
    "nlEduPersonHomeOrganizationBranchId": ("vestiging", "vestigingsnummer", "branch"),
    "nlEduPersonUnit": ("klas", "groep", "stamgroep", "stamklas", "lesgroep", "class", "group"),
    "birthDate": ("geboortedatum", "date of birth"),
    "eckId": ("eck_id", "ketenid"),
    "uid": ("gebruikersnaam", "inlognaam", "loginnaam", "username"),
    "employeeNumber": ("leerlingnummer", "leerlingnr", "stamnummer", "stamnr", "number"),
}
COLUMNS = tuple(
    CsvColumn(name, _ALSO.get(name, ()))
    for name, each in VOCABULARY.items()
    if not each.stated_by_us
)


class NumberOfTheLaw(Refusal):
    """A column that holds a PGN, by its heading."""

    code = "E-INSIGHT-1"
    whose_task = WhoseTask.SCHOOL
    what = "This file has a column with a citizen service number. We may not read that."
    remedy = "Take the column out of the file, and send it again. Nothing of the file was kept."


@dataclass(frozen=True, slots=True)
class ListedPupil:
    """One row: what a login of this person would state, as far as the list says.

    Attributes:
        index: of the row, so that nobody is two people.
    """

    index: int
    population: Population
    stated: Shown = field(repr=False)

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the classes of this person."""
        return self.stated.get(UNIT, ())


@dataclass(frozen=True, slots=True)
class ClassList:
    """An uploaded list.

    Attributes:
        columns: the attributes that it holds.
        left_out: how many columns are none.
    """

    columns: tuple[AttributeName, ...]
    pupils: tuple[ListedPupil, ...] = field(repr=False)
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class SupplierMeter:
    """What one supplier could tell apart of a list.

    Attributes:
        found: None when nobody of the list can log in there.
        persons: of the list, who can.
        not_listed: what the supplier gets and the list does not hold, so that it is not counted;
            what identifies by itself counts all the same.
    """

    persons: int
    found: Linkability | None
    not_listed: tuple[AttributeName, ...] = ()


Released = Callable[[Population, tuple[str, ...]], frozenset[AttributeName] | None]
"""What a supplier gets of a person of this role and these groups; None: nobody gets in."""


def read_class_list(body: bytes) -> ClassList:
    """Return an uploaded list.

    Raises:
        CsvUnreadable, CsvTooLarge, CsvFaulty: of `csv_reading`.
        NumberOfTheLaw: it holds what nobody may pass on.
    """
    table = read_table(body, columns=COLUMNS, max_rows=MAX_PERSONS, max_bytes=MAX_LIST_BYTES)
    if any(each.isascii() and is_never_released(each) for each in table.left_out):
        raise NumberOfTheLaw("check_no_number_of_the_law")
    columns = tuple(AttributeName(each) for each in table.columns)
    pupils = tuple(
        _pupil(index, {name: row.read(name) for name in columns if row.read(name).strip()})
        for index, row in enumerate(table.rows)
    )
    return ClassList(columns, pupils, len(table.left_out))


def measure_supplier(listed: ClassList, released: Released) -> SupplierMeter:
    """Return what one supplier could tell apart."""
    shown = [each for each in show_list(listed, released) if each is not None]
    reached = (released(each.population, each.groups) for each in listed.pupils)
    gets = frozenset().union(*(each for each in reached if each is not None))
    return SupplierMeter(
        persons=len(shown),
        found=measure_linkability(shown) if shown else None,
        not_listed=tuple(
            each for each in VOCABULARY if each in gets and each not in listed.columns
        ),
    )


def match_suppliers(listed: ClassList, first: Released, second: Released) -> Matches:
    """Return whom two suppliers could match, of those who can log in at both."""
    pairs = zip(show_list(listed, first), show_list(listed, second), strict=True)
    both = [(one, other) for one, other in pairs if one is not None and other is not None]
    return measure_matches([one for one, _ in both], [other for _, other in both])


def show_list(listed: ClassList, released: Released) -> Sequence[Shown | None]:
    """Return what a supplier gets of each on a list, as far as the list says; None: of nobody.

    An attribute that identifies by itself and is not listed has another value for each.
    """
    return [_shown(each, released(each.population, each.groups)) for each in listed.pupils]


def _shown(pupil: ListedPupil, names: frozenset[AttributeName] | None) -> Shown | None:
    if names is None:
        return None
    shown = {name: values for name, values in pupil.stated.items() if name in names}
    unlisted = (name for name in names if name not in shown and identifies(name))
    return {**shown, **dict.fromkeys(unlisted, (f"\x00{pupil.index}",))}


def _pupil(index: int, stated: Mapping[AttributeName, str]) -> ListedPupil:
    role = stated.get(AFFILIATION, "").strip().casefold()
    values = {
        name: tuple(filter(None, value.split(GROUP_SEPARATOR))) if name == UNIT else (value,)
        for name, value in stated.items()
    }
    return ListedPupil(index, Population.STAFF if role in _STAFF else Population.PUPIL, values)
