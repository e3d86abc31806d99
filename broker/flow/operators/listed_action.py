"""What two persons do with a list of identifiers of pupils.

A list tells, by what becomes of its lines, which account, number and ECK iD belong together: of a
list of one line it tells that of one pupil. So one operator prepares, and learns how many lines
there are; the list is looked up when another one confirms, who has the list as well. The prepared
action names the list by a keyed digest: whoever guesses what a short list says cannot try it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from broker.flow.held_state.framing import mac
from broker.flow.operators.operator_refusals import OtherListPrepared, PreparedUnreadable
from broker.flow.operators.two_persons import Action, ConfirmedAction
from broker.flow.persons.register import RegisterKeys

LISTED_ACTIONS = frozenset({Action.MAP_TAKEOVER, Action.LIST_PILOT, Action.REHEARSE_LIST})
"""Actions that need the list beside what was prepared."""

_LABEL = b"schuilnaam/prepared-list/v1"
_LINES, _DIGEST = "lines", "digest"


def digest_list(content: bytes, *, keys: RegisterKeys) -> bytes:
    """Return by what a list is known again at this broker: 32 bytes."""
    return mac(keys.tag, _LABEL, sha256(content).digest())


def write_listed(names: Mapping[str, str], *, lines: int, digest: bytes) -> dict[str, str]:
    """Return a list as the parameters of a prepared action.

    Args:
        names: whose list it is: ids of school, supplier or logins.
        lines: how many name somebody.
        digest: of `digest_list`.
    """
    return {**names, _LINES: str(lines), _DIGEST: digest.hex()}


@dataclass(frozen=True, slots=True)
class ListWork:
    """What is done with a list, where the second person has it.

    Attributes:
        digest: of the list that is there.
        names: what the action must say of whose list it is.
        work: takes whose list it is, and does what the action says.
    """

    digest: bytes
    names: frozenset[str]
    work: Callable[[Mapping[str, str]], Awaitable[None]] = field(repr=False)

    async def carry_out(self, confirmed: ConfirmedAction) -> None:
        """Do the work, if this is the list that was prepared.

        Raises:
            PreparedUnreadable: the action names no list, or not whose it is.
            OtherListPrepared: this is another one.
            Refusal: of the work.
        """
        names = dict(confirmed.parameters)
        try:
            expected = bytes.fromhex(names.pop(_DIGEST))
            names.pop(_LINES)
        except (KeyError, ValueError):
            raise PreparedUnreadable("check_names_list") from None
        if names.keys() != self.names:
            raise PreparedUnreadable("check_names_whose_list")
        if expected != self.digest:
            raise OtherListPrepared("check_list_prepared")
        await self.work(names)
