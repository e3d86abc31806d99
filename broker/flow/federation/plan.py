"""What an apply would change: documents added, changed and removed, each change by key."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

import msgspec

from broker.flow.federation.documents import Key, StatedDocument


class Action(StrEnum):
    """What happens with one document."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One key of a document, before and after as people would write them; None is absent."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    """One document of a plan; `changes` only when it was there before and stays."""

    action: Action
    key: Key
    changes: tuple[KeyChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What an apply changes, in order of kind and id.

    Attributes:
        documents: none when there is nothing to do.
        unchanged: how many of the stated documents are in force already.
        after: every document as it would be.
    """

    documents: tuple[PlannedDocument, ...]
    unchanged: int
    after: Mapping[Key, StatedDocument] = field(repr=False)

    def count(self, action: Action) -> int:
        """Return how many documents meet with `action`."""
        return sum(each.action is action for each in self.documents)

    def keys(self, *actions: Action) -> tuple[Key, ...]:
        """Return the documents that meet with one of `actions`."""
        return tuple(each.key for each in self.documents if each.action in actions)


def plan_apply(
    current: Mapping[Key, StatedDocument], stated: Iterable[StatedDocument], *, prune: bool
) -> Plan:
    """Return what stating these documents would change.

    Args:
        current: the documents in force.
        prune: documents in force that are not stated are removed.
    """
    new = {each.key: each for each in stated}
    planned = list(_compare(current, new))
    if prune:
        planned += [PlannedDocument(Action.REMOVED, key) for key in current if key not in new]
    touched = {each.key for each in planned}
    kept = {key: each for key, each in current.items() if not prune or key in new}
    return Plan(
        tuple(sorted(planned, key=lambda each: each.key)),
        sum(key not in touched for key in new),
        # What is unchanged stays as it was stored, with what was fetched for it.
        kept | {key: each for key, each in new.items() if key in touched},
    )


def _compare(
    current: Mapping[Key, StatedDocument], new: Mapping[Key, StatedDocument]
) -> Iterator[PlannedDocument]:
    for key, after in new.items():
        before = current.get(key)
        if before is None:
            yield PlannedDocument(Action.ADDED, key)
        elif before != after:
            yield PlannedDocument(Action.CHANGED, key, tuple(find_changes(before, after)))


def find_changes(before: StatedDocument, after: StatedDocument) -> Iterator[KeyChange]:
    """Yield each key whose value differs; a file is told by the beginning of its SHA-256."""
    old, new = _flatten(before), _flatten(after)
    for path in (*old, *(each for each in new if each not in old)):
        if old.get(path) != new.get(path):
            yield KeyChange(path, old.get(path), new.get(path))


def _flatten(stated: StatedDocument) -> dict[str, str]:
    files = {
        f"{path} (contents)": f"sha256 {sha256(text.encode()).hexdigest()[:16]}"
        for path, text in stated.files.items()
    }
    return dict(_leaves("", msgspec.to_builtins(stated.document))) | files


def _leaves(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, each)
    elif isinstance(value, list | tuple) and any(isinstance(each, dict) for each in value):
        for index, each in enumerate(value):
            yield from _leaves(f"{path}[{index}]", each)
    else:
        yield path, json.dumps(value, ensure_ascii=False)
