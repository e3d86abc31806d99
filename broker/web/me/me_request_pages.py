"""The pages of `/me` on which somebody asks the school something, and sees how it stands.

Everything is chosen from lists: words of a pupil about themself are what we must not keep.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import ClassVar

from broker.domain.ids import SupplierId
from broker.domain.registry import Registry
from broker.flow.requests.filing import may_be_withdrawn
from broker.flow.requests.person_requests import (
    Grounds,
    PersonRequest,
    RequestKind,
    RequestState,
)
from broker.web.me.me_cards import name_supplier
from broker.web.me.me_pages import RequestRow
from broker.web.texts import N_

KIND_WORDS: Mapping[RequestKind, str] = MappingProxyType(
    {
        RequestKind.OBJECTION: N_("I do not want this"),
        RequestKind.CORRECTION: N_("Something about me is wrong"),
        RequestKind.ERASURE: N_("Forget what is kept about me"),
    }
)
KIND_HINTS: Mapping[RequestKind, str] = MappingProxyType(
    {
        RequestKind.OBJECTION: N_(
            "You do not want to go to a maker of learning material, or not with one thing about "
            "you. Choose which one below."
        ),
        RequestKind.CORRECTION: N_("Your school mends it, and the next time the right thing goes."),
        RequestKind.ERASURE: N_("Your school looks what can be forgotten, and where."),
    }
)
STATE_WORDS: Mapping[RequestState, str] = MappingProxyType(
    {
        RequestState.OPEN: N_("Your school is thinking about it"),
        RequestState.GRANTED: N_("Your school said yes"),
        RequestState.REFUSED: N_("Your school said no"),
        RequestState.WITHDRAWN: N_("Taken back"),
    }
)
STATE_TAGS: Mapping[RequestState, str] = MappingProxyType(
    {
        RequestState.OPEN: "busy",
        RequestState.GRANTED: "good",
        RequestState.REFUSED: "bad",
        RequestState.WITHDRAWN: "plain",
    }
)
GROUNDS_WORDS: Mapping[Grounds, str] = MappingProxyType(
    {
        Grounds.AS_ASKED: N_("It is done as you asked."),
        Grounds.NEEDED_FOR_LESSONS: N_("You need it for your lessons."),
        Grounds.LAW_REQUIRES: N_("The law says that it has to be kept."),
        Grounds.IS_CORRECT: N_("Your school looked, and what stands there is right."),
        Grounds.NOT_OURS: N_("Your school cannot decide that. Ask at school who can."),
        Grounds.TALKED_IT_OVER: N_("Your school talked about it with you."),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPage:
    """What do you want to ask your school?

    Attributes:
        kinds: value, words and hint, as message ids.
        suppliers: id and name of those that were told something.
        attributes: canonical names that went to any of them.
        chosen_kind, chosen_supplier, chosen_attribute: as a link or the form before said.
        error: a message id, or "".
        days: within which a school answers.
    """

    template: ClassVar[str] = "me/ask.html"
    csrf: str = field(repr=False)
    school_name: str
    is_parent: bool
    kinds: tuple[tuple[str, str, str], ...]
    suppliers: tuple[tuple[str, str], ...]
    attributes: tuple[str, ...] = field(repr=False)
    chosen_kind: str = RequestKind.OBJECTION.value
    chosen_supplier: str = ""
    chosen_attribute: str = ""
    error: str = ""
    days: int


KINDS = tuple((each.value, KIND_WORDS[each], KIND_HINTS[each]) for each in RequestKind)


def row_of(request: PersonRequest, *, registry: Registry, today: date) -> RequestRow:
    """Return how a request stands on the page."""
    supplier: SupplierId | None = request.supplier
    is_open = request.state is RequestState.OPEN
    return RequestRow(
        id=request.id,
        kind=KIND_WORDS[request.kind],
        supplier_name="" if supplier is None else name_supplier(registry, supplier),
        attribute=request.attribute or "",
        filed_on=request.filed_on,
        deadline=request.deadline,
        days_left=request.days_left(today) if is_open else None,
        standing=STATE_WORDS[request.state],
        tag=STATE_TAGS[request.state],
        grounds="" if request.grounds is None else GROUNDS_WORDS[request.grounds],
        blocks=request.blocks and is_open,
        by_parent=request.by_parent,
        may_withdraw=may_be_withdrawn(request),
    )
