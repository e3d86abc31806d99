"""Who may still hold ECK iDs: what was ever approved counts, until deletion is confirmed."""

from datetime import date
from typing import Any

from broker.domain.attributes import ECK_ID
from broker.domain.documents import AgreementDocument, SupplierDocument
from broker.domain.federation import State
from broker.domain.takeover import TakeoverState
from broker.flow.takeover.takeover_report import HeldKeys, find_held_keys
from broker.flow.takeover.takeovers import StoredTakeover
from tests.builders import TODAY, a_takeover
from tests.flow.login_parties import every_party, registry_of

FROM, LATER, UNTIL = date(2025, 8, 1), date(2025, 9, 1), date(2026, 7, 31)


def agreed(**changes: Any) -> AgreementDocument:
    stated = {
        "school": "vuurvogel",
        "supplier": "rekenrijk",
        "version": 1,
        "from_day": FROM,
        "until": UNTIL,
        "approved": ("givenName", str(ECK_ID)),
    }
    return AgreementDocument(**{**stated, **changes})


def a_supplier_document(**changes: Any) -> SupplierDocument:
    stated = {"id": "rekenrijk", "legal_name": "R", "state": State.TEST, "eck_id_entitled": True}
    return SupplierDocument(**{**stated, **changes})


def held(
    *agreements: AgreementDocument,
    suppliers: tuple[SupplierDocument, ...] = (a_supplier_document(),),
    takeovers: tuple[StoredTakeover, ...] = (),
) -> list[HeldKeys]:
    registry = registry_of(every_party())
    return find_held_keys(agreements, suppliers, takeovers, registry=registry, today=TODAY)


def test_what_was_ever_approved_counts_from_its_first_day() -> None:
    (found,) = held(
        agreed(version=2, from_day=LATER), agreed(), agreed(version=3, approved=("givenName",))
    )
    assert (found.school, found.supplier, found.since) == ("vuurvogel", "rekenrijk", FROM)
    assert (found.state, found.asked, found.may_hold) == (None, 0, True)


def test_who_was_entitled_once_may_still_hold_them() -> None:
    now_not = a_supplier_document(eck_id_entitled=False)
    assert held(agreed(), suppliers=(now_not, a_supplier_document()))
    assert held(agreed(), suppliers=(now_not,)) == []


def test_what_let_nothing_out_does_not_count() -> None:
    assert held(agreed(until=None), agreed(approved=("givenName",))) == []
    assert held(agreed(from_day=date(2026, 8, 1))) == []


def test_what_a_board_approved_counts_for_each_of_its_schools() -> None:
    found = held(agreed(school=None, board="stichting-regenboog"))
    assert [each.school for each in found] == ["regenboog"]


def test_a_take_over_says_how_far_it_is_and_what_was_deleted() -> None:
    takeover = StoredTakeover(
        a_takeover(TakeoverState.ON), asked=12, deleted_on=date(2026, 3, 1), steps=()
    )
    (found,) = held(agreed(), takeovers=(takeover,))
    assert (found.state, found.asked, found.may_hold) == (TakeoverState.ON, 12, False)


def test_who_asked_has_them_whatever_was_approved() -> None:
    asked = StoredTakeover(a_takeover(), asked=1, deleted_on=None, steps=())
    (found,) = held(takeovers=(asked,))
    assert (found.since, found.asked) == (None, 1)
    assert held(takeovers=(StoredTakeover(a_takeover(), asked=0, deleted_on=None, steps=()),)) == []
