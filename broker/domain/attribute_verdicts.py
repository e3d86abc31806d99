"""What becomes of each attribute that a school's login states, for the school's test page.

One verdict for each incoming attribute, and one for each that is needed and did not come. It
judges what a login verified states, by the same rules as `identity` and `stated_schools`, but goes
on where those refuse: the page is opened when a login does not work, and shows all of it at once.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from broker.domain.attributes import (
    AFFILIATION,
    BRANCH_ID,
    ECK_ID,
    HOME_ORGANIZATION_ID,
    IGNORE,
    MAIL,
    STATED_BY_US,
    UID,
    VOCABULARY,
    AttributeName,
    fold_ascii,
    is_never_released,
)
from broker.domain.federation import School, SchoolFrom, SchoolIdp
from broker.domain.identifiers import MAX_VALUE_CHARACTERS, read_single
from broker.domain.identity import MAX_VALUES, VerifiedLogin, read_population
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.stated_schools import (
    FormerBrins,
    SchoolNotAllowed,
    check_scopes,
    find_stated_schools,
    read_brins,
    read_former_brins,
)

MASK = "…"
SHOWN_OF_MASKED = 4
"""Last characters of what is masked: enough for the person at the desk to see that it changed."""


class Verdict(StrEnum):
    """What becomes of one attribute."""

    MAPPED = "mapped"
    IGNORED = "ignored"
    """The document of this login writes it off."""
    UNKNOWN = "unknown"
    """No mapping knows it, so it is dropped."""
    NEVER = "never"
    """A number that we never take in."""
    EMPTY = "empty"
    WRONG_FORM = "wrong-form"
    OUT_OF_SCOPE = "out-of-scope"
    """It speaks for a school or domain that is not registered for this login."""
    OTHER_SCHOOL = "other-school"
    """It belongs to another of the schools that the login states."""
    MISSING = "missing"
    """No login works without it."""
    ABSENT = "absent"
    """An agreement would let it go out, and the login does not state it."""


WHOSE_TASK: Mapping[Verdict, WhoseTask] = MappingProxyType(
    {
        Verdict.UNKNOWN: WhoseTask.BROKER,
        Verdict.NEVER: WhoseTask.SCHOOL,
        Verdict.WRONG_FORM: WhoseTask.SCHOOL,
        Verdict.OUT_OF_SCOPE: WhoseTask.SCHOOL,
        Verdict.MISSING: WhoseTask.SCHOOL,
        Verdict.ABSENT: WhoseTask.SCHOOL,
    }
)
"""Who has something to do; with another verdict nobody has."""


@dataclass(frozen=True, slots=True)
class AttributeVerdict:
    """What becomes of one attribute.

    Attributes:
        incoming: the name as sent, which may itself hold a value; "" when it did not come.
        name: canonical name; None when no mapping gives one.
        shown: what may be shown to the person whose it is: masked where it identifies everywhere,
            and nothing of what we do not take in.
    """

    incoming: str = field(repr=False)
    name: AttributeName | None
    verdict: Verdict
    shown: tuple[str, ...] = field(default=(), repr=False)

    @property
    def whose_task(self) -> WhoseTask | None:
        """Return who has to mend something; None when all is well."""
        return WHOSE_TASK.get(self.verdict)


def judge_attributes(
    login: VerifiedLogin,
    *,
    school: School,
    schools: Mapping[SchoolId, School],
    former: FormerBrins,
    wanted: Collection[AttributeName],
    unreadable: Sequence[str],
    is_eck_id: Callable[[str], bool],
) -> tuple[AttributeVerdict, ...]:
    """Return a verdict on each attribute, in the order in which they came, then what is missing.

    Args:
        school: at which the login is tested.
        schools: those of the login's provider, by id.
        wanted: what the school's agreements would let go out.
        unreadable: incoming names whose value has a form that no attribute has.
        is_eck_id: tells whether a text has the form of an ECK iD.
    """
    judge = _Judge(login.idp, school, schools, former, is_eck_id)
    told = [judge.judge(incoming, values) for incoming, values in login.attributes.items()]
    told += [
        AttributeVerdict(each, judge.name_of(each), Verdict.WRONG_FORM)
        for each in unreadable
        if login.idp.attributes.get(each) != IGNORE
    ]
    came = {each.name for each in told if each.verdict is not Verdict.EMPTY}
    needed = needed_names(login.idp, school, came)
    told += [AttributeVerdict("", each, Verdict.MISSING) for each in needed if each not in came]
    told += [
        AttributeVerdict("", each, Verdict.ABSENT)
        for each in sorted(set(wanted) - STATED_BY_US)
        if each not in came and each not in needed
    ]
    return tuple(told)


def needed_names(
    idp: SchoolIdp, school: School, came: Collection[AttributeName | None]
) -> tuple[AttributeName, ...]:
    """Return what no login of this school works without; what the school's list says is not."""
    needed: list[AttributeName] = []
    if idp.login_identifier is None and ECK_ID not in came:
        needed += [AFFILIATION, idp.identifier]
    if school.eck_id_required:
        needed.append(ECK_ID)
    if idp.school_from is SchoolFrom.ATTRIBUTE and BRANCH_ID not in came:
        needed.append(HOME_ORGANIZATION_ID)
    if idp.school_from is SchoolFrom.DOMAIN and UID not in came:
        needed.append(MAIL)
    return tuple(dict.fromkeys(needed))


def mask(value: str) -> str:
    """Return the end of a value that identifies somebody everywhere.

    >>> mask("https://ketenid.nl/201703/5f5f5f5f5f5faa12"), mask("12345")
    ('…aa12', '…')
    """
    return MASK + (value[-SHOWN_OF_MASKED:] if len(value) > 2 * SHOWN_OF_MASKED else "")


@dataclass(frozen=True, slots=True)
class _Judge:
    idp: SchoolIdp
    school: School
    schools: Mapping[SchoolId, School]
    former: FormerBrins
    is_eck_id: Callable[[str], bool]

    def name_of(self, incoming: str) -> AttributeName | None:
        target = self.idp.attributes.get(incoming, "")
        is_theirs = target in VOCABULARY and target not in STATED_BY_US
        return AttributeName(target) if is_theirs and not is_never_released(incoming) else None

    def judge(self, incoming: str, sent: tuple[str, ...]) -> AttributeVerdict:
        if is_never_released(incoming):
            return AttributeVerdict(incoming, None, Verdict.NEVER)
        if self.idp.attributes.get(incoming) == IGNORE:
            return AttributeVerdict(incoming, None, Verdict.IGNORED)
        name, values = self.name_of(incoming), tuple(each for each in sent if each)
        if name is None:
            by_list = incoming == self.idp.login_identifier
            return AttributeVerdict(incoming, None, Verdict.MAPPED if by_list else Verdict.UNKNOWN)
        if not values:
            return AttributeVerdict(incoming, name, Verdict.EMPTY)
        return AttributeVerdict(incoming, name, self._of(name, values), self._shown(name, values))

    def _of(self, name: AttributeName, values: tuple[str, ...]) -> Verdict:
        if any(len(each) > MAX_VALUE_CHARACTERS for each in values) or len(values) > MAX_VALUES:
            return Verdict.WRONG_FORM
        of = {name: values}
        try:
            if name in (HOME_ORGANIZATION_ID, BRANCH_ID):
                read_brins(of, name)
            if name in (ECK_ID, self.idp.identifier):
                read_single(of, name)
        except Refusal:
            return Verdict.WRONG_FORM
        if name == ECK_ID and not self.is_eck_id(values[0]):
            return Verdict.WRONG_FORM
        if name == AFFILIATION:
            known = read_population({name: tuple(map(fold_ascii, values))}) is not None
            return Verdict.MAPPED if known else Verdict.WRONG_FORM
        return self._in_scope(name, values)

    def _in_scope(self, name: AttributeName, values: tuple[str, ...]) -> Verdict:
        own = [self.schools[each] for each in self.idp.schools]
        of = read_former_brins({name: values}, own=own, former=self.former)
        try:
            check_scopes(self.idp, of, stated=self.idp.schools, schools=self.schools)
            if self.idp.school_from is SchoolFrom.DOMAIN and name in (UID, MAIL):
                find_stated_schools(self.idp, of, schools=self.schools)
        except SchoolNotAllowed:
            return Verdict.OUT_OF_SCOPE
        except Refusal:  # no domain in it: another attribute may state the school
            return Verdict.MAPPED
        try:
            check_scopes(self.idp, of, stated=(self.school.id,), schools=self.schools)
        except SchoolNotAllowed:
            return Verdict.OTHER_SCHOOL
        return Verdict.MAPPED

    def _shown(self, name: AttributeName, values: tuple[str, ...]) -> tuple[str, ...]:
        hidden = name == ECK_ID
        return tuple(mask(each) if hidden or self.is_eck_id(each) else each for each in values)
