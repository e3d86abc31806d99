"""Steps that begin and end at a page of ours, and the cookies that bind them to a browser."""

from enum import StrEnum


class OwnStep(StrEnum):
    """A kind of such a step, by the beginning of its cookie's name; one at a time in a browser."""

    REHEARSAL = "rehearsal."
    LOGIN_TEST = "login-test."
    CONSOLE = "console-login."
    ME = "me-login."
