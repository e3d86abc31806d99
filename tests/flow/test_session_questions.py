"""Is somebody logged in? Asked by suppliers that may, and answered of schools that agreed."""

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from broker.domain.federation import SingleSignOn
from broker.domain.ids import Brin, SchoolId, SchoolIdpId
from broker.domain.registry import build_registry
from broker.flow.first_party.session_questions import (
    MAX_STATE_CHARS,
    MayNotAsk,
    QuestionUnreadable,
    SessionQuestion,
    SessionQuestions,
)
from broker.flow.held_state.login_store import LoginStore
from broker.flow.sessions.session_records import SESSION, SessionRecord
from broker.flow.sessions.sessions import Sessions, SessionTimes
from tests.builders import a_relying_party, a_school, a_school_idp, a_supplier, an_agreement
from tests.flow.fakes import CountingStore
from tests.flow.port_fakes import ListAudit, SwappedSnapshots
from tests.flow.sealed_builders import CountingRandom, a_state, a_store

ISSUER = "https://broker.example"
NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
PLACE = "https://rekenrijk.example/answer"


class Desk:
    """A browser with the session of a pupil at De Vuurvogel, and a supplier that asks."""

    def __init__(
        self,
        *,
        store: LoginStore | None = None,
        school: dict[str, Any] | None = None,
        idp: dict[str, Any] | None = None,
        agreement: dict[str, Any] | None = None,
        supplier: dict[str, Any] | None = None,
        place: str = PLACE,
        party: dict[str, Any] | None = None,
    ) -> None:
        asks = a_relying_party(**({"session_answer_url": place} | (party or {})))
        stated: dict[str, Any] = {"may_ask_session": True} | (supplier or {})
        registry = build_registry(
            1,
            schools=[
                a_school(**({"single_sign_on": SingleSignOn.ON} | (school or {}))),
                a_school(id=SchoolId("kompas"), brin=Brin("22BB")),
            ],
            idps=[
                a_school_idp(**(idp or {})),
                a_school_idp(id=SchoolIdpId("kompas"), schools=(SchoolId("kompas"),)),
            ],
            suppliers=[a_supplier(relying_parties=(asks,), **stated)],
            agreements=[an_agreement(**(agreement or {}))],
        )
        self.state = a_state(store or a_store(), random=CountingRandom())
        self.audit = ListAudit(frozenset({"the-state", "vuurvogel", "sanne"}))
        self.questions = SessionQuestions(
            issuer=ISSUER,
            snapshots=SwappedSnapshots(registry),
            sessions=Sessions(self.state, times=SessionTimes()),
            audit=self.audit,
            clock=lambda: NOW,
        )

    async def log_in(self, *schools: str) -> str:
        at = tuple(map(SchoolId, schools or ("vuurvogel",)))
        record = SessionRecord(
            idp=SchoolIdpId("vuurvogel"),
            school=at[0],
            schools=at,
            attributes={"uid": ("sanne",)},
            authenticated_at=NOW,
            acr="",
            began_at=NOW,
        )
        handle, put = self.state.seal(SESSION, record)
        await self.state.put(put)
        return handle.text

    async def ask(
        self, *, session: str = "", schools: tuple[str, ...] = (), state: str = "the-state"
    ) -> dict[str, str]:
        question = SessionQuestion(
            relying_party="rekenrijk", state=state, session=session, schools=schools
        )
        place, _, _ = (url := await self.questions.answer(question)).partition("?")
        assert place == PLACE
        found = parse_qs(urlsplit(url).query)
        return {name: values[0] for name, values in found.items()}


async def test_a_session_is_true_and_says_no_more() -> None:
    desk = Desk()
    assert await desk.ask(session=await desk.log_in()) == {
        "logged_in": "true",
        "iss": ISSUER,
        "state": "the-state",
    }
    (event,) = desk.audit.events
    assert (event.action, event.supplier, event.relying_party) == (
        *("session-asked", "rekenrijk", "rekenrijk"),
    )


async def test_a_known_school_without_session_is_remote() -> None:
    desk = Desk()
    assert (await desk.ask(schools=("vuurvogel",)))["logged_in"] == "remote"
    assert (await desk.ask(schools=("", "vuurvogel")))["logged_in"] == "remote"
    stale = "A" * 43
    assert (await desk.ask(session=stale, schools=("vuurvogel",)))["logged_in"] == "remote"


async def test_nothing_known_is_false() -> None:
    desk = Desk()
    for schools in ((), ("nowhere",), ("nowhere", "")):
        assert (await desk.ask(schools=schools))["logged_in"] == "false"
    assert (await desk.ask(session="nonsense"))["logged_in"] == "false"


@pytest.mark.parametrize(
    "agreement",
    [
        {"first_day": date(2026, 10, 1)},
        {"last_day": date(2026, 8, 31)},
        {"school": SchoolId("kompas")},
    ],
)
async def test_of_schools_without_agreement_nothing_is_told(agreement: dict[str, Any]) -> None:
    desk = Desk(agreement=agreement)
    held = await desk.log_in()
    assert (await desk.ask(session=held, schools=("vuurvogel",)))["logged_in"] == "false"


async def test_one_of_several_schools_that_agreed_is_enough() -> None:
    desk = Desk(agreement={"school": SchoolId("vuurvogel")})
    assert (await desk.ask(session=await desk.log_in("kompas")))["logged_in"] == "false"
    desk = Desk(school={"single_sign_on": SingleSignOn.ASK})
    assert (await desk.ask(session=await desk.log_in()))["logged_in"] == "true"


async def test_the_first_known_school_counts_alone() -> None:
    assert (await Desk().ask(schools=("kompas", "vuurvogel")))["logged_in"] == "false"


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"school": {"single_sign_on": SingleSignOn.OFF}}, "remote"),
        ({"school": {"enabled": False}}, "false"),
        ({"idp": {"enabled": False}}, "false"),
    ],
)
async def test_a_session_that_goes_on_no_more(changes: dict[str, Any], answer: str) -> None:
    desk = Desk(**changes)
    asked = await desk.ask(session=await desk.log_in(), schools=("vuurvogel",))
    assert asked["logged_in"] == answer


@pytest.mark.parametrize(
    "changes",
    [
        {"supplier": {"may_ask_session": False}},
        {"supplier": {"enabled": False}},
        {"party": {"enabled": False}},
        {"place": ""},
        {"party": {"id": "another"}},
    ],
)
async def test_who_may_not_ask_is_sent_nowhere(changes: dict[str, Any]) -> None:
    desk = Desk(**changes)
    with pytest.raises(MayNotAsk, match="check_may_ask"):
        await desk.ask()
    assert desk.audit.events == []


@pytest.mark.parametrize("state", ["\n", "caf\u00e9", "x" * (MAX_STATE_CHARS + 1), "a\n"])
async def test_a_state_that_no_address_may_hold(state: str) -> None:
    with pytest.raises(QuestionUnreadable, match="check_question_state"):
        await Desk().ask(state=state)


@pytest.mark.parametrize("state", ["", "a b&c=d#", "x" * MAX_STATE_CHARS])
async def test_a_state_comes_back_as_it_was(state: str) -> None:
    assert (await Desk().ask(state=state)).get("state", "") == state


async def test_a_place_with_a_query_keeps_it() -> None:
    asked = SessionQuestion(relying_party="rekenrijk", state="", session="")
    url = await Desk(place=f"{PLACE}?a=b").questions.answer(asked)
    assert url.startswith(f"{PLACE}?a=b&logged_in=false")


async def test_a_store_that_is_unsure_is_told_as_an_error() -> None:
    desk = Desk(store=CountingStore(a_store().inner, fails_at=2))
    asked = await desk.ask(session=await desk.log_in(), schools=("vuurvogel",))
    assert asked == {"error": "server_error", "iss": ISSUER, "state": "the-state"}
