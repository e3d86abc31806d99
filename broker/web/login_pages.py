"""Pages of a school that has several logins; records of the same kind as those of `pages`."""

from dataclasses import dataclass, field
from typing import ClassVar


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
