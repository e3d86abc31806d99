"""Every stored column says what it holds and how it is kept from a thief."""

from sqlalchemy import MetaData

from tests.quality.sources import broker_modules

KEPT = ("plain: ", "keyed: ", "sealed: ")


def test_every_column_is_labelled() -> None:
    columns = [
        column
        for module in broker_modules()
        for found in vars(module).values()
        if isinstance(found, MetaData)
        for table in found.sorted_tables
        for column in table.columns
    ]
    assert columns
    unlabelled = {str(each) for each in columns if not (each.comment or "").startswith(KEPT)}
    assert unlabelled == set()
