"""`TransferOffers` in memory: the port's contract, without a database."""

from datetime import date, timedelta

from broker.domain.transfer_refusals import TransfersUnavailable
from broker.flow.transfers.transfer_offers import OfferStage, StoredOffer


class MemoryOffers:
    """Keeps the contract; `down` makes everything fail."""

    def __init__(self) -> None:
        self.rows: dict[bytes, StoredOffer] = {}
        self.down = False

    def find(self, tag: bytes) -> StoredOffer | None:
        self._check()
        return self.rows.get(tag)

    def add(self, offer: StoredOffer, *, today: date) -> bool:
        self._check()
        for tag, row in list(self.rows.items()):
            is_persons = row.person_tag == offer.person_tag
            is_over = row.stage is OfferStage.OFFERED and row.last_day < today
            if row.last_day < today - timedelta(days=365) or (
                is_persons and (row.stage is OfferStage.PREPARED or is_over)
            ):
                del self.rows[tag]
        if any(each.person_tag == offer.person_tag for each in self.rows.values()):
            return False
        self.rows[offer.tag] = offer
        return True

    def change(self, before: StoredOffer, after: StoredOffer) -> bool:
        self._check()
        if self.rows.get(before.tag) != before:
            return False
        self.rows[before.tag] = after
        return True

    def _check(self) -> None:
        if self.down:
            raise TransfersUnavailable("check_transfers_readable")
