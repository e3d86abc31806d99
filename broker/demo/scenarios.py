"""What a demo school's login can be told to do, and what it then states.

`decide_statement` is the whole meaning of the login form; how the statement travels (SAML or
OIDC), and the two scenarios about the message itself, are in the schools.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from broker.demo.people import SCHOOLS, Attributes, Person


class Scenario(StrEnum):
    """Options of the login form, in its order; the first is the default."""

    FINE = "fine"
    EXPIRED = "expired"
    TAMPERED = "tampered"
    NO_ECK_ID = "no-eck-id"
    MISSING_ATTRIBUTE = "missing-attribute"
    CANCELLED = "cancelled"
    DOWN = "down"
    OTHER_SCHOOL = "other-school"


STATED_PREFIX = "state."
"""A posted field `state.<Entree name>` replaces what the school states; empty means: not stated.

The visible form has no such field. It lets a test, or an attacker's school, state anything: another
school's BRIN, somebody else's ECK iD, two values where one belongs.
"""

NAME_ID_FIELD = "name_id"
"""A posted field that replaces the SAML NameID or the OIDC `sub`."""


class UnknownChoice(Exception):  # noqa: N818 -- an answer to a bad form, not an error of ours
    """The form names a pupil or scenario that this school does not have."""


@dataclass(frozen=True, slots=True)
class LoginChoice:
    """What somebody chose on the login form."""

    person: Person
    scenario: Scenario
    stated: Mapping[str, tuple[str, ...]] = field(repr=False)
    name_id: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Statement:
    """What the school is going to say about the person.

    Attributes:
        name_id: SAML NameID or OIDC `sub`.
        expired: all its times lie in the past.
        tampered: a value is changed after signing.
    """

    name_id: str = field(repr=False)
    attributes: Attributes = field(repr=False)
    expired: bool = False
    tampered: bool = False


def read_login_choice(
    fields: Sequence[tuple[str, str]], *, people: Mapping[str, Person]
) -> LoginChoice:
    """Read the posted login form.

    Args:
        fields: names and values in the order of the form.
        people: who can log in here, by the value of the form's button.

    Raises:
        UnknownChoice: no such pupil or scenario.
    """
    posted = dict(fields)
    stated: dict[str, tuple[str, ...]] = {}
    for name, value in fields:
        if name.startswith(STATED_PREFIX):
            attribute = name.removeprefix(STATED_PREFIX)
            stated[attribute] = (*stated.get(attribute, ()), *((value,) if value else ()))
    try:
        return LoginChoice(
            person=people[posted.get("pupil", "")],
            scenario=Scenario(posted.get("scenario", Scenario.FINE)),
            stated=stated,
            name_id=posted.get(NAME_ID_FIELD),
        )
    except (KeyError, ValueError):
        raise UnknownChoice from None


def choose_fine(person: Person) -> LoginChoice:
    """Return that somebody logs in and all is fine."""
    return LoginChoice(person=person, scenario=Scenario.FINE, stated={}, name_id=None)


def decide_statement(choice: LoginChoice) -> Statement:
    """Return what the school states for this choice; `cancelled` and `down` state nothing."""
    attributes = dict(choice.person.attributes)
    if choice.scenario is Scenario.NO_ECK_ID:
        attributes.pop("eckId", None)
    if choice.scenario is Scenario.MISSING_ATTRIBUTE:
        attributes.pop("eduPersonAffiliation")
    if choice.scenario is Scenario.OTHER_SCHOOL:
        other = next(each for each in reversed(SCHOOLS) if each is not choice.person.school)
        attributes["nlEduPersonHomeOrganizationId"] = (other.brin,)
        attributes["nlEduPersonHomeOrganization"] = (other.name,)
    attributes |= choice.stated
    return Statement(
        name_id=choice.name_id or choice.person.attributes["uid"][0],
        attributes={name: values for name, values in attributes.items() if values},
        expired=choice.scenario is Scenario.EXPIRED,
        tampered=choice.scenario is Scenario.TAMPERED,
    )
