"""The refresh tokens of one login: a family, of which one token counts at a time.

A token is the family's handle and a proof that is derived from it and a number, so that nobody but
us makes the next one, and an old one leads to what it must end.
"""

import hmac

from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import Absent
from broker.flow.held_state.records import REFRESH, RefreshFamily
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.tokens.access import follow
from broker.oidc_op.refresh import PresentedRefreshToken
from broker.oidc_op.token import GrantRefused


class RefreshFamilies:
    """Finds, proves and ends families. Keeps nothing between calls."""

    def __init__(self, state: SealedState) -> None:
        self._state = state

    async def open(self, presented: PresentedRefreshToken) -> tuple[Handle, RefreshFamily]:
        """Return the family that a refresh token names; whether it counts is not looked at.

        Raises:
            GrantRefused: there is none, or it ended.
            StoreUnavailable
        """
        try:
            handle = parse_handle(presented.unverified_family)
            with store_in_words(known=(Absent,)):
                family = await self._state.get(REFRESH, handle)
        except Absent:
            raise GrantRefused("check_refresh_token_known") from None
        follow(family)
        return handle, family

    def counts(self, presented: PresentedRefreshToken, handle: Handle, number: int) -> bool:
        """Tell whether this is the token of that number."""
        return hmac.compare_digest(presented.unverified_proof, self._prove(handle, number))

    def write(self, handle: Handle, number: int) -> str:
        """Return the text of the token of a number."""
        return f"{handle.text}.{self._prove(handle, number)}"

    async def end(self, handle: Handle) -> None:
        """End a family, with every access token that it gave.

        Raises:
            StoreUnavailable
        """
        with store_in_words():
            await self._state.delete(REFRESH, handle)

    def _prove(self, handle: Handle, number: int) -> str:
        return self._state.derive_handle(handle, f"refresh-token/{number}").text
