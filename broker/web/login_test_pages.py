"""The pages on which a school tests its login; kin to those of `pages`.

The text for the helpdesk names attributes and verdicts, never a value: it leaves in a mail.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import ClassVar

from broker.domain.attribute_verdicts import AttributeVerdict, Verdict
from broker.domain.identity import reportable_name
from broker.domain.refusals import Refusal
from broker.domain.release import WithheldBecause
from broker.flow.login_tests.login_tests import LoginTestOutcome, LoginTestResult
from broker.flow.login_tests.supplier_outlook import SupplierOutlook
from broker.web.login_pages import LoginChoice
from broker.web.school_choice import SchoolChoice
from broker.web.texts import N_

SHOWN_VALUES = 5
SHOWN_CHARACTERS = 80

_DECRYPTION = "decrypt"
"""How the names of checks on what was encrypted begin: why it does not open shows nowhere."""

VERDICT_WORDS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.MAPPED: N_("Good"),
        Verdict.IGNORED: N_("Left out on purpose"),
        Verdict.UNKNOWN: N_("Unknown name"),
        Verdict.NEVER: N_("Must not be sent"),
        Verdict.EMPTY: N_("Empty"),
        Verdict.WRONG_FORM: N_("Wrong form"),
        Verdict.OUT_OF_SCOPE: N_("Out of scope"),
        Verdict.OTHER_SCHOOL: N_("Of another school"),
        Verdict.MISSING: N_("Missing"),
        Verdict.ABSENT: N_("Not sent"),
    }
)

VERDICT_REMEDIES: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.UNKNOWN: N_("We drop it. Tell us what it means, or stop sending it."),
        Verdict.NEVER: N_("We drop it. Schools may not give this number away: stop sending it."),
        Verdict.EMPTY: N_("It has no value, so it counts as not sent."),
        Verdict.WRONG_FORM: N_("The value does not have the form that this attribute has."),
        Verdict.OUT_OF_SCOPE: N_(
            "The value names a school or domain that is not registered for this login."
        ),
        Verdict.OTHER_SCHOOL: N_("It belongs to another school that this login states."),
        Verdict.MISSING: N_("Nobody can log in without this. Let the login send it."),
        Verdict.ABSENT: N_("A supplier would get this, and the login does not send it."),
    }
)

WITHHELD_WORDS: Mapping[WithheldBecause, str] = MappingProxyType(
    {
        WithheldBecause.NEVER: N_("never goes out"),
        WithheldBecause.NOT_DECLARED: N_("the supplier does not ask for it"),
        WithheldBecause.NOT_FOR_POPULATION: N_("the supplier does not ask for it of this person"),
        WithheldBecause.NOT_APPROVED: N_("the school did not approve it"),
        WithheldBecause.NOT_ENTITLED: N_("the supplier is not entitled to it"),
        WithheldBecause.NO_END_DATE: N_("the agreement has no end date"),
        WithheldBecause.OTHER_SCHOOL: N_("it belongs to another school"),
        WithheldBecause.TAKEN_OVER: N_("the pseudonym took its place"),
        WithheldBecause.NOT_ASKED: N_("it was not asked for"),
        WithheldBecause.SHIELDED: N_("the school shields this person"),
        WithheldBecause.OBJECTED: N_("this person objected"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginTestSearchPage:
    """Which school is to be tested?

    Attributes:
        schools: those to show; none when there are too many.
    """

    template: ClassVar[str] = "login_test_search.html"
    query: str = field(default="", repr=False)
    schools: tuple[SchoolChoice, ...]
    found_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginTestPage:
    """Before a login is tested: which login, and which supplier's share to look at.

    Attributes:
        suppliers: id and name of each that may be chosen.
    """

    template: ClassVar[str] = "login_test.html"
    csrf: str = field(repr=False)
    school: str
    school_name: str
    choices: tuple[LoginChoice, ...]
    suppliers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRow:
    """One attribute on the page.

    Attributes:
        told: its name as it may stand in a mail.
        shown: its values, for the person whose they are alone.
    """

    told: str
    incoming: str = field(repr=False)
    name: str
    verdict: str
    is_good: bool
    words: str
    remedy: str
    whose_task: str
    shown: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithheldRow:
    """What stays at school, and why, as a message id."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlookRow:
    """What one supplier would get.

    Attributes:
        gets: name and values of each attribute.
        refusal: None where a login would not be refused.
    """

    supplier: str
    sample: str = field(repr=False)
    version: int = 0
    gets: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)
    stays: tuple[WithheldRow, ...] = ()
    missing: tuple[str, ...] = ()
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginTestResultPage:
    """What came of a login test.

    Attributes:
        login: name or host of the login.
        check: that refused; "" where it says nothing.
        outcome: None when a login is refused.
    """

    template: ClassVar[str] = "login_test_result.html"
    school: str
    school_name: str
    login: str
    day: date
    outcome: LoginTestOutcome | None
    refusal: Refusal | None = None
    check: str = ""
    reference: str = ""
    rows: tuple[AttributeRow, ...] = ()
    exceptions: tuple[str, ...] = ()
    outlooks: tuple[OutlookRow, ...] = ()

    @property
    def ignored(self) -> tuple[str, ...]:
        """Return the names of what the login's document writes off."""
        return tuple(each.incoming for each in self.rows if each.verdict == Verdict.IGNORED)


def page_of(result: LoginTestResult) -> LoginTestResultPage:
    """Return the page of a result."""
    refusal = result.refusal
    check = "" if refusal is None or refusal.check.startswith(_DECRYPTION) else refusal.check
    masked = {
        str(each.name): _cut(each.shown) for each in result.attributes if each.name and each.shown
    }
    return LoginTestResultPage(
        school=result.school.id,
        school_name=result.school.name,
        login=result.idp.name or result.idp.place,
        day=result.day,
        outcome=result.outcome,
        refusal=refusal,
        check=check,
        reference=result.reference,
        rows=tuple(map(_row_of, result.attributes)),
        exceptions=tuple(each.value for each in result.exceptions),
        outlooks=tuple(_outlook_of(each, masked) for each in result.outlooks),
    )


def _row_of(each: AttributeVerdict) -> AttributeRow:
    task = each.whose_task
    return AttributeRow(
        told=reportable_name(each.incoming) if each.incoming else str(each.name),
        incoming=each.incoming,
        name=each.name or "",
        verdict=each.verdict.value,
        is_good=task is None,
        words=VERDICT_WORDS[each.verdict],
        remedy=VERDICT_REMEDIES.get(each.verdict, ""),
        whose_task="" if task is None else task.value,
        shown=_cut(each.shown),
    )


def _outlook_of(each: SupplierOutlook, masked: Mapping[str, tuple[str, ...]]) -> OutlookRow:
    name, decision = each.supplier.display_name, each.decision
    if decision is None:
        return OutlookRow(supplier=name, sample=each.sample, refusal=each.refusal)
    return OutlookRow(
        supplier=name,
        sample=each.sample,
        version=decision.agreement_version,
        gets=tuple((of.name, masked.get(of.name, ())) for of in decision.released),
        stays=tuple(
            WithheldRow(name=of.name, reason=WITHHELD_WORDS[of.reason]) for of in decision.withheld
        ),
        missing=decision.missing,
    )


def _cut(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each[:SHOWN_CHARACTERS] for each in values[:SHOWN_VALUES])
