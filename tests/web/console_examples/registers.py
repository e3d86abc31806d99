"""Registers: which one, a full one, an empty one, and one that only a file holds whole."""

from broker.web.console.register_pages import RegisterPage, RegistersPage
from broker.web.pages import Page

KINDS = (
    ("/console/registers/processing", "Record of processing activities"),
    ("/console/registers/adoption", "Logins with ECK iD"),
)

EXAMPLES: dict[str, Page] = {
    "registers of a school and a supplier": RegistersPage(
        schools=(("vuurvogel", "De Vuurvogel"),),
        suppliers=(("rekenrijk", "RekenRijk"),),
        finds=False,
        kinds=KINDS,
        of_supplier=KINDS[:1],
        of_all=(),
    ),
    "registers of the federation": RegistersPage(
        schools=(), suppliers=(), finds=True, kinds=KINDS, of_supplier=KINDS[:1], of_all=KINDS[1:]
    ),
    "registers of nobody": RegistersPage(
        schools=(), suppliers=(), finds=False, kinds=(), of_supplier=(), of_all=()
    ),
    "register": RegisterPage(
        title="Record of processing activities",
        place="De Vuurvogel",
        notes=("Controller: the board stichting-vuurvogel.",),
        heads=("Supplier", "Purposes", "Of pupils", "Countries", "State"),
        rows=(("RekenRijk B.V.", "Practising sums", "first name", "the Netherlands", "in force"),),
        first=51,
        last=51,
        total=51,
        previous_url="/console/registers/processing?school=vuurvogel&first=1",
        csv_url="/console/registers/processing.csv?school=vuurvogel",
        pdf_url="/console/registers/processing.pdf?school=vuurvogel",
    ),
    "register with nothing": RegisterPage(
        title="What ends soon",
        place="De Vuurvogel",
        notes=("Within 60 days.",),
        heads=("What", "Of whom", "Last day"),
        rows=(),
        first=0,
        last=0,
        total=0,
        csv_url="/console/registers/ending.csv?school=vuurvogel",
        pdf_url="",
    ),
}
