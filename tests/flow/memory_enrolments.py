"""An `EnrolmentBook` in memory, whose look-ups count and fail as all ports do."""

from datetime import date

from broker.flow.enrolment.enrolments import FeedChange, StoredEnrolment, StoredFeed
from broker.flow.persons.register import RegisterUnavailable
from tests.flow.port_fakes import Faults


class MemoryEnrolments:
    """Keeps the port's contract."""

    def __init__(self, faults: Faults | None = None) -> None:
        self._faults = faults or Faults()
        self.rows: dict[bytes, tuple[bytes, bytes]] = {}
        self.persons: dict[bytes, set[bytes]] = {}
        self.feeds: dict[bytes, tuple[int, date]] = {}

    async def find(self, tag: bytes) -> StoredEnrolment | None:
        self._faults.before("enrolments.find", RegisterUnavailable)
        if tag not in self.rows:
            return None
        of, sealed = self.rows[tag]
        return StoredEnrolment(sealed, self.feeds[of][1])

    async def read_feed(self, of: bytes) -> StoredFeed:
        self._faults.before("enrolments.read_feed", RegisterUnavailable)
        version = self.feeds.get(of, (0, None))[0]
        return StoredFeed(
            version, {tag: sealed for tag, (whose, sealed) in self.rows.items() if whose == of}
        )

    async def replace(self, change: FeedChange) -> bool:
        self._faults.before("enrolments.replace", RegisterUnavailable)
        version = self.feeds.get(change.of, (0, None))[0]
        if version != change.replaces:
            return False
        self.rows |= {tag: (change.of, sealed) for tag, sealed in change.put}
        for tag in change.remove:
            del self.rows[tag]
        for tag in (*(each for each, _ in change.put), *change.remove):
            self.persons.pop(tag, None)
        for tag, person in change.persons:
            self.persons.setdefault(tag, set()).add(person)
        self.feeds[change.of] = (version + 1, change.sent_on)
        self._faults.after(RegisterUnavailable)
        return True
