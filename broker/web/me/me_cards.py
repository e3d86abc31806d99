"""From what a flow found to what the page of `/me` shows."""

from collections.abc import Iterator, Sequence
from datetime import date
from urllib.parse import urlencode

from broker.domain.ids import SupplierId
from broker.domain.registry import Registry
from broker.flow.me.me_views import Decision, OwnYear
from broker.flow.me.shares import DecisionRef, SupplierShare
from broker.flow.parents.parent_codes import StoredLetter
from broker.web.me.me_pages import (
    ChangeRow,
    DayRow,
    DecisionLink,
    DecisionPage,
    LetterRow,
    MePage,
    RequestRow,
    SupplierCard,
    YearLink,
)

DECISION, ASK = "/me/decision", "/me/ask"


def page_of(
    found: OwnYear,
    *,
    registry: Registry,
    csrf: str,
    requests: tuple[RequestRow, ...] = (),
    letters: Sequence[StoredLetter] = (),
) -> MePage:
    """Return the page of one school year, with what the person asked of the school, and letters
    that parents got."""
    visit = found.visit
    return MePage(
        csrf=csrf,
        school=visit.school.id,
        school_name=visit.school.name,
        first_name=visit.session.first_name,
        is_parent=visit.session.visitor == "parent",
        minutes=-(-visit.seconds_left // 60),
        year=found.year,
        years=tuple(YearLink(year=each, is_here=each == found.year) for each in found.years),
        cards=tuple(
            _card_of(each, registry=registry, id_=f"supplier-{index}")
            for index, each in enumerate(found.shares, 1)
        ),
        unreadable=found.unreadable,
        requests=requests,
        letters=tuple(
            LetterRow(
                issued_on=each.issued_on,
                uses=each.uses,
                used_on=each.used_on,
                withdrawn=each.withdrawn,
            )
            for each in letters
        ),
    )


def decision_page_of(decision: Decision, *, registry: Registry, csrf: str) -> DecisionPage:
    """Return the page of what a decision said."""
    document, supplier = decision.document, decision.supplier
    declared = () if supplier is None else supplier.attributes
    purposes = {str(each.name): each.purpose for each in declared}
    return DecisionPage(
        csrf=csrf,
        school_name=decision.school.name,
        supplier_name=name_supplier(registry, SupplierId(document.supplier)),
        version=document.version,
        first_day=document.from_day,
        last_day=document.until,
        approved=tuple((each, purposes.get(each, "")) for each in sorted(document.approved)),
        by_board=document.school is None,
    )


def name_supplier(registry: Registry, supplier: SupplierId) -> str:
    """Return how people know a supplier; its id once it is not there any more."""
    found = registry.suppliers.get(supplier)
    return str(supplier) if found is None else found.display_name


def _card_of(share: SupplierShare, *, registry: Registry, id_: str) -> SupplierCard:
    return SupplierCard(
        id=id_,
        name=name_supplier(registry, share.supplier),
        shared=share.names,
        kept=share.kept,
        count=share.count,
        last=share.last,
        days=tuple(
            DayRow(day=each.day, times=tuple(f"{at:%H:%M}" for at in each.times))
            for each in share.days
        ),
        changes=tuple(
            ChangeRow(day=each.day, more=each.more, less=each.less) for each in share.changes
        ),
        pseudonyms=share.pseudonyms,
        decisions=tuple(_decisions_of(share)),
        without_name=share.without_name,
        ask_url=f"{ASK}?{urlencode({'supplier': share.supplier})}",
    )


def _decisions_of(share: SupplierShare) -> Iterator[DecisionLink]:
    seen: set[DecisionRef] = set()
    for each in share.days:
        for ref in each.decisions:
            if ref in seen:
                continue
            seen.add(ref)
            for school, version in _parts_of(ref):
                yield DecisionLink(
                    url=_url(school, share.supplier, version, each.day), version=version
                )


def _parts_of(ref: DecisionRef) -> list[tuple[str, int]]:
    """Return what one can read: of a decision that was carried, those that it was made of."""
    carried = [(str(each.school), each.version) for each in ref.carried_from]
    return carried or [(str(ref.school), ref.version)]


def _url(school: str, supplier: SupplierId, version: int, day: date) -> str:
    query = {"school": school, "supplier": supplier, "version": version, "day": day}
    return f"{DECISION}?{urlencode(query)}"
