"""The table of config/ERROR-CODES.md: `python -m tests.quality.refusal_table` prints it."""

import re
from collections.abc import Iterable

from broker.domain.refusals import Refusal, every_refusal
from tests.quality.sources import broker_modules

ROW = re.compile(r"^\| `(E-[A-Z]+-[0-9]+)` \| (.*?) \| (.*?) \|$", re.M)
HEAD = "| Code | What happened | Whose task |\n|---|---|---|"


def refusal_rows(refusals: Iterable[type[Refusal]]) -> dict[str, tuple[str, str]]:
    """Return code -> what happened and whose task, in the order of the table."""
    ordered = sorted(refusals, key=_by_family_and_number)
    return {each.code: (_in_cell(each.what), each.whose_task.value) for each in ordered}


def read_table(markdown: str) -> dict[str, tuple[str, str]]:
    """Return the rows of the table in a page, as `refusal_rows` has them."""
    return {code: (what, task) for code, what, task in ROW.findall(markdown)}


def _in_cell(text: str) -> str:
    return text.replace("{subject}", "...").replace("|", "\\|")


def _by_family_and_number(refusal: type[Refusal]) -> tuple[str, int]:
    family, _, number = refusal.code.rpartition("-")
    return family, int(number)


if __name__ == "__main__":
    broker_modules()
    print(HEAD)  # noqa: T201
    for code, (what, task) in refusal_rows(every_refusal()).items():
        print(f"| `{code}` | {what} | {task} |")  # noqa: T201
