"""How the start page's cards are grouped: what one can see by logging in, and what can be changed.

A test holds that every scenario and every action stands in one group.
"""

from dataclasses import dataclass

from broker.demo.start_scenarios import Text


@dataclass(frozen=True, slots=True)
class CardGroup:
    """A heading of the start page and the cards below it.

    Attributes:
        id: anchor on the page.
        cards: ids of scenarios, or of actions, in the order in which they are tried.
    """

    id: str
    title: Text
    lead: Text
    cards: tuple[str, ...]


SCENARIO_GROUPS: tuple[CardGroup, ...] = (
    CardGroup(
        "logging-in",
        Text("Gewoon inloggen", "Just log in"),
        Text("Wat een leverancier krijgt, en wat niet.", "What a supplier gets, and what not."),
        ("fine", "tile", "name-withheld", "two-protocols", "same-number", "single-sign-on"),
    ),
    CardGroup(
        "keeping-work",
        Text("Het werk blijft", "The work stays"),
        Text(
            "Een andere school, of een nummer dat ontbreekt: het account blijft hetzelfde.",
            "Another school, or a number that is missing: the account stays the same.",
        ),
        ("other-school", "no-eck-id"),
    ),
    CardGroup(
        "going-wrong",
        Text("Als er iets misgaat", "When something goes wrong"),
        Text(
            "Een pagina zegt wat er is, wie het kan oplossen en hoe je verder komt.",
            "A page says what it is, who can solve it and how to go on.",
        ),
        (
            "test-page",
            "no-agreement",
            "missing-attribute",
            "cancelled",
            "down",
            "expired",
            "tampered",
            "states-another-school",
        ),
    ),
)

ACTION_GROUPS: tuple[CardGroup, ...] = (
    CardGroup(
        "pupils",
        Text("Een leerling verandert van school", "A pupil changes school"),
        Text(
            "Wat de scholen daarvan zeggen. Elke kaart begint met een leerling die bij de nieuwe"
            " school nog niet inlogde.",
            "What the schools say of it. Each card begins with a pupil who did not log in at the"
            " new school yet.",
        ),
        ("pupil-moves", "objection", "protected-pupil", "other-sector"),
    ),
    CardGroup(
        "switching",
        Text("Een school stapt over op een andere inlog", "A school switches to another login"),
        Text(
            "Eerst oefenen, dan per klas, dan iedereen; terug kan altijd. In deze volgorde.",
            "First rehearse, then by class, then everybody; back at any time. In this order.",
        ),
        ("switch-rehearse", "switch-class", "switch-all", "switch-back"),
    ),
    CardGroup(
        "merging",
        Text("Twee scholen worden één", "Two schools become one"),
        Text("En weer twee.", "And two again."),
        ("schools-merge", "schools-apart"),
    ),
    CardGroup(
        "rotating",
        Text("Een leverancier krijgt een andere sleutel", "A supplier gets another key"),
        Text(
            "Vervangen; dan terugdraaien of afsluiten.",
            "Rotate; then turn back or close.",
        ),
        ("rotate-key", "turn-back", "close-window"),
    ),
    CardGroup(
        "taking-over",
        Text("Accounts gaan van ECK iD naar pseudoniem", "Accounts go from ECK iD to pseudonym"),
        Text("Voorbereiden, dan aan, en terug.", "Prepare, then on, and back."),
        ("takeover-prepare", "takeover-on", "takeover-back"),
    ),
)
