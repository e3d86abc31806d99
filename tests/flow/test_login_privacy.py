"""What stays where it belongs: no telling value in audit, repr, URL, refusal or store at rest."""

from base64 import b64decode
from collections.abc import Iterator
from urllib.parse import unquote_plus

import pytest

from broker.demo.people import Person
from broker.domain.agreements import NoticeMode
from broker.flow.answers import PostMessage, Welcome
from broker.flow.held_state.every_kind import EVERY_KIND
from broker.flow.held_state.sealed_state import SealedRecord
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.persons import identify_person, present_person
from broker.flow.receipts.receipts import derive_receipt_keys, open_receipt
from tests.builders import an_identity
from tests.flow.login_answers import Browser, Received, read_at_school, refused
from tests.flow.login_parties import BIOSFEER_OIDC, BIOSFEER_SAML, REKENRIJK, TAALTUIN
from tests.flow.login_world import DAAN, ELS, NOOR, SANNE, LoginWorld
from tests.flow.test_login_combinations import every_combination

EVERYBODY = (SANNE, DAAN, ELS, NOOR)


def hidden_in(values: frozenset[str], shown: str | bytes) -> list[str]:
    """Return the values that something shows, as they are or encoded for a URL."""
    text = shown.decode("latin-1") if isinstance(shown, bytes) else shown
    return [each for each in values if each in text or each in unquote_plus(text)]


@every_combination
async def test_nothing_shows_a_value_that_was_not_released(
    world: LoginWorld,
    browser: Browser,
    telling_values: frozenset[str],
    person: Person,
    party: str,
) -> None:
    world.change(person.school.id, shared_devices=True)
    world.change(f"{person.school.id}/{party}", notice=NoticeMode.INFORM)
    values = telling_values | {person.first_name}
    shown: list[str] = []
    answer = await world.begin(browser, party)
    shown.append(repr(answer))
    answer = await world.choose(browser, answer.login, person.school.id)  # type: ignore[union-attr]
    shown += [repr(answer), answer.url]  # type: ignore[union-attr]
    answer = await world.come_back(browser, read_at_school(answer), person)
    assert isinstance(answer, Welcome)
    shown.append(repr(answer))
    answer = await world.press(browser, "go_on", answer.login)
    shown += [repr(answer), answer.url]  # type: ignore[union-attr]
    if isinstance(answer, PostMessage):
        message = b64decode(dict(answer.fields)["SAMLResponse"])
        assert hidden_in(telling_values, message) == []  # the first name was released
    received = await world.receive(answer, party)
    assert hidden_in(telling_values, repr(received)) == []
    shown += [repr(each) for each in world.audit.events]
    shown += [repr(each) for each in world.receipts.kept]
    shown += [repr(each) for each in browser.cookies.values()]
    assert [hidden_in(values, each) for each in shown] == [[]] * len(shown)
    at_rest = [*world.store.at_rest, *(each.ciphertext for each in world.receipts.kept)]
    at_rest += [*world.register.rows, *(each.sealed for each in world.register.rows.values())]
    assert len(at_rest) > 5
    secrets = values | {received.subject, received.code, *handles(browser)} - {""}
    assert [hidden_in(secrets, each) for each in at_rest] == [[]] * len(at_rest)


def handles(browser: Browser) -> Iterator[str]:
    return (each.handle.text for each in browser.cookies.values())


@every_combination
async def test_a_refusal_shows_no_value(
    world: LoginWorld, telling_values: frozenset[str], person: Person, party: str
) -> None:
    wrongs: tuple[dict[str, object], ...] = (
        {"eckId": ("no-uri-" + person.attributes["employeeNumber"][0],)},
        {"employeeNumber": ("1", person.attributes["employeeNumber"][0]), "eckId": None},
        {"nlEduPersonHomeOrganizationId": person.attributes["mail"]},
        {"uid": ("x@" + person.attributes["employeeNumber"][0],)},
        {"eduPersonAffiliation": None, "eckId": None},
    )
    for stated in wrongs:
        page = refused(await world.arrive(Browser(), person, party=party, stated=stated))
        shown = f"{page!r} {page.refusal!r} {page.refusal} {page.refusal.subject}"
        assert hidden_in(telling_values, shown) == []
        assert page.refusal.__context__ is None or not hidden_in(
            telling_values, repr(page.refusal.__context__)
        )


def test_records_of_every_kind_hide_what_they_hold() -> None:
    assert {each.name for each in EVERY_KIND} == {
        "choosing",
        "pending",
        "offered",
        "prepared",
        "grant",
        "userinfo",
        "refresh",
        "api-token",
        "pushed",
        "used-object",
        "volunteer-at-school",
        "volunteer-between",
        "browser-session",
        "session-standing",
        "session-at-school",
        "participation",
        "told-login",
        "login-test",
        "console-session",
        "me-session",
        "own-login",
        "logout",
        "logged-out",
        "logout-result",
    }
    for kind in EVERY_KIND:
        assert kind.struct.__repr__ is SealedRecord.__repr__


class TestUnlinkable:
    """Two suppliers that pool what they got of one pupil find nothing of ours that matches."""

    async def test_no_value_but_the_released_is_shared(self, world: LoginWorld) -> None:
        got = {party: await world.log_in(party) for party in (REKENRIJK, BIOSFEER_OIDC)}
        one, other = (values_of(each) for each in got.values())
        # the same school released the same first name and role; the broker's own times are coarse
        assert one & other <= {
            "Sanne",
            "student",
            "https://broker.example",
            *coarse(world),
            "n-0S6",
        }

    async def test_no_value_but_the_released_is_shared_by_saml(self, world: LoginWorld) -> None:
        got = [(await world.log_in(party)) for party in (TAALTUIN, BIOSFEER_SAML)]
        ids = [values_of(each) for each in got]
        kind = got[0].protocol_values["format"]
        coarse_instant = got[0].protocol_values["authn_instant"]
        level = got[0].protocol_values["authn_context"]
        assert ids[0] & ids[1] <= {"Sanne", "student", kind, coarse_instant, level}
        assert coarse_instant == "2026-03-02T08:00:00Z"

    @pytest.mark.parametrize("party", [REKENRIJK, TAALTUIN])
    async def test_ids_are_other_ones_at_each_login(self, world: LoginWorld, party: str) -> None:
        one, other = [await world.log_in(party) for _ in range(2)]
        assert one.subject == other.subject
        for name in ("jti", "response_id", "assertion_id", "session_index"):
            if name in one.protocol_values:
                assert one.protocol_values[name] != other.protocol_values[name]

    async def test_times_are_coarse_unless_this_request_forced_the_login(
        self, world: LoginWorld
    ) -> None:
        world.wait(seconds=77)
        browser = Browser()
        times = {}
        for prompt in (None, "login"):
            at_school = await world.go_to_school(browser, max_age="10000", prompt=prompt)
            received = await world.receive(await world.come_back(browser, at_school))
            times[prompt] = received.protocol_values["auth_time"] % 300
        assert times == {None: 0, "login": 77}
        assert "auth_time" not in (await world.log_in()).protocol_values

    async def test_one_session_at_school_leaves_no_mark_at_two_suppliers(
        self, world: LoginWorld
    ) -> None:
        """A pupil who logged in at eight visits one supplier at nine and another at ten."""
        session = int(world.now.timestamp()) - 3600
        browser, told = Browser(), []
        for party in (REKENRIJK, BIOSFEER_OIDC):
            asked = {"max_age": "20000"}
            at_school = await world.go_to_school(browser, party, "kompas", **asked)
            answer = await world.come_back(browser, at_school, NOOR, auth_time=session)
            received = await world.receive(answer, party)
            told.append(received.protocol_values["auth_time"])
            now = int(world.now.timestamp())
            assert told[-1] == now - now % 300
            world.wait(hours=1)
        assert len(set(told)) == 2


def values_of(received: Received) -> set[str]:
    found: set[str] = {received.subject}
    for value in (*received.claims.values(), *received.protocol_values.values()):
        found |= {str(each) for each in (value if isinstance(value, list) else [value])}
    return found


def coarse(world: LoginWorld) -> set[str]:
    floored = int(world.now.timestamp()) // 300 * 300
    return {str(floored), str(floored + 600)}


class TestReceipt:
    """Durable before the answer leaves; names, never values."""

    @every_combination
    async def test_it_names_what_went_out_and_what_stayed(
        self, world: LoginWorld, telling_values: frozenset[str], person: Person, party: str
    ) -> None:
        world.change(f"{person.school.id}/{party}", approved=frozenset({"givenName"}))
        await world.log_in(party, person)
        (kept,) = world.receipts.kept
        identity = an_identity(
            school=person.school.id,
            identifier=person.attributes["employeeNumber"][0],
            eck_id=person.attributes["eckId"][0],
        )
        known = await identify_person(
            present_person(identity, key=world.keys.root),
            register=world.register,
            keys=world.keys.register,
            school=identity.school,
            eck_id_required=False,
            today=world.now.date(),
            random=world.random,
            rules=JoinRules(),
        )
        keys = derive_receipt_keys(
            world.keys.receipts, root=known.root, school=identity.school, salt=known.salt
        )
        told = open_receipt(kept, keys=keys)
        assert (told.supplier, told.relying_party, told.epoch) == (party, party, "a")
        assert told.released == ("givenName",)
        assert {each.name: each.reason for each in told.withheld}["eduPersonAffiliation"] == (
            "not-approved"
        )
        assert hidden_in(telling_values, repr(told)) == []
