"""The first page of the console."""

from broker.web.console.home_pages import HomePage, ShownRole, WaitingLine
from broker.web.pages import Page

EXAMPLES: dict[str, Page] = {
    "home": HomePage(
        roles=(
            ShownRole(words="school administrator", place_name="De Vuurvogel"),
            ShownRole(words="ICT partner", place_name="Het Kompas", last_day="2026-12-31"),
        ),
        waiting=(WaitingLine(words="Requests to answer", path="/console/requests", count=2),),
    ),
    "home without a role": HomePage(roles=()),
}
