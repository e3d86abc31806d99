"""After all journeys: no telling value anywhere but where it was released.

Searched: logs (ours at the level that tells most, and the libraries'), every file of the broker,
all that the login store was ever given, and all that went in and out at the doors of the broker
and the suppliers: pages, cookies, addresses, redirects, messages, tokens.
"""

import base64
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from math import isfinite
from urllib.parse import parse_qsl, quote

import pytest
import pytest_asyncio
from click.testing import CliRunner

from broker.__main__ import main
from broker.demo.addresses import Party
from broker.demo.people import PEOPLE
from tests.journeys.conftest import World
from tests.journeys.searching import (
    MIN_NAME_LETTERS_IN_RANDOM,
    AnyOf,
    Find,
    describe,
    holds,
    search,
    search_names,
    unpacked,
    without_own_values,
)
from tests.journeys.visitor import new_visitor
from tests.journeys.witness import Exchange, Witness

pytestmark = pytest.mark.servers

SCHOOLS = (Party.VUURVOGEL, Party.KOMPAS, Party.REGENBOOG, Party.LEERPLEIN)
OIDC_SUPPLIERS = (Party.REKENRIJK, Party.BIOSFEER_OIDC)
SAML_SUPPLIERS = (Party.TAALTUIN, Party.BIOSFEER_SAML)
FIRST_NAMES = sorted({each.first_name for each in PEOPLE})
TELLS_A_SUPPLIER = ("/oidc/token", "/oidc/userinfo")
OTHERS_FILES = ("parties", "federation")
"""Folders of a world that are not the broker's."""
LOGOUT_REQUEST = re.compile(rb'name="SAMLRequest" value="[^"]*"')

Hays = list[tuple[str, bytes]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def witnesses_of_all(world: World, witnesses: list[Witness]) -> list[Witness]:
    """Everybody who looked on, after at least one journey of each kind."""
    journeys = (
        (Party.REKENRIJK, "vuurvogel", "sanne", "fine"),
        (Party.BIOSFEER_SAML, "kompas", "noor", "fine"),
        (Party.TAALTUIN, "regenboog", "sanne", "fine"),
        (Party.TAALTUIN, "vuurvogel", "els", "no-eck-id"),
        (Party.TAALTUIN, "vuurvogel", "daan", "expired"),
        (Party.REKENRIJK, "kompas", "noor", "tampered"),
        (Party.BIOSFEER_OIDC, "kompas", "noor", "missing-attribute"),
        (Party.TAALTUIN, "kompas", "noor", "fine"),
        (Party.REKENRIJK, "vuurvogel", "sanne", "other-school"),
        (Party.REKENRIJK, "vuurvogel", "els", "cancelled"),
    )
    for party, school, pupil, scenario in journeys:
        visitor = new_visitor(world.at)
        async with visitor.client:
            await visitor.try_to_log_in(party, school, pupil, scenario=scenario)
            await visitor.received(party)
    return witnesses


@pytest.fixture(scope="module")
def told(telling_values: frozenset[str], witnesses_of_all: list[Witness]) -> set[str]:
    """Telling values: of the demo's people, and what journeys let schools state instead."""
    values = set(telling_values)
    values |= {each.partition("@")[0] for each in values if "@" in each and len(each) > 4}
    values -= {each.id for each in PEOPLE}  # the school's own login form says these
    for each in exchanges(witnesses_of_all, *SCHOOLS):
        if each.path == "/login":
            stated = dict(parse_qsl(each.asked_body.decode()))
            values |= {
                stated[f"state.{name}"]
                for name in ("employeeNumber", "eckId")
                if stated.get(f"state.{name}")
            }
    return values


def exchanges(witnesses: Iterable[Witness], *parties: Party) -> Iterator[Exchange]:
    for witness in witnesses:
        yield from witness.at(*parties)


def files(witnesses: Iterable[Witness]) -> Iterator[tuple[str, bytes]]:
    """Yield every file of the brokers: databases with their journals, settings, keys."""
    for witness in witnesses:
        for file in sorted(witness.folder.rglob("*")):
            place = file.relative_to(witness.folder)
            if file.is_file() and place.parts[0] not in OTHERS_FILES:
                yield str(place), file.read_bytes()


def logs(witnesses: list[Witness]) -> Hays:
    return [(each.name, each.read_bytes()) for each in witnesses[0].logs]


def stored(witnesses: Iterable[Witness]) -> Hays:
    return [("login store", each) for witness in witnesses for each in witness.stored]


def traces(witnesses: list[Witness]) -> Hays:
    """Return what `broker trace` shows of every reference that was given, in both its forms."""
    log = witnesses[0].logs[0]
    lines = [json.loads(each) for each in log.read_bytes().splitlines()]
    found = []
    for each in sorted({each["reference"] for each in lines if each.get("reference")}):
        for form in ((), ("--json",)):
            result = CliRunner().invoke(main, ["trace", each, "--log", str(log), *form])
            assert result.exit_code == 0, result.output
            found.append((f"trace {each}", result.output.encode()))
    return found


def metrics(witnesses: Iterable[Witness]) -> Hays:
    """Return what every broker's metrics show; see `as_it_counts`."""
    return [
        ("metrics", b"\n".join(map(as_it_counts, each.expose().splitlines())))
        for witness in witnesses
        for each in witness.metrics
    ]


def as_it_counts(line: bytes) -> bytes:
    """Return a line of metrics with its number written out, as a pupil's number would be.

    Seconds behind the point hold seven digits of anybody by chance, and numbers from a million on
    are written with an exponent, in which nobody's would be found.
    """
    said, _, number = line.rpartition(b" ")
    if line.startswith(b"#") or not isfinite(float(number)):
        return line
    return said + b" %d" % float(number)


def at_broker(witnesses: Iterable[Witness]) -> Hays:
    """All that the broker said, and what browsers were made to say to it; not schools' answers."""
    found = []
    for each in exchanges(witnesses, Party.BROKER):
        cookies = b"\n".join(value for name, value in each.asked_headers if name == b"cookie")
        found += [
            (describe(each), without_own_request(each, without_own_values(each.told))),
            (describe(each), address(each) + b"\n" + cookies),
        ]
    return found


def at_suppliers(witnesses: Iterable[Witness]) -> Hays:
    parties = (*OIDC_SUPPLIERS, *SAML_SUPPLIERS)
    found = exchanges(witnesses, *parties)
    return [(describe(each), part) for each in found for part in (each.asked, each.told)]


def pages(witnesses: Iterable[Witness]) -> list[Exchange]:
    return [each for each in exchanges(witnesses, Party.BROKER) if b"<main" in each.told_body]


def pseudonyms(witnesses: Iterable[Witness], *parties: Party) -> set[str]:
    found: set[str] = set()
    for each in exchanges(witnesses, *parties):
        if each.path == "/received.json":
            found |= set(re.findall(r'"subject":"([a-z2-7]{53})"', each.told_body.decode()))
    return found


def test_telling_values_are_nowhere(witnesses_of_all: list[Witness], told: set[str]) -> None:
    kept = [*logs(witnesses_of_all), *files(witnesses_of_all), *stored(witnesses_of_all)]
    assert [each for each in search(kept, told) if not is_switched_class(each)] == []
    for witness in witnesses_of_all:
        found = search([*at_broker([witness]), *at_suppliers([witness])], told)
        agreed, names = is_eck_id_agreed(witness), approved(witness)
        found = [each for each in found if not is_on_its_way(each, names)]
        assert [each for each in found if not (agreed and is_eck_id_at_biosfeer(each))] == []


def approved(witness: Witness) -> set[str]:
    """Return what some school of a world approved for some supplier."""
    files = (witness.folder / "federation/agreements").glob("*.toml")
    agreements = [tomllib.loads(each.read_text()) for each in files]
    for bundle in witness.folder.glob("bundle-*.toml"):
        agreements += tomllib.loads(bundle.read_text())["agreement"]
    return {name for each in agreements for name in each["approved"]}


def is_on_its_way(found: Find, names: set[str]) -> bool:
    """Tell whether it is an approved attribute in an answer that a supplier fetches."""
    return found.what.split(" of ")[0] in names and found.where.startswith(
        ("broker /oidc/token", "broker /oidc/userinfo")
    )


def address(each: Exchange) -> bytes:
    """Return what was asked for, without that by which a party says whom it logs out.

    OpenID Connect RP-Initiated Logout 2 and SAML bindings 3.4 have browsers bring it; it is the
    party's own.
    """
    return b"" if each.path in {"/oidc/end-session", "/saml/idp/slo", "/saml/sp/slo"} else each.url


def without_own_request(each: Exchange, told: bytes) -> bytes:
    """Return what was told, without what a page of logging out passes on to a party.

    To a school it is the name that the school itself stated. That no supplier gets one is seen
    where suppliers receive.
    """
    return LOGOUT_REQUEST.sub(b"", told) if each.path == "/logout" else told


def is_eck_id_agreed(witness: Witness) -> bool:
    """Tell whether this is a world in which a school lets Biosfeer have the ECK iD, for a
    take-over of accounts."""
    agreement = witness.folder / "federation/agreements/vuurvogel-biosfeer.toml"
    return '"eckId"' in agreement.read_text()


def is_eck_id_at_biosfeer(found: Find) -> bool:
    """Tell whether it is an ECK iD at Biosfeer, or in an answer that is on its way there."""
    return found.what.startswith("eckId of") and found.where.startswith(
        ("biosfeer", "broker /oidc/token", "broker /oidc/userinfo", "broker /saml/sp/acs")
    )


def is_switched_class(found: Find) -> bool:
    """Tell whether it is a class that an operator named in `broker switch --class`.

    It says which class logs in by which login, and of nobody that they are in it.
    """
    return found.what.startswith("nlEduPersonUnit ") and found.where.startswith("data/registry.db")


def test_telling_values_are_in_no_trace_and_no_metric(
    witnesses_of_all: list[Witness], told: set[str]
) -> None:
    shown, counted = traces(witnesses_of_all), metrics(witnesses_of_all)
    assert len(shown) > 10
    assert any(b"E-RELEASE-1" in each for _, each in shown)
    assert any(b'outcome="released"' in each for _, each in counted)
    values = told | pseudonyms(witnesses_of_all, *OIDC_SUPPLIERS, *SAML_SUPPLIERS)
    assert search([*shown, *counted], values) == []
    assert search_names([*shown, *counted], FIRST_NAMES) == []


def test_the_search_finds_what_is_there(witnesses_of_all: list[Witness], told: set[str]) -> None:
    """The positive control: what a school answered holds it all, inside a token."""
    answers = [
        (describe(each), each.told_body)
        for each in exchanges(witnesses_of_all, Party.KOMPAS)
        if each.path == "/token" and each.status == 200
    ]
    found = {each.what for each in search(answers, told)}
    expected = ("uid", "employeeNumber", "sn", "mail", "nlEduPersonUnit", "birthDate", "eckId")
    assert found >= {f"{name} of noor at kompas" for name in expected}


def test_a_number_in_metrics_is_found_as_a_number() -> None:
    for number in (b"8812345", b"8812345.0", b"8.812345e+06"):
        assert holds(as_it_counts(b'logins{of="a"} ' + number), "8812345")
    assert not holds(as_it_counts(b"seconds_sum 1.8812345"), "8812345")
    assert holds(as_it_counts(b'logins{of="8812345"} 1.0'), "8812345")
    for unchanged in (b"# HELP seconds of 8812345", b"size +Inf"):
        assert as_it_counts(unchanged) == unchanged


@pytest.mark.parametrize("value", ["de Vries", "1100417", "sdevries@vuurvogel.example"])
def test_a_dressed_up_value_is_found(value: str) -> None:
    plain = value.encode()
    dressed = [plain, plain.upper(), quote(value).encode(), plain.hex().encode()]
    dressed += [base64.b64encode(b"x" * shift + plain + b"yz") for shift in (0, 3)]
    assert all(holds(b"before " + each + b" after", value) for each in dressed)
    assert not holds(b"before " + plain[:-1], value)


GREETINGS = (b'name="continue"', b'action="/login/school"')
"""What stands on the pages that show who is logged in, on shared devices."""


EXAMPLES_ACS = (b"/pupils/mellon/postResponse", b"/Shibboleth.sso/SAML2/POST", b"/login/callback")
"""Where the guide's examples take answers. Their schools approved the name; unlike the demo's
suppliers they have it unsealed."""


def without_examples_answer(seen: Exchange) -> bytes:
    """Return what was told, without the answer on a page that brings it to a guide's example."""
    form = re.search(rb'<form[^>]* action="http://localhost:\d+(/[^"]*)"', seen.told_body)
    if form is None or form[1] not in EXAMPLES_ACS:
        return seen.told
    return re.sub(rb'(name="SAMLResponse" value=")[^"]*', rb"\1", seen.told)


def test_first_names_are_on_the_greeting_and_in_answers_to_suppliers_alone(
    witnesses_of_all: list[Witness],
) -> None:
    hays: Hays = [*logs(witnesses_of_all)]
    for each in exchanges(witnesses_of_all, Party.BROKER):
        is_greeting = any(form in each.told_body for form in GREETINGS)
        if not is_greeting and each.path not in TELLS_A_SUPPLIER:
            hays.append((describe(each), without_own_values(without_examples_answer(each))))
        hays.append((describe(each), address(each)))
    for each in exchanges(witnesses_of_all, Party.TAALTUIN):  # no school approved it for them
        hays += [(describe(each), each.asked), (describe(each), each.told)]
    for each in exchanges(witnesses_of_all, *OIDC_SUPPLIERS, Party.BIOSFEER_SAML):
        hays.append((describe(each), each.url))
    assert search_names(hays, FIRST_NAMES) == []
    greetings = [
        (describe(each), each.told_body)
        for each in exchanges(witnesses_of_all, Party.BROKER)
        if b'name="continue"' in each.told_body
    ]
    assert {each.what for each in search_names(greetings, FIRST_NAMES)} >= {"Sanne", "Els"}


def test_a_test_page_shows_own_values_and_no_eck_id(
    witnesses_of_all: list[Witness], told: set[str]
) -> None:
    """To who logged in; the journeys of `test_test_page` hold that the mail's text has none."""
    shown: Hays = [
        (describe(each), each.told_body)
        for each in exchanges(witnesses_of_all, Party.BROKER)
        if without_own_values(each.told_body) != each.told_body
    ]
    found = search(shown, told)
    assert [each for each in found if each.what.startswith("eckId")] == []
    assert bool(found) == bool(shown)  # the positive control


def test_first_names_rest_nowhere(witnesses_of_all: list[Witness]) -> None:
    long_enough = [each for each in FIRST_NAMES if len(each) >= MIN_NAME_LETTERS_IN_RANDOM]
    at_rest = [*files(witnesses_of_all), *stored(witnesses_of_all)]
    assert len(long_enough) >= 3
    assert at_rest
    found = [
        (name, where) for where, hay in at_rest for name in long_enough if name.encode() in hay
    ]
    assert found == []


def test_a_pseudonym_is_at_its_own_supplier_alone(witnesses_of_all: list[Witness]) -> None:
    groups = ((Party.REKENRIJK,), (Party.TAALTUIN,), (Party.BIOSFEER_OIDC, Party.BIOSFEER_SAML))
    own = {group: pseudonyms(witnesses_of_all, *group) for group in groups}
    everything = set().union(*own.values())
    assert all(own.values())
    assert sum(map(len, own.values())) == len(everything)
    for group in groups:
        elsewhere: Hays = [
            (describe(each), part)
            for other in groups
            if other is not group
            for each in exchanges(witnesses_of_all, *other)
            for part in (each.asked, each.told)
        ]
        assert search(elsewhere, own[group]) == []
    rest = [*logs(witnesses_of_all), *files(witnesses_of_all), *stored(witnesses_of_all)]
    addresses = [(describe(each), address(each)) for each in exchanges(witnesses_of_all, *Party)]
    addresses += [
        (describe(each), value)
        for each in exchanges(witnesses_of_all, Party.BROKER)
        for name, value in each.told_headers
        if name in {b"location", b"set-cookie"}
    ]
    assert search([*rest, *addresses], everything) == []


def test_handles_and_codes_are_where_they_belong(witnesses_of_all: list[Witness]) -> None:
    """A handle lives in its cookie alone; a code in one redirect; neither in a log or at rest."""
    handles: set[str] = set()
    codes: set[str] = set()
    for each in exchanges(witnesses_of_all, Party.BROKER):
        for name, value in each.told_headers:
            if name == b"set-cookie":
                handles |= set(re.findall(r"login\.[\w-]+=([\w-]{20,})", value.decode()))
            if name == b"location":
                codes |= set(re.findall(r"[?&]code=([\w-]{20,})", value.decode()))
    assert handles
    assert codes
    kept = [*logs(witnesses_of_all), *files(witnesses_of_all), *stored(witnesses_of_all)]
    assert search_exactly(kept, handles | codes) == []
    seen: Hays = [(describe(each), each.told_body) for each in pages(witnesses_of_all)]
    seen += [(describe(each), each.url) for each in exchanges(witnesses_of_all, *Party)]
    assert search_exactly(seen, handles) == []
    assert (
        search_exactly([(describe(e), e.told_body) for e in pages(witnesses_of_all)], codes) == []
    )


def test_a_logins_id_stands_in_the_log_alone(witnesses_of_all: list[Witness]) -> None:
    """Not in a cookie, an address, a page, a token, a message, a file or the login store."""
    lines = [json.loads(each) for each in logs(witnesses_of_all)[0][1].splitlines()]
    ids = {each["login"] for each in lines if each.get("login")}
    requests = [each for each in lines if each["event"] == "request" and each.get("login")]
    assert len(ids) >= 10
    assert len(requests) > len(ids)  # more requests than logins, so an id spans several
    assert {each.get("step") for each in requests} >= {"begin", "school-answer", "redeem"}
    in_any_case = {each.encode() for each in ids}
    exact: set[bytes] = set()
    for each in (base64.b32decode(each.upper()) for each in ids):
        in_any_case.add(each.hex().encode())
        exact |= {each, base64.b64encode(each)[:13], base64.urlsafe_b64encode(each)[:13]}
    lower, as_is = AnyOf(in_any_case), AnyOf(exact)
    everywhere: Hays = [*files(witnesses_of_all), *stored(witnesses_of_all)]
    for seen in exchanges(witnesses_of_all, *Party):
        everywhere += [(describe(seen), seen.asked), (describe(seen), seen.told)]
    texts = {text: where for where, hay in everywhere for text in unpacked(hay)}
    assert len(texts) > 100
    found = [
        where for text, where in texts.items() if lower.are_in(text.lower()) or as_is.are_in(text)
    ]
    assert found == []


def search_exactly(hays: Hays, values: set[str]) -> list[str]:
    """Return where random values stand as they are; they are too many for every form."""
    wanted = AnyOf(each.encode() for each in values)
    return [where for where, hay in hays if wanted.are_in(hay)]


@pytest.mark.parametrize("place", range(9))
def test_a_random_value_is_found_wherever_it_stands(place: int) -> None:
    wanted = AnyOf({b"4pq2mzi3vbd5w", b"0123456789"})
    assert wanted.are_in(b"-" * place + b"4pq2mzi3vbd5w" + b"-" * (9 - place))
    assert wanted.are_in(b"-" * place + b"0123456789")
    assert not wanted.are_in(b"-" * place + b"4pq2mzi3vbd5" + b"-" * 9)
    assert not wanted.are_in(b"0123456"[:place])


def test_pages_of_every_kind_were_searched(witnesses_of_all: list[Witness]) -> None:
    seen = pages(witnesses_of_all)
    assert {each.status for each in seen} >= {200, 400, 403}
    assert {each.path for each in seen} >= {"/schools", "/saml/sp/acs", "/oidc/callback"}
    assert all(dict(each.told_headers)[b"cache-control"] == b"no-store" for each in seen)
    assert {name.rpartition("/")[2] for name, _ in files(witnesses_of_all)} >= {
        "registry.db",
        "register.db",
        "receipts.db",
    }
