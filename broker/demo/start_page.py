"""The demo's start page: scenarios to click, and what one should see, in Dutch and English."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.demo import pages
from broker.demo.addresses import Addresses, Party
from broker.demo.start_scenarios import SCENARIOS, Text

INTRODUCTION = Text(
    "Je logt in op school en komt aan bij lesmateriaal als een pseudoniem dat alleen die"
    " leverancier kent. Hieronder kun je dat zien gebeuren, ook als er iets misgaat. Alle scholen,"
    " leveranciers en mensen zijn verzonnen.",
    "You log in at school and arrive at learning material as a pseudonym that only that supplier"
    " knows. See it happen below, also when something goes wrong. All schools, suppliers and people"
    " are made up.",
)
TITLE = Text("Welkom in de demowereld", "Welcome to the demo world")
BUTTON = Text("Begin", "Start")
SEE = Text("Je ziet:", "You should see:")
WHO = Text("Wie doet er mee?", "Who takes part?")
HINT = Text(
    "Wil je bij een scenario als nieuw beginnen? Gebruik een privévenster.",
    "To begin a scenario as somebody new, use a private window.",
)

PARTIES: tuple[tuple[Party, str, Text], ...] = (
    (Party.REKENRIJK, "RekenRijk", Text("rekenen (OpenID Connect)", "maths (OpenID Connect)")),
    (Party.TAALTUIN, "Taaltuin", Text("taal (SAML)", "language (SAML)")),
    (Party.BIOSFEER_OIDC, "Biosfeer", Text("natuur (OpenID Connect)", "nature (OpenID Connect)")),
    (Party.BIOSFEER_SAML, "Biosfeer", Text("hetzelfde, via SAML", "the same, by SAML")),
    (Party.VUURVOGEL, "De Vuurvogel", Text("basisschool (SAML)", "primary school (SAML)")),
    (Party.REGENBOOG, "De Regenboog", Text("basisschool (SAML)", "primary school (SAML)")),
    (
        Party.KOMPAS,
        "Het Kompas",
        Text("middelbare school (OpenID Connect)", "secondary school (OpenID Connect)"),
    ),
    (Party.BROKER, "Schuilnaam", Text("brengt ze bij elkaar", "brings them together")),
)


def start_app(addresses: Addresses) -> Starlette:
    """Return the start page as an ASGI application."""

    async def home(request: Request) -> Response:
        language = choose_language(request)
        return pages.render_page(
            "start.html",
            party="Schuilnaam",
            kind="start",
            lang=language,
            title=TITLE.in_language(language),
            introduction=INTRODUCTION.in_language(language),
            hint=HINT.in_language(language),
            button=BUTTON.in_language(language),
            see=SEE.in_language(language),
            who=WHO.in_language(language),
            scenarios=[
                {
                    "id": each.id,
                    "title": each.title.in_language(language),
                    "start": f"{addresses[each.begins_at]}/login",
                    "steps": [step.in_language(language) for step in each.steps],
                    "see": each.see.in_language(language),
                }
                for each in SCENARIOS
            ],
            parties=[
                {"name": name, "url": addresses[party], "role": role.in_language(language)}
                for party, name, role in PARTIES
            ],
        )

    return Starlette(routes=[Route("/", home), pages.STATIC])


def choose_language(request: Request) -> str:
    """Return `en` when the page or the browser asks for it, else `nl`."""
    asked = request.query_params.get("lang")
    if asked in {"nl", "en"}:
        return asked
    preferred = request.headers.get("accept-language", "nl").lower()
    dutch, english = preferred.find("nl"), preferred.find("en")
    return "en" if english >= 0 and (dutch < 0 or english < dutch) else "nl"
