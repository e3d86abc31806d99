"""The command line as people and scripts use it: what it says, and with which code it ends."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from broker.__main__ import main
from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import load_keys
from broker.commands.registry import system_account
from broker.demo.addresses import DEMO_PORTS
from broker.demo.federation import write_federation
from broker.flow.federation.change import RegistryMoved
from broker.oidc_op.client_secrets import hash_client_secret
from tests.builders_saml import NOW

EXAMPLES = Path(__file__).parents[1] / "config"
ADDRESSES = {party: f"http://localhost:{port}" for party, port in DEMO_PORTS.items()}

MY_CLIENT = """
[[supplier]]
id = "mine"
legal_name = "Mine"
state = "test"

[[supplier.relying_party]]
id = "mine"
protocol = "oidc"
profile = "compat"
client_id = "mine"
redirect_uris = ["http://localhost:9000/callback"]
client_secret_hash = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"

[[agreement]]
school = "vuurvogel"
supplier = "mine"
version = 1
from = 2024-08-01
approved = ["givenName"]
"""

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration with keys and the demo's documents, made once: keys take time."""
    folder = tmp_path_factory.mktemp("prepared")
    init_keys(folder / "keys", now=NOW, issuer_name="Test")
    write_federation(folder, ADDRESSES)
    (folder / "broker.toml").write_text('issuer = "http://localhost:8000"\n')
    return folder


@pytest.fixture
def config(tmp_path: Path, prepared: Path) -> Path:
    """A copy of it, to change."""
    return Path(shutil.copytree(prepared, tmp_path / "config"))


@pytest.fixture
def run(config: Path) -> Run:
    def run_command(*arguments: str) -> Result:
        command, *rest = arguments
        parts = command.split()
        return CliRunner().invoke(main, [*parts, "--config", str(config), *rest])

    return run_command


def federation_of(config: Path) -> str:
    return str(config / "federation")


@pytest.mark.parametrize(
    "command", [[], ["check"], ["apply"], ["accept-loss"], ["keys"], ["keys", "init"], ["metadata"]]
)
def test_every_command_explains_itself(command: list[str]) -> None:
    result = CliRunner().invoke(main, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("apply",),
        ("apply", "--to", "1", "--prune"),
        ("apply", "--to", "0"),
        ("apply", "no-such-file.toml"),
        ("metadata",),
        ("metadata", "--role", "school"),
        ("check", "--colour"),
    ],
)
def test_wrong_usage_ends_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_check_finds_nothing_wrong_with_the_demo(run: Run, config: Path) -> None:
    result = run("check")
    *parties, last = result.stdout.splitlines()
    assert (result.exit_code, last) == (0, "No problem found.")
    assert "rekenrijk/rekenrijk: oidc, profile strict, private_key_jwt" in parties
    assert "taaltuin/taaltuin: saml" in parties
    assert not (config / "data").exists()


def test_check_tells_of_documents_that_are_not_in_force(run: Run, config: Path) -> None:
    said = run("check").stderr
    assert "nothing is in force yet, so nobody can log in." in said
    assert "documents that are not in force as they stand there." in said
    assert run("apply", federation_of(config)).exit_code == 0
    assert run("check").stderr == ""


def test_check_accepts_the_example_documents(tmp_path: Path, prepared: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "config")
    shutil.copytree(prepared / "keys", tmp_path / "config/keys")
    result = CliRunner().invoke(main, ["check", "--config", str(tmp_path / "config")])
    assert result.exit_code == 0, result.output


def test_check_tells_everything_at_once(run: Run, config: Path) -> None:
    (config / "keys/root/root.hex").unlink()
    (config / "federation/schools/kompas.toml").write_text("id = 1")
    (config / "federation/suppliers/new.toml").write_text(MY_CLIENT)
    result = run("check")
    assert result.exit_code == 1
    assert "root.hex: -: " in result.stderr
    assert "kompas.toml: id: " in result.stderr
    assert result.stdout == ""


def test_check_tells_what_does_not_hold_between_documents(run: Run, config: Path) -> None:
    (config / "federation/schools/kompas.toml").unlink()
    result = run("check")
    assert result.exit_code == 1
    assert "identity_providers/kompas.toml: schools[0]: names the school kompas" in result.stderr


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('issuer = "https://x.example"\ncolour = 1', ": colour: "),
        ('issuer = "https://x.example"\n[server]\nport = "x"', ": server.port: "),
        ('issuer = "http://x.example"', ": issuer: "),
        ("= ", ": -: "),
    ],
)
@pytest.mark.parametrize("command", ["check", "keys init"])
def test_settings_that_cannot_be_used_end_with_1(
    run: Run, config: Path, settings: str, told: str, command: str
) -> None:
    (config / "broker.toml").write_text(settings)
    result = run(command)
    assert result.exit_code == 1
    assert "broker.toml" + told in result.stderr


def test_a_configuration_that_is_not_there_ends_with_1(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["check", "--config", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "broker.toml: -: cannot be read" in result.stderr


def test_check_misses_the_key_of_a_pinned_epoch(run: Run, config: Path) -> None:
    assert run("apply", federation_of(config)).exit_code == 0
    assert run("check").exit_code == 0
    (config / "keys/pairwise/a.hex").rename(config / "keys/pairwise/b.hex")
    result = run("check")
    assert result.exit_code == 1
    assert "suppliers/rekenrijk: is pinned to epoch a, which has no key." in result.stderr


def test_check_tells_of_a_damaged_registry(run: Run, config: Path) -> None:
    (config / "data").mkdir()
    (config / "data/registry.db").write_bytes(b"no database" * 1000)
    result = run("check")
    assert result.exit_code == 1
    assert "registry" in result.stderr


def test_apply_is_idempotent_and_shows_its_plan(run: Run, config: Path) -> None:
    first = run("apply", federation_of(config))
    assert first.exit_code == 0
    assert "+ schools/vuurvogel" in first.output
    assert "20 added, 0 changed, 0 removed, 0 unchanged" in first.output
    assert "Version 1 is in force." in first.output
    second = run("apply", federation_of(config))
    assert second.exit_code == 0
    assert "Nothing to do: version 1 is in force." in second.output


def test_apply_and_check_say_what_a_school_without_head_count_may(run: Run, config: Path) -> None:
    schools = (("de-wilg", "77YY", ""), ("de-linde", "88XX", "pupils = 900\n"))
    for name, brin, pupils in schools:
        (config / f"federation/schools/{name}.toml").write_text(
            f'id = "{name}"\nname = "{name}"\nplace = "Ede"\nbrin = "{brin}"\nsector = "po"\n'
            f'board = "{name}"\nstate = "production"\n{pupils}'
        )
    for said in (run("apply", federation_of(config)).output, run("check").stderr):
        said = " ".join(said.split())
        assert "schools/de-wilg: pupils: is missing. So only 5 pupils of other schools" in said
        assert "nothing stops it below 50000" in said
        assert "de-linde: pupils" not in said


def test_a_dry_run_changes_nothing(run: Run, config: Path) -> None:
    result = run("apply", "--dry-run", federation_of(config))
    assert result.exit_code == 0
    assert "20 added" in result.output
    assert "Dry run: nothing was changed." in result.output
    assert not (config / "data").exists()


def test_a_developer_s_own_client_is_added_by_one_file(run: Run, config: Path) -> None:
    run("apply", federation_of(config))
    (config / "my-client.toml").write_text(MY_CLIENT)
    result = run("apply", str(config / "my-client.toml"))
    assert result.exit_code == 0
    assert "2 added, 0 changed, 0 removed" in result.output
    registry = SqliteRegistry(config / "data/registry.db").load()
    assert registry.by_client_id["mine"].start_url == "http://localhost:9000/"
    assert "rekenrijk" in registry.by_client_id


def test_a_change_is_shown_by_key(run: Run, config: Path) -> None:
    run("apply", federation_of(config))
    school = config / "federation/schools/kompas.toml"
    school.write_text(school.read_text().replace("Zwolle", "[bold]Meppel"))
    result = run("apply", str(school))
    assert "~ schools/kompas" in result.output
    assert 'place: "Zwolle" -> "[bold]Meppel"' in result.output  # never read as markup


def test_prune_and_going_back(run: Run, config: Path) -> None:
    run("apply", federation_of(config))
    (config / "federation/agreements/kompas-biosfeer.toml").unlink()
    pruned = run("apply", "--prune", federation_of(config))
    assert "- agreements/school/kompas/biosfeer" in pruned.output
    assert "Version 2 is in force." in pruned.output
    back = run("apply", "--to", "1")
    assert "+ agreements/school/kompas/biosfeer" in back.output
    assert "Version 3 is in force." in back.output
    missing = run("apply", "--to", "9")
    assert missing.exit_code == 1


def test_apply_refuses_all_when_one_document_is_wrong(run: Run, config: Path) -> None:
    (config / "federation/agreements/bad.toml").write_text(
        'school = "vuurvogel"\nsupplier = "nobody"\nversion = 1\nfrom = 2024-08-01\n'
    )
    result = run("apply", federation_of(config))
    assert result.exit_code == 1
    assert "bad.toml: supplier: names the supplier nobody" in result.stderr
    assert SqliteRegistry(config / "data/registry.db").version() == 0


def test_apply_needs_keys(run: Run, config: Path) -> None:
    shutil.rmtree(config / "keys")
    result = run("apply", federation_of(config))
    assert result.exit_code == 1
    assert "keys init" in result.stderr


def test_a_long_plan_is_cut(run: Run, config: Path) -> None:
    schools = "".join(
        f'[[school]]\nid = "s{number}"\nname = "S"\nplace = "P"\nbrin = "{number:02}ZZ"\n'
        f'branch = "{number:02}ZZ{tail:02}"\nsector = "po"\nboard = "b"\nstate = "test"\n'.replace(
            f'"s{number}"', f'"s{number}-{tail}"'
        )
        for number in range(21)
        for tail in range(10)
    )
    (config / "many.toml").write_text(schools)
    result = run("apply", "--dry-run", str(config / "many.toml"))
    assert "... and 10 more" in result.output


def test_keys_init_makes_what_is_missing_once(run: Run, config: Path) -> None:
    shutil.rmtree(config / "keys")
    first = run("keys init")
    assert first.exit_code == 0
    assert "root.hex" in first.output
    assert run("keys init").output == "Nothing to do: every key is there.\n"
    assert run("check").exit_code == 0


def test_keys_init_makes_no_other_key_in_the_place_of_one_that_is_known(
    run: Run, config: Path
) -> None:
    started(run, config)
    shutil.rmtree(config / "keys")
    refused = run("keys init")
    assert refused.exit_code == 1
    for name in ("root/root.hex", "pairwise/a.hex", "register/register.hex"):
        assert f"{name}: -: is missing, and registry.db knows it." in refused.stderr
    assert "broker keys restore" in refused.stderr
    assert not (config / "keys").exists()
    assert run("keys init", "--allow-new-pseudonyms").exit_code == 0
    assert "is not the key that was in use before" in run("check").stderr


def test_a_folder_that_cannot_be_written_is_told(run: Run, config: Path) -> None:
    (config / "data").write_text("no folder")
    result = run("apply", federation_of(config))
    assert result.exit_code == 1
    assert "data: -: cannot be used" in result.stderr


@pytest.mark.parametrize(("role", "holds"), [("sp", "/saml/sp/acs"), ("idp", "/saml/idp/sso")])
def test_metadata_is_printed_or_written(run: Run, config: Path, role: str, holds: str) -> None:
    printed = run("metadata", "--role", role)
    assert printed.exit_code == 0
    assert holds in printed.output
    file = config / "metadata.xml"
    assert run("metadata", "--role", role, "--output", str(file)).exit_code == 0
    assert holds in file.read_text()


def test_metadata_is_read_back_as_partners_do(run: Run, config: Path) -> None:
    checked = run("metadata", "--role", "idp", "--check")
    assert checked.exit_code == 0
    assert "Valid by the schema, signed by the key in use, until 20" in checked.stderr
    assert "about.error_url: is not stated: " in checked.stderr
    assert "about.privacy_url_nl" not in checked.stderr
    stated = 'logo = "https://login.example/logo.png"\nsecurity_mail = "cert@login.example"\n'
    settings = config / "broker.toml"
    settings.write_text(settings.read_text() + "[about]\n" + stated)
    checked = run("metadata", "--role", "sp", "--check")
    assert "mailto:cert@login.example" in checked.stdout
    assert "about.privacy_url_nl" in checked.stderr
    for told in ("about.logo", "about.security_mail", "about.error_url"):
        assert told not in checked.stderr


def test_an_account_without_a_name_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert system_account()

    def nameless() -> str:
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nameless)
    assert system_account().startswith("uid ")


def test_check_tells_of_pins_also_without_documents(run: Run, config: Path) -> None:
    assert run("apply", federation_of(config)).exit_code == 0
    shutil.rmtree(config / "federation")
    assert run("check").exit_code == 0
    (config / "keys/pairwise/a.hex").rename(config / "keys/pairwise/b.hex")
    assert run("check").exit_code == 1


def test_a_registry_that_moved_meanwhile_is_told(
    run: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(*_: object, **__: object) -> int:
        raise RegistryMoved

    monkeypatch.setattr(SqliteRegistry, "write", moved)
    result = run("apply", federation_of(config))
    assert result.exit_code == 1
    assert "Run the command again." in result.stderr


def started(run: Run, config: Path) -> Path:
    """Apply, and open the databases as a first start does; return their folder."""
    assert run("apply", federation_of(config)).exit_code == 0
    DataFolder(config / "data", config / "keys", load_keys(config / "keys")).open()
    assert run("check").exit_code == 0
    return config / "data"


@pytest.mark.parametrize("command", ["check", "apply", "apply --dry-run"])
@pytest.mark.parametrize("name", ["root/root.hex", "pairwise/a.hex"])
def test_another_key_stops_everything_until_the_loss_is_accepted(
    run: Run, config: Path, command: str, name: str
) -> None:
    started(run, config)
    (config / "keys" / name).write_text("0f" * 32)
    paths = () if command == "check" else (federation_of(config),)
    refused = run(command, *paths)
    assert refused.exit_code == 1
    assert f"{name}: -: is not the key that was in use before." in refused.stderr
    assert f"Restore {name} from the backup" in refused.stderr
    assert run("accept-loss", name, "--yes").exit_code == 0
    assert run(command, *paths).exit_code == 0


@pytest.mark.parametrize("command", ["check", "apply", "apply --dry-run"])
@pytest.mark.parametrize("name", ["register", "receipts"])
def test_a_lost_database_stops_everything_until_the_loss_is_accepted(
    run: Run, config: Path, command: str, name: str
) -> None:
    for file in started(run, config).glob(f"{name}.db*"):
        file.unlink()
    paths = () if command == "check" else (federation_of(config),)
    refused = run(command, *paths)
    assert refused.exit_code == 1
    assert f"{name}.db: -: is missing, but it was in use before." in refused.stderr
    assert run("accept-loss", f"{name}.db", "--yes").exit_code == 0
    assert run(command, *paths).exit_code == 0


def test_a_lost_registry_is_applied_anew_only_when_the_loss_is_accepted(
    run: Run, config: Path
) -> None:
    for file in started(run, config).glob("registry.db*"):
        file.unlink()
    assert run("apply", federation_of(config)).exit_code == 1
    assert not (config / "data/registry.db").exists()
    assert run("accept-loss", "registry.db", "--yes").exit_code == 0
    assert "Version 1 is in force." in run("apply", federation_of(config)).output


def test_a_loss_is_accepted_only_when_there_is_one_and_on_a_yes(run: Run, config: Path) -> None:
    started(run, config)
    refused = run("accept-loss", "root/root.hex")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "root/root.hex: -: is not lost. Lost: nothing is.\n",
    )
    (config / "keys/root/root.hex").write_text("0f" * 32)
    assert run("accept-loss", "root/root.hex").exit_code == 1  # nobody said yes
    assert run("check").exit_code == 1


def test_check_tells_of_databases_that_others_may_read(run: Run, config: Path) -> None:
    data = started(run, config)
    data.chmod(0o755)
    (data / "register.db").chmod(0o640)
    result = run("check")
    assert result.exit_code == 1
    assert "data: -: is open to others than its owner (mode 0755). Run `chmod 700" in result.stderr
    assert "register.db: -: is open to others than its owner (mode 0640)." in result.stderr
    data.chmod(0o700)
    (data / "register.db").chmod(0o600)
    assert run("check").exit_code == 0


def test_new_pseudonyms_are_made_only_when_that_is_meant(run: Run, config: Path) -> None:
    run("apply", federation_of(config))
    login = config / "federation/identity_providers/kompas.toml"
    text = re.sub(r'identifier = "\w+"\n', "", login.read_text())
    login.write_text('identifier = "uid"\n' + text)
    for command in ("apply", "apply --dry-run", "check"):
        refused = run(command, *(() if command == "check" else (federation_of(config),)))
        assert refused.exit_code == 1
        assert "kompas.toml: identifier: changes from" in refused.stderr
    meant = run("apply", "--allow-new-pseudonyms", federation_of(config))
    assert "Version 2 is in force." in meant.output
    assert run("check").exit_code == 0
    assert "Nothing to do" in run("apply", federation_of(config)).output


def test_what_may_surprise_is_a_warning_in_the_plan_and_in_check(run: Run, config: Path) -> None:
    run("apply", federation_of(config))
    agreement = config / "federation/agreements/kompas-rekenrijk.toml"
    later = re.sub(r"from = \S+", "from = 2999-08-01", agreement.read_text())
    agreement.write_text(later.replace("version = 1", "version = 2"))
    checked = run("check")
    assert checked.exit_code == 0
    assert "Warning: " in checked.stderr
    assert "kompas-rekenrijk.toml: from: lies after today" in checked.stderr
    applied = run("apply", federation_of(config))
    assert "kompas-rekenrijk.toml: from: lies after today" in applied.output
    back = run("apply", "--to", "1")
    assert back.exit_code == 0
    assert "version: is 1 again, in place of version 2" in back.output


def test_a_secret_is_made_and_shown_once(run: Run, config: Path, tmp_path: Path) -> None:
    new = run("secret", "mine")
    assert new.exit_code == 0, new.output
    made, stated = new.output.splitlines()[1], new.output.splitlines()[-1]
    assert len(made) == 43
    assert stated == f'client_secret_hash = "{hash_client_secret(made)}"'
    bundle = tmp_path / "mine.toml"
    bundle.write_text(MY_CLIENT)
    assert run("apply", federation_of(config), str(bundle)).exit_code == 0
    after = run("secret", "mine").output
    following = f'next_client_secret_hash = "{hash_client_secret(after.splitlines()[1])}"'
    assert following in after
    assert made not in after
    bundle.write_text(MY_CLIENT.replace("client_secret_hash", f"{following}\nclient_secret_hash"))
    assert run("apply", str(bundle)).exit_code == 0


def test_no_secret_for_a_system_that_has_none(run: Run, config: Path) -> None:
    run("apply", federation_of(config))
    for party, told in (("rekenrijk", "allows no secret"), ("taaltuin", "speaks SAML")):
        refused = run("secret", party)
        assert (refused.exit_code, told in refused.output) == (1, True), refused.output
