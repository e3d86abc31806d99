"""What keys/README says of keys that rotate is what the code does."""

import re
from datetime import timedelta

from broker.adapters.keys.keys_on_disk import KEY_FOLDERS
from broker.adapters.keys.schedule_on_disk import SCHEDULE_FILE
from broker.flow.key_plans.key_purposes import ROTATING
from tests.quality.readme import code_of
from tests.quality.sources import ROOT

PAGE = (ROOT / "keys" / "README.md").read_text()


def rows(first_column: str) -> dict[str, list[str]]:
    (found,) = re.findall(rf"^\| {first_column} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.M)
    cells = [[each.strip() for each in line.strip("|").split("|")] for line in found.splitlines()]
    return {code_of(first)[0]: rest for first, *rest in cells}


def in_words(length: timedelta) -> str:
    """Return a length of time as the table writes it.

    >>> in_words(timedelta(hours=1, minutes=15)), in_words(timedelta(days=7))
    ('1 hour 15 minutes', '7 days')
    """
    minutes = int(length / timedelta(minutes=1))
    counts = {"day": minutes // 1440, "hour": minutes // 60 % 24, "minute": minutes % 60}
    return " ".join(
        f"{count} {unit}{'' if count == 1 else 's'}" for unit, count in counts.items() if count
    )


def test_times_are_those_of_the_code() -> None:
    told = {purpose: (lead, overlap) for purpose, (lead, _, overlap) in rows("Purpose").items()}
    assert told == {
        each.name: (in_words(each.lead), in_words(each.overlap)) for each in ROTATING.values()
    }


def test_every_folder_is_told() -> None:
    told = [each.partition("/")[0] for each in rows("Folder")]
    assert set(told) == {*KEY_FOLDERS, SCHEDULE_FILE}
    assert told[-len(ROTATING) - 1 :] == ["storage", "cookie", "token", "saml-signing",
                                          "saml-decryption", SCHEDULE_FILE]  # fmt: skip
