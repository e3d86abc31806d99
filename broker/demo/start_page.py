"""The demo's start page: scenarios to click, and what one should see, in Dutch and English."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from broker.adapters.keys.key_files import KeyProblem
from broker.demo import pages
from broker.demo.actions import ACTIONS, PRESS, DemoAction, Stage
from broker.demo.addresses import Addresses, Party
from broker.demo.start_scenarios import SCENARIOS, Text
from broker.domain.refusals import Refusal

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
CHANGES = Text("Wat er verandert", "What changes")
CHANGES_INTRODUCTION = Text(
    "Deze knoppen doen wat een beheerder zou doen, terwijl alles draait. Het kan enkele seconden"
    " duren.",
    "These buttons do what an operator would do, while everything runs. It can take some seconds.",
)
DONE = Text("Gedaan:", "Done:")
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
        Party.LEERPLEIN,
        "Het Leerplein",
        Text(
            "nieuwe inlog van De Vuurvogel, als die overstapt (OpenID Connect)",
            "new login of De Vuurvogel, once it switches (OpenID Connect)",
        ),
    ),
    (
        Party.KOMPAS,
        "Het Kompas",
        Text("middelbare school (OpenID Connect)", "secondary school (OpenID Connect)"),
    ),
    (Party.BROKER, "Schuilnaam", Text("brengt ze bij elkaar", "brings them together")),
)


def start_app(addresses: Addresses, stage: Stage | None = None) -> Starlette:
    """Return the start page as an ASGI application.

    Args:
        stage: what actions change; without it none are shown.
    """
    actions = {} if stage is None else {each.id: each for each in ACTIONS}
    done: dict[str, Text] = {}

    async def act(request: Request) -> Response:
        """Run an action; the page then shows what came of it. Other sites cannot press buttons."""
        action = actions.get(request.path_params["action"])
        from_here = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
        if action is None or stage is None or not from_here:
            return Response(status_code=404)
        done[action.id] = await run_action(action, stage)
        language = choose_language(request)
        return RedirectResponse(f"/?lang={language}#{action.id}", status_code=303)

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
            changes=CHANGES.in_language(language),
            changes_introduction=CHANGES_INTRODUCTION.in_language(language),
            done=DONE.in_language(language),
            actions=[
                describe_action(each, done.get(each.id), addresses, language)
                for each in actions.values()
            ],
            parties=[
                {"name": name, "url": addresses[party], "role": role.in_language(language)}
                for party, name, role in PARTIES
            ],
        )

    return Starlette(
        routes=[
            Route("/", home),
            Route("/actions/{action}", act, methods=["POST"]),
            pages.STATIC,
        ]
    )


async def run_action(action: DemoAction, stage: Stage) -> Text:
    """Run an action and return what came of it: what it says, or why it was refused."""
    try:
        return await action.run(stage)
    except Refusal as refusal:
        what = refusal.what.format(subject=refusal.subject)
        said = f"{refusal.code}: {what} {refusal.remedy}"
    except KeyProblem as found:
        said = f"{found.problem}: {found.remedy}."
    return Text(said, said)


def describe_action(
    action: DemoAction, done: Text | None, addresses: Addresses, language: str
) -> dict[str, Any]:
    """Return what the page shows of an action."""
    return {
        "id": action.id,
        "title": action.title.in_language(language),
        "button": action.what.in_language(language),
        "start": f"{addresses[action.begins_at]}/",
        "steps": [(step is PRESS, step.in_language(language)) for step in action.steps],
        "see": action.see.in_language(language),
        "done": None if done is None else done.in_language(language),
    }


def choose_language(request: Request) -> str:
    """Return `en` when the page or the browser asks for it, else `nl`."""
    asked = request.query_params.get("lang")
    if asked in {"nl", "en"}:
        return asked
    preferred = request.headers.get("accept-language", "nl").lower()
    dutch, english = preferred.find("nl"), preferred.find("en")
    return "en" if english >= 0 and (dutch < 0 or english < dutch) else "nl"
