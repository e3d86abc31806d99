"""What operators do, as buttons of the start page: a change in force while the world runs.

Each action runs what the command of the same purpose runs, beside the running broker. To add one:
a function from `Stage` to what it did, in both languages, and a row of `ACTIONS`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from broker.demo import (
    relation_actions,
    rotation_actions,
    sector_actions,
    switch_actions,
    takeover_actions,
    transfer_actions,
)
from broker.demo.addresses import Addresses, Party
from broker.demo.start_scenarios import Text
from broker.settings import LoadedSettings

FOLLOW_SECONDS = 2
"""Within which a running broker follows a changed registry or keys folder."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The world that an action changes."""

    loaded: LoadedSettings
    addresses: Addresses


@dataclass(frozen=True, slots=True)
class DemoAction:
    """A card of the start page with a button that changes something.

    Attributes:
        id: anchor on the page, and last part of the button's address.
        begins_at: the supplier's system where one sees what came of it.
        what: what the button does.
        steps: what to click before and after; a step that is `PRESS` is the button's place.
        see: what one should see then.
        run: does it and says what was done; a refusal is shown as it is worded.
    """

    id: str
    begins_at: Party
    title: Text
    what: Text
    steps: tuple[Text, ...]
    see: Text
    run: Callable[[Stage], Awaitable[Text]]


PRESS = Text("Druk op de knop.", "Press the button.")


async def _rotate(stage: Stage) -> Text:
    return await rotation_actions.rotate_key(stage, follow_seconds=FOLLOW_SECONDS)


async def _turn_back(stage: Stage) -> Text:
    return await rotation_actions.turn_back(stage, follow_seconds=FOLLOW_SECONDS)


async def _close(stage: Stage) -> Text:
    return await rotation_actions.close_window(stage, follow_seconds=FOLLOW_SECONDS)


async def _merge(stage: Stage) -> Text:
    return await relation_actions.merge(stage, follow_seconds=FOLLOW_SECONDS)


async def _apart(stage: Stage) -> Text:
    return await relation_actions.apart(stage, follow_seconds=FOLLOW_SECONDS)


async def _prepare_takeover(stage: Stage) -> Text:
    return await takeover_actions.prepare_takeover(stage, follow_seconds=FOLLOW_SECONDS)


async def _take_over(stage: Stage) -> Text:
    return await takeover_actions.switch_on(stage, follow_seconds=FOLLOW_SECONDS)


async def _go_back(stage: Stage) -> Text:
    return await takeover_actions.go_back(stage, follow_seconds=FOLLOW_SECONDS)


async def _rehearse(stage: Stage) -> Text:
    return await switch_actions.rehearse(stage, follow_seconds=FOLLOW_SECONDS)


async def _switch_class(stage: Stage) -> Text:
    return await switch_actions.by_class(stage, follow_seconds=FOLLOW_SECONDS)


async def _switch_all(stage: Stage) -> Text:
    return await switch_actions.everybody(stage, follow_seconds=FOLLOW_SECONDS)


async def _switch_back(stage: Stage) -> Text:
    return await switch_actions.back(stage, follow_seconds=FOLLOW_SECONDS)


ACTIONS: tuple[DemoAction, ...] = (
    DemoAction(
        "rotate-key",
        Party.REKENRIJK,
        Text("De sleutel van deze leverancier vervangen", "Rotate this supplier's key"),
        Text("Vervang de sleutel van RekenRijk", "Rotate RekenRijk's key"),
        (rotation_actions.LOG_IN, PRESS, rotation_actions.AGAIN),
        Text(
            "Een ander pseudoniem, en previous_sub is dat van daarvoor: het werk van Sanne is er"
            " nog. Bij andere leveranciers verandert niets.",
            "Another pseudonym, and previous_sub is the one of before: Sanne's work is still there."
            " Nothing changes at other suppliers.",
        ),
        _rotate,
    ),
    DemoAction(
        "turn-back",
        Party.REKENRIJK,
        Text("De vervanging terugdraaien", "Turn the rotation back"),
        Text("Draai het terug", "Turn it back"),
        (PRESS, rotation_actions.AGAIN),
        Text(
            "Weer het eerste pseudoniem, nu met het tweede als previous_sub, en nog steeds al het"
            " werk.",
            "The first pseudonym again, now with the second as previous_sub, and still all the"
            " work.",
        ),
        _turn_back,
    ),
    DemoAction(
        "close-window",
        Party.REKENRIJK,
        Text("De vervanging afsluiten", "Close the rotation"),
        Text("Sluit het af", "Close it"),
        (PRESS, rotation_actions.AGAIN),
        Text(
            "Geen previous_sub meer. Wie tussendoor inlogde heeft al het werk; wie niet inlogde en"
            " niet in bulk is omgezet, begint opnieuw.",
            "No previous_sub any more. Who logged in meanwhile has all the work; who did not, and"
            " was not converted in bulk, starts anew.",
        ),
        _close,
    ),
    DemoAction(
        "pupil-moves",
        transfer_actions.BEGINS_AT,
        Text("Deze leerling verandert van school", "This pupil moves"),
        Text("Laat De Vuurvogel het bevestigen", "Let De Vuurvogel confirm it"),
        (transfer_actions.WORK_AT_OLD, transfer_actions.LOG_IN_AT_NEW, PRESS),
        Text(
            "Bij De Regenboog hetzelfde pseudoniem en de opgave van De Vuurvogel; alleen de school"
            " is een andere. Sanne kon meteen verder; de bevestiging maakt het definitief.",
            "At De Regenboog the same pseudonym and the exercise of De Vuurvogel; only the school"
            " is another. Sanne could go on at once; the confirmation settles it.",
        ),
        transfer_actions.confirm_move,
    ),
    DemoAction(
        "objection",
        transfer_actions.BEGINS_AT,
        Text("Een school meldt andermans leerling", "A school states somebody else's pupil"),
        Text("Laat De Vuurvogel bezwaar maken", "Let De Vuurvogel object"),
        (transfer_actions.WORK_AT_OLD, transfer_actions.LOG_IN_AT_NEW, PRESS),
        Text(
            "Wie nu als Sanne van De Regenboog inlogt, begint bij Biosfeer opnieuw, met een ander"
            " pseudoniem. Bij De Vuurvogel verandert er niets.",
            "Who logs in as Sanne of De Regenboog now starts anew at Biosfeer, with another"
            " pseudonym. At De Vuurvogel nothing changes.",
        ),
        transfer_actions.object_to_move,
    ),
    DemoAction(
        "protected-pupil",
        transfer_actions.BEGINS_AT,
        Text("Een beschermde leerling", "A protected pupil"),
        Text("Laat De Vuurvogel Sanne beschermen", "Let De Vuurvogel protect Sanne"),
        (transfer_actions.WORK_AT_OLD, PRESS, transfer_actions.LOG_IN_AT_NEW),
        Text(
            "Als Sanne nog niet eerder bij De Regenboog inlogde: een rustige bladzijde die zegt dat"
            " beide scholen het moeten zeggen, met een knop om bij de oude school in te loggen."
            " Daarna laat De Regenboog haar binnen.",
            "Unless Sanne logged in at De Regenboog before: a calm page that says that both schools"
            " must say so, with a button to log in at the old school. After that De Regenboog lets"
            " her in.",
        ),
        transfer_actions.protect_pupil,
    ),
    DemoAction(
        "other-sector",
        sector_actions.BEGINS_AT,
        Text("Naar de middelbare school", "On to secondary school"),
        Text("Laat het werk van Noor meegaan", "Let Noor's work go along"),
        (sector_actions.WORK_IN_PRIMARY, sector_actions.AT_NEW_SCHOOL, PRESS, sector_actions.AGAIN),
        Text(
            "Een ander pseudoniem dan op de basisschool, met dat van toen als previous_sub, en het"
            " werk van toen. Andere leveranciers krijgen niets.",
            "Another pseudonym than in primary school, with the one of then as previous_sub, and"
            " the work of then. Other suppliers get nothing.",
        ),
        sector_actions.take_work_along,
    ),
    DemoAction(
        "takeover-prepare",
        takeover_actions.BEGINS_AT,
        Text("Biosfeer neemt zijn accounts over", "Biosfeer takes over its accounts"),
        Text("Laat De Vuurvogel tekenen en begin", "Let De Vuurvogel sign, and begin"),
        (PRESS, takeover_actions.LOG_IN),
        Text(
            "Een melding met het ECK iD erbij, en dan twaalf opgaven: het werk uit het account dat"
            " Biosfeer nog op het ECK iD bewaarde. Daar staat nu ook het pseudoniem bij.",
            "A notice that names the ECK iD, and then twelve exercises: the work of the account"
            " that Biosfeer still kept under the ECK iD. The pseudonym stands beside it now.",
        ),
        _prepare_takeover,
    ),
    DemoAction(
        "takeover-on",
        takeover_actions.BEGINS_AT,
        Text("De overgang gaat aan", "The take-over goes on"),
        Text("Zet de overgang aan", "Switch the take-over on"),
        (PRESS, takeover_actions.AGAIN),
        Text(
            "Alleen het pseudoniem komt nog aan, geen eck_id meer, en al het werk is er.",
            "The pseudonym alone arrives, no eck_id any more, and all the work is there.",
        ),
        _take_over,
    ),
    DemoAction(
        "takeover-back",
        takeover_actions.BEGINS_AT,
        Text("De overgang gaat terug", "The take-over goes back"),
        Text("Ga terug", "Go back"),
        (PRESS, takeover_actions.AGAIN),
        Text(
            "Het ECK iD komt weer mee. Het werk van tussendoor staat in hetzelfde account; daarna"
            " kan de overgang gewoon weer aan.",
            "The ECK iD comes along again. What was made meanwhile is in the same account; the"
            " take-over can simply be switched on once more.",
        ),
        _go_back,
    ),
    DemoAction(
        "switch-rehearse",
        switch_actions.BEGINS_AT,
        Text("Deze school stapt over: eerst oefenen", "This school switches its login: rehearse"),
        Text("Oefen de overstap", "Rehearse the switch"),
        (switch_actions.LOG_IN, PRESS),
        Text(
            "Wie hetzelfde account houdt, en een adres waar je zelf met de oude en de nieuwe inlog"
            " inlogt en het antwoord ziet. Er verandert nog niets, en RekenRijk merkt niets.",
            "Who keeps the same account, and an address where you log in by the old and the new"
            " login yourself and see the answer. Nothing changes, and RekenRijk notices nothing.",
        ),
        _rehearse,
    ),
    DemoAction(
        "switch-class",
        switch_actions.BEGINS_AT,
        Text("De klas van Sanne stapt over", "Sanne's class switches"),
        Text("Laat de klas overstappen", "Switch the class"),
        (PRESS, switch_actions.AGAIN),
        Text(
            "Het Leerplein staat bovenaan. Wie toch de oude inlog neemt, krijgt een pagina met één"
            " knop naar de nieuwe. Het pseudoniem is hetzelfde, en al het werk is er. Daan, uit een"
            " andere klas, kan met allebei.",
            "Het Leerplein comes first. Who takes the old login all the same gets a page with one"
            " button to the new one. The pseudonym is the same, and all the work is there. Daan, of"
            " another class, may use either.",
        ),
        _switch_class,
    ),
    DemoAction(
        "switch-all",
        switch_actions.BEGINS_AT,
        Text("De hele school stapt over", "The whole school switches"),
        Text("Laat iedereen overstappen", "Switch everybody"),
        (PRESS, switch_actions.AGAIN),
        Text(
            "Je komt meteen bij Het Leerplein, en bij RekenRijk is alles zoals het was.",
            "You arrive at Het Leerplein at once, and at RekenRijk all is as it was.",
        ),
        _switch_all,
    ),
    DemoAction(
        "switch-back",
        switch_actions.BEGINS_AT,
        Text("De school gaat terug", "The school goes back"),
        Text("Ga terug", "Go back"),
        (PRESS, switch_actions.AGAIN),
        Text(
            "De oude inlog weer, met hetzelfde pseudoniem en al het werk.",
            "The old login again, with the same pseudonym and all the work.",
        ),
        _switch_back,
    ),
    DemoAction(
        "schools-merge",
        relation_actions.BEGINS_AT,
        Text("Twee scholen worden één", "Two schools become one"),
        Text("Laat De Vuurvogel en De Regenboog fuseren", "Merge De Vuurvogel and De Regenboog"),
        (relation_actions.LOG_IN, PRESS, relation_actions.AGAIN),
        Text(
            "Dezelfde pseudoniemen en al het werk, ook van Daan, die alleen een leerlingnummer"
            " heeft. De voornaam gaat niet meer naar RekenRijk: De Regenboog heeft dat nooit"
            " goedgevonden, en uit gaat wat beide scholen goedvonden.",
            "The same pseudonyms and all the work, also of Daan, who has a pupil number alone. The"
            " first name goes to RekenRijk no more: De Regenboog never approved that, and what goes"
            " out is what both schools approved.",
        ),
        _merge,
    ),
    DemoAction(
        "schools-apart",
        relation_actions.BEGINS_AT,
        Text("De fusie wordt teruggedraaid", "The merge is taken back"),
        Text("Draai de fusie terug", "Take the merge back"),
        (PRESS, relation_actions.AGAIN_APART),
        Text(
            "Twee scholen als tevoren, dezelfde pseudoniemen, al het werk, en de voornaam weer.",
            "Two schools as before, the same pseudonyms, all the work, and the first name again.",
        ),
        _apart,
    ),
)
