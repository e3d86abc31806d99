"""Keys on disk: made once, private, one purpose each; what is wrong is told all at once."""

import os
import shutil
import stat
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from broker.adapters.keys import key_files, keys_init
from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.keys.keys_init import TOKEN_ALGORITHMS, init_keys, make_token_key
from broker.adapters.keys.keys_on_disk import (
    KeysUnusable,
    find_key_problems,
    load_keys,
)
from broker.domain.ids import SupplierId
from broker.jose.keys import signing_key_of
from broker.pseudonyms.derivation import EckIdBytes, derive_pseudonym, root_from_eckid
from broker.pseudonyms.epochs import select_key
from tests.pseudonyms.vectors import GOLDEN

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ISSUER = "broker.example"


@pytest.fixture(scope="module", autouse=True)
def parsed_once():
    """Parse each PEM text once: checking an RSA key takes longer than all the rest here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_files, "load_pem_private_key", cache(key_files.load_pem_private_key))
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Return a complete folder; made once, since RSA keys are slow to find."""
    folder = tmp_path_factory.mktemp("made") / "keys"
    init_keys(folder, now=NOW, issuer_name=ISSUER)
    return folder


@pytest.fixture
def folder(made, tmp_path) -> Path:
    """Return a copy of the complete folder, to spoil."""
    return Path(shutil.copytree(made, tmp_path / "keys", copy_function=shutil.copy2))


def write(file: Path, content: bytes, mode: int = 0o600) -> None:
    file.write_bytes(content)
    file.chmod(mode)


def pem(key, encryption=None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def only(folder: Path, purpose: str) -> Path:
    (file,) = (folder / purpose).glob("*.pem")
    return file


def the_problem(folder: Path) -> KeyProblem:
    """Return the one problem, and hold what is true of all."""
    (problem,) = find_key_problems(folder)
    assert problem.problem
    assert problem.remedy
    assert str(problem).startswith(f"{problem.file}: ")
    with pytest.raises(KeysUnusable) as caught:
        load_keys(folder)
    assert str(problem) in str(caught.value)
    return problem


# Making


def test_init_makes_every_key_private_and_load_reads_them(made):
    keys = load_keys(made)
    assert find_key_problems(made) == ()
    for path in [made, *made.rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected
        assert not path.name.startswith(".")
    (storage,), (cookie,) = keys.storage, keys.cookie
    symmetric = [keys.register, keys.receipts, storage.secret, cookie.secret]
    assert (storage.file, storage.letter) == ("storage/storage.hex", "")
    assert keys.schedule == {}
    assert [len(each) for each in symmetric] == [32] * 4
    assert len(set(symmetric)) == 4
    assert keys.pairwise.newest == "a"
    assert [each.algorithm for each in keys.token] == ["ES256", "RS256"]
    assert [each.private_key.key_size for each in keys.token] == [256, 2048]
    assert [each.kid[:15] for each in keys.token] == ["es256-20260301-", "rs256-20260301-"]
    assert len(keys.saml_signing) == len(keys.saml_decryption) == 1


def test_certificates_are_self_signed_and_live_long(made):
    keys = load_keys(made)
    for each in (*keys.saml_signing, *keys.saml_decryption):
        certificate = each.certificate
        certificate.verify_directly_issued_by(certificate)
        assert certificate.public_key() == each.private_key.public_key()
        assert certificate.subject.rfc4514_string() == f"CN={ISSUER}"
        assert certificate.not_valid_before_utc == NOW
        assert certificate.not_valid_after_utc >= NOW + timedelta(days=3650)
        assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert keys.saml_signing[0].name != keys.saml_decryption[0].name


def test_init_is_idempotent_and_overwrites_nothing(folder):
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    later = NOW + timedelta(days=40)
    assert init_keys(folder, now=later, issuer_name="another.example") == []
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


def test_init_tells_what_it_made_and_two_runs_make_other_keys(made, tmp_path, monkeypatch):
    monkeypatch.setattr(keys_init, "_generate_rsa", lambda: next(reused))
    old = load_keys(made)
    reused = iter(
        each.private_key for each in (old.token[1], *old.saml_signing, *old.saml_decryption)
    )
    files = init_keys(tmp_path / "a" / "keys", now=NOW, issuer_name=ISSUER)
    assert files[:3] == [
        tmp_path / "a/keys/root/root.hex",
        tmp_path / "a/keys/pairwise/a.hex",
        tmp_path / "a/keys/register/register.hex",
    ]
    assert {file for file in (tmp_path / "a/keys").rglob("*") if file.is_file()} == set(files)
    new = load_keys(tmp_path / "a" / "keys")
    assert new.root != old.root
    assert new.storage != old.storage


@pytest.mark.parametrize("purpose", ["storage", "cookie", "token", "saml-signing"])
def test_init_makes_what_is_missing_where_nothing_lasting_is_lost(folder, purpose, monkeypatch):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    monkeypatch.setattr(keys_init, "_generate_rsa", lambda: key)
    shutil.rmtree(folder / purpose)
    made = init_keys(folder, now=NOW, issuer_name=ISSUER)
    assert {file.parent.name for file in made} == {purpose}
    assert load_keys(folder)


def test_init_adds_the_one_token_key_that_is_missing(folder):
    next((folder / "token").glob("es256-*")).unlink()
    (made,) = init_keys(folder, now=NOW, issuer_name=ISSUER)
    assert made.name.startswith("es256-")
    assert load_keys(folder)


@pytest.mark.parametrize(
    "lost", ["root/root.hex", "pairwise/a.hex", "register/register.hex", "receipts/receipts.hex"]
)
def test_a_lost_lasting_key_is_never_replaced(folder, lost):
    (folder / lost).unlink()
    before = sorted(folder.rglob("*"))
    with pytest.raises(KeysUnusable) as caught:
        init_keys(folder, now=NOW, issuer_name=ISSUER)
    (problem,) = caught.value.problems
    assert str(problem.file).startswith(str((folder / lost).parent))
    assert "restore it from the backup" in problem.remedy
    assert sorted(folder.rglob("*")) == before


def test_an_interrupted_first_run_goes_on(folder):
    """Lasting keys come first, so what an interrupted run left is the beginning of the list."""
    for purpose in ("register", "receipts", "storage", "cookie"):
        shutil.rmtree(folder / purpose)
    for purpose in ("token", "saml-signing", "saml-decryption"):
        (folder / purpose).rename(folder.parent / purpose)
    root = (folder / "root/root.hex").read_bytes()
    plan = keys_init._plan(folder, now=NOW, issuer_name=ISSUER)
    keys_init._check_nothing_was_lost(plan)
    assert [each.exists for each in plan[:3]] == [True, True, False]
    plan[2].write()
    plan[3].write()
    for purpose in ("token", "saml-signing", "saml-decryption"):
        (folder.parent / purpose).rename(folder / purpose)
    made = init_keys(folder, now=NOW, issuer_name=ISSUER)
    assert [file.name for file in made] == ["storage.hex", "cookie.hex"]
    assert (folder / "root/root.hex").read_bytes() == root
    assert load_keys(folder)


def test_the_first_of_two_runs_at_once_wins(folder, monkeypatch):
    """The other one saw no file when it planned."""
    file = folder / "cookie/cookie.hex"
    before = file.read_bytes()
    assert keys_init._write_hex_key(file) is None
    assert file.read_bytes() == before
    assert [each.name for each in file.parent.iterdir()] == ["cookie.hex"]


def test_a_failed_write_leaves_nothing(folder, monkeypatch):
    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    shutil.rmtree(folder / "cookie")
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left"):
        init_keys(folder, now=NOW, issuer_name=ISSUER)
    assert list((folder / "cookie").iterdir()) == []
    monkeypatch.undo()
    assert len(init_keys(folder, now=NOW, issuer_name=ISSUER)) == 1


def test_init_refuses_to_go_on_beside_a_token_key_it_cannot_read(folder):
    write(folder / "token" / "es256-old.pem", b"nonsense")
    with pytest.raises(KeysUnusable):
        init_keys(folder, now=NOW, issuer_name=ISSUER)


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_a_certificate_s_name_has_limits(folder, name):
    with pytest.raises(ValueError, match="issuer_name"):
        init_keys(folder, now=NOW, issuer_name=name)
    assert init_keys(folder, now=NOW, issuer_name="x" * 64) == []


# Reading


def test_the_golden_pseudonyms_come_out_of_key_files(folder):
    write(folder / "root/root.hex", GOLDEN["keys"]["root"].encode())
    write(folder / "pairwise/a.hex", GOLDEN["keys"]["pairwise a"].upper().encode() + b"\n")
    write(folder / "pairwise/b.hex", GOLDEN["keys"]["pairwise b"].encode() + b"\r\n")
    keys = load_keys(folder)
    assert keys.pairwise.newest == "b"
    for row in GOLDEN["pseudonyms"][:6]:
        root = root_from_eckid(EckIdBytes(bytes.fromhex(row["eckid_hex"])), key=keys.root)
        key = select_key(keys.pairwise, pinned=row["epoch"])
        found = derive_pseudonym(root, supplier=SupplierId(row["supplier"]), key=key)
        assert found == row["pseudonym"]


def test_several_keys_come_in_order_of_name(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    write(folder / "token" / "es256-19990101-old.pem", pem(key))
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = keys_init._sign_certificate(rsa_key, now=NOW, issuer_name=ISSUER)
    content = pem(rsa_key) + certificate.public_bytes(Encoding.PEM)
    write(folder / "saml-signing" / "a-first.pem", content)
    keys = load_keys(folder)
    assert [each.kid[:6] for each in keys.token] == ["es256-", "es256-", "rs256-"]
    assert keys.token[0].kid == "es256-19990101-old"
    assert [each.name[:5] for each in keys.saml_signing] == ["a-fir", "saml-"]


def test_nothing_shows_a_key(made):
    keys = load_keys(made)
    assert repr(keys) == "BrokerKeys()"
    shown = repr([keys.token, keys.saml_signing, keys.root, keys.pairwise])
    assert "private_key" not in shown
    assert (made / "root/root.hex").read_text().strip() not in shown


def test_an_empty_or_missing_folder_lists_every_purpose(tmp_path):
    missing = find_key_problems(tmp_path / "nowhere")
    names = {problem.file.relative_to(tmp_path / "nowhere").parts[0] for problem in missing}
    assert names == {
        "root",
        "pairwise",
        "register",
        "receipts",
        "storage",
        "cookie",
        "token",
        "saml-signing",
        "saml-decryption",
    }
    assert len(missing) == 9
    assert all("keys init" in problem.remedy for problem in missing)


def test_all_problems_are_told_at_once(folder):
    (folder / "root/root.hex").unlink()
    write(folder / "cookie/cookie.hex", b"short")
    (folder / "storage/storage.hex").chmod(0o644)
    write(only(folder, "saml-signing"), b"nonsense")
    with pytest.raises(KeysUnusable) as caught:
        load_keys(folder)
    found = [problem.file.parent.name for problem in caught.value.problems]
    assert found == ["root", "storage", "cookie", "saml-signing"]
    assert len(str(caught.value).splitlines()) == 4


@pytest.mark.parametrize("purpose", ["root", "pairwise", "token", "saml-decryption"])
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o644, 0o601])
def test_a_key_that_others_may_open_is_refused(folder, purpose, mode):
    file = next((folder / purpose).iterdir())
    file.chmod(mode)
    problem = the_problem(folder)
    assert problem.file == file
    assert f"{mode:04o}" in problem.problem
    assert "chmod 600" in problem.remedy
    file.chmod(0o400)
    assert find_key_problems(folder) == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"0" * 63,
        b"0" * 65,
        b"0" * 64 + b"\n\n",
        b" " + b"0" * 64,
        b"g" * 64,
        b"00 " * 22,
        b"0x" + b"0" * 62,
        bytes(32),
        "٣".encode() * 64,
    ],
)
def test_a_hex_key_of_another_form_is_refused(folder, content):
    file = folder / "register/register.hex"
    before = file.read_bytes()
    write(file, content)
    problem = the_problem(folder)
    assert problem.file == file
    assert "64 hexadecimal digits" in problem.problem
    write(file, before)
    assert find_key_problems(folder) == ()


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path):
    file = folder / "root/root.hex"
    outside = tmp_path / "elsewhere.hex"
    file.rename(outside)
    file.symlink_to(outside)
    assert "link out" in the_problem(folder).problem


def test_a_link_inside_the_folder_is_followed(folder):
    """Kubernetes mounts secrets as links into a hidden folder beside them."""
    file = folder / "root/root.hex"
    hidden = folder / "root/..data"
    hidden.mkdir()
    file.rename(hidden / "root.hex")
    file.symlink_to(Path("..data/root.hex"))
    assert find_key_problems(folder) == ()
    (hidden / "root.hex").chmod(0o644)
    assert "others" in the_problem(folder).problem


def test_a_dangling_link_is_a_missing_key_and_is_not_replaced(folder):
    file = folder / "cookie/cookie.hex"
    file.unlink()
    file.symlink_to("nowhere.hex")
    assert "no key" in the_problem(folder).problem
    assert init_keys(folder, now=NOW, issuer_name=ISSUER) == []


def test_a_link_in_a_circle_is_refused(folder):
    file = folder / "cookie/cookie.hex"
    file.unlink()
    file.symlink_to("cookie.hex")
    problem = the_problem(folder)
    assert problem.file == file
    assert "circle" in problem.problem


def test_what_is_no_regular_file_is_refused(folder):
    file = folder / "cookie/cookie.hex"
    file.unlink()
    os.mkfifo(file, mode=0o600)
    assert "no regular file" in the_problem(folder).problem
    file.unlink()
    file.mkdir(mode=0o700)
    assert "no regular file" in the_problem(folder).problem


def test_a_file_that_cannot_be_opened_is_refused(folder, monkeypatch):
    def denied(*arguments, **named):
        raise PermissionError(13, "Permission denied")

    assert find_key_problems(folder) == ()
    monkeypatch.setattr(key_files.os, "open", denied)
    assert {"Permission denied" in each.problem for each in find_key_problems(folder)} == {True}
    monkeypatch.undo()
    monkeypatch.setattr(key_files.os, "listdir", denied)
    assert [each.file.name for each in find_key_problems(folder)] == [
        "pairwise",
        "storage",
        "cookie",
        "token",
        "saml-signing",
        "saml-decryption",
    ]
    with pytest.raises(KeysUnusable):
        init_keys(folder, now=NOW, issuer_name=ISSUER)


def test_a_file_in_the_place_of_a_folder_is_a_missing_key(folder):
    shutil.rmtree(folder / "cookie")
    write(folder / "cookie", b"")
    assert "no key" in the_problem(folder).problem
    shutil.rmtree(folder / "token")
    write(folder / "token", b"")
    assert len(find_key_problems(folder)) == 2


def test_a_huge_file_is_refused(folder):
    write(only(folder, "saml-signing"), b"x" * 70000)
    problems = find_key_problems(folder)
    assert [problem.problem for problem in problems] == ["is too large for a key"]


@pytest.mark.parametrize(
    "name", ["A.hex", "aa.hex", "1.hex", "a.hex.bak", "a.txt", "ä.hex", "b.HEX"]
)
def test_a_misnamed_pairwise_key_is_not_passed_over(folder, name):
    write(folder / "pairwise" / name, b"0" * 64)
    problem = the_problem(folder)
    assert problem.file.name == name
    assert "<a-z>.hex" in problem.remedy
    (folder / "pairwise" / name).rename(folder / "pairwise" / "b.hex")
    assert load_keys(folder).pairwise.newest == "b"


@pytest.mark.parametrize("name", ["key.key", "notes.txt", "-a.pem", "a b.pem", "a.pem~"])
def test_a_misnamed_pem_key_is_not_passed_over(folder, name):
    write(folder / "token" / name, b"")
    assert "<name>.pem" in the_problem(folder).remedy
    (folder / "token" / name).rename(folder / "token" / ".hidden")
    assert find_key_problems(folder) == ()


def test_the_same_key_for_two_purposes_is_refused(folder):
    write(folder / "storage/storage.hex", (folder / "cookie/cookie.hex").read_bytes().upper())
    problem = the_problem(folder)
    assert problem.file == folder / "cookie/cookie.hex"
    assert "storage.hex" in problem.problem


def test_the_same_key_for_two_epochs_is_refused(folder):
    shutil.copy2(folder / "pairwise/a.hex", folder / "pairwise/b.hex")
    assert "same key" in the_problem(folder).problem


def test_the_same_pem_key_for_two_purposes_is_refused(folder):
    """Also when the rest of the file differs: the public key decides."""
    shared = only(folder, "saml-signing")
    shutil.copy2(shared, only(folder, "saml-decryption"))
    write(folder / "token" / "shared.pem", pem(load_rsa(shared)))
    problems = find_key_problems(folder)
    assert [problem.problem.split(" as ")[0] for problem in problems] == ["is the same key"] * 2


def load_rsa(file: Path):
    return key_files.parse_private_key(file, file.read_bytes())


@pytest.mark.parametrize("kept", ["es256", "rs256"])
def test_both_algorithms_are_needed_for_tokens(folder, kept):
    for file in (folder / "token").iterdir():
        if not file.name.startswith(kept):
            file.unlink()
    assert ("RSA" if kept == "es256" else "P-256") in the_problem(folder).problem


@pytest.mark.parametrize("algorithm", TOKEN_ALGORITHMS)
def test_a_token_key_of_every_algorithm_signs_with_that_one_alone(folder, algorithm):
    name, content = make_token_key(algorithm, now=NOW)
    write(folder / "token" / name, content)
    (read,) = [each for each in load_keys(folder).token if each.file == f"token/{name}"]
    signing = signing_key_of(read.private_key, rsa_algorithm=read.algorithm)
    assert (read.algorithm, signing.algorithm) == (algorithm, algorithm)
    assert signing.public_jwk["alg"] == algorithm


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: b"nonsense", "no private key"),
        (lambda: pem(ec.generate_private_key(ec.SECP384R1())), "neither"),
        (lambda: pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "neither"),
        (lambda: pem(ed448.Ed448PrivateKey.generate()), "neither"),
        (
            lambda: pem(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"x")),
            "encrypted",
        ),
    ],
    ids=["nonsense", "P-384", "RSA 1024", "Ed448", "encrypted"],
)
def test_a_key_of_another_kind_is_refused(folder, make, word):
    write(folder / "token" / "other.pem", make())
    assert word in the_problem(folder).problem
    write(folder / "token" / "other.pem", pem(ec.generate_private_key(ec.SECP256R1())))
    assert len(load_keys(folder).token) == 3


def test_a_saml_key_needs_its_own_single_certificate(folder):
    signing, decryption = only(folder, "saml-signing"), only(folder, "saml-decryption")
    good = signing.read_bytes()
    key, begin, certificate = good.partition(b"-----BEGIN CERTIFICATE-----")
    other = decryption.read_bytes().partition(begin)[2]
    cases = {
        key: "no single certificate",
        good + begin + certificate: "no single certificate",
        key + begin + b"\nAAAA\n-----END CERTIFICATE-----\n": "no single certificate",
        key + begin + other: "certificate of another key",
        pem(ec.generate_private_key(ec.SECP256R1())) + begin + certificate: "no RSA key",
    }
    for content, word in cases.items():
        write(signing, content)
        assert word in {each.problem for each in [the_problem(folder)]}.pop()
    write(signing, good)
    assert find_key_problems(folder) == ()
