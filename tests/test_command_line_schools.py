"""What `broker check` warns of about schools."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.commands.school_warnings import (
    warn_of_announcement_keys,
    warn_of_ending_agreements,
    warn_of_exceptions,
    warn_of_logins,
    warn_of_processor_agreements,
    warn_of_schools,
)
from broker.domain.announcing import Announcing
from broker.domain.attributes import AttributeName
from broker.domain.dutch_days import day_of
from broker.domain.federation import State
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.domain.tolerances import IdpException, Tolerance
from broker.flow.persons.school_counts import Count, CountKind
from broker.settings import LoadedSettings, Settings
from tests.builders import a_school, a_school_idp, an_agreement
from tests.builders_announcing import KEY, KEY_HASH, NEXT_KEY, NEXT_KEY_HASH
from tests.flow.login_parties import registry_of


def test_what_was_told_is_warned_of_the_day_after(tmp_path: Path) -> None:
    loaded = LoadedSettings(Settings(issuer="http://localhost:8000"), tmp_path)
    loaded.data_folder.mkdir()
    upgrade_database(loaded.data_folder / "registry.db", "registry")
    assert list(warn_of_schools(loaded)) == [], "there is no register yet"
    path = loaded.data_folder / "register.db"
    upgrade_database(path, "register")
    today = day_of(datetime.now(UTC))

    async def count() -> None:
        register = SqlitePersonRegister(path)
        for school, days in (("vuurvogel", 1), ("regenboog", 3)):
            day = today - timedelta(days=days)
            await register.apply((), [Count(SchoolId(school), day, CountKind.SHARE_ALARMED)])
        await register.apply((), [Count(SchoolId("kompas"), today, CountKind.LOGINS)])
        await register.apply((), [Count(SchoolId("regenboog"), today, CountKind.FIRST_ALARMED)])
        await register.close()

    asyncio.run(count())
    assert [(each.file, each.problem.split()[0]) for each in warn_of_schools(loaded)] == [
        ("schools/vuurvogel", "states"),
        ("schools/regenboog", "stated"),
    ]


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({"state": State.PRODUCTION}, True),
        ({"state": State.PRODUCTION, "pupils": 400}, False),
        ({"state": State.PRODUCTION, "enabled": False}, False),
        ({}, False),
    ],
)
def test_a_school_of_production_needs_a_head_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], warned: bool
) -> None:
    loaded = LoadedSettings(Settings(issuer="http://localhost:8000"), tmp_path)
    school = a_school(processor_agreement=date(2026, 1, 1), **changes)
    monkeypatch.setattr(SqliteRegistry, "load", lambda self: registry_of({school.id: school}))
    assert [each.path for each in warn_of_schools(loaded)] == (["pupils"] if warned else [])


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({"identifier": AttributeName("uid")}, ["schools/vuurvogel"]),
        ({"identifier": AttributeName("uid"), "enabled": False}, []),
        ({}, []),
    ],
)
def test_logins_of_one_school_that_name_people_differently(
    changes: dict[str, Any], warned: list[str]
) -> None:
    school, old = a_school(), a_school_idp()
    new = a_school_idp(id=SchoolIdpId("nieuw"), **changes)
    registry = replace(
        registry_of({school.id: school}), idps={each.id: each for each in (old, new)}
    )
    told = list(warn_of_logins(registry))
    assert [each.file for each in told] == warned
    assert all("employeeNumber, uid" in str(each) for each in told)


def test_a_login_that_lives_by_an_exception() -> None:
    today = date(2026, 3, 2)
    excepted = a_school_idp(
        exceptions=tuple(
            IdpException(name=each, last_day=today - timedelta(days=ago), reason="being mended")
            for ago, each in enumerate((Tolerance.AES_CBC, Tolerance.NO_NAME_ID))
        )
    )
    plain = a_school_idp(id=SchoolIdpId("nieuw"))
    registry = replace(registry_of({}), idps={each.id: each for each in (excepted, plain)})
    in_force, ended = warn_of_exceptions(registry, today=today)
    assert in_force.file == ended.file == f"identity_providers/{excepted.id}"
    assert "aes-cbc is tolerated until 2026-03-02: being mended" in in_force.problem
    assert "no-name-id has ended on 2026-03-01" in ended.problem


def test_an_elo_whose_key_is_not_here_is_warned_of(tmp_path: Path) -> None:
    announcing = Announcing(key_hashes=(KEY_HASH, NEXT_KEY_HASH), return_to=("https://a.example/",))
    announces, plain = a_school_idp(announcing=announcing), a_school_idp(id=SchoolIdpId("nieuw"))
    registry = replace(registry_of({}), idps={each.id: each for each in (announces, plain)})
    (absent,) = warn_of_announcement_keys(registry, keys_folder=tmp_path)
    assert absent.file == f"identity_providers/{announces.id}"
    file = tmp_path / "schools" / f"{announces.id}.announcement"
    file.parent.mkdir(mode=0o700)
    file.touch(mode=0o600)
    file.write_text(KEY)
    assert len(list(warn_of_announcement_keys(registry, keys_folder=tmp_path))) == 1
    file.write_text(f"{NEXT_KEY}\n{KEY}\n")
    assert list(warn_of_announcement_keys(registry, keys_folder=tmp_path)) == []
    file.chmod(0o644)  # what others could read is no key
    assert len(list(warn_of_announcement_keys(registry, keys_folder=tmp_path))) == 1


def test_a_school_that_is_live_needs_a_processor_agreement_with_us() -> None:
    def warned(**changes: Any) -> list[str]:
        registry = registry_of({"school": a_school(**changes)})
        return [each.path for each in warn_of_processor_agreements(registry)]

    live = {"state": State.PRODUCTION}
    assert warned(**live) == ["processor_agreement"]
    assert warned(**live, processor_agreement=date(2026, 1, 1)) == []
    assert warned(**live, enabled=False) == warned() == []


def test_agreements_that_end_within_sixty_days_are_told_together() -> None:
    today = date(2026, 3, 2)

    def warned(*days: int) -> list[str]:
        agreements = {
            str(number): an_agreement(
                school=SchoolId(f"school-{number}"), last_day=today + timedelta(days=each)
            )
            for number, each in enumerate(days)
        }
        registry = registry_of(agreements)
        return [each.problem for each in warn_of_ending_agreements(registry, today=today)]

    assert warned() == warned(61, -1) == []
    (told,) = warned(60, 9, 200)
    assert "for 2 agreements, first for school-1/rekenrijk on 2026-03-11" in told
