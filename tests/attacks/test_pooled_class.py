"""Suppliers pool all that they received about one class of 1,000, and learn nothing by it.

The statistic is the number of pupils that the pooling program (`matching.py`) pairs correctly, by
the best of its methods. Both suppliers were given first name and role, so it may pair as many as
chance explains within equal names and roles, and no more: about 40, for there are 40 names. Keys,
randomness and clock are fixed, so the number is the same at each run. No HTTP, but the whole flow
on real protocol code.
"""

import random
from base64 import b32encode, b64decode
from collections.abc import Callable, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from lxml import etree

from broker.demo.people import KOMPAS, Person, made_up_eck_id
from broker.flow.answers import PostMessage
from tests.attacks.matching import Matching, Record, chance_bound, every_guess
from tests.builders import a_declaration
from tests.flow import login_world
from tests.flow.login_answers import Browser, Received
from tests.flow.login_parties import BIOSFEER_OIDC, BIOSFEER_SAML, REKENRIJK, TAALTUIN
from tests.flow.login_world import LoginWorld

PUPILS = 1000
SMALL = 100  # for the controls, which find all or nothing
SEED = 20261
LESSON_SECONDS = 600
NAMES = """
Aya Bram Cas Daan Elin Fenna Finn Guus Hugo Ilse Isa Jace Jip Jula Kai Kiki Lars Lies Lina Lot
Luuk Maud Mees Mila Mohamed Nina Noor Olaf Otis Pien Puck Quinn Roos Saar Sem Sofie Teun Tess Timo
Yara
"""
RELEASED = ("givenName", "eduPersonAffiliation")

World = Callable[..., LoginWorld]


@pytest.fixture
def make_world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return what makes a broker whose randomness looks random, and repeats at each run."""

    def make(seed: int = SEED) -> LoginWorld:
        generator = random.Random(seed)
        monkeypatch.setattr(login_world, "CountingRandom", lambda: generator.randbytes)
        return LoginWorld()

    return make


def a_class(size: int) -> list[Person]:
    """Return made-up pupils, several with each name, as in any school."""
    draw, names = random.Random(SEED), NAMES.split()
    return [
        Person(
            f"pupil-{number}",
            KOMPAS,
            MappingProxyType(
                {
                    "uid": (f"pupil{number}@{KOMPAS.realm}",),
                    "employeeNumber": (f"77{number:05}",),
                    "givenName": (draw.choice(names),),
                    "sn": (f"Achternaam{number}",),
                    "eduPersonAffiliation": ("student",),
                    "nlEduPersonHomeOrganizationId": (KOMPAS.brin,),
                    "eckId": (made_up_eck_id(f"pooled {number}"),),
                }
            ),
        )
        for number in range(size)
    ]


async def collect(
    world: LoginWorld, people: Sequence[Person], party: str, *, seed: int
) -> list[tuple[Person, Record]]:
    """Let a class log in during a lesson, in an order of its own, and return what was received."""
    order = list(people)
    random.Random(seed).shuffle(order)
    begun_at = world.now
    received = []
    for at, person in enumerate(order):
        world.now = begun_at
        world.wait(seconds=at * LESSON_SECONDS // len(order))
        received.append((person, await receive(world, person, party)))
    world.now = begun_at
    return sorted(received, key=lambda each: each[1]["subject"])  # the order tells nothing more


async def receive(world: LoginWorld, person: Person, party: str) -> Record:
    """Let one pupil log in and return all that the supplier holds in its hands then."""
    answer = await world.arrive(Browser(), person, party=party)
    if isinstance(answer, PostMessage):
        return flatten_xml(answer)
    return flatten(await world.receive(answer, party))


def flatten_xml(answer: PostMessage) -> Record:
    """Return every attribute and text of a Response by its place, attributes by their names."""
    fields = dict(answer.fields)
    found = {"RelayState": fields["RelayState"]}
    document = etree.ElementTree(etree.fromstring(b64decode(fields["SAMLResponse"])))
    for element in document.iter():
        place = "/".join(etree.QName(each).localname for each in lineage(element))
        found |= {f"{place}@{name}": str(value) for name, value in element.attrib.items()}
        found[place] = element.text or ""
        if place.endswith("/Attribute"):
            found[str(element.get("Name"))] = " ".join(each.text or "" for each in element)
    (found["subject"],) = [text for place, text in found.items() if place.endswith("/NameID")]
    return found


def lineage(element: Any) -> list[Any]:
    return [*reversed(list(element.iterancestors())), element]


def flatten(received: Received) -> Record:
    """Return all of a token response, with standard names brought to Entree's."""
    names = {"given_name": "givenName", "eduperson_affiliation": "eduPersonAffiliation"}
    found = {"subject": received.subject, "code": received.code, "state": received.state or ""}
    for kind, values in (("", received.claims), ("protocol ", received.protocol_values)):
        for name, value in values.items():
            texts = [value] if not isinstance(value, list) else value
            found[kind + names.get(name, name)] = " ".join(map(str, texts))
    return found


class Best(NamedTuple):
    """The best of `guesses` methods."""

    correct: int
    how: str
    guesses: int


def count_correct(
    matching: Matching, ours: list[tuple[Person, Record]], theirs: list[tuple[Person, Record]]
) -> int:
    return sum(ours[our][0] is theirs[their][0] for our, their in matching.items())


def best_guess(
    ours: list[tuple[Person, Record]],
    theirs: list[tuple[Person, Record]],
    *,
    released: Sequence[str] = RELEASED,
) -> Best:
    """Return how many pupils the best of all methods pairs correctly."""
    guesses = every_guess(
        [record for _, record in ours], [record for _, record in theirs], released=released
    )
    counts = [(count_correct(matching, ours, theirs), how) for how, matching in guesses]
    return Best(*max(counts), guesses=len(counts))


async def test_two_suppliers_match_a_class_no_better_than_by_what_was_released(
    make_world: World,
) -> None:
    world, people = make_world(), a_class(PUPILS)
    world.change(KOMPAS.id, pupils=4 * PUPILS)  # all of one class are new here on one day
    ours = await collect(world, people, REKENRIJK, seed=1)
    groups = {tuple(record[name] for name in RELEASED) for _, record in ours}
    assert len(groups) == len(NAMES.split())
    for other, size in ((TAALTUIN, PUPILS), (BIOSFEER_OIDC, PUPILS // 4)):
        pooled = people[:size]
        theirs = await collect(world, pooled, other, seed=size)
        best = best_guess([each for each in ours if each[0] in pooled], theirs)
        assert best.correct < chance_bound(len(groups), guesses=best.guesses), best.how
        assert best.correct >= len(groups) / 2  # the program does use what was released


async def test_what_was_released_to_both_matches_them_all(make_world: World) -> None:
    """The positive control: with the ECK iD the same program finds every pupil."""
    world, people = make_world(), a_class(SMALL)
    for supplier in ("rekenrijk", "taaltuin"):
        world.change(
            supplier,
            eck_id_entitled=True,
            attributes=(a_declaration("givenName"), a_declaration("eckId")),
        )
        world.change(
            f"kompas/{supplier}",
            approved=frozenset({"givenName", "eckId"}),
            last_day=date(2099, 7, 31),
        )
    ours = await collect(world, people, REKENRIJK, seed=1)
    theirs = await collect(world, people, TAALTUIN, seed=2)
    assert best_guess(ours, theirs, released=("givenName",))[:2] == (SMALL, "shared values")


async def test_one_suppliers_two_systems_know_one_pupil(make_world: World) -> None:
    world, people = make_world(), a_class(SMALL)
    ours = await collect(world, people, BIOSFEER_OIDC, seed=1)
    theirs = await collect(world, people, BIOSFEER_SAML, seed=2)
    assert best_guess(ours, theirs).correct == SMALL


def test_a_small_leak_would_be_seen() -> None:
    """The program finds a shared piece of an id, an order and a fixed relation."""
    people, draw = a_class(SMALL), random.Random(SEED)
    nowhere = {"givenName": "Noor"}

    def side(
        make_id: Callable[[int], bytes], **more: Callable[[int], str]
    ) -> list[tuple[Person, Record]]:
        records = [
            (
                person,
                {
                    **nowhere,
                    "subject": "a" + to_base32(make_id(number)),
                    **{name: make(number) for name, make in more.items()},
                },
            )
            for number, person in enumerate(people)
        ]
        return sorted(records, key=lambda each: each[1]["subject"])

    ids = [draw.randbytes(32) for _ in people]
    mask = draw.randbytes(32)

    def unrelated(_: int) -> bytes:
        return draw.randbytes(32)

    ours = side(ids.__getitem__, jti=lambda number: f"{number:05}-{draw.randbytes(8).hex()}")
    piece = side(lambda number: draw.randbytes(20) + ids[number][5:17])
    order = side(unrelated, session=lambda number: f"_{number:05}{draw.randbytes(8).hex()}")
    masked = side(lambda number: bytes(a ^ b for a, b in zip(ids[number], mask, strict=True)))
    nothing = side(unrelated)
    for theirs in (piece, order, masked):
        assert best_guess(ours, theirs, released=("givenName",)).correct == SMALL
    by_chance = best_guess(ours, nothing, released=("givenName",))
    assert by_chance.correct < chance_bound(1, guesses=by_chance.guesses)


def to_base32(value: bytes) -> str:
    return b32encode(value).decode().rstrip("=").lower()
