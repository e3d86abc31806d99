"""What a target of mutations is, and one mutation of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fuzz.steps import Step, mutate_octets, mutate_tree
from tests.fuzz.work import check_bounded, counted

Message = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of message.

    Attributes:
        bases: honest messages by name, XML.
        carry: from (maybe changed) XML and the base's name to what travels; may sign.
        read: what the broker does; what it returns is compared.
        holds: whether what came of a mutation may come of it, beside what the honest one gives.
    """

    bases: Mapping[str, Message]
    carry: Callable[[bytes, str], bytes]
    read: Callable[[bytes], Any]
    holds: Callable[[Any, Any], bool]


def accept(target: Target, base: str, program: list[Step]) -> Any:
    """Return what the broker reads of a mutated message; raises what it raises."""
    travels = target.carry(mutate_tree(target.bases[base](), program), base)
    with counted() as counts:
        try:
            return target.read(mutate_octets(travels, program))
        finally:
            check_bounded(counts)


def same(honest: Any, found: Any) -> bool:
    return bool(honest == found)


def as_it_is(message: bytes, _base: str) -> bytes:
    return message
