"""Announcements of schools by ELOs: each refusal beside the one that is taken."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec import structs

from broker.domain.announcing import Announcing
from broker.domain.federation import SchoolIdp, State
from broker.domain.ids import Brin, SchoolId, SchoolIdpId
from broker.domain.refusals import Refusal
from broker.domain.registry import build_registry
from broker.flow.first_party.announced_schools import AnnouncedSchool, SchoolAnnouncements
from broker.flow.first_party.announcement_checks import (
    ANNOUNCEMENT_CHECKS,
    AnnouncedSchoolForeign,
    AnnouncementClaims,
    AnnouncementInvalid,
    AnnouncementKeyMissing,
    AnnouncementLeadsElsewhere,
    AnnouncementOld,
    AnnouncementUsed,
    AnnouncerUnknown,
)
from broker.flow.refusals import SchoolNotOpen, StoreUnavailable
from tests.builders import a_school, a_school_idp
from tests.builders_announcing import KEY, KEY_HASH, NEXT_KEY, NEXT_KEY_HASH, seal
from tests.flow.fakes import CountingStore
from tests.flow.port_fakes import ListAudit, SwappedSnapshots
from tests.flow.sealed_builders import a_state, a_store

ISSUER = "https://broker.example"
NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
LEADS_HOME = "check_announcement_leads_home"
HOME = "https://elo.example/vandaag"
ELO = a_school_idp(
    schools=(SchoolId("vuurvogel"), SchoolId("regenboog")),
    announcing=Announcing(
        key_hashes=(KEY_HASH, NEXT_KEY_HASH), return_to=(HOME, "https://elo.example/les/")
    ),
)


@dataclass
class Desk:
    """Somebody's browser, and what the broker keeps."""

    idp: SchoolIdp = ELO
    written: tuple[str, ...] = (KEY,)
    schools: dict[str, Any] = field(default_factory=dict)
    store: CountingStore = field(default_factory=a_store)
    now: datetime = NOW
    audit: ListAudit = field(default_factory=lambda: ListAudit(frozenset({KEY, "elo.example"})))

    def __post_init__(self) -> None:
        regenboog = a_school(id=SchoolId("regenboog"), brin=Brin("33CC"), name="De Regenboog")
        other = a_school_idp(id=SchoolIdpId("kompas"), schools=(SchoolId("kompas"),))
        registry = build_registry(
            1,
            schools=[
                a_school(**self.schools),
                regenboog,
                a_school(id=SchoolId("kompas"), brin=Brin("22BB")),
            ],
            idps=[self.idp, other],
            suppliers=[],
            agreements=[],
        )
        self.announcements = SchoolAnnouncements(
            issuer=ISSUER,
            snapshots=SwappedSnapshots(registry),
            state=a_state(self.store),
            read_keys=lambda idp: self.written if idp == "vuurvogel" else (),
            audit=self.audit,
            clock=lambda: self.now,
        )

    async def take(self, token: str, by: str = "vuurvogel") -> AnnouncedSchool:
        return await self.announcements.take(unverified_by=by, token=token)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(NOW.timestamp())
    stated = {
        "iss": "vuurvogel",
        "aud": ISSUER,
        "iat": now,
        "exp": now + 60,
        "jti": "an-id-of-16-chars-or-more",
        "school": "regenboog",
        "return_to": HOME,
    } | changes
    return {name: value for name, value in stated.items() if value is not None}


def a_token(key: str = KEY, **changes: Any) -> str:
    return seal(msgspec.json.encode(claims(**changes)), key=key)


def test_what_is_announced_shows_no_page_and_no_token() -> None:
    stated = msgspec.convert(claims(), AnnouncementClaims)
    for shown in (repr(stated), str(stated.__rich_repr__())):
        assert "vuurvogel" in shown
        assert not [each for each in (stated.jti, stated.return_to, stated.school) if each in shown]


async def test_an_announced_school_is_told_and_nobody_is_named() -> None:
    desk = Desk()
    found = await desk.take(a_token())
    assert (found.idp.id, found.school.id, found.url) == ("vuurvogel", "regenboog", HOME)
    (event,) = desk.audit.events
    assert (event.action, event.idp, event.school) == ("school-announced", "vuurvogel", "regenboog")
    assert desk.store.round_trips == 1


@pytest.mark.parametrize("named", ["vuurvogel", "11AA", "11aa"])
async def test_a_school_is_named_by_its_id_or_brin(named: str) -> None:
    assert (await Desk().take(a_token(school=named))).school.id == "vuurvogel"


@pytest.mark.parametrize("page", [HOME, "https://elo.example/les/3?stap=2"])
async def test_it_goes_on_to_what_is_registered(page: str) -> None:
    assert (await Desk().take(a_token(return_to=page))).url == page


async def test_two_keys_count_while_one_follows_the_other() -> None:
    desk = Desk(written=(KEY, NEXT_KEY))
    await desk.take(a_token(NEXT_KEY))
    only_next = structs.replace(ELO.announcing, key_hashes=(NEXT_KEY_HASH,))
    later = Desk(idp=structs.replace(ELO, announcing=only_next), written=(KEY, NEXT_KEY))
    await later.take(a_token(NEXT_KEY))
    with pytest.raises(AnnouncementInvalid, match="check_token_decrypted"):
        await later.take(a_token(KEY))


@pytest.mark.parametrize(
    ("changes", "refusal", "check"),
    [
        ({"iss": "kompas"}, AnnouncementInvalid, "check_announcement_issuer"),
        ({"aud": "https://other.example"}, AnnouncementInvalid, "check_announcement_audience"),
        ({"aud": [ISSUER]}, AnnouncementInvalid, "check_announcement_readable"),
        ({"exp": int(NOW.timestamp()) + 121}, AnnouncementInvalid, "check_announcement_life"),
        ({"exp": int(NOW.timestamp())}, AnnouncementInvalid, "check_announcement_life"),
        ({"exp": 2**64}, AnnouncementInvalid, "check_announcement_readable"),
        ({"jti": None}, AnnouncementInvalid, "check_announcement_readable"),
        ({"jti": "short"}, AnnouncementInvalid, "check_announcement_readable"),
        ({"sub": "sanne"}, AnnouncementInvalid, "check_announcement_readable"),
        ({"school": "kompas"}, AnnouncedSchoolForeign, "check_announced_school_listed"),
        ({"school": "99ZZ"}, AnnouncedSchoolForeign, "check_announced_school_listed"),
        ({"return_to": "https://evil.example/"}, AnnouncementLeadsElsewhere, LEADS_HOME),
        ({"return_to": HOME + "/more"}, AnnouncementLeadsElsewhere, LEADS_HOME),
        ({"return_to": "https://elo.example/les/../uit"}, AnnouncementLeadsElsewhere, LEADS_HOME),
        (
            {"return_to": "https://elo.example.evil/les/"},
            AnnouncementLeadsElsewhere,
            LEADS_HOME,
        ),
        ({"return_to": ""}, AnnouncementLeadsElsewhere, LEADS_HOME),
    ],
)
async def test_what_is_not_as_it_must_be(
    changes: dict[str, Any], refusal: type[Refusal], check: str
) -> None:
    desk = Desk()
    with pytest.raises(refusal, match=check):
        await desk.take(a_token(**changes))
    assert desk.store.round_trips == 0
    await desk.take(a_token())


@pytest.mark.parametrize("octets", [b"", b"[]", b"\xff", b"[" * 2000])
async def test_what_holds_no_claims(octets: bytes) -> None:
    with pytest.raises(AnnouncementInvalid, match="check_announcement_readable"):
        await Desk().take(seal(octets))


async def test_one_of_another_key_is_forged() -> None:
    with pytest.raises(AnnouncementInvalid, match="check_token_decrypted"):
        await Desk().take(a_token(NEXT_KEY))
    await Desk(written=(NEXT_KEY,)).take(a_token(NEXT_KEY))


@pytest.mark.parametrize(("seconds", "taken"), [(-31, False), (-30, True), (89, True), (90, False)])
async def test_it_lives_briefly_with_a_little_skew(seconds: int, taken: bool) -> None:
    desk = Desk(now=NOW + timedelta(seconds=seconds))
    if taken:
        await desk.take(a_token())
        return
    with pytest.raises(AnnouncementOld, match="check_announcement_times"):
        await desk.take(a_token())


async def test_it_counts_once() -> None:
    desk = Desk()
    token = a_token()
    await desk.take(token)
    with pytest.raises(AnnouncementUsed, match="check_announcement_once"):
        await desk.take(token)
    with pytest.raises(AnnouncementUsed):  # sealed anew, and still the same one
        await desk.take(a_token())
    await desk.take(a_token(jti="another-id-of-16-or-more"))


@pytest.mark.parametrize(
    "idp",
    [
        structs.replace(ELO, announcing=None),
        structs.replace(ELO, enabled=False),
    ],
)
async def test_a_login_that_may_not_announce(idp: SchoolIdp) -> None:
    with pytest.raises(AnnouncerUnknown, match="check_announcer_registered"):
        await Desk(idp=idp).take(a_token())
    for stranger in ("", "nobody", "kompas"):
        with pytest.raises(AnnouncerUnknown):
            await Desk().take(a_token(), by=stranger)


@pytest.mark.parametrize("written", [(), (NEXT_KEY + "x",), ("unregistered",)])
async def test_a_key_that_is_not_here_is_our_task(written: tuple[str, ...]) -> None:
    with pytest.raises(AnnouncementKeyMissing, match="check_announcement_key_here"):
        await Desk(written=written).take(a_token())


@pytest.mark.parametrize("changes", [{"enabled": False}, {"state": State.PRODUCTION}])
async def test_a_school_that_is_switched_off_or_elsewhere(changes: dict[str, Any]) -> None:
    with pytest.raises(SchoolNotOpen):
        await Desk(schools=changes).take(a_token(school="vuurvogel"))


async def test_a_brin_of_two_of_its_schools_names_neither() -> None:
    desk = Desk(schools={"brin": Brin("33CC")})
    with pytest.raises(AnnouncedSchoolForeign):
        await desk.take(a_token(school="33CC"))
    await desk.take(a_token(school="vuurvogel"))


async def test_a_store_that_is_unsure_refuses() -> None:
    desk = Desk(store=CountingStore(a_store().inner, fails_at=1))
    with pytest.raises(StoreUnavailable):
        await desk.take(a_token())
    assert desk.audit.events == []


def test_no_check_is_forgotten() -> None:
    assert len(ANNOUNCEMENT_CHECKS) == 5
