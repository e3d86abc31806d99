"""How shields and requests rest: frozen, opened by their own person alone, cheap for all others.

Who changes one of these values loses every shield and request that rests.
"""

from hashlib import sha256
from pathlib import Path

import pytest

from broker.adapters.databases.sql_shields import SqliteShields
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.shielding import ShieldedBy, ShieldLevel
from broker.flow.held_state.framing import UnreadableRecord
from broker.flow.persons.person_records import Presented
from broker.flow.requests.person_requests import (
    RequestId,
    RequestKind,
    RequestSubject,
    mark_same,
    seal_subject,
)
from broker.flow.shielding.shield_records import (
    ShieldRecord,
    derive_shield_keys,
    open_shield,
    places_of,
    seal_shield,
)
from tests.flow.register_world import a_root

KEYS = derive_shield_keys(b"k" * 32)
VUURVOGEL, REKENRIJK = SchoolId("vuurvogel"), SupplierId("rekenrijk")
SANNE = Presented(Population.PUPIL, eck_id=a_root("E:sanne"), local=a_root("L:sanne"))
RECORD = ShieldRecord(level=ShieldLevel.NO_LOGIN, suppliers=(REKENRIJK,))
ECK, LOCAL = places_of(SANNE, school=VUURVOGEL, keys=KEYS)


def hashed(value: bytes) -> str:
    return sha256(value).hexdigest()


def test_tags_keys_and_records_are_frozen() -> None:
    assert ECK.tag.hex() == "1599793360e42217469297ef273f59e903d77b0462939d4af18d7aca10479277"
    assert LOCAL.tag.hex() == "adde3cd891d969f569689a815a80c739581db058b422834dfca78be515edd7f3"
    assert ECK.key.hex() == "ce5b54b23229885646cb6177b02070535b0fb6cad558057091367f5612428388"
    sealed = seal_shield(RECORD, place=ECK, of="mark", nonce=bytes(12))
    assert hashed(sealed) == "364db0171d11bd72bbca11c3b7ea34524d8da3ca9e1a85d385c791104e4e3021"
    subject = seal_subject(
        RequestSubject(supplier=REKENRIJK),
        of=RequestId("befoheko-befoheko"),
        school=VUURVOGEL,
        keys=KEYS,
        nonce=bytes(12),
    )
    assert hashed(subject) == "cbc426285f6e445a30df2c73884c07fdab16ff516c607535472a8bf00c89bdf4"
    same = mark_same(ECK.tag, RequestKind.OBJECTION, REKENRIJK, None, keys=KEYS)
    assert same.hex() == "982ccf28e3a37b0b2adf4b3769801f5dc09963b31654dd35934262147d744579"


@pytest.mark.parametrize(
    ("who", "school", "register_key"),
    [
        (Presented(Population.PUPIL, eck_id=a_root("E:noor"), local=None), VUURVOGEL, b"k"),
        (Presented(Population.PUPIL, eck_id=SANNE.eck_id, local=None), SchoolId("kompas"), b"k"),
        (Presented(Population.PUPIL, eck_id=SANNE.eck_id, local=None), VUURVOGEL, b"o"),
    ],
)
def test_all_keys_open_nothing_without_the_person_and_the_school(
    who: Presented, school: SchoolId, register_key: bytes
) -> None:
    sealed = seal_shield(RECORD, place=ECK, of="mark", nonce=bytes(12))
    assert open_shield(sealed, place=ECK, of="mark", by=ShieldedBy.SCHOOL).suppliers
    (other,) = places_of(who, school=school, keys=derive_shield_keys(register_key * 32))
    assert other.tag != ECK.tag
    with pytest.raises(UnreadableRecord):
        open_shield(sealed, place=other, of="mark", by=ShieldedBy.SCHOOL)
    with pytest.raises(UnreadableRecord):
        open_shield(sealed, place=ECK, of="another", by=ShieldedBy.SCHOOL)


async def test_who_has_no_shields_costs_a_question_a_second_however_many_logins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "register.db"
    upgrade_database(path, "register")
    shields = SqliteShields(path)
    asked = []
    read = shields._file.read

    def count(work: object) -> object:
        asked.append(work)
        return read(work)  # type: ignore[arg-type]

    monkeypatch.setattr(shields._file, "read", count)
    monkeypatch.setattr("broker.adapters.databases.sql_shields.monotonic", lambda: 100.0)
    assert not any(shields.has_any(SchoolId(f"school-{each}")) for each in range(1000))
    assert len(asked) == 1
    await shields.close()
