"""`broker console`, as two people type it, over a demo's folder."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import structlog
from click.testing import CliRunner, Result

from broker.__main__ import main
from broker.adapters.databases.sql_role_book import SqliteRoleBook
from broker.demo.addresses import DEMO_PORTS
from broker.demo.run import prepare_world
from broker.domain.console_roles import PlaceKind, Role
from broker.domain.ids import SchoolId
from broker.flow.console.person_codes import person_code

ADDRESSES = {party: f"http://localhost:{port}" for party, port in DEMO_PORTS.items()}


class Installation:
    """A demo's folder, with two operators."""

    def __init__(self, here: Path) -> None:
        self.here, self.folder = here, here / "world"
        prepare_world(self.folder, ADDRESSES, settings={"logging": {}})
        for name in ("anna", "ben"):
            made = self.run("operator", "keygen", self.key(name))
            public = here / f"{name}.pem"
            public.write_text(made.stdout)
            public.chmod(0o644)
            assert self.run("operator", "add", name, public, *self.there).exit_code == 0

    @property
    def there(self) -> tuple[str, Path]:
        return ("--config", self.folder)

    def key(self, name: str) -> Path:
        return self.here / f"{name}.key"

    def run(self, *arguments: str | Path) -> Result:
        return CliRunner().invoke(main, [*map(str, arguments)])

    def prepare(self, *arguments: str, output: str = "prepared.json") -> Result:
        by = ("--as", "anna", "--key", self.key("anna"))
        return self.run("console", *arguments, *by, "--output", self.here / output, *self.there)

    def confirm(self, name: str = "ben", output: str = "prepared.json") -> Result:
        by = ("--as", name, "--key", self.key(name))
        return self.run("confirm", self.here / output, *by, *self.there)

    @property
    def database(self) -> Path:
        return self.folder / "data" / "registry.db"

    @property
    def roles(self) -> SqliteRoleBook:
        return SqliteRoleBook(self.database)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    yield Installation(tmp_path_factory.mktemp("console"))
    structlog.reset_defaults()


def code_in(result: Result) -> str:
    line = next(each for each in result.output.splitlines() if each.startswith("http"))
    return parse_qs(urlsplit(line).query)["code"][0]


def test_two_operators_invite_the_first_of_the_federation(installation: Installation) -> None:
    prepared = installation.prepare("invite", "--role", "operator")
    assert prepared.exit_code == 0, prepared.output
    alone = installation.confirm("anna")
    assert (alone.exit_code, "console/invitation" in alone.output) == (1, False)
    confirmed = installation.confirm()
    assert confirmed.exit_code == 0, confirmed.output
    assert len(code_in(confirmed)) == 43
    (waiting,) = installation.roles.waiting_at()
    assert (waiting.role, waiting.kind) == (Role.OPERATOR, PlaceKind.FEDERATION)
    assert waiting.invited_by == "anna, ben"
    again = installation.confirm()
    assert again.exit_code == 1


def test_a_place_that_is_not_there_or_not_of_the_role_is_wrong_usage(
    installation: Installation,
) -> None:
    for at in ("nobody", "rekenrijk"):
        wrong = installation.prepare("invite", "--role", "school-admin", "--at", at, output="x")
        assert wrong.exit_code == 2, at
    right = installation.prepare(
        *("invite", "--role", "ict-partner", "--at", "kompas", "--last-day", "2099-01-01"),
        *("--login", "rekenrijk"),
        output="partner.json",
    )
    assert right.exit_code == 0, right.output
    assert installation.confirm(output="partner.json").exit_code == 0
    (waiting,) = installation.roles.waiting_at(schools=[SchoolId("kompas")])
    assert waiting.login.place == "rekenrijk"


def test_two_operators_make_a_link_that_works_once(installation: Installation) -> None:
    given = installation.roles.roles_at(schools=[SchoolId("vuurvogel")])
    els = next(each for each in given if each.held.role is Role.SCHOOL_ADMIN)
    person = ("--school", "vuurvogel", "--person", person_code(els.user))
    prepared = installation.prepare("link", *person, output="link.json")
    assert prepared.exit_code == 0, prepared.output
    confirmed = installation.confirm(output="link.json")
    assert "/console/link?code=" in confirmed.output
    unknown = installation.prepare("link", "--school", "vuurvogel", "--person", "x", output="y")
    assert unknown.exit_code == 1
    other = ("--school", "kompas", "--person", person_code(els.user))
    assert installation.prepare("link", *other, output="z").exit_code == 1


def test_a_log_that_was_changed_is_found_out(installation: Installation) -> None:
    assert installation.run("console", "verify", *installation.there).exit_code == 0
    with closing(sqlite3.connect(installation.database)) as connection, connection:
        connection.execute("UPDATE console_audit SET action = 'nothing' WHERE number = 1")
    changed = installation.run("console", "verify", *installation.there)
    assert changed.exit_code == 1
    assert "Entry 1" in changed.output
