"""A list of pupils that somebody of a school uploads or pastes; it stays in memory alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from broker.domain.csv_reading import CsvColumn, CsvTooLarge, CsvUnreadable, read_table

MAX_LINES = 3000
"""At once; the largest schools have several lists of as many."""
MAX_BYTES = 512 * 1024
MAX_PASTED_CHARACTERS = 128

NUMBER = CsvColumn(
    "number",
    (
        *("leerlingnummer", "leerlingnr", "pupil number", "student number", "nummer"),
        *("stamnummer", "personeelsnummer", "employeeNumber"),
    ),
)
LOGIN = CsvColumn(
    "login", ("gebruikersnaam", "user name", "e-mail", "e-mailadres", "mail", "account", "uid")
)
PSEUDONYM = CsvColumn("pseudonym", ("schuilnaam", "geheime naam", "sub", "secret name"))


@dataclass(frozen=True, slots=True)
class ListedPupil:
    """One line of a list.

    Attributes:
        identifiers: by which the school may know this pupil: number, login, or both.
    """

    line: int
    identifiers: tuple[str, ...] = field(repr=False)

    @property
    def shown(self) -> str:
        """Return what the answer repeats, for whoever sent it to know the line by."""
        return self.identifiers[0]


def read_pupils(*, uploaded: bytes, pasted: str) -> tuple[ListedPupil, ...]:
    """Return the pupils of a list: of the file when there is one, else of the pasted lines.

    Raises:
        CsvTooLarge, CsvUnreadable, CsvFaulty: nothing is looked up.

    >>> [each.identifiers for each in read_pupils(uploaded=b"", pasted="1100417\\n\\n 1100418 ")]
    [('1100417',), ('1100418',)]
    """
    if not uploaded:
        return _of_lines(pasted)
    table = read_table(uploaded, columns=(NUMBER, LOGIN), max_rows=MAX_LINES, max_bytes=MAX_BYTES)
    rows = ((each.line, (each.read("number"), each.read("login"))) for each in table.rows)
    found = [ListedPupil(line, tuple(value for value in values if value)) for line, values in rows]
    return _some([each for each in found if each.identifiers])


def read_pseudonyms(pasted: str) -> tuple[str, ...]:
    """Return pasted pseudonyms, each once; whether they are any, who looks for them finds out.

    Raises:
        CsvTooLarge
    """
    lines = [each.strip() for each in pasted.splitlines() if each.strip()]
    if len(lines) > MAX_LINES:
        raise CsvTooLarge("check_lines_bounded")
    return tuple(dict.fromkeys(lines))


def _of_lines(pasted: str) -> tuple[ListedPupil, ...]:
    found = [
        ListedPupil(line, (each.strip(),))
        for line, each in enumerate(pasted.splitlines(), start=1)
        if each.strip()
    ]
    if any(len(each.shown) > MAX_PASTED_CHARACTERS for each in found):
        raise CsvUnreadable("check_lines_are_identifiers")
    return _some(found)


def _some(found: Sequence[ListedPupil]) -> tuple[ListedPupil, ...]:
    if not found:
        raise CsvUnreadable("check_list_has_lines")
    if len(found) > MAX_LINES:
        raise CsvTooLarge("check_lines_bounded")
    return tuple(found)
