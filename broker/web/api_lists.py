"""Where schools' programs send lists of who is there: how often, and one at a time."""

from asyncio import Semaphore
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from broker.domain.ids import SchoolId
from broker.flow.enrolment.enrolment_feed import EnrolmentDesk, FeedOvertaken
from broker.flow.programs.quotas import QuotaLedger


@dataclass(frozen=True, slots=True)
class ApiLists:
    """Where schools' programs send lists of who is there, and how often.

    A list of the largest size takes some hundred megabytes while it is worked on, so one is in
    work at a time, and a school that is sending one cannot send another beside it.

    Attributes:
        turn: whose list is in work, in this worker.
        sending: schools of which one is arriving or in work, in this worker.
    """

    desk: EnrolmentDesk
    quotas: QuotaLedger
    lists_a_day: int
    turn: Semaphore = field(default_factory=lambda: Semaphore(1), repr=False)
    sending: set[SchoolId] = field(default_factory=set, repr=False)

    @contextmanager
    def one_of(self, school: SchoolId) -> Iterator[None]:
        """Hold that a school sends one list at a time.

        Raises:
            FeedOvertaken: another one is arriving or in work.
        """
        if school in self.sending:
            raise FeedOvertaken("check_one_list_at_a_time")
        self.sending.add(school)
        try:
            yield
        finally:
            self.sending.discard(school)
