"""A login that sends `sub` and mail alone, and the school's list that says who that is."""

from datetime import date, timedelta
from typing import Any

import pytest

from broker.domain.attributes import Population
from broker.domain.dutch_days import day_of
from broker.domain.identity import PersonNotStated
from broker.flow.enrolment.enrolment_records import (
    EnrolmentRecord,
    derive_enrolment_keys,
    derive_login_tag,
    open_enrolment,
    seal_enrolment,
)
from broker.flow.enrolment.enrolments import EnrolmentContradicted
from broker.flow.held_state.framing import UnreadableRecord
from broker.flow.persons.register import RegisterUnavailable
from broker.pseudonyms.derivation import parse_eckid, root_from_eckid
from tests.flow.feeding import feed
from tests.flow.login_answers import Browser, Received, refused
from tests.flow.login_parties import OIDC_IDP, OIDC_SCHOOL, REKENRIJK, SAML_IDP, TAALTUIN
from tests.flow.login_world import ELS, NOOR, SANNE, LoginWorld, attributes_of

NOTHING: dict[str, None] = dict.fromkeys(NOOR.attributes)
"""The login states none of what NOOR's login states."""

SUB = "108293746501928374650"
NOOR_ECK = NOOR.attributes["eckId"][0]
NOOR_NUMBER = NOOR.attributes["employeeNumber"][0]
LISTED = {"login": SUB, "eck_id": NOOR_ECK, "number": NOOR_NUMBER, "branch": "22BB00"}


@pytest.fixture
def google(world: LoginWorld) -> LoginWorld:
    """A world in which a school's login sends `sub` and mail alone."""
    world.change(OIDC_IDP, login_identifier="sub")
    return world


async def log_in(world: LoginWorld, party: str = REKENRIJK, **stated: Any) -> Received:
    """Log in as Google does it."""
    return await world.log_in(
        party,
        NOOR,
        stated={**NOTHING, "mail": ("noor@kompas.example",), **stated},
        sub=SUB,
    )


async def refuse(world: LoginWorld, **stated: Any) -> Any:
    page = refused(await world.arrive(Browser(), NOOR, stated={**NOTHING, **stated}, sub=SUB))
    return page.refusal


async def test_it_opens_the_accounts_that_a_full_login_opens(google: LoginWorld) -> None:
    by_itself = [(await google.log_in(each, NOOR)).subject for each in (REKENRIJK, TAALTUIN)]
    await feed(google, LISTED)
    listed = [(await log_in(google, each)).subject for each in (REKENRIJK, TAALTUIN)]
    assert listed == by_itself
    assert len(set(listed)) == 2


async def test_also_when_it_comes_first_and_by_the_number_alone(google: LoginWorld) -> None:
    without_eck_id = {**LISTED, "eck_id": ""}
    await feed(google, without_eck_id)
    listed = (await log_in(google)).subject
    assert (await google.log_in(REKENRIJK, NOOR, stated={"eckId": None})).subject == listed


async def test_the_list_fills_what_the_login_does_not_state(google: LoginWorld) -> None:
    await feed(google, LISTED)
    claims = (await log_in(google)).claims
    assert claims == {"eduperson_affiliation": ["student"]}  # approved, and nothing else is
    stated = {"eduPersonAffiliation": ("student",), "givenName": ("Noor",)}
    assert (await log_in(google, **stated)).claims == {
        "eduperson_affiliation": ["student"],
        "given_name": "Noor",
    }


async def test_who_is_not_listed_is_a_login_without_eck_id(google: LoginWorld) -> None:
    await feed(google, {**LISTED, "login": "1"})
    refusal = await refuse(google)
    assert isinstance(refusal, PersonNotStated)
    assert refusal.subject == "eduPersonAffiliation"
    with_number = {"employeeNumber": ("77",), "eduPersonAffiliation": ("student",)}
    assert (await log_in(google, **with_number)).subject


async def test_mail_names_somebody_only_as_long_as_the_list_says_so(world: LoginWorld) -> None:
    world.change(OIDC_IDP, login_identifier="mail")
    await feed(world, {**LISTED, "login": "noor@kompas.example"})
    before = (await log_in(world)).subject
    other = {**LISTED, "eck_id": NOOR_ECK[:-2] + "00", "number": "2"}
    await feed(world, {**other, "login": "noor@kompas.example"}, allow_vanishing=True)
    assert (await log_in(world)).subject != before


async def test_until_the_last_day(google: LoginWorld) -> None:
    today = day_of(google.now)
    await feed(google, {**LISTED, "until": today.isoformat()})
    assert (await log_in(google)).subject
    google.wait(days=1)
    assert isinstance(await refuse(google), PersonNotStated)


async def test_a_list_vouches_for_a_school_year(google: LoginWorld) -> None:
    await feed(google, LISTED)
    google.wait(days=400)
    assert (await log_in(google)).subject
    google.wait(days=1)
    assert isinstance(await refuse(google), PersonNotStated)
    await feed(google, LISTED)
    assert (await log_in(google)).subject


async def test_staff_are_known_by_their_number(world: LoginWorld) -> None:
    """A list's role makes them staff, whatever ECK iD the login states beside it."""
    world.change(SAML_IDP, login_identifier="uid")
    by_itself = (await world.log_in(REKENRIJK, ELS)).subject
    uid, number = ELS.attributes["uid"][0], ELS.attributes["employeeNumber"][0]
    row = {"login": uid, "number": number, "role": "staff", "eck_id": NOOR_ECK}
    await feed(world, row, school="vuurvogel")
    alone = {name: None for name in ELS.attributes if name not in ("uid", "mail")}
    alone.pop("nlEduPersonHomeOrganizationId", None)
    listed = await world.log_in(REKENRIJK, ELS, stated=alone)
    assert listed.subject == by_itself
    assert listed.claims["eduperson_affiliation"] == ["employee"]
    with_eck_id = await world.log_in(REKENRIJK, ELS, stated={**alone, "eckId": (NOOR_ECK,)})
    assert with_eck_id.subject == by_itself


class TestLoginAndListDisagree:
    @pytest.mark.parametrize(
        ("stated", "check"),
        [
            ({"eckId": (NOOR_ECK[:-2] + "00",)}, "check_list_names_same_person"),
            (
                {"employeeNumber": ("77",), "eduPersonAffiliation": ("student",)},
                "check_list_names_same_person",
            ),
            ({"eduPersonAffiliation": ("employee",)}, "check_list_states_same_role"),
        ],
    )
    async def test_is_refused(
        self, google: LoginWorld, stated: dict[str, tuple[str, ...]], check: str
    ) -> None:
        await feed(google, LISTED)
        refusal = await refuse(google, **stated)
        assert isinstance(refusal, EnrolmentContradicted)
        assert refusal.check == check
        assert google.register.rows == {}

    async def test_agreeing_is_not(self, google: LoginWorld) -> None:
        await feed(google, LISTED)
        listed = (await log_in(google)).subject
        assert (await google.log_in(REKENRIJK, NOOR, sub=SUB)).subject == listed
        assert (await log_in(google, eckId=(NOOR_ECK,))).subject == listed


class TestLookUps:
    async def test_one_more_where_a_list_may_say_who_it_is(self, google: LoginWorld) -> None:
        await feed(google, LISTED)
        await log_in(google)
        google.faults.start()
        await log_in(google)
        assert google.faults.counted["enrolments"] == 1
        assert google.faults.counted["register"] == 1

    async def test_none_elsewhere(self, world: LoginWorld) -> None:
        world.faults.start()
        await world.log_in(REKENRIJK, SANNE)
        assert world.faults.counted["enrolments"] == 0

    async def test_one_that_fails_releases_nothing(self, google: LoginWorld) -> None:
        await feed(google, LISTED)
        google.faults.start()
        await log_in(google)
        failing = google.faults.calls.index("enrolments.find") + 1
        google.faults.start(fails_at=failing)
        assert isinstance(await refuse(google), RegisterUnavailable)
        google.faults.start()
        assert (await log_in(google)).subject

    async def test_a_row_that_does_not_open_releases_nothing(self, google: LoginWorld) -> None:
        await feed(google, LISTED)
        for tag, (of, sealed) in google.enrolments.rows.items():
            google.enrolments.rows[tag] = (of, sealed[:-1] + bytes([sealed[-1] ^ 1]))
        assert isinstance(await refuse(google), RegisterUnavailable)


class TestAtRest:
    async def test_nothing_names_anybody(
        self, google: LoginWorld, telling_values: frozenset[str]
    ) -> None:
        await feed(google, LISTED)
        ((tag, (of, sealed)),) = google.enrolments.rows.items()
        at_rest = tag + of + sealed
        for value in (*telling_values, SUB, OIDC_SCHOOL):
            assert value.encode() not in at_rest
        root = root_from_eckid(parse_eckid(NOOR_ECK), key=google.keys.root)
        assert root not in at_rest

    def test_a_row_opens_with_its_own_school_and_login_alone(self) -> None:
        keys, other = (derive_enrolment_keys(bytes([each] * 32)) for each in (1, 2))
        record = EnrolmentRecord(population=Population.PUPIL, until=date(2027, 7, 31))
        sealed = seal_enrolment(record, school=OIDC_SCHOOL, login=SUB, keys=keys, nonce=bytes(12))
        assert open_enrolment(sealed, school=OIDC_SCHOOL, login=SUB, keys=keys) == record
        for wrong in (
            {"login": "2"},
            {"school": "vuurvogel"},
            {"keys": other},
        ):
            asked: Any = {"school": OIDC_SCHOOL, "login": SUB, "keys": keys} | wrong
            with pytest.raises(UnreadableRecord):
                open_enrolment(sealed, **asked)
        assert repr(record) == "EnrolmentRecord(...)"
        assert derive_login_tag(keys, OIDC_SCHOOL, SUB) != derive_login_tag(other, OIDC_SCHOOL, SUB)

    def test_a_row_of_another_form_does_not_open(self) -> None:
        from broker.flow.enrolment import enrolment_records as records
        from broker.flow.held_state.framing import seal

        keys = derive_enrolment_keys(bytes(32))
        sealed = seal(
            records._row_key(keys, OIDC_SCHOOL, SUB),
            records.Stored(),
            nonce=bytes(12),
            bound_to=records._place(keys, OIDC_SCHOOL, SUB),
        )
        with pytest.raises(UnreadableRecord):
            open_enrolment(sealed, school=OIDC_SCHOOL, login=SUB, keys=keys)


def test_what_a_google_login_states_is_little() -> None:
    assert set(attributes_of(NOOR, {**NOTHING})) == set()
    assert timedelta(days=1)
