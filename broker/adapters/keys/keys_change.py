"""Changes of the keys in the folder: a successor, an emergency removal, and what is retired goes.

The schedule is written first: whoever loads the folder in between, or after a crash, uses no key
too early and none that is to go. What went stays named there as retired, so that a copy of it that
comes back is good for nothing, and its name is not given to another key.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from broker.adapters.keys.key_files import KeyProblem, delete_key, write_once
from broker.adapters.keys.keys_init import make_saml_key, make_token_key
from broker.adapters.keys.keys_on_disk import BrokerKeys
from broker.adapters.keys.keys_standing import Slot, find_slots
from broker.adapters.keys.schedule_on_disk import find_letters, write_schedule
from broker.flow.key_plans.key_purposes import (
    COOKIE,
    ROTATING,
    SAML_DECRYPTION,
    SAML_SIGNING,
    STORAGE,
    TOKEN,
)
from broker.flow.key_plans.key_schedule import (
    KeySchedule,
    KeyState,
    KeyTimes,
    NoKeyInUse,
    RotatingPurpose,
    choose_letter,
    is_ended,
    plan_removal,
    plan_successor,
    stand,
)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made and is not written yet."""

    file: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What is to be done in a keys folder.

    Attributes:
        schedule: as it will be; what is removed is retired in it.
        made: keys to be written.
        removed: files that go.
        in_use_at_once: successors that are used from now on, made or published before.
    """

    schedule: KeySchedule
    made: tuple[NewKey, ...] = ()
    removed: tuple[str, ...] = ()
    in_use_at_once: tuple[str, ...] = ()


def plan_rotation(
    keys: BrokerKeys, purpose: RotatingPurpose, *, now: datetime, lead: timedelta, issuer_name: str
) -> KeyChange:
    """Return a change in which every slot of a purpose gets a successor.

    Raises:
        RotationUnderWay: one is published already.
        NoKeyInUse: there is nothing to succeed.
    """
    schedule, made = _without_lost_files(keys, now=now), []
    for slot in _slots_of(keys, purpose.name):
        key = make_key(slot, keys, now=now, issuer_name=issuer_name)
        schedule = plan_successor(
            schedule,
            slot.files,
            successor=key.file,
            now=now,
            lead=lead,
            overlap=purpose.overlap,
        )
        made.append(key)
    return KeyChange(schedule, tuple(made))


def plan_addition(keys: BrokerKeys, algorithm: str, *, now: datetime) -> KeyChange:
    """Return a change that adds the first key of another algorithm for tokens, in use at once.

    Nobody is waiting for it: relying parties get tokens of it once their documents say so.

    Raises:
        KeyProblem: there is one already.
    """
    if any(each.algorithm == algorithm for each in keys.token):
        raise KeyProblem(
            keys.folder / TOKEN,
            f"has a key for {algorithm} already",
            "`broker keys rotate token` lets it be followed by another one",
        )
    name, content = make_token_key(algorithm, now=now)
    key = NewKey(f"{TOKEN}/{name}", content)
    schedule = {**_without_lost_files(keys, now=now), key.file: KeyTimes(published_at=now)}
    return KeyChange(schedule, (key,))


def plan_emergency_removal(
    keys: BrokerKeys, file: str, *, now: datetime, issuer_name: str
) -> KeyChange:
    """Return a change in which a key goes at once, replaced where it was in use.

    Args:
        file: as `keys list` names it; it may be gone already, and only be counted on.

    Raises:
        KeyProblem: no key that rotates is called so.
    """
    purpose = ROTATING.get(file.partition("/")[0])
    if purpose is None:
        raise KeyProblem(
            keys.folder / file, "is no key that rotates", "name a file as `broker keys list` does"
        )
    slots = _slots_of(keys, purpose.name)
    there = any(file in each.files for each in slots)
    counted_on = file in keys.schedule and not is_ended(file, keys.schedule, now=now)
    if not there and not counted_on:
        raise KeyProblem(keys.folder / file, "is not there", "see `broker keys list`")
    schedule = dict(_without_lost_files(keys, now=now))
    made: list[NewKey] = []
    used: list[str] = []
    for slot in slots:
        if there and file not in slot.files:
            continue
        successor = None
        if _is_in_use(file, slot, schedule, now=now):
            successor = _find_published(file, slot, schedule, now=now)
            if successor is None:
                made.append(make_key(slot, keys, now=now, issuer_name=issuer_name))
                successor = made[-1].file
            used.append(successor)
        schedule = dict(
            plan_removal(
                schedule,
                slot.files,
                removed=file,
                successor=successor,
                now=now,
                overlap=purpose.overlap,
            )
        )
    return KeyChange(schedule, tuple(made), (file,), tuple(used))


def plan_pruning(keys: BrokerKeys, states: Mapping[str, KeyState]) -> KeyChange:
    """Return a change in which what is retired goes.

    Args:
        states: of `find_standing`.
    """
    retired = tuple(file for file, state in states.items() if state is KeyState.RETIRED)
    return KeyChange(keys.schedule, removed=retired)


def carry_out(change: KeyChange, *, folder: Path) -> None:
    """Do it, in the order that is safe at every moment; return when it is on the disk.

    Raises:
        OSError: the folder cannot be written; running brokers go on as before or as told, and the
            same command can be given again.
    """
    write_schedule(folder, change.schedule)
    for key in change.made:
        write_once(folder / key.file, key.content)
    for file in change.removed:
        delete_key(folder / file)


@contextmanager
def one_change_at_a_time(folder: Path) -> Iterator[None]:
    """Hold the keys folder for one command.

    Raises:
        KeyProblem: another command holds it.
        OSError: there is no such folder.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise KeyProblem(
                folder, "is being changed by another command", "wait for it, then try again"
            ) from None
        yield
    finally:
        os.close(descriptor)


def make_key(slot: Slot, keys: BrokerKeys, *, now: datetime, issuer_name: str) -> NewKey:
    """Return a new key for a slot, with a name that nothing had before."""
    if slot.purpose == TOKEN:
        name, content = make_token_key(slot.algorithm, now=now)
    elif slot.purpose in (SAML_SIGNING, SAML_DECRYPTION):
        name, content = make_saml_key(now=now, issuer_name=issuer_name)
    else:
        name = f"{_choose_next_letter(slot.purpose, keys)}.hex"
        content = secrets.token_hex(32).encode() + b"\n"
    return NewKey(f"{slot.purpose}/{name}", content)


def _choose_next_letter(purpose: str, keys: BrokerKeys) -> str:
    """Return the letter behind that of the newest key, which handles of other keys never have."""
    of_purpose = {STORAGE: keys.storage, COOKIE: keys.cookie}[purpose]
    newest = max(
        of_purpose,
        key=lambda each: (_used_from(each.file, keys.schedule), each.letter),
    )
    return choose_letter(
        {each.letter for each in of_purpose},
        after=newest.letter,
        given=find_letters(purpose, keys.schedule),
    )


def _used_from(file: str, schedule: KeySchedule) -> float:
    times = schedule.get(file)
    return 0.0 if times is None or times.used_from is None else times.used_from.timestamp()


def _slots_of(keys: BrokerKeys, purpose: str) -> Sequence[Slot]:
    return [each for each in find_slots(keys) if each.purpose == purpose]


def _without_lost_files(keys: BrokerKeys, *, now: datetime) -> KeySchedule:
    """Return the schedule without files that it counts on and that are not there."""
    there = {file for slot in find_slots(keys) for file in slot.files}
    return {
        file: times
        for file, times in keys.schedule.items()
        if file in there or is_ended(file, keys.schedule, now=now)
    }


def _is_in_use(file: str, slot: Slot, schedule: KeySchedule, *, now: datetime) -> bool:
    """Tell whether a slot has no key in use without this one."""
    try:
        return stand(slot.files, schedule, now=now).get(file) is KeyState.IN_USE
    except NoKeyInUse:
        return True


def _find_published(file: str, slot: Slot, schedule: KeySchedule, *, now: datetime) -> str | None:
    """Return a successor that partners may know already."""
    for other in slot.files:
        times = schedule.get(other)
        waits = times and times.used_from is not None and now < times.used_from
        if other != file and waits and not is_ended(other, schedule, now=now):
            return other
    return None
