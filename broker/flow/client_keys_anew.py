"""Checking what a client signed, when it may have published a new key since we asked."""

from collections.abc import Callable
from typing import TypeVar

from broker.domain.federation import ApiClient
from broker.domain.refusals import Refusal
from broker.domain.relying_parties import OidcClient
from broker.flow.ports import ClientKeys

Checked = TypeVar("Checked")

KEY_UNKNOWN = "check_token_key_known"


async def check_with_keys_of(
    client: OidcClient | ApiClient,
    check: Callable[..., Checked],
    *,
    client_keys: ClientKeys,
) -> Checked:
    """Return what `check(keys=...)` makes of a client's keys; a key that is unknown asks once anew.

    Keys are asked anew within the bounds of the port only (OIDC Core 10.1.1), and nowhere but at
    the address in the client's document.

    Raises:
        Refusal: of `check`.
    """
    keys = await client_keys.find(client)
    try:
        return check(keys=keys)
    except Refusal as refusal:
        if refusal.check != KEY_UNKNOWN or client.jwks_uri is None:
            raise
        anew = await client_keys.find(client, refresh=True)
        if anew == keys:
            raise
    return check(keys=anew)
