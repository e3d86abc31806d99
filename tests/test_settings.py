"""Settings: what is refused names its file, path and remedy; the twin of each is accepted."""

from pathlib import Path

import pytest

from broker.settings import (
    LoadedSettings,
    SettingsProblem,
    StoreAddress,
    load_settings,
    parse_store_url,
)

FINE = 'issuer = "https://login.example"\n'


def load(folder: Path, text: str = FINE, **environment: str) -> LoadedSettings:
    (folder / "broker.toml").write_text(text)
    return load_settings(folder, environment=environment)


def problem(folder: Path, text: str, **environment: str) -> SettingsProblem:
    with pytest.raises(SettingsProblem) as refused:
        load(folder, text, **environment)
    return refused.value


def test_defaults_and_folders_hang_on_the_configuration(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    assert loaded.keys_folder == tmp_path / "keys"
    assert loaded.data_folder == tmp_path / "data"
    assert loaded.settings.server.port == 8000


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem) as refused:
        load_settings(tmp_path, environment={})
    assert str(tmp_path / "broker.toml") == refused.value.file


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("issuer =", "-"),
        ("name = 'x'", "issuer"),
        (FINE + "zork = 1", "zork"),
        (FINE + "[server]\nprot = 1", "server.prot"),
        (FINE + "[server]\nport = 70000", "server.port"),
        (FINE + "[times]\nremembered_school_days = 0", "times.remembered_school_days"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(tmp_path: Path, text: str, path: str) -> None:
    found = problem(tmp_path, text)
    assert found.path == path
    assert found.remedy


def test_the_environment_lies_over_the_file(tmp_path: Path) -> None:
    loaded = load(tmp_path, BROKER_SERVER__PORT="9000", BROKER_NAME="Proef", OTHER="x")
    assert (loaded.settings.server.port, loaded.settings.name) == (9000, "Proef")


def test_an_unknown_variable_stops_the_start(tmp_path: Path) -> None:
    assert problem(tmp_path, FINE, BROKER_SERVER__PROT="1").path == "server.prot"
    assert problem(tmp_path, FINE, BROKER_ISSUER__X="1").path == "BROKER_ISSUER__X"


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example",
        "ftp://localhost",
        "https://login.example/",
        "https://login.example/path",
        "https://login.example?x",
        "https://login.example#x",
        "https://LOGIN.example",
        "https://login.example:443",
        "https://login.example:port",
        "https://user@login.example",
        "http://localhost:80",
        "https://",
        "",
    ],
)
def test_check_issuer_is_an_origin(tmp_path: Path, issuer: str) -> None:
    assert problem(tmp_path, f'issuer = "{issuer}"').path == "issuer"


@pytest.mark.parametrize(
    "issuer",
    [
        "https://login.example",
        "https://login.example:8443",
        "http://localhost:8000",
        "http://[::1]",
    ],
)
def test_an_origin_as_browsers_write_it_is_accepted(tmp_path: Path, issuer: str) -> None:
    assert load(tmp_path, f'issuer = "{issuer}"').settings.issuer == issuer


@pytest.mark.parametrize(
    "url",
    [
        "redis",
        "redis://",
        "http://localhost",
        "redis://:secret@localhost",
        "redis://user:secret@localhost",
        "redis://localhost:port",
        "redis://localhost/one",
        "redis://localhost?db=1",
        "redis://localhost#x",
        "memory",
    ],
)
def test_check_store_is_an_address_without_password(tmp_path: Path, url: str) -> None:
    found = problem(tmp_path, FINE + f'[store]\nurl = "{url}"')
    assert found.path == "store.url"
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://localhost", StoreAddress("localhost", 6379, 0, None, tls=False)),
        ("rediss://broker@[::1]:7000/2", StoreAddress("::1", 7000, 2, "broker", tls=True)),
        ("memory:", None),
    ],
)
def test_an_address_of_a_store_is_accepted(
    tmp_path: Path, url: str, address: StoreAddress | None
) -> None:
    stated = load(tmp_path, FINE + f'[store]\nurl = "{url}"').settings.store.url
    assert parse_store_url(stated) == address


def test_a_password_stands_in_the_environment_alone(tmp_path: Path) -> None:
    in_file = FINE + '[store]\npassword = "secret-1"'
    found = problem(tmp_path, in_file)
    assert found.path == "store.password"
    assert "secret-1" not in str(found)
    twice = FINE + '[store]\npassword_file = "redis.secret"'
    assert problem(tmp_path, twice, BROKER_STORE__PASSWORD="x").path == "store.password_file"
    settings = load(tmp_path, BROKER_STORE__PASSWORD="secret-1").settings
    assert settings.store.password == "secret-1"
    assert "secret-1" not in repr(settings)


@pytest.mark.parametrize("hop", ["nginx", "127.0.0.1/8", "300.1.1.1", ""])
def test_check_certificate_hops_are_addresses(tmp_path: Path, hop: str) -> None:
    text = f'issuer = "https://broker.example"\n[certificates]\nhops = ["{hop}"]\n'
    (tmp_path / "broker.toml").write_text(text)
    with pytest.raises(SettingsProblem) as found:
        load_settings(tmp_path, environment={})
    assert found.value.path == "certificates.hops"


def test_addresses_and_networks_of_proxies_are_accepted(tmp_path: Path) -> None:
    text = 'issuer = "https://broker.example"\n[certificates]\nhops = ["::1", "10.0.0.0/8"]\n'
    (tmp_path / "broker.toml").write_text(text)
    loaded = load_settings(tmp_path, environment={})
    assert loaded.settings.certificates.hops == ("::1", "10.0.0.0/8")


@pytest.mark.parametrize(
    ("stated", "scope"),
    [("", "broker.example"), ('pairwise_scope = "leer.example"', "leer.example")],
)
def test_the_scope_of_pairwise_ids(tmp_path: Path, stated: str, scope: str) -> None:
    (tmp_path / "broker.toml").write_text(f'issuer = "https://broker.example:8443"\n{stated}\n')
    assert load_settings(tmp_path, environment={}).settings.pairwise_scope_in_force == scope


@pytest.mark.parametrize("scope", ["Leer.example", "-leer", "leer_1", "", "x" * 128])
def test_a_scope_that_is_none_is_refused(tmp_path: Path, scope: str) -> None:
    text = f'issuer = "https://broker.example"\npairwise_scope = "{scope}"\n'
    (tmp_path / "broker.toml").write_text(text)
    with pytest.raises(SettingsProblem) as found:
        load_settings(tmp_path, environment={})
    assert found.value.path == "pairwise_scope"
