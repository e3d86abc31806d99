"""Addresses of the pages of service sheets, and what their forms carry."""

from broker.domain.console_roles import Permission
from broker.flow.console.actors import may
from broker.flow.sheets.sheet_desk import DraftView, FormBasis
from broker.web.console.doors import Seat
from broker.web.console.sheet_forms import Values
from broker.web.console.sheet_pages import SheetPlace
from broker.web.wiring import Web

SHEETS = "/console/sheets"
MAX_DIGITS = 9


def sheet_url(supplier: str) -> str:
    """Return the first page of a supplier's sheet."""
    return f"{SHEETS}/{supplier}"


def find_place(web: Web, seat: Seat, view: DraftView) -> SheetPlace:
    """Return what a page of a supplier's sheet carries."""
    supplier, registry = view.supplier.id, web.snapshots.registry
    return SheetPlace(
        url=sheet_url(supplier),
        supplier_name=view.supplier.display_name,
        version=view.in_force.version,
        revision=view.revision,
        based_on=view.based_on,
        may_edit=may(seat.actor, Permission.EDIT_SHEET, supplier=supplier, registry=registry),
    )


def read_basis(values: Values) -> FormBasis:
    """Return what a form was based on; of what is no number, something that nothing is."""
    return FormBasis(
        revision=_read_count(values, "revision"), based_on=_read_count(values, "based_on")
    )


def _read_count(values: Values, name: str) -> int:
    text = values.get(name, ("",))[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else -1
