"""Addresses of the pages of service sheets, and what their forms carry."""

from starlette.requests import Request

from broker.domain.console_roles import Permission
from broker.flow.console.actors import may
from broker.flow.sheets.sheet_desk import DraftView, FormBasis
from broker.web.console.doors import Seat
from broker.web.console.sheet_forms import Values
from broker.web.console.sheet_pages import SheetPlace
from broker.web.wiring import Web

SHEETS = "/console/sheets"
MAX_DIGITS = 9
PAGE_ROWS = 50
MAX_QUERY_CHARS = 100


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


def read_query(request: Request) -> str:
    """Return what is searched for, or ""."""
    return request.query_params.get("q", "")[:MAX_QUERY_CHARS].strip()


def read_first(request: Request, *, total: int) -> int:
    """Return from which row on a list is shown; 0 of what is no row of it."""
    first = read_number(request.query_params.get("from", ""))
    return first if first < total else 0


def read_number(text: str) -> int:
    """Return a number of an address; 0 of what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else 0


def _read_count(values: Values, name: str) -> int:
    text = values.get(name, ("",))[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else -1
