"""What the parameters of a confirmed action name: an operator, or a person's rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from broker.flow.operators.operator_refusals import OperatorExists, PreparedUnreadable
from broker.flow.operators.operators import Operator, OperatorName
from broker.flow.persons.person_erasure import FoundPerson
from broker.flow.persons.register import TAG_BYTES, SupplierMove, mark_of

_MOVES = "moves"
_CLOSES = "closes"
_NO_MOVES = b"[]".hex()


def check_operator_new(operator: Operator, *, registered: Mapping[OperatorName, Operator]) -> None:
    """Hold that neither the name nor the key is registered: two names for one key are one person.

    Raises:
        OperatorExists: one of them is.
    """
    if operator.name in registered:
        raise OperatorExists("check_operator_name_new")
    if any(operator.public_key == each.public_key for each in registered.values()):
        raise OperatorExists("check_operator_key_new")


def read_operator(parameters: Mapping[str, str]) -> Operator:
    """Return the operator whom a confirmed action names.

    Raises:
        PreparedUnreadable: it names none.
    """
    try:
        name, public_key = parameters["name"], bytes.fromhex(parameters["public_key"])
        return Operator(OperatorName(name), public_key)
    except (KeyError, ValueError):
        raise PreparedUnreadable("check_names_operator") from None


def write_erasure(found: FoundPerson, *, beside: Iterable[bytes]) -> dict[str, str]:
    """Return what is erased as parameters: by keyed tag the mark of what must rest under it.

    Beside the rows stand names of suppliers with letters of epochs, whose counts the person leaves,
    and the tags of the rows that are closed.
    """
    marks = {tag: mark_of(None) for tag in beside} | dict(found.rows)
    moves = {_MOVES: msgspec.json.encode(found.moves).hex()} if found.moves else {}
    closes = {_CLOSES: b"".join(sorted(found.closes)).hex()} if found.closes else {}
    return moves | closes | {tag.hex(): mark.hex() for tag, mark in marks.items()}


@dataclass(frozen=True, slots=True)
class Erasure:
    """What a confirmed action erases, as `PersonRegister.erase` takes it."""

    marks: Mapping[bytes, bytes] = field(repr=False)
    moves: tuple[SupplierMove, ...] = field(repr=False)
    closes: frozenset[bytes] = field(repr=False)


def read_erasure(parameters: Mapping[str, str]) -> Erasure:
    """Return what a confirmed action erases.

    Raises:
        PreparedUnreadable: they are not in the form of `write_erasure`.
    """
    try:
        marks = {
            bytes.fromhex(tag): bytes.fromhex(mark)
            for tag, mark in parameters.items()
            if tag not in (_MOVES, _CLOSES)
        }
        moves = bytes.fromhex(parameters.get(_MOVES, _NO_MOVES))
        closes = bytes.fromhex(parameters.get(_CLOSES, ""))
        return Erasure(
            marks,
            msgspec.json.decode(moves, type=tuple[SupplierMove, ...]),
            frozenset(
                closes[start : start + TAG_BYTES] for start in range(0, len(closes), TAG_BYTES)
            ),
        )
    except (ValueError, msgspec.DecodeError):
        raise PreparedUnreadable("check_names_rows") from None
