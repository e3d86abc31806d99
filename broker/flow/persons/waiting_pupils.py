"""Who waited today at which school, as one worker remembers: an impatient class counts once.

Whoever waits presses "try again", and once many waited nobody new comes in that day
(`arrival_budgets`). So a pupil counts once a day, on each worker that meets the pupil. Nothing of
it rests anywhere: a worker holds keyed hashes in memory, under a key that it makes up for the day.
One that restarts counts again, and so does one that remembers very many: too many are counted, and
never too few.
"""

from collections.abc import Callable
from datetime import date
from hashlib import blake2b

from broker.domain.ids import SchoolId
from broker.pseudonyms.derivation import PersonRoot

KEY_BYTES, MARK_BYTES = 32, 16
MOST_REMEMBERED = 100_000
"""Some 10 MB."""


class WaitingPupils:
    """The marks of one worker and one day."""

    def __init__(self) -> None:
        self._day, self._key = date.min, b""
        self._marks: set[bytes] = set()

    def mark_of(
        self,
        root: PersonRoot,
        *,
        school: SchoolId,
        today: date,
        random: Callable[[int], bytes],
    ) -> bytes:
        """Return by what a pupil who waits is remembered today; another day forgets everybody."""
        if today != self._day:
            self._day, self._key, self._marks = today, random(KEY_BYTES), set()
        return blake2b(root + school.encode(), key=self._key, digest_size=MARK_BYTES).digest()

    def remembers(self, mark: bytes) -> bool:
        """Tell whether this pupil was counted already."""
        return mark in self._marks

    def remember(self, mark: bytes) -> None:
        """Note that this pupil was counted."""
        if len(self._marks) < MOST_REMEMBERED:
            self._marks.add(mark)
