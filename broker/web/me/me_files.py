"""What somebody saves of what was shared: everything, for programs."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from broker.domain.ids import SupplierId
from broker.domain.registry import Registry
from broker.flow.me.me_views import Visit
from broker.flow.me.own_receipts import OpenedReceipt, OwnReceipts
from broker.web.me.me_cards import name_supplier

FORMAT = "schuilnaam/own-receipts/1"


def write_json(
    visit: Visit, years: Sequence[OwnReceipts], *, registry: Registry, at: datetime
) -> bytes:
    """Return the receipts as JSON, oldest first. Names of attributes, never a value."""
    return msgspec.json.format(
        msgspec.json.encode(
            {
                "format": FORMAT,
                "made_at": at.isoformat(timespec="seconds"),
                "school": {"id": visit.school.id, "name": visit.school.name},
                "unreadable": sum(each.unreadable for each in years),
                "receipts": [
                    _told(each, registry=registry) for year in years for each in year.receipts
                ],
            }
        ),
        indent=2,
    )


def _told(receipt: OpenedReceipt, *, registry: Registry) -> dict[str, object]:
    content = receipt.content
    return {
        "at": receipt.at.isoformat(timespec="minutes"),
        "school": content.school,
        "supplier": content.supplier,
        "supplier_name": name_supplier(registry, SupplierId(content.supplier)),
        "system": content.relying_party,
        "decision": content.agreement_version,
        "carried_from": [
            {"school": each.school, "decision": each.version} for each in content.carried_from
        ],
        "pseudonym": receipt.pseudonym,
        "previous_pseudonym": receipt.previous,
        "shared": content.released,
        "not_shared": {each.name: each.reason for each in content.withheld},
    }
