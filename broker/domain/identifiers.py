"""One value that identifies: exactly one, exactly as sent, and not a word for "no value"."""

from collections.abc import Mapping

from broker.domain.attributes import AttributeName
from broker.domain.refusals import Refusal, WhoseTask

_NO_VALUES = frozenset({"null", "none", "nil", "undefined", "nan", "n/a"})
"""What programs write in place of a value that they do not have; many pupils would share it."""

MAX_VALUE_CHARACTERS = 1024
"""Of one attribute value; the longest that anybody needs, an ECK iD, has 154."""


class IdentifierUnusable(Refusal):
    code = "E-IDENTITY-3"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login sent an identifier that cannot be used: {subject}."
    remedy = "The school must send exactly one value that is not empty. Please tell your school."


def read_single(
    attributes: Mapping[AttributeName, tuple[str, ...]], name: AttributeName
) -> str | None:
    """Return the one value of an identifying attribute, exactly as sent; None when absent.

    Raises:
        IdentifierUnusable: several values, or one that says nothing: no letter or digit in it, or
            a word for "no value". Everybody of whom a school states that would be one person.
    """
    values = attributes.get(name, ())
    if not values:
        return None
    if len(set(values)) != 1:
        raise IdentifierUnusable("check_identifier_single", subject=name)
    if values[0].lower() in _NO_VALUES or not any(each.isalnum() for each in values[0]):
        raise IdentifierUnusable("check_identifier_not_blank", subject=name)
    return values[0]


def read_login_identifier(stated: Mapping[str, tuple[str, ...]], name: str | None) -> str | None:
    """Return by what the school's list knows this login, exactly as sent; None when not stated.

    Args:
        stated: incoming name -> values as sent.
        name: the incoming name that the provider's document names, if it names one.

    Raises:
        IdentifierUnusable: several values, or one that says nothing or that no list could hold.
    """
    if name is None:
        return None
    values = tuple(each for each in stated.get(name, ()) if each)
    found = read_single({AttributeName(name): values}, AttributeName(name))
    if found is not None and (len(found) > MAX_VALUE_CHARACTERS or not is_text(found)):
        raise IdentifierUnusable("check_login_identifier_usable", subject=name)
    return found


def is_text(value: str) -> bool:
    """Tell whether a value is Unicode: half a surrogate pair, as JSON may hold, is none."""
    return not any("\ud800" <= each <= "\udfff" for each in value)
