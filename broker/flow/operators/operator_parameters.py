"""What the parameters of a confirmed action name: an operator, or a person's rows."""

from collections.abc import Mapping

from broker.flow.operators.operator_refusals import OperatorExists, PreparedUnreadable
from broker.flow.operators.operators import Operator, OperatorName


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


def read_rows(parameters: Mapping[str, str]) -> dict[bytes, bytes]:
    """Return the rows that a confirmed action names, as `FoundPerson.rows`.

    Raises:
        PreparedUnreadable: they are not written in hexadecimal digits.
    """
    try:
        return {bytes.fromhex(tag): bytes.fromhex(mark) for tag, mark in parameters.items()}
    except ValueError:
        raise PreparedUnreadable("check_names_rows") from None
