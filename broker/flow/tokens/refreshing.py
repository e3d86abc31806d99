"""A refresh: the release decision taken anew over what the login released, and nothing widened.

    the family is read, and its number compared                               [1 get]
    who stands behind it is still open; the person is still in the register   [1 look-up]
    decision, claims, lint, as at a login; then the receipt                   [1 append]
    the number used up, the family and the access token kept                  [1 put]

A token counts once. Its number is claimed in the same operation that keeps what it gives, so of two
that race one is answered, and the other ends the family, with what the first one got: each access
token of a family lives only while the family does. An old number ends it at once. A family that was
ended leaves a tombstone, which no late put replaces. The receipt comes first: who dies in between
has told nobody anything, and the token still counts.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec.structs import replace

from broker.domain.refusals import Refusal
from broker.domain.release import ReleaseDecision, lint_claims
from broker.domain.takeover import OLD_KEYS
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.client_login import UsedOnce
from broker.flow.following.trail import Outcome, current_trail
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.handles import Handle
from broker.flow.held_state.login_store import ClaimedBefore, Put, TakenBefore
from broker.flow.held_state.records import REFRESH, USERINFO, RefreshFamily, UserinfoRecord
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.naming import epoch_of
from broker.flow.parties import Parties
from broker.flow.persons.register import PersonRegister
from broker.flow.ports import Clock, Random, Snapshots
from broker.flow.receipts.receipts import (
    RECEIPT_NONCE_BYTES,
    ReceiptLog,
    build_receipt,
    seal_receipt,
)
from broker.flow.shielding.shielded_logins import find_held, hold_again
from broker.flow.shielding.shields import ShieldBook
from broker.flow.tokens.access import AccessTokens
from broker.flow.tokens.decided_anew import decide_anew
from broker.flow.tokens.held_person import is_still_known, receipt_keys_of
from broker.flow.tokens.id_tokens import IdTokens
from broker.flow.tokens.refresh_families import RefreshFamilies
from broker.oidc_op.asked_claims import place_claims
from broker.oidc_op.claims import build_claims, claim_names, list_values
from broker.oidc_op.client_auth import AuthenticatedClient
from broker.oidc_op.clients import RefreshLives
from broker.oidc_op.grants import UserinfoGrant, userinfo_grant_of
from broker.oidc_op.refresh import check_refresh, read_refresh_token, restate_claims
from broker.oidc_op.sender_keys import SenderKey
from broker.oidc_op.token import GrantRefused, RedeemedGrant, TokenRequest, TokenResponse

REFRESH_USE = "refresh-use"
"""Kind of one-shot value: that a refresh token was used. Guards a race alone: the family's number
refuses old tokens by itself."""

USE_REMEMBERED_SECONDS = 600  # far longer than one request can be under way


@dataclass(frozen=True, slots=True)
class RefreshPorts:
    """What a refresh works with."""

    snapshots: Snapshots
    state: SealedState = field(repr=False)
    families: RefreshFamilies
    access: AccessTokens
    register: PersonRegister
    shields: ShieldBook
    receipts: ReceiptLog
    id_tokens: IdTokens
    audit: AuditLog
    clock: Clock
    random: Random


@dataclass(frozen=True, slots=True)
class _Kept:
    """What one refresh keeps.

    Attributes:
        number: of the token that counts from now on.
        handle: of the access token's record.
    """

    number: int
    userinfo: UserinfoGrant = field(repr=False)
    handle: Handle = field(repr=False)
    puts: tuple[Put, ...] = field(repr=False)


class Refresher:
    """Answers refresh requests. Keeps nothing between calls."""

    def __init__(self, ports: RefreshPorts) -> None:
        self._ports = ports

    async def refresh(
        self,
        request: TokenRequest,
        *,
        client: AuthenticatedClient,
        shown: SenderKey,
        once: UsedOnce,
        now: datetime,
    ) -> TokenResponse:
        """Return new tokens for a refresh token, to the client that it was given to.

        Args:
            shown: which key the caller proved to have.
            once: what the caller showed that counts once.

        Raises:
            TokenParameterMissing, GrantRefused, ScopeWidened, TargetRefused: of `oidc_op.refresh`
                and `decided_anew`; or the person was erased since.
            ClaimsBeyondDecision, ReceiptsUnavailable, RegisterUnavailable, StoreUnavailable
        """
        ports, presented = self._ports, read_refresh_token(request)
        handle, family = await ports.families.open(presented)
        if not ports.families.counts(presented, handle, family.number):
            await self._end_of_reused(handle, family)
        redeemed = check_refresh(
            request, family.grant, client=client, bound_to=family.bound_to, shown=shown
        )
        lives = client.client.refresh
        if lives is None or family.ends_at <= now:
            raise GrantRefused("check_refresh_not_over")
        shields = await find_held(family.between.shields, book=ports.shields)
        parties, decision = decide_anew(
            family, shields=shields, registry=ports.snapshots.registry, now=now
        )
        held = hold_again(family.between.shields, shields, supplier=parties.supplier.id)
        family = replace(family, between=replace(family.between, shields=held))
        if not await is_still_known(family.person, register=ports.register):
            await ports.families.end(handle)
            raise GrantRefused("check_person_still_known")
        profile = parties.relying_party.claims
        claims = build_claims(decision, profile=profile)
        lint_claims(list_values(claims), decision=decision, names=claim_names(profile))
        redeemed = restate_claims(redeemed, *place_claims(family.asked_claims, claims))
        kept = self._prepare(redeemed, family, decision, handle, lives, shown, now=now)
        access_token, expires_in = ports.access.write(
            kept.userinfo, kept.handle, client=client.client, now=now
        )
        id_token = ports.id_tokens.write(redeemed, now=now)
        await self._write_receipt(family, decision, parties, now=now)
        await self._keep(kept, handle, family, lives=lives, once=once, now=now)
        self._note(family, decision, parties)
        return TokenResponse(
            access_token=access_token,
            token_type=shown.token_type,
            expires_in=expires_in,
            id_token=id_token,
            scope=" ".join(redeemed.grant.scopes),
            refresh_token=ports.families.write(handle, kept.number),
        )

    async def _end_of_reused(self, handle: Handle, family: RefreshFamily) -> None:
        """RFC 9700 4.14.2: whoever shows a token of this family that does not count had it before
        its client used it, so one of the two is not the client."""
        await self._ports.families.end(handle)
        self._ports.audit.record(
            AuditEvent(
                action="refresh-reused",
                supplier=family.between.supplier,
                relying_party=family.between.relying_party,
            )
        )
        raise GrantRefused("check_refresh_token_used_once")

    def _prepare(
        self,
        redeemed: RedeemedGrant,
        family: RefreshFamily,
        decision: ReleaseDecision,
        handle: Handle,
        lives: RefreshLives,
        shown: SenderKey,
        *,
        now: datetime,
    ) -> _Kept:
        """Return the family as it goes on, and what the new access token stands for."""
        state, client = self._ports.state, redeemed.client.client
        between = replace(
            family.between,
            agreement_version=decision.agreement_version,
            old_keys=any(each.name in OLD_KEYS for each in decision.released),
        )
        going_on = replace(
            family,
            between=between,
            decision=decision,
            number=family.number + lives.rotates,
        )
        life_seconds = client.profile.access_token_ttl_seconds
        plain = userinfo_grant_of(
            redeemed.grant,
            signed=client.signs_access_tokens,
            issued_at=now,
            ttl_seconds=life_seconds,
        )
        userinfo = replace(plain, key=shown)
        record = UserinfoRecord(
            login=family.login, grant=userinfo, between=between, family=handle.text
        )
        left_seconds = max(1, (family.ends_at - now) // timedelta(seconds=1))
        with store_in_words():
            access_handle, access_put = state.seal(USERINFO, record, ttl_seconds=life_seconds)
            family_put = state.seal_under(
                handle, REFRESH, going_on, ttl_seconds=min(lives.idle_seconds, left_seconds)
            )
        return _Kept(going_on.number, userinfo, access_handle, (family_put, access_put))

    async def _write_receipt(
        self, family: RefreshFamily, decision: ReleaseDecision, parties: Parties, *, now: datetime
    ) -> None:
        content = build_receipt(
            decision,
            relying_party=parties.relying_party.id,
            epoch=epoch_of(family.grant.pseudonym),
            now=now,
        )
        sealed = seal_receipt(
            content,
            keys=receipt_keys_of(family.person),
            nonce=self._ports.random(RECEIPT_NONCE_BYTES),
        )
        await self._ports.receipts.append(sealed)

    async def _keep(
        self,
        kept: _Kept,
        handle: Handle,
        family: RefreshFamily,
        *,
        lives: RefreshLives,
        once: UsedOnce,
        now: datetime,
    ) -> None:
        """Use the number up and keep what it gave, or nothing, in one trip."""
        state, since = self._ports.state, self._ports.clock() - now
        if lives.rotates:
            claims = state.claims_for(
                REFRESH_USE,
                issuer=handle.text,
                value=str(family.number),
                ttl_seconds=USE_REMEMBERED_SECONDS,
                # The family was found after `now`, so no use of it was forgotten before that.
                made_within=max(since, timedelta(0)),
            )
            refusal: tuple[type[Refusal], str] = (GrantRefused, "check_refresh_token_used_once")
            once = UsedOnce(claims, (refusal,) * len(claims)) + once
        try:
            with store_in_words(known=(ClaimedBefore, TakenBefore)):
                await state.put(*kept.puts, claims=once.claims)
        except TakenBefore:
            raise GrantRefused("check_refresh_token_known") from None
        except ClaimedBefore as claimed:
            refused = once.refusal_of(claimed)
        else:
            return
        if isinstance(refused, GrantRefused):
            await self._end_of_reused(handle, family)
        raise refused

    def _note(self, family: RefreshFamily, decision: ReleaseDecision, parties: Parties) -> None:
        self._ports.audit.record(
            AuditEvent(
                action="refreshed",
                school=decision.school,
                idp=family.between.idp,
                supplier=parties.supplier.id,
                relying_party=parties.relying_party.id,
                names=tuple(each.name for each in decision.released),
                withheld=tuple((each.name, each.reason) for each in decision.withheld),
            )
        )
        current_trail().outcome = Outcome.REDEEMED
