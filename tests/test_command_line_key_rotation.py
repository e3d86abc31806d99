"""`broker keys list|add|rotate|remove|prune`, and what `broker check` says of certificates."""

import fcntl
import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lxml import etree

from broker.__main__ import main
from broker.adapters.keys import key_files, keys_change
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import KeysUnusable, load_keys
from broker.adapters.keys.keys_standing import check_keys_stay, find_standing
from broker.adapters.xml.xml_security import LxmlSecurity
from broker.commands import key_rotation
from broker.demo.addresses import DEMO_PORTS
from broker.demo.federation import write_federation
from broker.flow.key_plans.key_purposes import ROTATING
from broker.flow.key_plans.key_schedule import KeyState
from broker.jose.keys import key_set_of
from broker.jose.tokens import TokenRefused, sign_token, verify_token
from broker.keys_in_force import read_keys_in_force
from broker.oidc_op.jwks import choose_signing_key
from broker.web.own_documents import OwnAddresses, build_documents

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
USED_FOR = (
    "//*[local-name()='KeyDescriptor' and @use='{}']//*[local-name()='X509Certificate']/text()"
)
FIRST = "storage/storage.hex"


class Killed(BaseException):
    """A process that ends at once, whatever it was about to do."""


def killed(*_: object) -> None:
    raise Killed


@pytest.fixture(scope="module", autouse=True)
def quick_keys():
    """Find few RSA keys and parse each once: that takes longer than all the rest here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_files, "load_pem_private_key", cache(key_files.load_pem_private_key))
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "broker.toml").write_text('issuer = "http://localhost:8000"\n')
    init_keys(folder / "keys", now=NOW, issuer_name="Schuilnaam")
    return folder


class Installation:
    """A configuration folder, the time there, and commands."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.keys, self.now = folder, folder / "keys", NOW
        patch.setattr(key_rotation, "_now", lambda: self.now)

    def run(self, *arguments: str, answer: str | None = None) -> Result:
        command = [*arguments, "--config", str(self.folder)]
        return CliRunner().invoke(main, command, input=answer)

    def do(self, *arguments: str) -> str:
        result = self.run("keys", *arguments)
        assert result.exit_code == 0, result.output
        return result.output

    def refuse(self, *arguments: str) -> str:
        before = self.files()
        result = self.run("keys", *arguments)
        assert result.exit_code == 1, result.output
        assert self.files() == before
        return result.output

    def files(self) -> dict[str, bytes]:
        return {
            each.relative_to(self.keys).as_posix(): each.read_bytes()
            for each in self.keys.rglob("*")
            if each.is_file()
        }

    def states(self, *, after: timedelta = timedelta()) -> dict[str, KeyState]:
        return dict(find_standing(load_keys(self.keys), now=self.now + after))

    def in_state(self, state: KeyState, purpose: str, *, after: timedelta = timedelta()) -> set:
        states = self.states(after=after)
        return {each for each in states if states[each] is state and each.startswith(purpose)}


@pytest.fixture
def installed(made, tmp_path, monkeypatch) -> Installation:
    folder = tmp_path / "config"
    shutil.copytree(made, folder, copy_function=shutil.copy2)
    return Installation(folder, monkeypatch)


def test_every_purpose_is_rotated_as_its_times_say(installed):
    for purpose in ROTATING.values():
        before = installed.in_state(KeyState.IN_USE, purpose.name)
        said = installed.do("rotate", purpose.name)
        assert "Running brokers follow" in said
        new = installed.in_state(KeyState.PUBLISHED, purpose.name)
        assert len(new) == len(before) == (2 if purpose.name == "token" else 1)
        assert all(each in said for each in (*new, *before))
        second = timedelta(seconds=1)
        assert installed.in_state(KeyState.IN_USE, purpose.name, after=purpose.lead - second) == (
            before
        )
        assert installed.in_state(KeyState.IN_USE, purpose.name, after=purpose.lead) == new
        end = purpose.lead + purpose.overlap
        assert installed.in_state(KeyState.ACCEPTED, purpose.name, after=end - second) == before
        assert installed.in_state(KeyState.RETIRED, purpose.name, after=end) == before
    for name in ("storage", "cookie"):
        assert installed.keys.joinpath(name, "a.hex").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("algorithm", ["PS256", "EdDSA"])
def test_an_algorithm_more_is_published_signs_rotates_and_goes_in_an_emergency(
    installed, algorithm
):
    def keys():
        return read_keys_in_force(load_keys(installed.keys), now=installed.now).flow.token

    said = installed.do("add", algorithm)
    assert f"for {algorithm}" in said
    assert "Wait 1 hour before a document names it" in said
    first = choose_signing_key(keys(), algorithm=algorithm)
    assert set(keys().algorithms) == {"ES256", "RS256", algorithm}
    token = sign_token({"sub": "s"}, key=first)
    assert verify_token(token, keys=key_set_of(keys().active), algorithms=(algorithm,))
    assert "has a key for" in installed.refuse("add", algorithm)

    installed.do("rotate", "token")
    (second,) = [each for each in keys().announced if each.algorithm == algorithm]
    assert choose_signing_key(keys(), algorithm=algorithm).kid == first.kid
    installed.now += ROTATING["token"].lead
    assert choose_signing_key(keys(), algorithm=algorithm).kid == second.kid
    assert first.kid in {each.kid for each in keys().retired}

    (file,) = [
        each
        for each in installed.in_state(KeyState.IN_USE, "token")
        if each.startswith(f"token/{algorithm.lower()}-")
    ]
    installed.do("remove", file, "--yes")
    third = choose_signing_key(keys(), algorithm=algorithm)
    assert third.kid not in {first.kid, second.kid}
    with pytest.raises(TokenRefused):
        verify_token(token, keys=key_set_of(keys().active), algorithms=(algorithm,))


def test_a_dry_run_changes_nothing(installed):
    before = installed.files()
    said = installed.do("rotate", "saml-signing", "--dry-run")
    assert "in use from 2026-03-08 12:00:00 UTC" in said
    assert "every SAML partner reads our metadata anew" in said
    assert installed.files() == before
    installed.do("prune", "--dry-run")
    assert installed.files() == before


def test_another_lead(installed):
    said = installed.do("rotate", "storage", "--lead", "5m")
    assert "Shorter" not in said
    assert installed.in_state(KeyState.IN_USE, "storage", after=HOUR / 12) == {"storage/a.hex"}
    assert "Shorter than 1 hour," in installed.do("rotate", "token", "--lead", "90s")
    result = installed.run("keys", "rotate", "cookie", "--lead", "soon")
    assert result.exit_code == 2
    assert "90s or 7d" in result.output


def test_one_rotation_of_a_purpose_at_a_time(installed):
    installed.do("rotate", "token")
    assert "is published already" in installed.refuse("rotate", "token")
    installed.do("rotate", "storage")
    installed.now += HOUR
    installed.do("rotate", "token")


def test_letters_go_on_from_the_newest(installed):
    for letter in "abc":
        installed.do("rotate", "cookie")
        assert (installed.keys / "cookie" / f"{letter}.hex").exists()
        installed.now += DAY * 2
        installed.do("prune")
    assert installed.in_state(KeyState.IN_USE, "cookie") == {"cookie/c.hex"}
    assert not (installed.keys / "cookie/cookie.hex").exists()
    assert init_keys(installed.keys, now=NOW, issuer_name="x") == []  # the first never comes back


def test_prune_deletes_what_is_retired_and_nothing_else(installed):
    installed.do("rotate", "storage")
    assert "Nothing to do" in installed.do("prune")
    installed.now += DAY * 15
    assert "storage/storage.hex" in installed.do("prune", "--dry-run")
    assert (installed.keys / "storage/storage.hex").exists()
    assert "- storage/storage.hex" in installed.do("prune")
    assert installed.in_state(KeyState.IN_USE, "storage") == {"storage/a.hex"}
    assert set(load_keys(installed.keys).schedule) == {"storage/a.hex", "storage/storage.hex"}


# Emergency


@pytest.mark.parametrize("purpose", sorted(ROTATING))
def test_a_removed_key_in_use_is_replaced_at_once(installed, purpose):
    old = sorted(installed.in_state(KeyState.IN_USE, purpose))[0]
    before = installed.files()
    said = installed.do("remove", old, "--yes")
    assert ROTATING[purpose].loss in said
    assert not (installed.keys / old).exists()
    new = installed.in_state(KeyState.IN_USE, purpose)
    assert old not in new
    assert len(new) == (2 if purpose == "token" else 1)
    changed = {name for name, content in installed.files().items() if before.get(name) != content}
    assert changed == (new - before.keys()) | {"schedule.toml"}
    assert load_keys(installed.keys).schedule[old].retired_from == NOW
    assert installed.in_state(KeyState.IN_USE, purpose, after=DAY * 999) == new


@pytest.mark.parametrize("purpose", sorted(ROTATING))
def test_a_copy_of_a_removed_key_that_comes_back_is_good_for_nothing(installed, purpose):
    """Out of a backup, or by whatever copies folders: it had leaked."""
    installed.do("rotate", purpose, "--lead", "0s")
    removed = sorted(installed.in_state(KeyState.ACCEPTED, purpose))[0]
    content = (installed.keys / removed).read_bytes()
    installed.do("remove", removed, "--yes")
    assert "is not there" in installed.refuse("remove", removed, "--yes")
    key_files.write_once(installed.keys / removed, content)
    assert installed.states(after=DAY * 999)[removed] is KeyState.RETIRED
    assert len(installed.in_state(KeyState.IN_USE, purpose)) == (2 if purpose == "token" else 1)
    for _ in range(2):
        assert f"- {removed}" in installed.do("prune")
        key_files.write_once(installed.keys / removed, content)
        assert installed.states()[removed] is KeyState.RETIRED
    installed.do("remove", removed, "--yes")


def test_a_copy_of_a_key_that_was_never_removed_is_accepted(installed):
    """The twin of the above: what has no times was in use from always."""
    content = b"5a" * 32
    key_files.write_once(installed.keys / "storage/k.hex", content)
    assert installed.states()["storage/k.hex"] is KeyState.ACCEPTED
    installed.do("remove", "storage/k.hex", "--yes")
    key_files.write_once(installed.keys / "storage/k.hex", content)
    assert installed.states()["storage/k.hex"] is KeyState.RETIRED


def test_a_removed_successor_that_comes_back_is_never_used(installed):
    installed.do("rotate", "storage")
    content = (installed.keys / "storage/a.hex").read_bytes()
    installed.do("remove", "storage/a.hex", "--yes")
    key_files.write_once(installed.keys / "storage/a.hex", content)
    said = installed.do("remove", "storage/storage.hex", "--yes")
    assert "+ storage/b.hex: in use now\n" in said
    assert installed.in_state(KeyState.IN_USE, "storage") == {"storage/b.hex"}


def test_a_name_is_not_given_twice(installed):
    """A broker that missed the removal would take the new key for a changed one, and refuse it."""
    installed.do("rotate", "storage")
    before = load_keys(installed.keys)
    installed.do("remove", "storage/a.hex", "--yes")
    installed.do("rotate", "storage")
    assert installed.in_state(KeyState.PUBLISHED, "storage") == {"storage/b.hex"}
    check_keys_stay(load_keys(installed.keys), before=before)


@pytest.mark.parametrize("purpose", ["storage", "cookie"])
def test_keys_that_are_lost_after_a_rotation_are_made_under_another_name(installed, purpose):
    installed.do("remove", f"{purpose}/{purpose}.hex", "--yes")
    (installed.keys / purpose / "a.hex").unlink()
    init_keys(installed.keys, now=installed.now, issuer_name="x")
    installed.do("remove", f"{purpose}/a.hex", "--yes")
    assert installed.in_state(KeyState.IN_USE, purpose) == {f"{purpose}/b.hex"}
    (installed.keys / purpose / "b.hex").rename(installed.keys / purpose / "a.hex")
    init_keys(installed.keys, now=installed.now, issuer_name="x")
    assert installed.in_state(KeyState.IN_USE, purpose) == {f"{purpose}/b.hex"}


@pytest.mark.parametrize("command", [["remove", FIRST, "--yes"], ["prune"]])
def test_what_a_crash_left_of_a_key_goes_with_it(installed, command):
    """Killed in the middle of writing, a hidden file with the same secret stays behind."""
    left = installed.keys / "storage/.storage.hex.0123456789abcdef"
    other = installed.keys / "storage/.a.hex.0123456789abcdef"
    os.link(installed.keys / FIRST, left)
    other.touch()
    installed.do("rotate", "storage")
    installed.now += DAY * 15
    installed.do(*command)
    assert not left.exists()
    assert other.exists()


def test_it_asks_first(installed):
    before = installed.files()
    result = installed.run("keys", "remove", "storage/storage.hex", answer="n\n")
    assert result.exit_code == 1
    assert installed.files() == before
    assert installed.run("keys", "remove", "storage/storage.hex", answer="y\n").exit_code == 0
    assert "storage/storage.hex" not in installed.files()


def test_a_published_successor_takes_over_early(installed):
    installed.do("rotate", "saml-signing")
    (new,) = installed.in_state(KeyState.PUBLISHED, "saml-signing")
    (old,) = installed.in_state(KeyState.IN_USE, "saml-signing")
    assert "earlier than planned" in installed.do("remove", old, "--yes")
    assert installed.in_state(KeyState.IN_USE, "saml-signing") == {new}


def test_a_removed_successor_leaves_the_old_key_for_good(installed):
    installed.do("rotate", "storage")
    assert "It is not in use" in installed.do("remove", "storage/a.hex", "--yes")
    assert installed.states(after=DAY * 999)["storage/storage.hex"] is KeyState.IN_USE


def test_a_key_that_is_gone_already_is_forgotten(installed):
    """As after a restored backup that lacks it: its entry would keep brokers from starting."""
    installed.do("rotate", "storage")
    (installed.keys / "storage/a.hex").unlink()
    checked = installed.run("check")
    assert "broker keys remove storage/a.hex" in checked.output
    installed.do("remove", "storage/a.hex", "--yes")
    assert installed.states(after=DAY * 9)["storage/storage.hex"] is KeyState.IN_USE
    installed.do("rotate", "storage")
    installed.now += DAY * 15
    (installed.keys / "storage/b.hex").unlink()
    installed.do("remove", "storage/b.hex", "--yes")  # nothing was left in use
    assert installed.in_state(KeyState.IN_USE, "storage") == {"storage/c.hex"}


@pytest.mark.parametrize(
    ("file", "word"),
    [
        ("root/root.hex", "no key that rotates"),
        ("pairwise/a.hex", "is the only one"),
        ("token/nothing.pem", "is not there"),
        ("../broker.toml", "no key that rotates"),
        ("storage/../root/root.hex", "is not there"),
        ("storage", "is not there"),
    ],
)
def test_what_cannot_be_removed(installed, file, word):
    assert word in installed.refuse("remove", file, "--yes")
    installed.do("remove", "storage/storage.hex", "--yes")


def test_one_command_at_a_time(installed):
    held = os.open(installed.keys, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        for command in (["rotate", "storage"], ["remove", FIRST, "--yes"], ["prune"]):
            assert "another command" in installed.refuse(*command)
    finally:
        os.close(held)
    installed.do("rotate", "storage")


def test_keys_that_cannot_be_used_are_not_rotated(installed):
    (installed.keys / "cookie/cookie.hex").chmod(0o644)
    assert "chmod 600" in installed.refuse("rotate", "storage")
    (installed.keys / "cookie/cookie.hex").chmod(0o600)
    shutil.rmtree(installed.keys / "token")
    assert "there is no key" in installed.refuse("list")


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_command_that_breaks_off_can_be_given_again(installed, monkeypatch, fails_at):
    """And meanwhile there is a key in use, or none is used that is not there."""
    calls = 0

    def counted(original):
        def step(*arguments):
            nonlocal calls
            calls += 1
            if calls == fails_at:
                raise OSError(28, "No space left on device")
            return original(*arguments)

        return step

    with monkeypatch.context() as patch:
        for name in ("write_schedule", "write_once", "delete_key"):
            patch.setattr(keys_change, name, counted(getattr(keys_change, name)))
        result = installed.run("keys", "remove", FIRST, "--yes")
        assert result.exit_code == 1
        assert "No space left" in result.output
    if FIRST in installed.files():
        installed.do("remove", FIRST, "--yes")
    assert FIRST not in installed.files()
    assert len(installed.in_state(KeyState.IN_USE, "storage")) == 1
    assert len(installed.states()) == 6


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_removal_that_breaks_off_never_goes_back(installed, monkeypatch, fails_at):
    """Killed before any of its steps: the leaked key is as before, or retired."""
    before = read_keys_in_force(load_keys(installed.keys), now=NOW).storage
    with monkeypatch.context() as patch:
        steps = ("write_schedule", "write_once", "delete_key")
        patch.setattr(keys_change, steps[fails_at - 1], killed)
        with pytest.raises(Killed):
            CliRunner().invoke(
                main,
                ["keys", "remove", FIRST, "--yes", "--config", str(installed.folder)],
                catch_exceptions=False,
            )
    if fails_at == 1:
        assert read_keys_in_force(load_keys(installed.keys), now=NOW).storage == before
    elif fails_at == 2:
        with pytest.raises(KeysUnusable, match=r"keys remove storage/a\.hex"):
            find_standing(load_keys(installed.keys), now=NOW)
    else:
        (only,) = read_keys_in_force(load_keys(installed.keys), now=NOW).storage
        assert only.letter == "a"


# Lists and alarms


def test_the_list_tells_everything_but_secrets(installed):
    installed.do("rotate", "token")
    said = installed.do("list")
    lines = {re.match(r"file (\S+)", line)[1]: line for line in said.splitlines()}
    assert set(lines) == set(installed.files()) - {"schedule.toml"}
    (new,) = installed.in_state(KeyState.PUBLISHED, "token/es256")
    assert "kind ES256" in lines[new]
    assert "changes 2026-03-01 13:00:00 UTC" in lines[new]
    assert "made 2026-03-01" in lines[new]
    assert "state lasts" in lines["root/root.hex"]
    (signing,) = [each for each in lines if each.startswith("saml-signing")]
    assert "certificate ends 2036-02-27" in lines[signing]
    for content in installed.files().values():
        assert content.decode().strip()[:40] not in said


def test_a_certificate_that_ends_soon_is_an_alarm(installed):
    installed.now = datetime(2035, 12, 1, tzinfo=UTC)
    assert "Warning" not in installed.do("list")
    installed.now += DAY * 60
    said = installed.do("list")
    assert said.count("has a certificate that ends at 2036-02-27") == 2
    assert "Run `broker keys rotate saml-signing`" in said
    installed.now += DAY * 60
    assert "has a certificate that ended" in installed.do("list")


def test_check_warns_of_certificates_of_ours_and_of_partners(installed, monkeypatch):
    addresses = {party: f"http://localhost:{port}" for party, port in DEMO_PORTS.items()}
    write_federation(installed.folder, addresses)
    installed.run("apply", str(installed.folder / "federation"))
    checked = installed.run("check")
    assert checked.exit_code == 0, checked.output
    assert "certificate that ends" not in checked.output
    monkeypatch.setattr("broker.flow.key_plans.key_facts.EXPIRY_ALARM", DAY * 4000)
    checked = installed.run("check")
    assert checked.exit_code == 0  # an alarm, and no login fails by it
    for place in (
        *("saml-signing/saml-20260301-", "saml-decryption/saml-20260301-"),
        *("identity_providers/vuurvogel", "relying_parties/taaltuin"),
    ):
        assert place in checked.output
    assert "Ask the partner for metadata" in checked.output


def test_check_tells_of_a_relying_party_whose_tokens_nobody_can_sign(installed):
    addresses = {party: f"http://localhost:{port}" for party, port in DEMO_PORTS.items()}
    write_federation(installed.folder, addresses)
    for file in (installed.folder / "federation" / "suppliers").glob("*.toml"):
        plain = file.read_text()
        file.write_text(
            plain.replace('client_id = "', 'id_token_algorithm = "PS256"\nclient_id = "')
        )
    installed.run("apply", str(installed.folder / "federation"))
    checked = installed.run("check")
    assert checked.exit_code == 1
    assert "Run `broker keys add PS256`" in checked.output
    installed.do("add", "PS256")
    checked = installed.run("check")
    assert checked.exit_code == 0, checked.output


# What partners can verify


def test_tokens_verify_until_their_key_is_retired_and_never_after_a_removal(installed):
    def published(*, after: timedelta = timedelta()):
        keys = read_keys_in_force(load_keys(installed.keys), now=installed.now + after)
        token = keys.flow.token
        return token, key_set_of((*token.active, *token.announced, *token.retired))

    def verifies(token: str, keys) -> bool:
        try:
            verify_token(token, keys=keys, algorithms=("ES256",))
        except TokenRefused:
            return False
        return True

    def sign(keys) -> str:
        return sign_token({"sub": "x"}, key=choose_signing_key(keys, algorithm="ES256"))

    old = sign(published()[0])
    installed.do("rotate", "token")
    lead, overlap = ROTATING["token"].lead, ROTATING["token"].overlap
    assert verifies(old, published()[1])
    new = sign(published(after=lead)[0])
    assert new.split(".")[0] != old.split(".")[0]
    assert verifies(new, published()[1])  # published before it was used
    assert verifies(old, published(after=lead + overlap - DAY / 86400)[1])
    assert not verifies(old, published(after=lead + overlap)[1])
    removed = sorted(installed.in_state(KeyState.IN_USE, "token"))[0]
    installed.do("remove", removed, "--yes")
    assert not verifies(old, published()[1])
    assert verifies(sign(published()[0]), published()[1])


def test_metadata_names_both_signing_keys_and_one_to_encrypt_to(installed):
    def certificates(*, after: timedelta = timedelta()) -> tuple[list[str], list[str], list[str]]:
        now = installed.now + after
        documents = build_documents(
            OwnAddresses("http://localhost:8000"),
            keys=read_keys_in_force(load_keys(installed.keys), now=now).flow,
            xml=LxmlSecurity(),
        )
        ours = etree.fromstring(documents.saml_sp_metadata(now).content)
        theirs = etree.fromstring(documents.saml_idp_metadata(now).content)
        return (
            ours.xpath(USED_FOR.format("signing")),
            theirs.xpath(USED_FOR.format("signing")),
            ours.xpath(USED_FOR.format("encryption")),
        )

    (signing,), _, (encryption,) = certificates()
    installed.do("rotate", "saml-signing")
    installed.do("rotate", "saml-decryption")
    ours, theirs, still = certificates()
    assert ours == theirs
    assert (ours[0], len(ours), still) == (signing, 2, [encryption])
    later, _, instead = certificates(after=DAY * 7)
    assert later == ours[::-1]  # the one in use first
    assert len(instead) == 1
    assert instead != [encryption]
    opened = read_keys_in_force(load_keys(installed.keys), now=NOW + DAY * 7).flow.saml_decryption
    assert len(opened) == 2  # what was encrypted to the old one is opened on
    assert certificates(after=DAY * 8)[0] == [ours[1]]
