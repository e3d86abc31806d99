"""Service sheets of the demo's suppliers, made up, and a draft of a next one that is ready.

RekenRijk's draft asks the class, and requires it: once it is published, logins under what schools
signed before go on without it, and schools see what waits for them.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

import msgspec

from broker.adapters.databases.sql_sheets import SqliteSheets
from broker.domain.attributes import Population
from broker.domain.ids import SupplierId
from broker.domain.sheet_documents import AttributeDocument, WordsDocument
from broker.domain.sheets import without_versions
from broker.flow.console.actors import ActorKind
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.sheets.sheet_desk import summarise_sheet
from broker.flow.sheets.sheet_reading import readable
from broker.flow.sheets.sheet_store import SheetDraft
from broker.settings import LoadedSettings

REKENRIJK = SupplierId("rekenrijk")


def _words(nl: str, en: str) -> dict[str, str]:
    return {"nl": nl, "en": en}


FIRST_NAME_REASON: Mapping[str, Any] = MappingProxyType(
    {
        "purpose": "We begroeten je met je voornaam.",
        "purpose_en": "We greet you by your first name.",
        "works_without": _words(
            "Zonder voornaam zeggen we 'Hallo'. Verder werkt alles.",
            "Without a first name we say 'Hello'. All else works.",
        ),
    }
)

ROLE_REASONS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "taaltuin": {
            "purpose": "Leerkrachten zien de lesstof, leerlingen de opgaven.",
            "purpose_en": "Teachers see the lessons, pupils the exercises.",
            "works_without": _words(
                "Zonder rol ziet iedereen de opgaven.", "Without a role everybody sees exercises."
            ),
        },
        "biosfeer": {
            "purpose": "Leerkrachten klaarzetten, leerlingen laten onderzoeken.",
            "purpose_en": "Teachers prepare experiments, pupils do them.",
            "works_without": _words(
                "Zonder rol weten we niet welke pagina's we mogen tonen. Inloggen kan dan niet.",
                "Without a role we do not know which pages to show. Nobody can log in then.",
            ),
        },
    }
)

CLASS_REASON: Mapping[str, Any] = MappingProxyType(
    {
        "purpose": "Samen onderzoek doen met je klas.",
        "purpose_en": "Doing research together with your class.",
        "works_without": _words(
            "Zonder klas doe je het onderzoek alleen.", "Without a class you do research alone."
        ),
    }
)


def _contacts(company: str) -> list[dict[str, str]]:
    return [
        {"function": "privacy", "mail": f"privacy@{company}.example"},
        {
            "function": "security",
            "mail": f"datalek@{company}.example",
            "phone": "+31 30 555 01 01",
        },
        {"function": "support", "url": f"https://{company}.example/hulp"},
    ]


SHEETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "rekenrijk": {
            "version": 1,
            "category": "practice",
            "languages": ["nl", "en"],
            "purpose": [
                _words("Sommen oefenen op je eigen niveau.", "Practising sums at your own level."),
                _words(
                    "Leerkrachten zien welke sommen de klas lastig vindt.",
                    "Teachers see which sums are hard for the class.",
                ),
            ],
            "works_without": _words(
                "Alles werkt. Je account hangt aan de schuilnaam, niet aan je naam.",
                "All works. Your account hangs on the pseudonym, not on your name.",
            ),
            "processor_agreement": {
                "model": "privacyconvenant",
                "version": "4.0",
                "covenant_signed": True,
            },
            "sub_processor": [
                {
                    "name": "Wolkenhuis B.V.",
                    "country": "NL",
                    "purpose": _words(
                        "Beheert de servers waarop RekenRijk draait.",
                        "Runs the servers of RekenRijk.",
                    ),
                },
                {
                    "name": "Sicherkopie GmbH",
                    "country": "DE",
                    "purpose": _words(
                        "Bewaart reservekopieën, versleuteld.", "Keeps encrypted backups."
                    ),
                },
            ],
            "countries": ["NL", "DE"],
            "retention": _words(
                "Antwoorden blijven een schooljaar staan. Een jaar na je laatste login wissen we "
                "alles.",
                "Answers stay for a school year. One year after your last login we delete all.",
            ),
            "dpia": {
                "reference": "DPIA RekenRijk 2026-1",
                "url": "https://rekenrijk.example/dpia",
                "on": date(2026, 2, 9),
            },
            "contact": _contacts("rekenrijk"),
        },
        "taaltuin": {
            "version": 1,
            "category": "learning-material",
            "languages": ["nl"],
            "purpose": [
                _words("Lezen en spellen bij de methode.", "Reading and spelling with the book.")
            ],
            "works_without": _words(
                "Alle opgaven werken. De handleiding voor leerkrachten blijft dicht.",
                "All exercises work. The teachers' guide stays closed.",
            ),
            "processor_agreement": {
                "model": "privacyconvenant",
                "version": "4.0",
                "covenant_signed": True,
            },
            "countries": ["NL"],
            "retention": _words(
                "Tot het einde van het schooljaar. In augustus wissen we alles.",
                "Until the end of the school year. In August we delete all.",
            ),
            "contact": _contacts("taaltuin"),
        },
        "biosfeer": {
            "version": 1,
            "category": "learning-material",
            "languages": ["nl", "en"],
            "purpose": [
                _words(
                    "Proeven doen bij biologie, in de klas en thuis.",
                    "Doing biology experiments, in class and at home.",
                ),
                _words(
                    "Metingen van de klas bij elkaar zien.", "Seeing the measurements of a class."
                ),
            ],
            "works_without": _words(
                "Zonder rol werkt Biosfeer niet. Zonder voornaam en klas wel.",
                "Without a role Biosfeer does not work. Without first name and class it does.",
            ),
            "processor_agreement": {"model": "board", "version": "2.1"},
            "sub_processor": [
                {
                    "name": "Kaartmakers Inc.",
                    "country": "US",
                    "purpose": _words(
                        "Levert kaarten. Krijgt geen gegevens van leerlingen, wel het adres van "
                        "hun apparaat.",
                        "Supplies maps. Gets no data of pupils, but the address of their device.",
                    ),
                }
            ],
            "countries": ["NL", "US"],
            "outside_eea": _words(
                "Kaartmakers is aangesloten bij het EU-VS-privacykader.",
                "Kaartmakers takes part in the EU-US Data Privacy Framework.",
            ),
            "retention": _words(
                "Metingen blijven twee schooljaren, daarna zonder schuilnaam.",
                "Measurements stay for two school years, then without the pseudonym.",
            ),
            "contact": _contacts("biosfeer"),
        },
    }
)

REQUIRED_CLASS = AttributeDocument(
    name="nlEduPersonUnit",
    purpose="We zetten je bij je klas, zodat je leerkracht je werk ziet.",
    purpose_en="We put you with your class, so that your teacher sees your work.",
    required=True,
    populations=(Population.PUPIL,),
    works_without=WordsDocument(
        nl="Zonder klas ziet geen leerkracht je werk. Daarom kan je dan niet inloggen.",
        en="Without a class no teacher sees your work. So you cannot log in then.",
    ),
)
"""What RekenRijk's next sheet asks besides."""


def write_draft(loaded: LoadedSettings) -> None:
    """Keep RekenRijk's next sheet, in a registry that was just made."""
    sheets = SqliteSheets(loaded.data_folder / "registry.db")
    form = sheets.read(REKENRIJK)
    if form is None:
        return
    before, now = readable(form), datetime.now(UTC)
    asked = (*without_versions(before.attributes), REQUIRED_CLASS)
    content = msgspec.structs.replace(before, attributes=asked)
    entry = ConsoleEntry(
        at=now,
        actor="demo",
        kind=ActorKind.OPERATOR,
        role=None,
        action="sheet-draft-saved",
        supplier=REKENRIJK,
        after=summarise_sheet(content),
    )
    draft = SheetDraft(REKENRIJK, before.version, 1, content, f"{now:%Y-%m-%dT%HZ}")
    sheets.save_now(draft, entry=entry)
