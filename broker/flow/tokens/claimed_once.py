"""One-shot values of a request that makes no other trip to the login store."""

from broker.domain.refusals import Refusal
from broker.flow.client_login import UsedOnce
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.login_store import ClaimedBefore
from broker.flow.held_state.sealed_state import SealedState


async def claim_once(once: UsedOnce, *, state: SealedState) -> None:
    """Use up what was shown, in a trip of its own; none when there is nothing.

    Raises:
        Refusal: it was shown before; as `once` words it.
        StoreUnavailable: nobody knows.
    """
    if not once.claims:
        return
    refused: Refusal
    try:
        with store_in_words(known=(ClaimedBefore,)):
            await state.put(claims=once.claims)
    except ClaimedBefore as claimed:
        refused = once.refusal_of(claimed)
    else:
        return
    raise refused
