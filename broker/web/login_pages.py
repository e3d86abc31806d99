"""Pages for schools with several logins and people of several schools; kin to those of `pages`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from broker.flow.switching.rehearsal import Finding
from broker.web.school_choice import SchoolChoice
from broker.web.texts import N_


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginChoice:
    """One login of a school that has several.

    Attributes:
        name: as the school calls it; may be empty.
        place: host of the login.
    """

    id: str
    name: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginsPage:
    """By which of your school's logins? The first one is meant for most pupils.

    Attributes:
        remembered: id of the one chosen last time in this browser; may be empty.
    """

    template: ClassVar[str] = "logins.html"
    login: str = field(repr=False)
    csrf: str = field(repr=False)
    school: str
    school_name: str
    choices: tuple[LoginChoice, ...]
    remembered: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherLoginPage:
    """Your class logs in by another login now: one button that goes on there."""

    template: ClassVar[str] = "other_login.html"
    login: str = field(repr=False)
    csrf: str = field(repr=False)
    school: str
    school_name: str
    choice: LoginChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class WhichSchoolPage:
    """For a person of several schools, between login and supplier: for which of them is this?

    Attributes:
        schools: those that the login stated and that let the person go on.
        first_name, may_switch: as in `WelcomePage`; on shared devices.
        is_remembered: whether the next login at this supplier goes straight on.
    """

    template: ClassVar[str] = "which_school.html"
    login: str = field(repr=False)
    csrf: str = field(repr=False)
    supplier_name: str
    schools: tuple[SchoolChoice, ...]
    first_name: str = field(default="", repr=False)
    may_switch: bool = False
    is_remembered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPage:
    """The login goes on in an app, and this page stays: nothing on it says whose login it was.

    A browser that hands an address over to an app goes on showing the page of before, which may
    greet a pupil by name. The app opens by itself, or by the button where a browser wants that.

    Attributes:
        url: at the app, with the answer.
        supplier_name: whose app it is; may be empty.
    """

    template: ClassVar[str] = "app.html"
    url: str = field(repr=False)
    supplier_name: str = ""


FOUND: Mapping[Finding, str] = MappingProxyType(
    {
        Finding.SAME: N_("By the new login you keep your own account, with all your work."),
        Finding.ECK_ID_MISSING: N_("The new login does not state your ECK iD."),
        Finding.OTHER_ECK_ID: N_("The new login states another ECK iD than the old one."),
        Finding.NUMBER_MISSING: N_("The new login does not state your number at school."),
        Finding.OTHER_NUMBER: N_("The new login states another number than the old one."),
        Finding.OTHER_ROLE: N_(
            "By one login you are a pupil, and by the other you work at school."
        ),
        Finding.KEPT_APART: N_("Your ECK iD and your number at school have accounts of their own."),
        Finding.ANOTHER_ACCOUNT: N_("The new login would open an account that is there already."),
        Finding.ACCOUNT_OF_TWO: N_("By the new login two people would share one account."),
        Finding.WOULD_WAIT: N_(
            "By the new login you would wait until both your schools say that you may go on."
        ),
        Finding.NOT_USABLE: N_("What the new login states about you cannot be used."),
        Finding.NOT_USABLE_TODAY: N_("What the old login states about you cannot be used."),
        Finding.NOT_KNOWN: N_(
            "You did not open any learning material yet, so there is no work to keep."
        ),
    }
)
"""What a volunteer reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalPage:
    """Trying another login: what happens, the button between the two logins, or what came of it.

    Attributes:
        action: where the form of the one button goes.
        login: state of the step; empty before the first.
        is_between: the old login was tried.
        finding: at the end; None before.
    """

    template: ClassVar[str] = "rehearsal.html"
    action: str
    login: str = field(default="", repr=False)
    csrf: str = field(repr=False)
    school: str
    school_name: str
    new_login: LoginChoice
    is_between: bool = False
    finding: Finding | None = None

    @property
    def is_same(self) -> bool:
        """Tell whether the account stays."""
        return self.finding is Finding.SAME

    @property
    def found(self) -> str:
        """Return what came of it, as a message id."""
        return "" if self.finding is None else FOUND[self.finding]
