"""When each key of the broker is published, used and retired: pure, and the same for all workers.

Keys that rotate stand in slots: one for each purpose, for tokens one for each algorithm. In a slot
one key is in use at any moment; before it is, it is published, so that everybody who must know it
does; after it, it is accepted until nothing is left that was made with it. A schedule says when.
Everybody who has the same schedule and the same clock uses the same key at the same moment.

A key without times is published and in use from always: an installation's first keys have none.
So what ended stays named in the schedule after its file is gone, or a copy of a key that leaked,
put back from somewhere, would be honoured again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

_ALWAYS = datetime.min.replace(tzinfo=UTC)


class KeyState(StrEnum):
    """What a key is good for at one moment."""

    PUBLISHED = "published"
    """Not used yet; whoever must know it before it is gets to know it."""
    IN_USE = "in use"
    ACCEPTED = "accepted"
    """Not used any more; what was made with it is still honoured."""
    RETIRED = "retired"
    """Good for nothing; its file may go."""


class NoKeyInUse(Exception):  # noqa: N818 -- a finding that the caller words, with the folder
    """In a slot every key is retired or not in use yet; names the slot's files."""


class RotationUnderWay(Exception):  # noqa: N818 -- the caller words it
    """A successor is published already and not in use yet.

    Attributes:
        file: the successor.
        used_from: when it will be in use.
    """

    def __init__(self, file: str, used_from: datetime) -> None:
        super().__init__(file, used_from)
        self.file, self.used_from = file, used_from


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """When one key does what; all aware UTC.

    Attributes:
        published_at: when it was made; decides nothing. None for the first keys.
        used_from: from when it is in use, unless a later one is. None: from always.
        retired_from: from when it is good for nothing. None: not known yet.
    """

    published_at: datetime | None = None
    used_from: datetime | None = None
    retired_from: datetime | None = None


KeySchedule = Mapping[str, KeyTimes]
"""File in the keys folder, as `storage/b.hex` -> its times."""

NO_TIMES = KeyTimes()


@dataclass(frozen=True, slots=True)
class RotatingPurpose:
    """How the keys of one purpose follow each other.

    Attributes:
        name: of its folder.
        lead: from published to in use: until everybody knows the new key.
        lead_why: who must know it by then, in words.
        overlap: from there until the old one is retired: what was made with it is gone by then.
        loss: what an emergency removal of the key in use costs, in words.
    """

    name: str
    lead: timedelta
    lead_why: str = field(repr=False)
    overlap: timedelta
    loss: str = field(repr=False)


def stand(files: Sequence[str], schedule: KeySchedule, *, now: datetime) -> dict[str, KeyState]:
    """Return the state of every key of one slot.

    In use is the one whose turn came last; of several without times the first in `files`.

    Raises:
        NoKeyInUse: there is none.

    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> soon = {"b": KeyTimes(used_from=noon + timedelta(minutes=1))}
    >>> [str(each) for each in stand(["a", "b"], soon, now=noon).values()]
    ['in use', 'published']
    >>> [str(each) for each in stand(["a", "b"], soon, now=noon + timedelta(hours=1)).values()]
    ['accepted', 'in use']
    """
    times = {file: schedule.get(file, NO_TIMES) for file in files}
    live = {
        file: each
        for file, each in times.items()
        if each.retired_from is None or now < each.retired_from
    }
    begun = {
        file: each.used_from or _ALWAYS
        for file, each in live.items()
        if each.used_from is None or each.used_from <= now
    }
    if not begun:
        raise NoKeyInUse(", ".join(files))
    in_use = max(begun, key=begun.__getitem__)  # the first of equals
    return {
        file: KeyState.RETIRED
        if file not in live
        else KeyState.IN_USE
        if file == in_use
        else KeyState.ACCEPTED
        if file in begun
        else KeyState.PUBLISHED
        for file in files
    }


def is_ended(file: str, schedule: KeySchedule, *, now: datetime) -> bool:
    """Tell whether a key is retired, whether or not its file is there."""
    retired_from = schedule.get(file, NO_TIMES).retired_from
    return retired_from is not None and retired_from <= now


def find_next_moment(schedule: KeySchedule, *, after: datetime) -> datetime | None:
    """Return when the state of some key changes next; None when nothing is planned."""
    moments = (
        moment
        for each in schedule.values()
        for moment in (each.used_from, each.retired_from)
        if moment is not None and moment > after
    )
    return min(moments, default=None)


def find_next_change(
    file: str, schedule: KeySchedule, *, files: Sequence[str], now: datetime
) -> datetime | None:
    """Return when the state of one key of a slot changes next; None when that is not planned.

    Its own times tell, and for the one that is in use the turn of who follows it.

    Raises:
        NoKeyInUse: as `stand`.
    """
    moments = {file: schedule.get(file, NO_TIMES)}
    if stand(files, schedule, now=now)[file] is KeyState.IN_USE:
        moments = {
            each: KeyTimes(used_from=schedule.get(each, NO_TIMES).used_from) for each in files
        } | moments
    return find_next_moment(moments, after=now)


def plan_successor(
    schedule: KeySchedule,
    files: Sequence[str],
    *,
    successor: str,
    now: datetime,
    lead: timedelta,
    overlap: timedelta,
) -> KeySchedule:
    """Return the schedule with a new key in a slot: published now, in use after `lead`.

    Whoever is not retired by then is retired `overlap` after that.

    Args:
        files: of the slot, without the successor.

    Raises:
        RotationUnderWay: one is published and not in use yet.
        NoKeyInUse: there is nothing to succeed.
    """
    for file, state in stand(files, schedule, now=now).items():
        used_from = schedule.get(file, NO_TIMES).used_from
        if state is KeyState.PUBLISHED and used_from is not None:
            raise RotationUnderWay(file, used_from)
    return {
        **_retire(schedule, files, at=now + lead + overlap),
        successor: KeyTimes(published_at=now, used_from=now + lead),
    }


def plan_removal(
    schedule: KeySchedule,
    files: Sequence[str],
    *,
    removed: str,
    successor: str | None,
    now: datetime,
    overlap: timedelta,
) -> KeySchedule:
    """Return the schedule in which one key of a slot is retired at once, and stays so.

    Args:
        files: of the slot, with `removed`, without a successor that is still to be made.
        successor: who is in use at once, made for it or published before; None where the one
            that is in use stays, and then stays until the next rotation.
    """
    others = [file for file in files if file not in (removed, successor)]
    schedule = {**schedule, removed: replace(schedule.get(removed, NO_TIMES), retired_from=now)}
    if successor is None:
        waiting = any(_is_waiting(schedule, file, now=now) for file in others)
        return schedule if waiting else _keep_in_use(schedule, others, now=now)
    known = schedule.get(successor, KeyTimes(published_at=now))
    return {
        **_retire(schedule, others, at=now + overlap),
        successor: replace(known, used_from=now, retired_from=None),
    }


def choose_letter(taken: Collection[str], *, after: str, given: Collection[str] = ()) -> str:
    """Return the next letter for a key file, in a circle, that is not taken.

    Args:
        given: letters of keys that are gone; they come round again once there is no other.

    Raises:
        ValueError: all are taken.

    >>> choose_letter(["a", "b"], after="b"), choose_letter(["z", "a"], after="z")
    ('c', 'b')
    >>> choose_letter(["a"], after="a", given=["b"])
    'c'
    """
    letters = "abcdefghijklmnopqrstuvwxyz"
    start = letters.index(after) + 1 if after else 0
    free = [each for each in letters[start:] + letters[:start] if each not in taken]
    for letter in [each for each in free if each not in given] or free:
        return letter
    raise ValueError("every letter is taken")


def _is_waiting(schedule: KeySchedule, file: str, *, now: datetime) -> bool:
    used_from = schedule.get(file, NO_TIMES).used_from
    return used_from is not None and used_from > now and not is_ended(file, schedule, now=now)


def _retire(schedule: KeySchedule, files: Sequence[str], *, at: datetime) -> KeySchedule:
    """Return the schedule in which none of the files outlives a moment; earlier ends stay."""
    ending = {}
    for file in files:
        times = schedule.get(file, NO_TIMES)
        if times.retired_from is None or times.retired_from > at:
            ending[file] = replace(times, retired_from=at)
    return {**schedule, **ending}


def _keep_in_use(schedule: KeySchedule, files: Sequence[str], *, now: datetime) -> KeySchedule:
    """Return the schedule in which the one in use has no end: nobody follows it any more."""
    for file, state in stand(files, schedule, now=now).items():
        if state is KeyState.IN_USE and file in schedule:
            return {**schedule, file: replace(schedule[file], retired_from=None)}
    return schedule
