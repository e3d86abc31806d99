"""What ends by itself in `continuity_machine`: lists of closed take-overs, transfers, counts.

Rows of persons have no end yet but erasure, which is a rule of `continuity_changes`.
"""

from contextlib import closing
from datetime import date, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from broker.adapters.databases.sql import open_sqlite
from broker.domain.ids import SchoolId
from broker.flow.takeover import takeover_lists
from tests.flow.continuity_known import PUPILS
from tests.flow.continuity_parties import HONEST, KOMPAS, REKENRIJK_ID, VUURVOGEL
from tests.flow.continuity_promises import must
from tests.flow.continuity_takeovers import SIGNER
from tests.flow.continuity_undo import ChangesAreUndone
from tests.flow.login_parties import REKENRIJK

TRANSFER_KEPT_DAYS, COUNTS_KEPT_DAYS = 365, 400
PUPIL = st.sampled_from(PUPILS)


class RecordsEnd(ChangesAreUndone):
    """Time passes, and what has an end is gone after it, and not before."""

    @rule(school=SIGNER, days=st.sampled_from((0, 61)))
    def lists_of_takeovers_end(self, school: SchoolId, days: int) -> None:
        self.sign_takeover(school)
        self.move_takeover(school, "prepare")
        self.list_pupils(school)
        self.world.wait(days=days)
        takeovers = self.world.sights[0].registry.takeovers.values()
        self.world.run(
            takeover_lists.forget_closed(self.world.takeover_lists, takeovers, today=self.today)
        )
        kept = {each.school for each in self.world.run(self.world.takeover_lists.counts())}
        for signer, signed in self.signed.items():
            if self.is_closed(signer):
                must(signer not in kept, "retention: a closed take-over has no list")
            elif signed.listed:
                must(signer in kept, "retention: a list is kept until its take-over ends")

    @rule(pupil=PUPIL, years=st.sampled_from((0, 1, 2)))
    def transfers_end(self, pupil: str, years: int) -> None:
        """The next offer takes away what is over for a year."""
        for of in (pupil, PUPILS[0]):
            for school in (VUURVOGEL, KOMPAS):
                self.honest_login(of, school, "eck id", REKENRIJK, 0)
            self.sector_transfer(of, REKENRIJK_ID, VUURVOGEL, KOMPAS, False)
            oldest = (self.today - timedelta(days=TRANSFER_KEPT_DAYS)).isoformat()
            rests = self._rows("SELECT min(last_day) FROM transfers")
            if self.transferred_on == self.today:
                must(str(rests) >= oldest, "retention: a transfer is over for a year")
            self.world.wait(days=366 * years)

    @rule(pupil=PUPIL, school=st.sampled_from(HONEST), days=st.sampled_from((200, 402)))
    def counts_end(self, pupil: str, school: SchoolId, days: int) -> None:
        """A new pupil's count takes away what is older than a year and a month."""
        self.honest_login(pupil, school, "both", REKENRIJK, 0)
        self.world.wait(days=days)
        self.honest_login(pupil, school, "both", REKENRIJK, 0)
        oldest, newest = (
            self._rows(f"SELECT {each}(day) FROM school_counts WHERE school = ?", school)
            for each in ("min", "max")
        )
        if oldest is not None and newest is not None:
            age = date.fromisoformat(newest) - date.fromisoformat(oldest)
            must(age.days <= COUNTS_KEPT_DAYS, "retention: counts are of a year and a month")

    def _rows(self, query: str, *values: str) -> str | None:
        with closing(open_sqlite(self.world.folder / "register.db")) as connection:
            (found,) = connection.execute(query, values).fetchone()
        return None if found is None else str(found)
