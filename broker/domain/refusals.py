"""What a refusal is: one class per cause, raised by a check, answered at the edge.

A refusal says what happened and whose task it is; whether it may be sent to the supplier, and as
which OAuth error or SAML status, is a property of the refusal and not of the place that catches it.
Texts are English and double as gettext message ids; `tests/quality/test_refusal_texts.py` holds
that each has a Dutch translation and that the README lists each code.
"""

from enum import StrEnum
from typing import ClassVar


class WhoseTask(StrEnum):
    """Who can mend the cause of a refusal."""

    PUPIL = "pupil"
    SCHOOL = "school"
    SUPPLIER = "supplier"
    BROKER = "broker"


class Refusal(Exception):  # noqa: N818 -- a refusal is an answer, not an error of ours
    """Base of everything that the broker refuses. Never raised itself.

    Attributes:
        code: stable, `E-[A-Z]+-[0-9]+`; never reused for another cause.
        whose_task: who can mend it.
        what: what happened, one or two sentences for a ten-year-old; a gettext message id.
            May hold `{subject}`.
        remedy: what that person can do; a gettext message id. May hold `{subject}`.
        http_status: of the page or JSON answer; 5xx only when the fault is ours or a dependency's.
        may_redirect: whether the supplier must learn it at its proven redirect URI or ACS.
        oauth_error: registered error code (RFC 6749 4.1.2.1 and 5.2, OIDC Core 3.1.2.6).
        saml_status: second-level status (SAML core 3.2.2.2), without the common prefix.
        may_retry: whether trying again can help; the page then offers a button.

    Args:
        check: name of the check that refused; goes to the audit event, never to a page.
        subject: the *name* of what is missing or wrong (an attribute, a school's name from the
            registry), never a value that came with a login.
    """

    code: ClassVar[str] = ""
    whose_task: ClassVar[WhoseTask]
    what: ClassVar[str]
    remedy: ClassVar[str]
    http_status: ClassVar[int] = 400
    may_redirect: ClassVar[bool] = False
    oauth_error: ClassVar[str] = "invalid_request"
    saml_status: ClassVar[str] = "RequestDenied"
    may_retry: ClassVar[bool] = False

    def __init__(self, check: str = "", *, subject: str = "") -> None:
        super().__init__(self.code, check, subject)
        self.check = check
        self.subject = subject

    def __str__(self) -> str:
        return f"{self.code} {self.check} {self.subject}".rstrip()


def every_refusal() -> list[type[Refusal]]:
    """Return every concrete refusal that has been imported, sorted by code."""

    def below(parent: type[Refusal]) -> list[type[Refusal]]:
        return [each for child in parent.__subclasses__() for each in (child, *below(child))]

    return sorted((each for each in set(below(Refusal)) if each.code), key=lambda each: each.code)
