"""The page on which a privacy officer reads what the school shared of one pupil."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from broker.flow.me.school_reading import ReadingReason
from broker.web.console.pupils_pages import PupilsPlace, Trouble
from broker.web.me.me_pages import MePage
from broker.web.texts import N_

REASON_WORDS: Mapping[ReadingReason, str] = MappingProxyType(
    {
        ReadingReason.REQUEST: N_("The pupil or a parent asks for it"),
        ReadingReason.COMPLAINT: N_("A complaint"),
        ReadingReason.INCIDENT: N_("Something went wrong, and we look into it"),
    }
)
REASONS = tuple((each.value, words) for each, words in REASON_WORDS.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPage:
    """What was shared of a pupil; `found` None before somebody was looked up."""

    template: ClassVar[str] = "console/reading.html"
    place: PupilsPlace
    reasons: tuple[tuple[str, str], ...] = REASONS
    found: MePage | None = field(default=None, repr=False)
    trouble: Trouble | None = None
