"""The demo's start page: scenarios to click, and what one should see, in Dutch and English."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.keys.keys_on_disk import KeysUnusable
from broker.demo import pages
from broker.demo.actions import ACTIONS, FOLLOW_SECONDS, PRESS, DemoAction, Stage
from broker.demo.addresses import Addresses, Party
from broker.demo.console_users import CONSOLE_USERS
from broker.demo.pages import choose_language
from broker.demo.putting_back import put_back
from broker.demo.school_form import KNOWN_PERSON_COOKIE
from broker.demo.start_groups import ACTION_GROUPS, SCENARIO_GROUPS, CardGroup
from broker.demo.start_parties import PARTIES
from broker.demo.start_scenarios import SCENARIOS, NothingToDo, StartScenario, Text
from broker.demo.takeover_actions import say_step
from broker.domain.refusals import Refusal
from broker.web.texts import Language, load_texts

INTRODUCTION = Text(
    "Je logt in op school en komt aan bij lesmateriaal als een pseudoniem dat alleen die"
    " leverancier kent. Hieronder kun je dat zien gebeuren, ook als er iets misgaat. Alle scholen,"
    " leveranciers en mensen zijn verzonnen.",
    "You log in at school and arrive at learning material as a pseudonym that only that supplier"
    " knows. See it happen below, also when something goes wrong. All schools, suppliers and people"
    " are made up.",
)
TITLE = Text("Welkom in de demowereld", "Welcome to the demo world")
WORDS: Mapping[str, Text] = {
    "on_this_page": Text("Op deze pagina", "On this page"),
    "button": Text("Begin", "Start"),
    "see": Text("Je ziet:", "You should see:"),
    "who": Text("Wie doet er mee?", "Who takes part?"),
    "scenarios": Text("Log in en kijk", "Log in and look"),
    "changes": Text("Verander iets en kijk", "Change something and look"),
    "changes_lead": Text(
        "Deze knoppen doen wat een beheerder zou doen, terwijl alles draait. Het kan enkele"
        " seconden duren.",
        "These buttons do what an operator would do, while everything runs. It can take some"
        " seconds.",
    ),
    "done": Text("Gedaan:", "Done:"),
    "not_done": Text("Niet gedaan:", "Not done:"),
    "open": Text("Naar", "Go to"),
    "unchanged": Text(
        "Er is nog niets veranderd: de wereld is zoals bij het begin.",
        "Nothing is changed yet: the world is as it was at the start.",
    ),
    "changed": Text("Dit is veranderd sinds het begin:", "This was changed since the start:"),
    "console": Text("Werk in het beheer", "Work in the console"),
    "console_lead": Text(
        "Scholen en leveranciers beslissen zelf. Eén klik logt je in als een van hen.",
        "Schools and suppliers decide themselves. One click logs you in as one of them.",
    ),
    "put_back": Text("Zet alles terug", "Put everything back"),
    "put_back_lead": Text(
        "Scholen, leveranciers en afspraken worden weer als bij het begin, en niemand heeft nog"
        " ergens ingelogd of gewerkt. In deze browser ben je overal uitgelogd.",
        "Schools, suppliers and agreements are as at the start again, and nobody has logged in or"
        " worked anywhere yet. In this browser you are logged out everywhere.",
    ),
    "is_back": Text("Alles staat weer zoals bij het begin.", "All is as at the start again."),
    "hint": Text(
        "Wil je als een ander beginnen? Gebruik een privévenster. Alles opnieuw? Zet hieronder"
        " alles terug.",
        "To begin as somebody else, use a private window. All anew? Put everything back, below.",
    ),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a button."""

    text: Text
    is_done: bool


@dataclass(slots=True)
class Journal:
    """What the buttons did since the world was as at its start.

    Attributes:
        last: by action, what came of it the last time.
        changes: what was done, oldest first: the action and what it said.
        is_back: everything was just put back.
    """

    last: dict[str, Outcome] = field(default_factory=dict)
    changes: list[tuple[DemoAction, Text]] = field(default_factory=list)
    is_back: bool = False

    def note(self, action: DemoAction, outcome: Outcome) -> None:
        self.last[action.id] = outcome
        self.is_back = False
        if outcome.is_done:
            self.changes.append((action, outcome.text))


def start_app(
    addresses: Addresses,
    stage: Stage | None = None,
    *,
    forget_work: Callable[[], None] = lambda: None,
) -> Starlette:
    """Return the start page as an ASGI application.

    Args:
        stage: what actions change; without it none are shown.
        forget_work: lets the suppliers have the accounts of the start.
    """
    actions = {} if stage is None else {each.id: each for each in ACTIONS}
    journals = [Journal()]
    users = {each.person: each for each in CONSOLE_USERS}

    async def act(request: Request) -> Response:
        """Run an action; the page then shows what came of it. Other sites cannot press buttons."""
        action = actions.get(request.path_params["action"])
        if action is None or stage is None or not is_from_here(request):
            return Response(status_code=404)
        journals[-1].note(action, await run_action(action, stage))
        return back_to(request, action.id)

    async def put_all_back(request: Request) -> Response:
        """Put the world back as it was at its start."""
        if stage is None or not is_from_here(request):
            return Response(status_code=404)
        await put_back(stage, follow_seconds=FOLLOW_SECONDS)
        forget_work()
        journals[-1] = Journal(is_back=True)
        answer = back_to(request, "changes")
        # Sessions too, at suppliers and at the broker: browsers drop cookies of all our ports.
        answer.headers["Clear-Site-Data"] = '"cookies"'
        return answer

    async def open_console(request: Request) -> Response:
        """Log somebody in to the console by one click: the login is told who is about to come."""
        user = users.get(request.path_params["person"])
        if user is None:
            return Response(status_code=404)
        answer = RedirectResponse(user.sign_in_address(addresses[Party.BROKER]), status_code=303)
        answer.set_cookie(KNOWN_PERSON_COOKIE, user.person, httponly=True, samesite="lax")
        return answer

    async def home(request: Request) -> Response:
        language = choose_language(request)
        page = pages.render_page(
            "start.html",
            party="Schuilnaam",
            kind="start",
            lang=language,
            title=TITLE.in_language(language),
            introduction=INTRODUCTION.in_language(language),
            words={name: text.in_language(language) for name, text in WORDS.items()},
            scenario_groups=describe_groups(
                SCENARIO_GROUPS,
                {each.id: describe_scenario(each, addresses, language) for each in SCENARIOS},
                language,
            ),
            action_groups=describe_groups(
                ACTION_GROUPS if actions else (),
                {
                    each.id: describe_action(
                        each, journals[-1].last.get(each.id), addresses, language
                    )
                    for each in actions.values()
                },
                language,
            ),
            changes=[
                {"id": action.id, "text": text.in_language(language)}
                for action, text in journals[-1].changes
            ],
            is_back=journals[-1].is_back,
            console_users=[
                {
                    "id": each.person,
                    "title": each.title.in_language(language),
                    "does": each.does.in_language(language),
                }
                for each in CONSOLE_USERS
            ],
            parties=[
                {"name": name, "url": addresses[party], "role": role.in_language(language)}
                for party, name, role in PARTIES
            ],
        )
        if request.query_params.get("lang") == language:
            page.set_cookie(pages.LANGUAGE_COOKIE, language, httponly=True, samesite="lax")
        return page

    return Starlette(
        routes=[
            Route("/", home),
            Route("/actions/{action}", act, methods=["POST"]),
            Route("/put-back", put_all_back, methods=["POST"]),
            Route("/console/{person}", open_console),
            pages.STATIC,
        ]
    )


def is_from_here(request: Request) -> bool:
    """Tell whether the start page itself sent the form, as far as the browser says."""
    return request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


def back_to(request: Request, anchor: str) -> Response:
    """Lead back to the page, in the language in which the button was pressed."""
    return RedirectResponse(f"/?lang={choose_language(request)}#{anchor}", status_code=303)


async def run_action(action: DemoAction, stage: Stage) -> Outcome:
    """Run an action and return what came of it: what it says, or why it was refused."""
    try:
        return Outcome(await action.run(stage), is_done=True)
    except Refusal as refusal:
        return Outcome(_word(refusal), is_done=False)
    except NothingToDo as found:
        return Outcome(found.why, is_done=False)
    except KeyProblem as found:
        return Outcome(_word_of_key(found), is_done=False)
    except KeysUnusable as found:
        return Outcome(_word_of_key(found.problems[0]), is_done=False)


def _word_of_key(found: KeyProblem) -> Text:
    """Return what is wrong with a key; the commands' own words are English alone."""
    place = f"{found.file.parent.name}/{found.file.name}"
    return Text(
        f"De sleutel {place} van de demo is niet te gebruiken. Start de demo opnieuw: dan zijn er"
        " nieuwe sleutels.",
        f"The demo's key {place} cannot be used: it {found.problem}. Start the demo anew, which"
        " makes new keys.",
    )


def _word(refusal: Refusal) -> Text:
    texts = load_texts()

    subject = say_step(refusal.subject)

    def say(language: Language) -> str:
        what, remedy = (texts[language].gettext(each) for each in (refusal.what, refusal.remedy))
        return f"{what.format(subject=subject.in_language(language))} {remedy} ({refusal.code})"

    return Text(say(Language.NL), say(Language.EN))


def describe_groups(
    groups: Sequence[CardGroup], cards: Mapping[str, dict[str, Any]], language: str
) -> list[dict[str, Any]]:
    """Return what the page shows of groups and the cards in them."""
    return [
        {
            "id": each.id,
            "title": each.title.in_language(language),
            "lead": each.lead.in_language(language),
            "cards": [cards[card] for card in each.cards],
            "is_open": any(cards[card].get("outcome") for card in each.cards),
        }
        for each in groups
    ]


def describe_scenario(
    scenario: StartScenario, addresses: Addresses, language: str
) -> dict[str, Any]:
    """Return what the page shows of a scenario."""
    return {
        "id": scenario.id,
        "title": scenario.title.in_language(language),
        "start": find_beginning(scenario, addresses),
        "steps": [step.in_language(language) for step in scenario.steps],
        "see": scenario.see.in_language(language),
        "then": scenario.then and f"{addresses[scenario.then]}/",
        "place": scenario.then and _name_of(scenario.then),
    }


def _name_of(party: Party) -> str:
    return next(name for each, name, _ in PARTIES if each is party)


def find_beginning(scenario: StartScenario, addresses: Addresses) -> str:
    """Return the address that the button of a card opens: a supplier's, a tile's or a page."""
    begins_at = addresses[scenario.begins_at]
    if scenario.page:
        return f"{begins_at}{scenario.page}"
    if scenario.tile is None:
        return f"{begins_at}/login"
    school, page = scenario.tile
    query = urlencode({"rp": scenario.begins_at, "school": school, "target": begins_at + page})
    return f"{addresses[Party.BROKER]}/start?{query}"


def describe_action(
    action: DemoAction, outcome: Outcome | None, addresses: Addresses, language: str
) -> dict[str, Any]:
    """Return what the page shows of an action."""
    return {
        "id": action.id,
        "title": action.title.in_language(language),
        "button": action.what.in_language(language),
        "start": f"{addresses[action.begins_at]}/",
        "place": _name_of(action.begins_at),
        "steps": [(step is PRESS, step.in_language(language)) for step in action.steps],
        "see": action.see.in_language(language),
        "outcome": outcome
        and {
            "text": outcome.text.in_language(language),
            "is_done": outcome.is_done,
        },
    }
