"""The scenarios of the start page: what to click and what one should see, in Dutch and English.

Both languages stand side by side, so that a scenario is changed in both or in none.
"""

from dataclasses import dataclass

from broker.demo.addresses import Party


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages."""

    nl: str
    en: str

    def in_language(self, language: str) -> str:
        return self.en if language == "en" else self.nl


class NothingToDo(Exception):  # noqa: N818 -- an answer, not an error
    """A button has nothing to do as things are; `why` says it to people."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


@dataclass(frozen=True, slots=True)
class StartScenario:
    """A card of the start page.

    Attributes:
        id: anchor on the page.
        begins_at: the supplier's system whose `/login` the card's button opens.
        tile: school and page of a link that the button opens instead, as a portal's tile does.
        page: what the button opens instead of `/login`.
        steps: what to click, in order.
        see: what one should see then.
        then: a system that a later step opens; the card has a link to it.
    """

    id: str
    begins_at: Party
    title: Text
    steps: tuple[Text, ...]
    see: Text
    tile: tuple[str, str] | None = None
    page: str = ""
    then: Party | None = None


def _school(name: str) -> Text:
    return Text(f"Kies school {name}.", f"Choose school {name}.")


def _pupil(name: str, option: Text | None = None) -> Text:
    if option is None:
        return Text(f"Log in als {name}.", f"Log in as {name}.")
    return Text(
        f"Kies bij de school het scenario “{option.nl}” en log in als {name}.",
        f"At the school, choose the scenario “{option.en}” and log in as {name}.",
    )


_VUURVOGEL = _school("De Vuurvogel")
_KOMPAS = _school("Het Kompas")
_REGENBOOG = _school("De Regenboog")

SCENARIOS: tuple[StartScenario, ...] = (
    StartScenario(
        "single-sign-on",
        Party.REKENRIJK,
        Text("Eén keer inloggen, en overal uitloggen", "Log in once, and log out everywhere"),
        (
            _KOMPAS,
            _pupil("Noor"),
            Text(
                "Open in dezelfde browser ook Biosfeer en log in; log daarna uit.",
                "In the same browser open Biosfeer too and log in; then log out.",
            ),
        ),
        Text(
            "Biosfeer vraagt niets meer: Noor heeft een eigen apparaat. Na het uitloggen zegt een"
            " pagina waar Noor is uitgelogd en waar nog niet; binnen een halve minuut overal. Bij"
            " De Vuurvogel delen leerlingen apparaten; daar vraagt de school het elke keer.",
            "Biosfeer asks nothing more: Noor has a device of her own. After logging out a page"
            " says where Noor is logged out and where not yet; within half a minute everywhere. At"
            " De Vuurvogel pupils share devices; there the school asks each time.",
        ),
        then=Party.BIOSFEER_OIDC,
    ),
    StartScenario(
        "fine",
        Party.REKENRIJK,
        Text("Alles gaat goed", "Everything is fine"),
        (_VUURVOGEL, _pupil("Sanne")),
        Text(
            "RekenRijk kent van Sanne een pseudoniem en de voornaam, en verder niets. Maak een"
            " opgave: de volgende keer staat die er nog.",
            "Of Sanne, RekenRijk knows a pseudonym and the first name, and nothing else. Make an"
            " exercise: it is still there next time.",
        ),
    ),
    StartScenario(
        "tile",
        Party.TAALTUIN,
        Text("Een tegel op het portaal van school", "A tile on the school's portal"),
        (_pupil("Daan"),),
        Text(
            "De tegel noemt de school en les 3. Kiezen hoeft niet, en na het inloggen staat les 3"
            " open. Zo werkt ook een QR-code op een poster.",
            "The tile names the school and lesson 3. There is nothing to choose, and after logging"
            " in lesson 3 is open. A QR code on a poster works the same way.",
        ),
        tile=("vuurvogel", "/les/3"),
    ),
    StartScenario(
        "test-page",
        Party.BROKER,
        Text("Een school test haar inlog", "A school tests its login"),
        (
            Text("Kies bij wie je inlogt.", "Choose where you log in."),
            _pupil("Sanne", Text("De rol ontbreekt", "role missing")),
        ),
        Text(
            "Van elk gegeven een oordeel, wat elke leverancier zou krijgen en waarom, en een tekst"
            " voor de helpdesk. De pseudoniemen zijn voorbeelden; er wordt niets bewaard. Probeer"
            " ook “Het antwoord is verlopen”: dan staat er welke controle het antwoord weigerde.",
            "A verdict on each attribute, what each supplier would get and why, and a text for the"
            " helpdesk. The pseudonyms are samples; nothing is kept. Try “expired” as well: then it"
            " says which check refused the answer.",
        ),
        page="/saml/sp/test?school=vuurvogel",
    ),
    StartScenario(
        "no-agreement",
        Party.TAALTUIN,
        Text("Geen afspraak", "No agreement"),
        (_KOMPAS, _pupil("Noor")),
        Text(
            "Een pagina legt uit dat Het Kompas geen afspraak heeft met Taaltuin, en dat de school"
            " dat kan regelen. Taaltuin krijgt niets.",
            "A page explains that Het Kompas has no agreement with Taaltuin, and that this is the"
            " school's task. Taaltuin gets nothing.",
        ),
    ),
    StartScenario(
        "name-withheld",
        Party.REKENRIJK,
        Text("De naam blijft op school", "The name stays at school"),
        (_REGENBOOG, _pupil("Sanne")),
        Text(
            "De Regenboog keurde voor RekenRijk niets goed: alleen het pseudoniem komt aan."
            " Inloggen lukt gewoon.",
            "De Regenboog approved nothing for RekenRijk: the pseudonym alone arrives. Logging in"
            " works all the same.",
        ),
    ),
    StartScenario(
        "missing-attribute",
        Party.BIOSFEER_OIDC,
        Text("Er ontbreekt iets dat nodig is", "Something required is missing"),
        (_VUURVOGEL, _pupil("Sanne", Text("De rol ontbreekt", "role missing"))),
        Text(
            "Een pagina noemt wat er ontbreekt (de rol) en wiens taak het is (de school), met een"
            " code. Biosfeer krijgt niets.",
            "A page names what is missing (the role) and whose task it is (the school's), with a"
            " code. Biosfeer gets nothing.",
        ),
    ),
    StartScenario(
        "other-school",
        Party.REKENRIJK,
        Text("Naar een andere school", "The pupil changes school"),
        (
            Text(
                "Log eerst in als Sanne van De Vuurvogel en onthoud het pseudoniem.",
                "First log in as Sanne of De Vuurvogel and remember the pseudonym.",
            ),
            Text("Log uit bij RekenRijk en begin opnieuw.", "Log out of RekenRijk, start again."),
            Text(
                "Kies nu De Regenboog, onder de school van de vorige keer.",
                "Choose De Regenboog now, below the school of last time.",
            ),
            _pupil("Sanne"),
        ),
        Text(
            "Hetzelfde pseudoniem en hetzelfde werk: de ECK iD is op beide scholen gelijk.",
            "The same pseudonym and the same work: the ECK iD is the same at both schools.",
        ),
    ),
    StartScenario(
        "no-eck-id",
        Party.REKENRIJK,
        Text("Vandaag geen ECK iD", "No ECK iD today"),
        (
            Text(
                "Log één keer gewoon in als Sanne van De Vuurvogel.",
                "Log in once as Sanne of De Vuurvogel, as usual.",
            ),
            Text(
                "Log uit, begin opnieuw en ga verder met De Vuurvogel.",
                "Log out, start again and continue with De Vuurvogel.",
            ),
            _pupil("Sanne", Text("Vandaag geen ECK iD", "no ECK iD today")),
        ),
        Text(
            "Nog steeds hetzelfde pseudoniem: de school noemde eerder beide nummers samen.",
            "Still the same pseudonym: the school stated both numbers together before.",
        ),
    ),
    StartScenario(
        "two-protocols",
        Party.BIOSFEER_OIDC,
        Text("Eén leverancier, twee systemen", "One supplier, two systems"),
        (
            _VUURVOGEL,
            _pupil("Sanne"),
            Text(
                "Log daarna ook in bij het andere systeem van Biosfeer (SAML).",
                "Then log in to Biosfeer's other system as well (SAML).",
            ),
        ),
        Text(
            "Twee keer hetzelfde pseudoniem, over twee protocollen. Bij RekenRijk is het een ander:"
            " leveranciers kunnen Sanne niet aan elkaar koppelen.",
            "The same pseudonym twice, over two protocols. At RekenRijk it is another one:"
            " suppliers cannot match Sanne.",
        ),
        then=Party.BIOSFEER_SAML,
    ),
    StartScenario(
        "same-number",
        Party.TAALTUIN,
        Text("Leerling en leerkracht met één nummer", "A pupil and a teacher with one number"),
        (
            _VUURVOGEL,
            _pupil("Daan"),
            Text(
                "Log uit, begin opnieuw en log in als Els, de leerkracht.",
                "Log out, start again and log in as Els, the teacher.",
            ),
        ),
        Text(
            "Twee pseudoniemen: Daan en Els hebben op school hetzelfde nummer, maar zijn twee"
            " mensen.",
            "Two pseudonyms: Daan and Els have the same number at school, but are two persons.",
        ),
    ),
    StartScenario(
        "cancelled",
        Party.REKENRIJK,
        Text("Inloggen afgebroken", "Login cancelled"),
        (_VUURVOGEL, _pupil("Sanne", Text("Ik breek het inloggen af", "cancelled"))),
        Text(
            "RekenRijk hoort dat het inloggen niet doorging en biedt aan het opnieuw te proberen.",
            "RekenRijk is told that the login did not go on, and offers to try again.",
        ),
    ),
    StartScenario(
        "expired",
        Party.REKENRIJK,
        Text("Een verlopen antwoord", "An expired answer"),
        (_VUURVOGEL, _pupil("Sanne", Text("Het antwoord is verlopen", "expired"))),
        Text(
            "Een pagina zegt dat het inloggen te lang duurde, met een code en een knop.",
            "A page says that logging in took too long, with a code and a button.",
        ),
    ),
    StartScenario(
        "tampered",
        Party.REKENRIJK,
        Text("Een veranderd antwoord", "A changed answer"),
        (_VUURVOGEL, _pupil("Sanne", Text("Het antwoord is onderweg veranderd", "tampered"))),
        Text(
            "Een pagina zegt dat het bericht misschien niet van de school komt. Er gaat niets naar"
            " RekenRijk.",
            "A page says that the message may not come from the school. Nothing goes to RekenRijk.",
        ),
    ),
    StartScenario(
        "states-another-school",
        Party.REKENRIJK,
        Text("De login noemt een andere school", "The login states another school"),
        (
            _VUURVOGEL,
            _pupil("Sanne", Text("De login noemt een andere school", "states another school")),
        ),
        Text(
            "Een pagina zegt dat deze login niet voor die school mag spreken.",
            "A page says that this login may not speak for that school.",
        ),
    ),
    StartScenario(
        "down",
        Party.REKENRIJK,
        Text("De school ligt plat", "The school is down"),
        (_VUURVOGEL, _pupil("Sanne", Text("De school ligt plat", "school is down"))),
        Text(
            "De school antwoordt met een storingspagina. Ga terug, kies “Alles gaat goed” en log"
            " opnieuw in: alles werkt nog.",
            "The school answers with an error page. Go back, choose “all is fine” and log in again:"
            " everything still works.",
        ),
    ),
)
