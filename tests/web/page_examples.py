"""Examples of every page, and a strict reader of what they render to."""

from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser

from broker.domain.refusals import WhoseTask
from broker.domain.release import NoAgreement
from broker.flow.login_tests.login_tests import LoginTestOutcome
from broker.flow.switching.rehearsal import Finding
from broker.saml_sp.refusals import NameIdUnusable
from broker.web import texts
from broker.web.login_pages import (
    AppPage,
    LoginChoice,
    LoginsPage,
    OtherLoginPage,
    RehearsalPage,
    WhichSchoolPage,
)
from broker.web.login_test_pages import (
    AttributeRow,
    LoginTestPage,
    LoginTestResultPage,
    LoginTestSearchPage,
    OutlookRow,
    WithheldRow,
)
from broker.web.logout_pages import (
    AnswerForm,
    AskLogoutPage,
    LeftPlace,
    LoggedOutPage,
    LogoutStopPage,
)
from broker.web.pages import (
    ChooserPage,
    Frame,
    HandoverPage,
    Link,
    MessagePage,
    NewTabPage,
    Notice,
    Page,
    RefusalPage,
    Retry,
    WelcomePage,
    build_language_links,
)
from broker.web.rendering import Pages, load_pages
from broker.web.school_choice import SchoolChoice
from broker.web.texts import Language

VOID = {"input", "meta", "link", "br"}

PAGES = load_pages()


@dataclass(slots=True)
class Form:
    """One form of a page as a simple client reads it."""

    attributes: dict[str, str]
    hidden: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)


class Document(HTMLParser):
    """Reads a page strictly: every element closes in order, and no id stands twice."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.forms: list[Form] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "form":
            self.forms.append(Form(attributes))
        elif tag == "input" and attributes["type"] == "hidden":
            self.forms[-1].hidden[attributes["name"]] = attributes["value"]
        elif tag == "input":
            self.forms[-1].inputs.append(attributes["name"])
        elif tag == "button" and "form" in self.open:
            self.forms[-1].buttons.append((attributes.get("name", ""), attributes.get("value", "")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def form_to(self, action: str, method: str = "post") -> Form:
        (found,) = (
            each
            for each in self.forms
            if (each.attributes["action"], each.attributes["method"]) == (action, method)
        )
        return found


def a_school(school_id: str = "vuurvogel", **changes: object) -> SchoolChoice:
    values = {"id": school_id, "name": "De Vuurvogel", "place": "Utrecht", "brin": "11AA"}
    return SchoolChoice(**(values | changes))  # type: ignore[arg-type]


def a_chooser(**changes: object) -> ChooserPage:
    values: dict[str, object] = {
        "login": "the-login",
        "csrf": "the-token",
        "supplier_name": "Rekenrijk",
        "schools": (a_school("kompas", name="Het Kompas"), a_school()),
        "found_count": 2,
    }
    return ChooserPage(**(values | changes))  # type: ignore[arg-type]


def a_welcome(**changes: object) -> WelcomePage:
    values: dict[str, object] = {
        "login": "the-login",
        "csrf": "the-token",
        "school_name": "De Vuurvogel",
        "supplier_name": "Rekenrijk",
    }
    return WelcomePage(**(values | changes))  # type: ignore[arg-type]


def a_which_school(**changes: object) -> WhichSchoolPage:
    values: dict[str, object] = {
        "login": "the-login",
        "csrf": "the-token",
        "supplier_name": "Rekenrijk",
        "schools": (a_school(), a_school("kompas", name="Het Kompas")),
    }
    return WhichSchoolPage(**(values | changes))  # type: ignore[arg-type]


def a_refusal(**changes: object) -> RefusalPage:
    values: dict[str, object] = {
        "code": "E-RELEASE-2",
        "reference": "k7mq2xpd",
        "whose_task": WhoseTask.SCHOOL,
        "what": "The material needs {subject}.",
        "remedy": "Your school can approve {subject}.",
    }
    return RefusalPage(**(values | changes))  # type: ignore[arg-type]


def a_handover(**changes: object) -> HandoverPage:
    values: dict[str, object] = {
        "action": "https://taaltuin.example/acs?x=1&y=2",
        "fields": (("SAMLResponse", "PD94bWw+"), ("RelayState", 'a"b<c>')),
        "destination_name": "Taaltuin",
    }
    return HandoverPage(**(values | changes))  # type: ignore[arg-type]


def in_language(language: Language) -> Frame:
    return Frame(language=language, language_links=build_language_links("/schools"))


OLD_LOGIN = LoginChoice(id="vuurvogel", name="", place="login.vuurvogel.example")
NEW_LOGIN = LoginChoice(id="leerplein", name="Het leerplein", place="leerplein.example")


def a_choice_of_logins(**changes: object) -> LoginsPage:
    values: dict[str, object] = {
        "login": "the-login",
        "csrf": "the-token",
        "school": "vuurvogel",
        "school_name": "De Vuurvogel",
        "choices": (NEW_LOGIN, OLD_LOGIN),
    }
    return LoginsPage(**(values | changes))  # type: ignore[arg-type]


def another_login(choice: LoginChoice = NEW_LOGIN) -> OtherLoginPage:
    return OtherLoginPage(
        login="the-login",
        csrf="the-token",
        school="vuurvogel",
        school_name="De Vuurvogel",
        choice=choice,
    )


def a_rehearsal(**changes: object) -> RehearsalPage:
    values: dict[str, object] = {
        "action": "/rehearsal",
        "csrf": "the-token",
        "school": "vuurvogel",
        "school_name": "De Vuurvogel",
        "new_login": NEW_LOGIN,
    }
    return RehearsalPage(**(values | changes))  # type: ignore[arg-type]


def a_login_test(**changes: object) -> LoginTestPage:
    values: dict[str, object] = {
        "csrf": "the-token",
        "school": "vuurvogel",
        "school_name": "De Vuurvogel",
        "choices": (OLD_LOGIN,),
        "suppliers": (("rekenrijk", "RekenRijk"),),
    }
    return LoginTestPage(**(values | changes))  # type: ignore[arg-type]


def a_row(name: str = "givenName", **changes: object) -> AttributeRow:
    values: dict[str, object] = {
        "told": name,
        "incoming": name,
        "name": name,
        "verdict": "mapped",
        "is_good": True,
        "words": "Good",
        "remedy": "",
        "whose_task": "",
        "shown": ("Sanne",),
    }
    return AttributeRow(**(values | changes))  # type: ignore[arg-type]


def a_test_result(**changes: object) -> LoginTestResultPage:
    values: dict[str, object] = {
        "school": "vuurvogel",
        "school_name": "De Vuurvogel",
        "login": "Het oude leerplein",
        "day": date(2026, 3, 2),
        "outcome": LoginTestOutcome.FINE,
        "rows": (
            a_row(),
            a_row("", told="cn", incoming="cn", verdict="ignored", shown=()),
            a_row(
                "eckId",
                words="Wrong form",
                is_good=False,
                whose_task="school",
                remedy="The value does not have the form that this attribute has.",
                shown=("…8f2a",),
            ),
        ),
        "exceptions": ("sha1",),
        "outlooks": (
            OutlookRow(
                supplier="RekenRijk",
                sample="a" + "b" * 52,
                version=3,
                gets=(("givenName", ("Sanne",)),),
                stays=(WithheldRow(name="sn", reason="the supplier does not ask for it"),),
                missing=("mail",),
            ),
            OutlookRow(supplier="Taaltuin", sample="", refusal=NoAgreement(subject="Taaltuin")),
        ),
    }
    return LoginTestResultPage(**(values | changes))  # type: ignore[arg-type]


NL, EN = in_language(Language.NL), in_language(Language.EN)

EXAMPLES: dict[str, Page] = {
    "chooser": a_chooser(),
    "chooser of one": a_chooser(schools=(a_school(),), found_count=1),
    "chooser remembered": a_chooser(remembered=a_school(is_test=True)),
    "chooser with another login": a_chooser(remembered=a_school(), has_logins=True),
    "logins": a_choice_of_logins(),
    "logins remembered": a_choice_of_logins(remembered="vuurvogel"),
    "other login": another_login(),
    "other login without a name": another_login(OLD_LOGIN),
    "rehearsal": a_rehearsal(),
    "rehearsal between": a_rehearsal(action="/rehearsal/next", login="x", is_between=True),
    **{f"rehearsal that finds {each}": a_rehearsal(finding=each) for each in Finding},
    "login test": a_login_test(),
    "login test of several": a_login_test(choices=(OLD_LOGIN, NEW_LOGIN), suppliers=()),
    "login test that searches": LoginTestSearchPage(schools=(a_school(),), found_count=1),
    "login test with none": LoginTestSearchPage(query="zz", schools=(), found_count=0),
    "login test with many": LoginTestSearchPage(schools=(), found_count=7021),
    "login test that is fine": a_test_result(exceptions=()),
    "login test that lacks": a_test_result(outcome=LoginTestOutcome.INCOMPLETE),
    "login test that is refused": a_test_result(
        outcome=None,
        refusal=NameIdUnusable("check_subject_stated"),
        check="check_subject_stated",
        reference="befoheko",
        rows=(),
        outlooks=(),
    ),
    "chooser without a login": a_chooser(login="", supplier_name=""),
    "chooser to search": a_chooser(schools=(), found_count=7021),
    "chooser with many": a_chooser(query="de", found_count=412),
    "chooser with some": a_chooser(query="de"),
    "chooser with none": a_chooser(query="zz", schools=(), found_count=0),
    "welcome": a_welcome(),
    "welcome on a shared device": a_welcome(first_name="Sanne", may_switch=True),
    "welcome with notice": a_welcome(notice=Notice(shared=("givenName", "eckId"))),
    "welcome that shares all": a_welcome(
        notice=Notice(shared=("sn", "mail", "birthDate", "employeeNumber"))
    ),
    "which school": a_which_school(),
    "which school on a shared device": a_which_school(
        first_name="Sanne", may_switch=True, is_remembered=False
    ),
    "app": AppPage(url="nl.app:/cb?code=x&state='y'", supplier_name="Rekenrijk"),
    "app of nobody": AppPage(url="nl.app:/cb"),
    "handover": a_handover(),
    "handover to somewhere": a_handover(destination_name=""),
    **{f"refusal of {each}": a_refusal(whose_task=each) for each in WhoseTask},
    "refusal with retry": a_refusal(
        retry=Retry(login="the-login", csrf="the-token", school="kompas"),
        way_back=Link("https://rekenrijk.example/start", "Rekenrijk"),
    ),
    "refusal with way back": a_refusal(way_back=Link("https://rekenrijk.example/start")),
    "refusal of logging out": a_refusal(
        may_log_out=True, way_back=Link("https://rekenrijk.example/start", "Rekenrijk")
    ),
    "log out": AskLogoutPage(logout="the-logout", csrf="the-token"),
    "log out for a supplier": AskLogoutPage(
        logout="the-logout",
        csrf="the-token",
        supplier_name="Rekenrijk",
        way_back=Link("https://rekenrijk.example/start", "Rekenrijk"),
    ),
    "logged out": LoggedOutPage(places=()),
    "logged out, not yet everywhere": LoggedOutPage(
        places=(
            LeftPlace(name="Rekenrijk", url="https://rekenrijk.example/", is_out=True),
            LeftPlace(name="Biosfeer", url="https://biosfeer.example/", is_out=None),
            LeftPlace(name="Taaltuin", url="https://taaltuin.example/", is_out=False),
            LeftPlace(name="App", url="", is_out=False),
            LeftPlace(name="Atlas", url="https://a.example/", is_out=False, host="a.example"),
            LeftPlace(name="Atlas", url="https://b.example/", is_out=None, host="b.example"),
        ),
        is_waiting=True,
        schools=(Link("https://kompas.example/out", "Het Kompas"),),
        way_back=Link("https://rekenrijk.example/bye", "Rekenrijk"),
    ),
    "logging out at a party": LogoutStopPage(
        method="get",
        action="https://taaltuin.example/slo",
        fields=(("SAMLRequest", "abc"), ("RelayState", "r")),
        name="Taaltuin",
        onward="/logout?logout=the-logout",
        seconds=10,
    ),
    "logged out, never everywhere": LoggedOutPage(
        places=(LeftPlace(name="Taaltuin", url="https://taaltuin.example/", is_out=False),),
        is_partial=True,
        at_school=(
            LeftPlace(name="De Vuurvogel", url="", is_out=True),
            LeftPlace(name="Het Kompas", url="", is_out=False),
            LeftPlace(name="De Regenboog", url="", is_out=None),
        ),
        answer=AnswerForm(
            action="https://biosfeer.example/slo",
            fields=(("SAMLResponse", "abc"), ("RelayState", "r")),
            name="Biosfeer",
        ),
    ),
    "logged out, answered to nobody by name": LoggedOutPage(
        places=(),
        answer=AnswerForm(action="https://b.example/slo", fields=(("SAMLResponse", "a"),), name=""),
    ),
    "logged out with frames": LoggedOutPage(
        places=(), frames=("https://r.example/out",), way_back=Link("https://r.example/bye")
    ),
    "logged out elsewhere": LoggedOutPage(places=(), is_elsewhere=True),
    "new tab": NewTabPage(url="https://broker.example/schools"),
    "message": MessagePage(text=texts.NOTHING_HERE),
    "message with link": MessagePage(text=texts.NOTHING_HERE, link=Link("https://r.example", "R")),
    "message with plain link": MessagePage(text=texts.NOTHING_HERE, link=Link("https://r.example")),
}


def render(page: Page, frame: Frame = NL, *, pages: Pages = PAGES) -> str:
    return pages.render(page, frame).decode()


def read(page: Page, frame: Frame = NL) -> Document:
    return Document(render(page, frame))
