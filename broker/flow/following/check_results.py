"""How far the checks of a request came, told by the one that refused.

A log line names the step and the check that refused: what came before passed, and what comes after
was not reached. Of what nobody can know that is not said.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from broker.flow.following.protocol_checks import CheckGroup
from broker.flow.following.step_checks import groups_of
from broker.flow.following.trail import LoginStep

IN_WHAT_WAS_DECRYPTED = "decrypted-element"


class CheckResult(StrEnum):
    """What is known of one check of a request."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not reached"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class GroupResult:
    """What is known of a group's checks after one request."""

    title: str
    checks: tuple[tuple[str, CheckResult], ...]


def tell_checks(
    step: LoginStep,
    protocol: str,
    *,
    failed: str = "",
    code: str = "",
    skipped: Collection[CheckGroup] = (),
) -> tuple[GroupResult, ...]:
    """Return what is known of each check of a step.

    Args:
        failed: the check that refused, "" when none did.
        code: of its refusal.
        skipped: groups that this request had no reason to come to.

    >>> found = tell_checks(LoginStep.USERINFO, "oidc", failed="check_access_token_known")
    >>> [str(result) for _, result in found[2].checks[-3:]]
    ['passed', 'failed', 'not reached']
    >>> {str(result) for each in found[3:] for _, result in each.checks}
    {'not reached'}
    """
    groups, check = groups_of(step, protocol), _plain_name(failed)
    at = _find_group(groups, check, code) if check else len(groups)
    if at is None:  # a fault of ours is no check of a step
        results = [_all(each, CheckResult.UNKNOWN) for each in groups]
        return (*results, GroupResult("besides", ((check, CheckResult.FAILED),)))
    results = [
        _all(each, CheckResult.NOT_REACHED if each in skipped else CheckResult.PASSED)
        for each in groups[:at]
    ]
    if at < len(groups):
        results.append(_within(groups[at], check))
        later = CheckResult.UNKNOWN if groups[at].anywhere else CheckResult.NOT_REACHED
        results += [_all(each, later) for each in groups[at + 1 :]]
    return tuple(results)


def _plain_name(check: str) -> str:
    """Return a check's name as the tables have it, without the attribute that it is about."""
    return IN_WHAT_WAS_DECRYPTED if check.startswith("decrypted-") else check.partition(":")[0]


def _find_group(groups: tuple[CheckGroup, ...], check: str, code: str) -> int | None:
    """Return where a check stands; of several places the one whose refusals have such codes."""
    holding = [index for index, each in enumerate(groups) if check in each.checks]
    of_family = [each for each in holding if code.startswith(groups[each].families or ("-",))]
    return next(iter((*of_family, *holding)), None)


def _all(group: CheckGroup, result: CheckResult) -> GroupResult:
    return GroupResult(group.title, tuple((each, result) for each in group.checks))


def _within(group: CheckGroup, check: str) -> GroupResult:
    at = group.checks.index(check)
    before = CheckResult.PASSED if group.ordered else CheckResult.UNKNOWN
    after = CheckResult.NOT_REACHED if group.ordered else CheckResult.UNKNOWN
    told = [before] * at + [CheckResult.FAILED] + [after] * (len(group.checks) - at - 1)
    return GroupResult(group.title, tuple(zip(group.checks, told, strict=True)))
