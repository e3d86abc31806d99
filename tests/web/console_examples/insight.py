"""What would be sent, and who could be recognised."""

from broker.domain.csv_reading import CsvFaulty, CsvReason
from broker.domain.release import NoAgreement
from broker.web.console.insight_pages import (
    Bar,
    FateCell,
    FateRow,
    FaultLine,
    LinkabilityPage,
    MatchesShown,
    MeterShown,
    ShareRow,
    SimulatorPage,
    SituationShown,
)
from broker.web.csv_words import CSV_WORDS
from broker.web.pages import Page

SCHOOLS = (("vuurvogel", "De Vuurvogel"), ("kompas", "Het Kompas"))
SUPPLIERS = (("rekenrijk", "RekenRijk"), ("taaltuin", "Taaltuin"))
CHOICES = {
    "school": "vuurvogel",
    "school_name": "De Vuurvogel",
    "schools": SCHOOLS,
    "suppliers": SUPPLIERS,
}
STATES = (("givenName", "first name"), ("sn", "surname"))
ASSERTION = '<saml:Assertion Version="2.0">\n  <saml:Issuer>https://broker.example</saml:Issuer>'
BARS = (
    Bar(kind="alone", words="the only one: recognisable", count=3, begins=0, width=12.5),
    Bar(kind="few", words="alike with 1 to 3 others", count=9, begins=12.5, width=37.5),
    Bar(kind="many", words="alike with 9 others or more", count=12, begins=50, width=50),
)

EXAMPLES: dict[str, Page] = {
    "simulator": SimulatorPage(**CHOICES, states=STATES, groups="7B"),  # type: ignore[arg-type]
    "simulator with answers": SimulatorPage(
        **CHOICES,  # type: ignore[arg-type]
        supplier="rekenrijk",
        supplier_name="RekenRijk",
        systems=(("rekenrijk", "rekenrijk"), ("rekenrijk-app", "rekenrijk-app")),
        system="rekenrijk",
        logins=(("one", "Leerplein"), ("two", "login.vuurvogel.example")),
        login="two",
        groups="7B, plusgroep",
        states=STATES,
        left_out=("sn",),
        situations=(
            SituationShown(
                words="As it is today",
                refusal=NoAgreement(subject="RekenRijk"),
                version=0,
                messages=(),
            ),
            SituationShown(
                words="With the decision that is prepared",
                refusal=None,
                version=3,
                messages=(("SAML assertion, before it is signed", ASSERTION),),
            ),
        ),
        rows=(
            FateRow(
                name="givenName",
                words="first name",
                purpose="Greeting you by your name.",
                required=True,
                cells=(
                    None,
                    FateCell(words="Goes out", mark="look", reason="", values=("Fenna",)),
                ),
            ),
            FateRow(
                name="sn",
                words="surname",
                purpose="",
                required=False,
                cells=(
                    None,
                    FateCell(
                        words="Stays at school",
                        mark="good",
                        reason="The school did not approve it.",
                    ),
                ),
            ),
        ),
    ),
    "linkability": LinkabilityPage(**CHOICES),  # type: ignore[arg-type]
    "linkability counted": LinkabilityPage(
        **CHOICES,  # type: ignore[arg-type]
        supplier="rekenrijk",
        other="taaltuin",
        persons=24,
        meters=(
            MeterShown(
                supplier_name="RekenRijk",
                persons=24,
                alone=3,
                bars=BARS,
                shares=(ShareRow(words="first name", alone=2, saves=3),),
                not_listed=("date of birth",),
            ),
            MeterShown(
                supplier_name="Taaltuin",
                persons=24,
                alone=24,
                bars=(
                    Bar(
                        kind="alone",
                        words="the only one: recognisable",
                        count=24,
                        begins=0,
                        width=100,
                    ),
                ),
                identified_by=("ECK iD",),
            ),
        ),
        matches=MatchesShown(
            names=("RekenRijk", "Taaltuin"),
            persons=24,
            matched=3,
            by=("first name",),
            smallest=("first name",),
            bars=BARS,
        ),
    ),
    "linkability of nobody": LinkabilityPage(
        **CHOICES,  # type: ignore[arg-type]
        persons=24,
        meters=(
            MeterShown(supplier_name="RekenRijk", persons=0),
            MeterShown(supplier_name="Taaltuin", persons=24, bars=BARS[2:]),
        ),
        matches=MatchesShown(
            names=("RekenRijk", "Taaltuin"), persons=0, matched=0, by=(), smallest=(), bars=()
        ),
    ),
    "linkability with faults": LinkabilityPage(
        **CHOICES,  # type: ignore[arg-type]
        supplier="rekenrijk",
        refusal=CsvFaulty("check_csv_lines"),
        faults=(
            FaultLine(line=3, words=CSV_WORDS[CsvReason.FIELDS_DIFFER], column=""),
            FaultLine(line=9, words=CSV_WORDS[CsvReason.FIELD_TOO_LONG], column="surname"),
        ),
        fault_count=120,
    ),
}
