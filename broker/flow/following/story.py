"""The story of one login, told from log lines: each step, its checks, and what was decided.

Lines hold names and verdicts only, and so does the story. What is no line of ours is refused and
counted by whoever reads; fields that a later release adds are passed over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from broker.flow.following.check_results import GroupResult, tell_checks
from broker.flow.following.protocol_checks import CheckGroup
from broker.flow.following.step_checks import BY_SESSION, HAND_OVER, TO_SCHOOL, is_of_release
from broker.flow.following.trail import LoginStep, Outcome

REQUEST = "request"
PAGE_SHOWN = "ok"
"""Verdict of a step after which the browser has a page of ours before it."""


class NoLogLine(Exception):  # noqa: N818 -- an answer, which the reader counts
    """A line that is damaged, or not ours."""


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one line says, as far as a story needs it."""

    event: str
    timestamp: datetime
    worker: str = ""
    login: str = ""
    reference: str = ""
    step: str = ""
    protocol: str = ""
    status: int = 0
    ms: float = 0.0
    store_trips: int = 0
    store_ms: float = 0.0
    verdict: str = ""
    code: str = ""
    check: str = ""
    subject: str = ""
    relying_party: str = ""
    supplier: str = ""
    school: str = ""
    idp: str = ""
    names: tuple[str, ...] = ()
    withheld: dict[str, str] = msgspec.field(default_factory=dict)
    missing: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryEvent:
    """Something that was written down in a step: a release, a refusal, an unknown attribute."""

    event: str
    code: str
    reference: str
    subject: str
    supplier: str
    school: str
    names: tuple[str, ...]
    withheld: dict[str, str]
    missing: tuple[str, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryStep:
    """One request.

    Attributes:
        step: "" where only events are known, because the level of logging leaves requests out.
        protocol: of who asks or answers; "" where the browser alone takes part.
    """

    at: datetime
    worker: str
    step: str
    protocol: str
    relying_party: str
    idp: str
    status: int
    ms: float
    store_trips: int
    store_ms: float
    verdict: str
    code: str
    check: str
    reference: str
    events: tuple[StoryEvent, ...]
    checks: tuple[GroupResult, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """One login, or one request that belongs to none (`login` is "")."""

    login: str
    steps: tuple[StoryStep, ...]


_decoder = msgspec.json.Decoder(LogLine)


def parse_line(line: bytes) -> LogLine:
    """Return what a line says.

    Raises:
        NoLogLine: it is cut off, no JSON, or none of ours.

    >>> parse_line(b'{"event":"request","timestamp":"2026-09-01T07:31:05Z"}').event
    'request'
    """
    try:
        found = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # outside the handler: the error may quote the line
    else:
        if found.timestamp.tzinfo is not None:
            return found
    raise NoLogLine


def tell_stories(lines: Iterable[LogLine], *, reference: str) -> tuple[Story, ...]:
    """Return the stories of the logins that a reference belongs to, oldest first.

    A reference is short, so over a long time two logins may get the same one.

    Args:
        lines: all those of the logins, in any order, and those with the reference.
    """
    ordered = sorted(lines, key=lambda each: each.timestamp)
    logins = {each.login: None for each in ordered if each.reference == reference}
    stories = []
    for login in logins:
        if login:
            own = [each for each in ordered if each.login == login]
        else:
            own = [each for each in ordered if each.reference == reference and not each.login]
        stories.append(Story(login, _tell_steps(own)))
    return tuple(stories)


def _tell_steps(lines: Sequence[LogLine]) -> tuple[StoryStep, ...]:
    """A worker writes a request's line after what was written down in it."""
    steps: list[StoryStep] = []
    waiting: dict[str, list[LogLine]] = {}
    for each in lines:
        if each.event == REQUEST:
            steps.append(_tell_step(each, waiting.pop(each.worker, [])))
        else:
            waiting.setdefault(each.worker, []).append(each)
    for left in waiting.values():
        steps += [_tell_step(each, [each]) for each in left]
    return tuple(sorted(steps, key=lambda each: each.at))


def _tell_step(line: LogLine, events: Sequence[LogLine]) -> StoryStep:
    return StoryStep(
        at=line.timestamp,
        worker=line.worker,
        step=line.step,
        protocol=line.protocol,
        relying_party=line.relying_party,
        idp=line.idp,
        status=line.status,
        ms=line.ms,
        store_trips=line.store_trips,
        store_ms=line.store_ms,
        verdict=line.verdict or line.event,
        code=line.code,
        check=line.check,
        reference=line.reference,
        events=tuple(map(_tell_event, events)),
        checks=_tell_checks(line) if line.step in set(LoginStep) else (),
    )


def _tell_checks(line: LogLine) -> tuple[GroupResult, ...]:
    step = LoginStep(line.step)
    skipped: tuple[CheckGroup, ...] = ()
    if step is LoginStep.BEGIN:
        by_session = line.verdict in (Outcome.RELEASED, PAGE_SHOWN) or is_of_release(line.check)
        skipped = (TO_SCHOOL,) if by_session else BY_SESSION
        if not line.idp:
            skipped = (*skipped, TO_SCHOOL)  # the chooser comes first
    if step is LoginStep.SCHOOL_ANSWER and line.verdict == PAGE_SHOWN:
        skipped = HAND_OVER  # a page waits for its button
    return tell_checks(step, line.protocol, failed=line.check, code=line.code, skipped=skipped)


def _tell_event(line: LogLine) -> StoryEvent:
    return StoryEvent(
        event=line.event,
        code=line.code,
        reference=line.reference,
        subject=line.subject or line.check.partition(":")[2],
        supplier=line.supplier,
        school=line.school,
        names=line.names,
        withheld=line.withheld,
        missing=line.missing,
        operators=line.operators,
    )
