"""Pages of service sheets."""

from datetime import date

import msgspec

from broker.domain.attributes import Population
from broker.domain.sheet_changes import compare_sheets
from broker.domain.sheet_documents import (
    AttributeDocument,
    ContactDocument,
    ContactFunction,
    DpiaDocument,
    ProcessorAgreementDocument,
    ProductCategory,
    SheetDocument,
    SubProcessorDocument,
    WordsDocument,
)
from broker.domain.sheets import ServiceSheet
from broker.flow.sheets.sheet_checks import check_sheet
from broker.web.console.country_words import COUNTRY_WORDS, LANGUAGE_WORDS, country_choices
from broker.web.console.sheet_change_words import show_changes, show_problems
from broker.web.console.sheet_forms import (
    CHOOSE,
    NEEDED,
    NO_URL,
    TOO_LONG,
    attribute_values,
    service_values,
    sub_processor_values,
    terms_values,
)
from broker.web.console.sheet_pages import (
    AskedRow,
    AsksPage,
    AttributePage,
    HistoryPage,
    ListedSheet,
    PreviewPage,
    PublishPage,
    RemovePage,
    ServicePage,
    SheetHomePage,
    SheetListPage,
    SheetPlace,
    ShownForm,
    SignedPage,
    SignedRow,
    SubProcessorPage,
    SubProcessorRow,
    TermsPage,
    VersionPage,
    VersionRow,
)
from broker.web.console.sheet_words import (
    CATEGORY_WORDS,
    CONTACT_WORDS,
    MODEL_WORDS,
    name_of,
    of_whom,
    show_content,
)
from broker.web.pages import Page
from broker.web.texts import Language
from tests.flow.sheet_builders import a_supplier_document

PLACE = SheetPlace(
    url="/console/sheets/biosfeer",
    supplier_name="Biosfeer",
    version=1,
    revision=3,
    based_on=1,
)
ROLE = AttributeDocument(
    name="eduPersonAffiliation",
    purpose="Leerkrachten zetten proeven klaar, leerlingen doen ze.",
    purpose_en="Teachers prepare experiments, pupils do them.",
    required=True,
    works_without=WordsDocument(
        nl="Zonder rol kan niemand inloggen.", en="Without a role nobody can log in."
    ),
)
CLASS = AttributeDocument(
    name="nlEduPersonUnit",
    purpose="Samen onderzoek doen met je klas.",
    populations=(Population.PUPIL,),
)
ECK_ID = AttributeDocument(name="eckId", purpose="Om accounts van vroeger terug te vinden.")
SHEET = SheetDocument(
    version=1,
    category=ProductCategory.LEARNING_MATERIAL,
    languages=("nl", "en"),
    purpose=(
        WordsDocument(
            nl="Proeven doen bij biologie.\nIn de klas en thuis.",
            en="Doing biology experiments.\nIn class and at home.",
        ),
        WordsDocument(nl="Zien wat de klas vond."),
    ),
    works_without=WordsDocument(nl="Alle proeven werken.", en="All experiments work."),
    processor_agreement=ProcessorAgreementDocument(
        version="4.0", covenant_signed=True, url="https://biosfeer.example/overeenkomst"
    ),
    sub_processor=(
        SubProcessorDocument(
            name="Wolkenhuis B.V.",
            country="NL",
            purpose=WordsDocument(nl="Servers waarop alles draait.", en="Servers."),
        ),
        SubProcessorDocument(name="Postvogel Inc.", country="US"),
    ),
    countries=("NL", "US"),
    outside_eea=WordsDocument(nl="Modelcontractbepalingen.", en="Standard clauses."),
    retention=WordsDocument(nl="Een schooljaar, dan wissen.", en="One school year."),
    dpia=DpiaDocument(
        reference="DPIA Biosfeer 2026", url="https://biosfeer.example/dpia", on=date(2026, 3, 2)
    ),
    contact=(
        ContactDocument(function=ContactFunction.PRIVACY, mail="privacy@biosfeer.example"),
        ContactDocument(
            function=ContactFunction.SECURITY,
            phone="+31 30 123 45 67",
            url="https://biosfeer.example/lek",
        ),
    ),
)
FULL = ServiceSheet(sheet=SHEET, attributes=(ROLE, CLASS, ECK_ID))
BARE = ServiceSheet(sheet=SheetDocument(version=1))
NEXT = ServiceSheet(
    sheet=msgspec.structs.replace(
        SHEET,
        version=2,
        category=ProductCategory.PRACTICE,
        countries=("NL",),
        sub_processor=SHEET.sub_processor[:1],
        retention=WordsDocument(nl="Twee schooljaren."),
    ),
    attributes=(msgspec.structs.replace(CLASS, required=True), ROLE),
)
PROBLEMS = show_problems(check_sheet(FULL, a_supplier_document()))
CHANGES = compare_sheets(FULL, NEXT)
ALL_CHANGES = show_changes(CHANGES.changes, Language.NL)
COUNTRIES = (*country_choices(in_eea=True), *country_choices(in_eea=False))


def shown(content: ServiceSheet, published_on: str = "") -> PreviewPage:
    sheet = show_content(
        content,
        Language.NL,
        supplier_name="Biosfeer",
        legal_name="Stichting Biosfeer",
        published_on=published_on,
    )
    return PreviewPage(place=PLACE, sheet=sheet, problems=())


def a_service_page(form: ShownForm) -> ServicePage:
    return ServicePage(
        place=PLACE,
        form=form,
        categories=tuple((each.value, words) for each, words in CATEGORY_WORDS.items()),
        languages=tuple(LANGUAGE_WORDS.items()),
        purposes=3,
        longest=2000,
    )


def an_attribute_page(form: ShownForm, name: str = "") -> AttributePage:
    return AttributePage(
        place=PLACE,
        form=form,
        name=name,
        words=name_of(name),
        names=tuple((each, name_of(each)) for each in ("sn", "mail")),
        longest_reason=500,
        longest=2000,
    )


def a_terms_page(form: ShownForm, content: ServiceSheet) -> TermsPage:
    return TermsPage(
        place=PLACE,
        form=form,
        models=tuple((each.value, words) for each, words in MODEL_WORDS.items()),
        countries_inside=country_choices(in_eea=True),
        countries_outside=country_choices(in_eea=False),
        contacts=tuple((each.value, words) for each, words in CONTACT_WORDS.items()),
        sub_processors=tuple(
            SubProcessorRow(number, each.name, COUNTRY_WORDS[each.country])
            for number, each in enumerate(content.sheet.sub_processor)
        ),
        longest=2000,
    )


def a_sub_processor_page(form: ShownForm, number: int = -1) -> SubProcessorPage:
    return SubProcessorPage(
        place=PLACE, form=form, number=number, countries=COUNTRIES, longest=2000
    )


def a_publish_page(**changes: object) -> PublishPage:
    fields: dict[str, object] = {
        "place": PLACE,
        "is_overtaken": False,
        "problems": (),
        "asks_more": show_changes(CHANGES.asks_more, Language.NL),
        "asks_less": show_changes(CHANGES.asks_less, Language.NL),
        "to_read": show_changes(CHANGES.to_read, Language.NL),
        "has_draft": True,
    }
    return PublishPage(**(fields | changes))  # type: ignore[arg-type]


def a_home(**changes: object) -> SheetHomePage:
    fields: dict[str, object] = {
        "place": PLACE,
        "published_on": "2026-11-02",
        "has_draft": False,
        "is_overtaken": False,
        "changed_on": "",
        "changes": 0,
        "problems": (),
    }
    return SheetHomePage(**(fields | changes))  # type: ignore[arg-type]


EXAMPLES: dict[str, Page] = {
    "list": SheetListPage(
        listed=(
            ListedSheet("/console/sheets/biosfeer", "Biosfeer", 2),
            ListedSheet("/console/sheets/rekenrijk", "RekenRijk", 0),
        ),
        query="",
        first=51,
        last=52,
        total=120,
        previous_url="/console/sheets?from=0",
        next_url="/console/sheets?from=100",
    ),
    "list without any": SheetListPage(listed=(), query="", first=0, last=0, total=0),
    "list of none that is called so": SheetListPage(
        listed=(), query="Zonneklas", first=0, last=0, total=0
    ),
    "home": a_home(),
    "home with a draft": a_home(
        has_draft=True, changed_on="2026-11-20", changes=4, is_overtaken=True, problems=PROBLEMS
    ),
    "home with a draft that is ready": a_home(has_draft=True, changed_on="2026-11-20", changes=4),
    "home for who only looks": a_home(
        place=SheetPlace(
            url=PLACE.url,
            supplier_name="Biosfeer",
            version=0,
            revision=0,
            based_on=0,
            may_edit=False,
        )
    ),
    "service": a_service_page(ShownForm(service_values(SHEET))),
    "service with mistakes": a_service_page(
        ShownForm(
            service_values(SHEET), (("category", CHOOSE), ("purpose-0-nl", TOO_LONG)), ALL_CHANGES
        )
    ),
    "asks": AsksPage(
        place=PLACE,
        asked=tuple(
            AskedRow(each.name, name_of(each.name), of_whom(each), each.required, index)
            for index, each in enumerate((ROLE, CLASS))
        ),
        can_add=True,
    ),
    "asks nothing": AsksPage(place=PLACE, asked=(), can_add=True),
    "attribute": an_attribute_page(ShownForm(attribute_values(ROLE)), ROLE.name),
    "attribute that is added": an_attribute_page(
        ShownForm(attribute_values(None), (("name", CHOOSE), ("why-nl", NEEDED)), ())
    ),
    "terms": a_terms_page(ShownForm(terms_values(SHEET)), FULL),
    "terms with mistakes": a_terms_page(
        ShownForm(terms_values(BARE.sheet), (("model-url", NO_URL),), ALL_CHANGES), BARE
    ),
    "company": a_sub_processor_page(ShownForm(sub_processor_values(SHEET.sub_processor[0])), 0),
    "company that is added": a_sub_processor_page(ShownForm({}, (("name", NEEDED),))),
    "remove": RemovePage(
        place=PLACE,
        what=name_of("nlEduPersonUnit"),
        action=f"{PLACE.url}/asks/remove",
        back=f"{PLACE.url}/asks",
        fields=(("name", "nlEduPersonUnit"),),
    ),
    "throw away": RemovePage(place=PLACE, what="", action=f"{PLACE.url}/discard", back=PLACE.url),
    "preview": shown(FULL),
    "preview of nothing": PreviewPage(place=PLACE, sheet=shown(BARE).sheet, problems=PROBLEMS),
    "publish": a_publish_page(),
    "publish that lacks something": a_publish_page(problems=PROBLEMS, is_overtaken=True),
    "publish that is refused": a_publish_page(
        others=ALL_CHANGES, why=("attribute[0].name is no attribute. Remove it.",)
    ),
    "publish nothing": a_publish_page(has_draft=False),
    "history": HistoryPage(
        place=PLACE, versions=(VersionRow(2, "2026-11-20", 1, 4), VersionRow(1, "2026-08-01", 0, 9))
    ),
    "history of nothing": HistoryPage(place=PLACE, versions=()),
    "version": VersionPage(
        place=PLACE,
        sheet=shown(NEXT, "2026-11-20").sheet,
        changes=ALL_CHANGES,
        is_first=False,
        is_new=True,
    ),
    "first version": VersionPage(
        place=PLACE, sheet=shown(FULL, "2026-08-01").sheet, changes=ALL_CHANGES, is_first=True
    ),
    "signed": SignedPage(
        place=PLACE,
        counts=((2, 12), (1, 230), (0, 1)),
        rows=(
            SignedRow("De Vuurvogel", False, 2, "2026-08-01", "", "In force", "good"),
            SignedRow("stichting-kompas", True, 0, "2025-08-01", "2026-07-31", "Ended", "plain"),
        ),
        query="",
        first=51,
        last=52,
        total=52,
        previous_url="/console/sheets/biosfeer/signed?from=0",
    ),
    "signed by none": SignedPage(
        place=PLACE, counts=(), rows=(), query="", first=0, last=0, total=0
    ),
    "signed by none that is called so": SignedPage(
        place=PLACE, counts=(), rows=(), query="Zonneweg", first=0, last=0, total=0
    ),
}
