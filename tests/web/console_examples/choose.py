"""The pages on which a school or board decides."""

from datetime import UTC, date, datetime

from broker.domain.activated_file import RowFault, RowProblem
from broker.domain.activated_matching import Unmatched
from broker.domain.attributes import AttributeName, Population
from broker.domain.console_roles import Role
from broker.domain.decision_outline import Choice, GroupChoice
from broker.domain.documents import SupplierDocument
from broker.domain.federation import State
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.sheet_documents import (
    AttributeDocument,
    ContactDocument,
    ContactFunction,
    ProcessorAgreementDocument,
    ProductCategory,
    SheetDocument,
    SubProcessorDocument,
    WordsDocument,
)
from broker.flow.decisions.decision_types import (
    CatalogueLine,
    DecidedBy,
    Decider,
    DecisionView,
    Draft,
    PreparedDecision,
    Standing,
)
from broker.web.console.choose_annex_pages import AnnexPage
from broker.web.console.choose_catalogue import STATES, PlacesPage, build_catalogue
from broker.web.console.choose_draft_pages import (
    BatchPage,
    BatchRow,
    DonePage,
    HistoryPage,
    HistoryRow,
    StopPage,
    WaitingPage,
    WaitingRow,
    build_draft,
)
from broker.web.console.choose_form import FieldFault
from broker.web.console.choose_import_pages import (
    COMPARED,
    ComparedRow,
    ComparePage,
    ImportPage,
    tell_faults,
)
from broker.web.console.choose_places import Pager, Place
from broker.web.console.choose_review_pages import begin_form, build_review, with_fault
from broker.web.console.decision_document import PrintedDecision, build_annex
from broker.web.console.decision_words import DecisionWords
from broker.web.pages import Page
from broker.web.texts import Language, load_texts

TODAY = date(2026, 11, 27)
NOW = datetime(2026, 11, 27, 14, 30, tzinfo=UTC)
WORDS = DecisionWords(Language.NL, load_texts()[Language.NL])
VUURVOGEL = Place("school", "vuurvogel", "De Vuurvogel", "11AA")
BOARD = Place("board", "stichting-lindehof", "stichting-lindehof")
NAME, ROLE, ECK_ID = map(AttributeName, ("givenName", "eduPersonAffiliation", "eckId"))
DECIDER = Decider(school=SchoolId("vuurvogel"))
MARKUP = "<script>alert(1)</script> & “Rekenrijk”"

SHEET = SheetDocument(
    version=3,
    category=ProductCategory.PRACTICE,
    purpose=(
        WordsDocument(nl="Oefenen met rekenen op je eigen niveau.", en="Practising arithmetic."),
    ),
    works_without=WordsDocument(nl="Je kunt oefenen; de leraar ziet geen namen.", en="It works."),
    processor_agreement=ProcessorAgreementDocument(version="4.0", covenant_signed=True),
    sub_processor=(
        SubProcessorDocument(name="Wolkenhuis B.V.", country="IE", purpose=WordsDocument(nl="-")),
    ),
    countries=("NL", "US"),
    retention=WordsDocument(nl="Tot een jaar na de laatste keer.", en="A year."),
    contact=(ContactDocument(function=ContactFunction.PRIVACY, mail="privacy@rekenrijk.example"),),
)
ASKED = (
    AttributeDocument(name=ROLE, purpose="Leraren zien de antwoorden.", required=True),
    AttributeDocument(
        name=NAME,
        purpose="We begroeten leerlingen bij hun voornaam.",
        populations=(Population.PUPIL,),
        works_without=WordsDocument(nl="Dan staat er geen naam boven.", en="No name shows."),
    ),
    AttributeDocument(name=ECK_ID, purpose=MARKUP, required_since=None),
)
SUPPLIER = SupplierDocument(
    id="rekenrijk",
    legal_name="RekenRijk Onderwijs B.V.",
    display_name="RekenRijk",
    state=State.TEST,
    sheet=SHEET,
    attribute=ASKED,
)
CHOICE = Choice(
    pupils=frozenset({NAME, ROLE}),
    staff=frozenset({ROLE}),
    groups=(GroupChoice(frozenset({"3A", "3B"}), frozenset({ROLE})),),
)
DRAFT = Draft(
    decider=DECIDER,
    supplier=SupplierId("rekenrijk"),
    choice=CHOICE,
    from_day=TODAY,
    until=date(2027, 7, 31),
    sheet=3,
)
PREPARED = PreparedDecision(
    number=7,
    revision=2,
    draft=DRAFT,
    prepared_by="0" * 32,
    prepared_role=Role.SCHOOL_ADMIN,
    prepared_at=NOW,
)


def a_view(**changes: object) -> DecisionView:
    stated: dict[str, object] = {
        "decider": DECIDER,
        "school": None,
        "supplier": SupplierId("rekenrijk"),
        "document": SUPPLIER,
        "own": None,
        "counting": None,
        "standing": Standing.NONE,
        "decided_by": DecidedBy.NOBODY,
        "choice": Choice(pupils=frozenset(), staff=frozenset()),
        "version": 0,
        "signed_on": 0,
        "waiting": (),
        "draft": None,
        "exceptions": {},
        "four_eyes": False,
        "may_prepare": True,
        "may_sign": True,
        "may_stop": True,
        "lacks_processor_agreement": False,
    }
    return DecisionView(**(stated | changes))  # type: ignore[arg-type]


def a_line(name: str, standing: Standing, **changes: object) -> CatalogueLine:
    stated: dict[str, object] = {
        "supplier": SupplierId(name.lower()),
        "name": name,
        "category": "practice",
        "sheet": 3,
        "standing": standing,
        "decided_by": DecidedBy.ITSELF,
    }
    return CatalogueLine(**(stated | changes))  # type: ignore[arg-type]


LINES = (
    a_line("Biosfeer", Standing.IN_FORCE, waiting=(ECK_ID,), version=2, is_linkable=True),
    a_line("RekenRijk", Standing.IN_FORCE, last_day=date(2026, 12, 31), ends_soon=True),
    a_line("Taaltuin", Standing.NONE, draft=7, category=""),
    a_line("Wereldwijs", Standing.STOPPED, decided_by=DecidedBy.BOARD),
)
BEGUN = begin_form(a_view(), preset="", today=TODAY)
PRINTED = PrintedDecision(
    place="De Vuurvogel",
    brin="11AA",
    supplier="RekenRijk",
    legal_name="RekenRijk Onderwijs B.V.",
    version=3,
    sheet=SHEET,
    asked=ASKED,
    choice=CHOICE,
    first_day=TODAY,
    last_day=date(2027, 7, 31),
    is_pupil_told=True,
    signed_by="tekenbevoegde van het bestuur",
    prepared_by="beheerder van de school",
    signed_at=NOW,
    fingerprint="3f9c" * 16,
)
URL = VUURVOGEL.service("rekenrijk")

EXAMPLES: dict[str, Page] = {
    "choose a school": PlacesPage(
        places=(BOARD, VUURVOGEL), pager=Pager(first=1, last=2, total=120, next_url="?page=2")
    ),
    "choose a school, none found": PlacesPage(
        query="zzz", places=(), pager=Pager(first=0, last=0, total=0)
    ),
    "catalogue": build_catalogue(VUURVOGEL, LINES, WORDS),
    "catalogue, none found": build_catalogue(VUURVOGEL, LINES, WORDS, query="zzz"),
    "catalogue, hundreds": build_catalogue(
        BOARD,
        tuple(a_line(f"Dienst {at}", Standing.IN_FORCE) for at in range(120)),
        WORDS,
        page="2",
    ),
    "review a sheet": build_review(VUURVOGEL, a_view(), BEGUN, WORDS, state="none"),
    "review, faults and a change meanwhile": build_review(
        VUURVOGEL,
        a_view(waiting=(ECK_ID,), decided_by=DecidedBy.BOARD, lacks_processor_agreement=True),
        with_fault(BEGUN, FieldFault("until", "Fill in a day, or leave it empty.")),
        WORDS,
        state="new-sheet",
        draft_url="/console/decide/drafts/7",
        meanwhile=(MARKUP,),
        adds_group=True,
    ),
    "review of a board, no sheet, for reading alone": build_review(
        BOARD,
        a_view(
            document=SupplierDocument(id="x", legal_name=MARKUP, state=State.TEST),
            may_prepare=False,
            may_stop=False,
        ),
        begin_form(a_view(), preset="personalised", today=TODAY),
        WORDS,
        state="in-force",
        exceptions=(("De Regenboog", STATES["stopped"]),),
    ),
    "draft": build_draft(VUURVOGEL, PREPARED, a_view(), WORDS, is_own=True, is_sure=True),
    "draft, to sign later": build_draft(
        VUURVOGEL, PREPARED, a_view(may_prepare=False), WORDS, is_own=False, is_sure=False
    ),
    "draft, four eyes": build_draft(
        VUURVOGEL, PREPARED, a_view(four_eyes=True), WORDS, is_own=True, is_sure=True
    ),
    "waiting": WaitingPage(
        place=VUURVOGEL,
        rows=(
            WaitingRow(
                url="/console/decide/drafts/7",
                place_name="De Vuurvogel",
                name="RekenRijk",
                changes=WORDS.changes(a_view().choice, CHOICE),
                prepared_by="school administrator",
                prepared_on="27 november 2026",
                is_own=True,
            ),
        ),
        batches=(("b1", 60),),
    ),
    "nothing waits": WaitingPage(place=VUURVOGEL, rows=()),
    "batch": BatchPage(
        url="/console/decide/batches/b1",
        rows=(
            BatchRow(
                name="RekenRijk",
                places=tuple(f"School {at}" for at in range(22)),
                changes=WORDS.changes(a_view().choice, CHOICE),
                period=WORDS.period(date(2026, 8, 1), date(2027, 7, 31)),
                is_linkable=True,
            ),
            BatchRow(
                name="Taaltuin",
                places=("De Vuurvogel",),
                changes=(),
                period=WORDS.period(date(2026, 8, 1), None),
                is_linkable=False,
            ),
        ),
        count=23,
        revisions="7:1 8:1",
        problems=(("Biosfeer", MARKUP),),
        step_up="/console/step-up?back=/console",
        needs_login=False,
    ),
    "batch signed": BatchPage(
        url="/console/decide/batches/b1",
        rows=(),
        count=0,
        revisions="",
        step_up="/console/step-up",
        needs_login=True,
        signed=23,
    ),
    "stop": StopPage(place=VUURVOGEL, name="RekenRijk", url=URL, based_on=3),
    "stopped": DonePage(place=VUURVOGEL, name="RekenRijk", url=URL, is_stopped=True),
    "signed": DonePage(
        place=VUURVOGEL,
        name="RekenRijk",
        url=URL,
        number=4,
        version=3,
        fingerprint="3f9c" * 16,
        begins="Van 27 november 2026 tot en met 31 juli 2027.",
    ),
    "history": HistoryPage(
        place=VUURVOGEL,
        name="RekenRijk",
        url=URL,
        rows=(
            HistoryRow(
                version=3,
                signed_on="27 november 2026",
                period=WORDS.period(TODAY, None),
                number=4,
                changes=WORDS.changes(a_view().choice, CHOICE),
            ),
        ),
    ),
    "no history": HistoryPage(place=VUURVOGEL, name="RekenRijk", url=URL, rows=()),
    "privacy annex": AnnexPage(
        place=VUURVOGEL, url=URL, name="RekenRijk", document=build_annex(WORDS, PRINTED)
    ),
    "bring in a list": ImportPage(place=BOARD, from_text="2026-11-27", until_text="2027-07-31"),
    "bring in a list, refused": ImportPage(
        place=BOARD,
        error="Choose a file.",
        faults=(MARKUP,),
        from_text="2026-11-27",
        until_text="2027-07-31",
    ),
    "compare with today": ComparePage(
        place=BOARD,
        rows=tuple(
            ComparedRow(
                supplier=f"s{at}",
                name=f"Dienst {at}",
                schools=("De Vuurvogel",) * (at + 1),
                standing=each,
                changes=WORDS.changes(a_view().choice, CHOICE) if at else (),
            )
            for at, each in enumerate(COMPARED.values())
        ),
        counts=tuple((each.words, 3) for each in COMPARED.values()),
        decisions=12,
        modes=(("as-today", "Zoals nu", "Verder niets."), ("required", "Alleen wat moet", "-")),
        carried="[]",
        from_text="2026-11-27",
        until_text="2027-07-31",
        faults=tell_faults(
            WORDS,
            [RowFault(4, RowProblem.UNKNOWN_ATTRIBUTE, MARKUP)],
            [Unmatched(9, "Bestaat niet", is_school=False), Unmatched(2, "99ZZ", is_school=True)],
        ),
        more_faults=3,
    ),
}
