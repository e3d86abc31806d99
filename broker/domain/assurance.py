"""How surely a login proves who somebody is: the levels that suppliers may be told (`acr`).

A school's login states its level in words of its own. Suppliers are told a level of this short list
or none: any other word could single out a school, or even a pupil. Which word means which level is
decided by the login's document (`[acr]`); a level that is itself on the list means itself. Nothing
is ever told that is higher than what the login states.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

_EIDAS = "http://eidas.europa.eu/LoA/"
_REFEDS = "https://refeds.org/profile/"

LOW, SUBSTANTIAL, HIGH = (_EIDAS + each for each in ("low", "substantial", "high"))
SINGLE_FACTOR, MULTI_FACTOR = _REFEDS + "sfa", _REFEDS + "mfa"

_LADDERS = ((LOW, SUBSTANTIAL, HIGH), (SINGLE_FACTOR, MULTI_FACTOR))
"""From low to high. Levels of two ladders are not comparable."""

ACR_VALUES = tuple(each for ladder in _LADDERS for each in ladder)

_AC = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
_ONE_FACTOR = (
    *(_AC + each for each in ("Password", "PasswordProtectedTransport", "PreviousSession")),
    *(_AC + each for each in ("unspecified", "InternetProtocol", "InternetProtocolPassword")),
    *(SINGLE_FACTOR, "urn:oasis:names:tc:SAML:1.0:am:password", "0", "1"),
)
_CEILINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    dict.fromkeys(_ONE_FACTOR, (LOW, SINGLE_FACTOR))
    | {
        LOW: (LOW,),
        SUBSTANTIAL: (SUBSTANTIAL,),
        HIGH: (HIGH,),
        _AC + "SmartcardPKI": (HIGH, MULTI_FACTOR),
    }
)
_ANY_OTHER = (SUBSTANTIAL, MULTI_FACTOR)
"""A second factor says nothing of how it was handed out: eIDAS high takes more than that."""


def covers(level: str, wanted: str) -> bool:
    """Tell whether a login of one level is also one of another, lower or equal.

    >>> covers(SUBSTANTIAL, LOW), covers(LOW, SUBSTANTIAL), covers(HIGH, MULTI_FACTOR)
    (True, False, False)
    """
    return any(
        level in ladder and wanted in ladder and ladder.index(level) >= ladder.index(wanted)
        for ladder in _LADDERS
    )


def may_mean(stated: str, level: str) -> bool:
    """Tell whether a document may say that what a login states means this level.

    >>> may_mean("urn:oasis:names:tc:SAML:2.0:ac:classes:Password", SUBSTANTIAL)
    False
    >>> may_mean("https://refeds.org/profile/mfa", SUBSTANTIAL)
    True
    """
    return any(covers(each, level) for each in _CEILINGS.get(stated, _ANY_OTHER))


def read_level(stated: str, *, meanings: Mapping[str, str]) -> str:
    """Return the level of a login, or "" when what it states means none.

    Args:
        stated: AuthnContextClassRef or `acr`, as sent.
        meanings: of its document, from what it states to a level.

    >>> read_level("2", meanings={"2": LOW}) == LOW, read_level("3", meanings={"2": LOW})
    (True, '')
    """
    return meanings.get(stated) or (stated if stated in ACR_VALUES else "")


def words_for(wanted: Sequence[str], *, meanings: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a login may state to have one of these levels, the most wanted first.

    Args:
        wanted: in order of preference.
        meanings: of its document; what is not in it cannot be asked of the login.

    >>> words_for([LOW], meanings={"2": SUBSTANTIAL, "1": LOW, "m": MULTI_FACTOR})
    ('2', '1')
    """
    found = (word for each in wanted for word, level in meanings.items() if covers(level, each))
    return tuple(dict.fromkeys(found))


def choose_level(level: str, *, wanted: Sequence[str]) -> str:
    """Return which level to tell: the first wanted one that the login has, else the login's own.

    >>> choose_level(HIGH, wanted=[MULTI_FACTOR, SUBSTANTIAL]) == SUBSTANTIAL
    True
    >>> choose_level(LOW, wanted=[HIGH]) == LOW
    True
    """
    return next((each for each in wanted if covers(level, each)), level)
