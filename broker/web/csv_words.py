"""Words for what is wrong with a line of an uploaded table."""

from collections.abc import Mapping
from types import MappingProxyType

from broker.domain.csv_reading import CsvReason
from broker.web.texts import N_

CSV_WORDS: Mapping[str, str] = MappingProxyType(
    {
        CsvReason.COLUMN_MISSING: N_("The column {column} is missing."),
        CsvReason.COLUMN_TWICE: N_("The column {column} stands here twice."),
        CsvReason.FIELDS_DIFFER: N_("This line has another number of columns than the headings."),
        CsvReason.FIELD_TOO_LONG: N_("The value in the column {column} is too long."),
    }
)
"""Message ids by reason; who reads a table puts theirs beside it. `{column}`: our name of it."""
