"""What an ELO's announcement says, and what must be true of it. Who made it is proven before."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from broker.domain.announcing import Announcing
from broker.domain.deep_links import MAX_TARGET_CHARS, is_below
from broker.domain.federation import SchoolIdp
from broker.domain.refusals import Refusal, WhoseTask

MAX_LIFE_SECONDS = 120
SKEW_SECONDS = 30  # how far an ELO's clock may be from ours, both ways


class AnnouncerUnknown(Refusal):
    """No login of that id may announce, or it is switched off."""

    code = "E-ANNOUNCE-1"
    whose_task = WhoseTask.SCHOOL
    what = "A website wanted to tell us which school you are at, and we do not know that website."
    remedy = "Open your learning material and choose your school yourself."
    http_status = 404


class AnnouncementInvalid(Refusal):
    """Not made with a registered key, not for us, or not as it must be; `check` says what."""

    code = "E-ANNOUNCE-2"
    whose_task = WhoseTask.SCHOOL
    what = "A website told us which school you are at, in a way that we cannot believe."
    remedy = "Open your learning material and choose your school yourself."


class AnnouncementOld(Refusal):
    """Over, or not yet begun: it is made anew each time."""

    code = "E-ANNOUNCE-3"
    whose_task = WhoseTask.PUPIL
    what = "This page told us which school you are at, but too long ago. Nothing is broken."
    remedy = "Go back to your school's own page and open it from there again."


class AnnouncementUsed(Refusal):
    """Shown before: the back button, or somebody who saw it."""

    code = "E-ANNOUNCE-4"
    whose_task = WhoseTask.PUPIL
    what = "You have already used this step. Nothing is broken."
    remedy = "Go back to your school's own page and open it from there again."


class AnnouncedSchoolForeign(Refusal):
    """It names no school, or several, of those that the login's document lists."""

    code = "E-ANNOUNCE-5"
    whose_task = WhoseTask.SCHOOL
    what = "A website named a school for you for which it may not speak."
    remedy = "Open your learning material and choose your school yourself."


class AnnouncementLeadsElsewhere(Refusal):
    """The page to go on to is none of `return_to` (RFC 9700 4.11)."""

    code = "E-ANNOUNCE-6"
    whose_task = WhoseTask.SCHOOL
    what = "A website wants to lead you to a page that it did not register."
    remedy = "Open your learning material and choose your school yourself."


class AnnouncementKeyMissing(Refusal):
    """The document registers a key, and `keys/schools` holds none that fits."""

    code = "E-ANNOUNCE-7"
    whose_task = WhoseTask.BROKER
    what = "Your school's website told us which school you are at, and we cannot read that yet."
    remedy = "Open your learning material and choose your school yourself."
    http_status = 503


class AnnouncementClaims(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a token says, and nothing else may stand in it.

    Attributes:
        iss: id of the ELO's login here.
        aud: our issuer.
        iat, exp: seconds since 1970.
        jti: names this token among the ELO's.
        school: id, BRIN4 or BRIN6.
        return_to: the page to go on to.
    """

    iss: str
    aud: str
    iat: Annotated[int, Meta(ge=0, lt=2**40)]
    exp: Annotated[int, Meta(ge=0, lt=2**40)]
    jti: Annotated[str, Meta(min_length=16, max_length=128)]
    school: Annotated[str, Meta(min_length=1, max_length=64)]
    return_to: Annotated[str, Meta(max_length=MAX_TARGET_CHARS)]

    def __repr__(self) -> str:
        return f"AnnouncementClaims(iss={self.iss!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("iss", self.iss)]


@dataclass(frozen=True, slots=True)
class ExpectedAnnouncement:
    """What a token is compared with."""

    idp: SchoolIdp
    announcing: Announcing
    issuer: str
    now_seconds: float


def check_announcement_issuer(claims: AnnouncementClaims, expected: ExpectedAnnouncement) -> None:
    """RFC 7519 4.1.1: the login by whose keys it was opened."""
    if claims.iss != expected.idp.id:
        raise AnnouncementInvalid("check_announcement_issuer")


def check_announcement_audience(claims: AnnouncementClaims, expected: ExpectedAnnouncement) -> None:
    """RFC 7519 4.1.3: us alone, so that none that was made for another broker counts here."""
    if claims.aud != expected.issuer:
        raise AnnouncementInvalid("check_announcement_audience")


def check_announcement_life(claims: AnnouncementClaims, _: ExpectedAnnouncement) -> None:
    """One that lives long would be worth stealing."""
    if not 0 < claims.exp - claims.iat <= MAX_LIFE_SECONDS:
        raise AnnouncementInvalid("check_announcement_life")


def check_announcement_times(claims: AnnouncementClaims, expected: ExpectedAnnouncement) -> None:
    """RFC 7519 4.1.4 and 4.1.6: now."""
    now = expected.now_seconds
    if not claims.iat - SKEW_SECONDS <= now < claims.exp + SKEW_SECONDS:
        raise AnnouncementOld("check_announcement_times")


def check_announcement_leads_home(
    claims: AnnouncementClaims, expected: ExpectedAnnouncement
) -> None:
    """A page that is registered, or one below a place that is."""
    pages = expected.announcing.return_to
    below = [each for each in pages if each.endswith("/")]
    if claims.return_to not in pages and not is_below(claims.return_to, below):
        raise AnnouncementLeadsElsewhere("check_announcement_leads_home")


ANNOUNCEMENT_CHECKS: tuple[Callable[[AnnouncementClaims, ExpectedAnnouncement], None], ...] = (
    check_announcement_issuer,
    check_announcement_audience,
    check_announcement_life,
    check_announcement_times,
    check_announcement_leads_home,
)
"""After decryption; the school follows, and only then the token is used up."""
