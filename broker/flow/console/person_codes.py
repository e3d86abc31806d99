"""By what people of the console tell one another apart, since no name is kept: a code to read out.

It is made of the keyed hash, so it tells nothing, and it is the same at every look.
"""

from broker.domain.console_roles import ConsoleUserId

_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aeio"
CODE_CHARACTERS = 8


def person_code(user: ConsoleUserId) -> str:
    """Return the code of somebody: 8 speakable characters; of what is no person's id, the id.

    >>> person_code(ConsoleUserId("00112233445566778899aabbccddeeff"))
    'befoheko'
    >>> person_code(ConsoleUserId("anna, ben"))
    'anna, ben'
    """
    try:
        drawn = bytes.fromhex(user)[:CODE_CHARACTERS]
    except ValueError:
        return str(user)
    return "".join(
        _VOWELS[byte % 4] if position % 2 else _CONSONANTS[byte % 16]
        for position, byte in enumerate(drawn)
    )
