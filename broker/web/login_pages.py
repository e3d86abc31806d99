"""Pages for schools with several logins and people of several schools; kin to those of `pages`."""

from dataclasses import dataclass, field
from typing import ClassVar

from broker.web.school_choice import SchoolChoice


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
