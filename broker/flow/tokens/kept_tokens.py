"""What is kept of one release for the back channel, in the one trip that keeps the code.

The access token's record and the refresh family are children of the code: redeeming it needs no
second trip, and a second use of the code finds what to end without a record that says so.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from broker.flow.held_state.handles import Handle
from broker.flow.held_state.login_store import Put
from broker.flow.held_state.records import (
    ACCESS_TOKEN,
    CODE_TTL_SECONDS,
    FAMILY,
    GRANT,
    REFRESH,
    USERINFO,
    GrantRecord,
    HeldPerson,
    PreparedRelease,
    RefreshFamily,
    ReleasedBetween,
    UserinfoRecord,
)
from broker.flow.held_state.sealed_state import SealedState
from broker.oidc_op.asked_claims import AskedClaims
from broker.oidc_op.clients import OFFLINE_ACCESS, KnownClient, RefreshLives
from broker.oidc_op.grants import OidcGrant, userinfo_grant_of


def keep_grant(
    grant: OidcGrant,
    prepared: PreparedRelease,
    *,
    between: ReleasedBetween,
    client: KnownClient,
    asked_claims: AskedClaims | None,
    state: SealedState,
    now: datetime,
) -> tuple[Handle, tuple[Put, ...]]:
    """Return the code, and what is put for it.

    Raises:
        Unstorable: what was released is more than the store keeps.
    """
    person = prepared.person
    lives = None if person is None else client.refresh
    if lives is None:
        kept = tuple(each for each in grant.scopes if each != OFFLINE_ACCESS)
        grant = replace(grant, scopes=kept)
    record = GrantRecord(login=prepared.login, grant=grant, between=between)
    code, grant_put = state.seal(GRANT, record)
    family = None if lives is None else state.derive_handle(code, FAMILY)
    ttl_seconds = CODE_TTL_SECONDS + client.profile.access_token_ttl_seconds
    userinfo = UserinfoRecord(
        login=prepared.login,
        grant=userinfo_grant_of(
            grant,
            signed=client.signs_access_tokens,
            issued_at=now,
            ttl_seconds=ttl_seconds,
        ),
        between=between,
        family="" if family is None else family.text,
    )
    puts = [grant_put]
    puts.append(
        state.seal_under(
            state.derive_handle(code, ACCESS_TOKEN), USERINFO, userinfo, ttl_seconds=ttl_seconds
        )
    )
    if person is not None and family is not None and lives is not None:
        puts += _family_puts(
            person,
            family,
            grant,
            prepared,
            between,
            lives,
            asked_claims=asked_claims,
            state=state,
            now=now,
        )
    return code, tuple(puts)


def _family_puts(
    person: HeldPerson,
    family: Handle,
    grant: OidcGrant,
    prepared: PreparedRelease,
    between: ReleasedBetween,
    lives: RefreshLives,
    *,
    asked_claims: AskedClaims | None,
    state: SealedState,
    now: datetime,
) -> Iterator[Put]:
    # OIDC Core 12.2: the nonce is the first token's; `previous_sub` was told with it. Each refresh
    # makes the claims anew, of its own decision.
    of_login = replace(
        grant, nonce=None, code_challenge=None, previous=None, claims={}, userinfo_claims=None
    )
    record = RefreshFamily(
        login=prepared.login,
        grant=of_login,
        between=between,
        decision=prepared.decision,
        asked_claims=asked_claims,
        population=prepared.population,
        person=person,
        ends_at=now + timedelta(seconds=lives.ttl_seconds),
    )
    yield state.seal_under(family, REFRESH, record, ttl_seconds=lives.idle_seconds)
