"""The one retention table, in the README, is what the code does."""

import ast

from sqlalchemy import MetaData, Table

from broker.adapters.databases.sql_school_counts import KEPT_DAYS as SCHOOL_COUNTS_KEPT_DAYS
from broker.adapters.databases.sql_transfers import KEPT_DAYS_AFTER as TRANSFERS_KEPT_DAYS
from broker.adapters.operators_on_disk import OPERATORS_FOLDER, USED_FOLDER
from broker.flow.first_party.announcement_checks import (
    MAX_LIFE_SECONDS as ANNOUNCEMENT_LIFE_SECONDS,
)
from broker.flow.first_party.announcement_checks import (
    SKEW_SECONDS as ANNOUNCEMENT_SKEW_SECONDS,
)
from broker.flow.held_state.every_kind import EVERY_KIND
from broker.flow.held_state.records import REFRESH, USERINFO
from broker.flow.held_state.request_records import USED_TTL_SECONDS
from broker.flow.held_state.sealed_state import RecordT, StateKind
from broker.flow.parents.letter_desk import FORM_SECONDS as FORM_SECONDS_OF_LETTERS
from broker.flow.parents.parent_visits import TRY_SECONDS
from broker.flow.tokens.refreshing import USE_REMEMBERED_SECONDS
from broker.oidc_op.client_assertions import MAX_ASSERTION_LIFE_SECONDS, SKEW_SECONDS
from broker.oidc_op.dpop import MAX_AGE_SECONDS, MAX_AHEAD_SECONDS
from broker.resources import DAY_SECONDS
from broker.saml_sp.checks import ASSERTION_MAX_AGE
from broker.saml_xml.clock import CLOCK_SKEW
from broker.saml_xml.logout.checks import LOGOUT_MAX_AGE
from broker.setting_tables import Console, Sessions, Times
from broker.web.cookies import (
    AGAIN_SECONDS,
    ANNOUNCED_SECONDS,
    FORM_SECONDS,
    LANGUAGE_SECONDS,
    START_SECONDS,
    STARTS_SECONDS,
    WISHED_SECONDS,
)
from broker.web.own_steps import OwnStep
from tests.quality.readme import code_of, table
from tests.quality.sources import broker_modules, parsed_files

DAY = 24 * 60 * 60
LOGIN_COOKIE = "login.<state>"
OWN_STEP_COOKIES = [f"{each}<state>" for each in OwnStep]
SESSION_COOKIE = "session.<name>"
LOGOUT_COOKIE = "logout.<state>"
PREFIXED = {"_LOGOUT": LOGOUT_COOKIE, "_SESSION": SESSION_COOKIE}
HOLDS, WHERE, HOW_LONG, SEALED_BY = range(4)


def rows() -> dict[str, list[str]]:
    """Return the table: record -> what it holds, where, how long, sealed by."""
    return {(code_of(record) or [record])[0]: rest for record, rest in table("Record").items()}


def in_words(seconds: float) -> str:
    """Return a length of time as the table writes it.

    >>> in_words(60), in_words(1800), in_words(180 * 24 * 3600)
    ('1 minute', '30 minutes', '180 days')
    """
    unit, length = ("day", DAY) if seconds >= DAY else ("minute", 60)
    count = int(seconds // length)
    if count * length != seconds:
        raise ValueError(f"{seconds} s are no whole {unit}s")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def stored_tables() -> dict[str, Table]:
    return {
        each.name: each
        for module in broker_modules()
        for found in vars(module).values()
        if isinstance(found, MetaData)
        for each in found.sorted_tables
    }


def arguments_of(method: str, *, position: int) -> list[ast.expr]:
    """Return one argument of every call of a method in the broker."""
    return [
        node.args[position]
        for path, tree in parsed_files().items()
        if not path.startswith("broker/demo/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == method
        and len(node.args) > position
    ]


def one_shot_values() -> set[str]:
    """Return the kinds of value that are used once, by the constants that name them."""
    constants = {
        each.id for each in arguments_of("claims_for", position=0) if isinstance(each, ast.Name)
    }
    return {
        getattr(module, each)
        for module in broker_modules()
        for each in constants
        if hasattr(module, each)
    }


def cookies() -> set[str]:
    """Return the cookies that `broker.web.cookies` sets."""
    names = [
        node.args[0]
        for node in ast.walk(parsed_files()["broker/web/cookies.py"])
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "_header"
    ]
    told = {str(each.value) if isinstance(each, ast.Constant) else prefixed(each) for each in names}
    return told | set(OWN_STEP_COOKIES)


def prefixed(name: ast.expr) -> str:
    """Return a cookie's name as the table writes it, whose state is no part of the code."""
    named = {getattr(each, "id", "") for each in ast.walk(name)}
    return next((told for prefix, told in PREFIXED.items() if prefix in named), LOGIN_COOKIE)


def test_every_record_has_its_row_and_nothing_else_has() -> None:
    sealed = {each.name for each in EVERY_KIND}
    files = {OPERATORS_FOLDER, USED_FOLDER, "log lines"}
    assert set(rows()) == sealed | one_shot_values() | cookies() | set(stored_tables()) | files


def test_no_kind_of_sealed_record_is_forgotten() -> None:
    made = {
        each.name
        for module in broker_modules()
        for each in vars(module).values()
        if isinstance(each, StateKind)
    }
    assert made == {each.name for each in EVERY_KIND}


SET = {
    "browser-session": Sessions().minutes,
    "session-standing": Sessions().logout_minutes,
    "participation": Sessions().logout_minutes,
    "told-login": Sessions().minutes,
    "session-at-school": Sessions().minutes + Sessions().logout_minutes,
    "console-session": Console().idle_minutes,
}
"""How many minutes those live whose end is a setting."""


def expected_of(kind: StateKind[RecordT]) -> str:
    lives = in_words(kind.ttl_seconds)
    if kind.name in SET:
        return f"{in_words(SET[kind.name] * 60)} (setting), at most {lives}"
    if kind.tombstone_ttl_seconds == kind.ttl_seconds:
        return lives
    return f"{lives}; that it was used, {in_words(kind.tombstone_ttl_seconds)}"


def test_sealed_records_live_as_long_as_told() -> None:
    for kind in EVERY_KIND:
        row = rows()[kind.name]
        assert (row[WHERE], row[HOW_LONG]) == ("login store", expected_of(kind)), kind.name
        assert row[SEALED_BY].startswith("storage key and the "), kind.name


def test_one_shot_values_are_remembered_as_long_as_told() -> None:
    """Past the last moment at which the checks would still accept what they guard."""
    school = ASSERTION_MAX_AGE + 2 * CLOCK_SKEW
    client = MAX_ASSERTION_LIFE_SECONDS + 2 * SKEW_SECONDS
    logout = LOGOUT_MAX_AGE + 2 * CLOCK_SKEW
    proof = MAX_AGE_SECONDS + MAX_AHEAD_SECONDS
    at_most = {
        "assertion-id": school.total_seconds(),
        "saml-logout-id": logout.total_seconds(),
        "client-jti": client,
        "dpop-jti": proof,
        "announcement-jti": ANNOUNCEMENT_LIFE_SECONDS + 2 * ANNOUNCEMENT_SKEW_SECONDS,
        "request-uri": USED_TTL_SECONDS,
        "request-object": USED_TTL_SECONDS,
        "refresh-use": USE_REMEMBERED_SECONDS,
        "parent-try": TRY_SECONDS,
        "letters-made": FORM_SECONDS_OF_LETTERS,
    }
    assert set(at_most) == one_shot_values()
    for name, seconds in at_most.items():
        assert rows()[name][HOW_LONG].endswith(f", at most {in_words(seconds)}")
        assert rows()[name][WHERE] == "login store"


def test_cookies_live_as_long_as_told() -> None:
    no_steps = {USERINFO.name, REFRESH.name, "used-object", *SET}
    waiting = max(each.ttl_seconds for each in EVERY_KIND if each.name not in no_steps)
    lives = {
        LOGIN_COOKIE: in_words(waiting),
        **dict.fromkeys(OWN_STEP_COOKIES, in_words(waiting)),
        LOGOUT_COOKIE: "30 minutes",
        "session": "until the browser is closed",
        "console": "until the browser is closed",
        "me": "until the browser is closed",
        SESSION_COOKIE: "until the browser is closed",
        "school": in_words(Times().remembered_school_days * DAY) + " (setting)",
        "idp": in_words(Times().remembered_school_days * DAY) + " (setting)",
        "lang": in_words(LANGUAGE_SECONDS),
        "wished": in_words(WISHED_SECONDS),
        "again": in_words(AGAIN_SECONDS),
        "start": in_words(START_SECONDS),
        "announced": in_words(ANNOUNCED_SECONDS),
        "starts": in_words(STARTS_SECONDS),
        "ends": in_words(STARTS_SECONDS),
        "form": in_words(FORM_SECONDS),
    }
    assert set(lives) == cookies()
    for name, told in lives.items():
        assert rows()[name][HOW_LONG].startswith(told), name
        assert rows()[name][WHERE] == "browser (cookie)"


def test_tables_that_forget_by_days_say_how_many() -> None:
    row = rows()["school_counts"]
    assert f"until {SCHOOL_COUNTS_KEPT_DAYS} days after that school's newest" in row[HOW_LONG]
    assert TRANSFERS_KEPT_DAYS == 365  # `a year` in the table
    assert "until a year after its last day" in rows()["transfers"][HOW_LONG]
    assert DAY_SECONDS == DAY  # how often a broker looks for take-overs that are closed
    assert "closed and a day more" in rows()["takeover_tags"][HOW_LONG]


def test_tables_say_where_they_are_and_whether_they_are_sealed() -> None:
    for name, stored in stored_tables().items():
        row = rows()[name]
        is_sealed = any((each.comment or "").startswith("sealed") for each in stored.columns)
        assert row[WHERE].strip("`") in {"register.db", "receipts.db", "registry.db"}, name
        assert row[HOW_LONG].startswith(("no end", "until ")), name
        opened_by = ("what that login states", "the transfer's code", "the letter's code")
        says_so = any(each in row[SEALED_BY] for each in opened_by)
        assert says_so == is_sealed, name
