"""The supplier's half of a login: the answer to its request, released or refused.

OpenID Connect and SAML suppliers differ here and nowhere else. What is built is linted against the
decision by other code than built it, before anything is signed or kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from broker.domain.refusals import Refusal
from broker.domain.takeover import OLD_KEYS
from broker.flow.answers import PostMessage, Redirect
from broker.flow.asked import told_moment
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.login_store import Claim, ClaimedBefore, Put
from broker.flow.held_state.records import (
    PreparedRelease,
    ReleasedBetween,
    SupplierRequest,
)
from broker.flow.held_state.request_records import use_request
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.oidc_answers import build_grant
from broker.flow.parties import Parties
from broker.flow.refusals import (
    AssertionUsed,
    FailedWithoutPage,
    InteractionRequired,
    LoginRequired,
    NotLoggedIn,
)
from broker.flow.saml_answers import SamlAnswers
from broker.flow.sessions.sessions import Part, Sessions
from broker.flow.tokens.kept_tokens import keep_grant
from broker.oidc_op.clients import known_client_of
from broker.oidc_op.pushed import RequestUsed
from broker.oidc_op.request import CheckedAuthorizationRequest, ReturnAddress
from broker.oidc_op.response import (
    AuthorizationAnswer,
    build_authorization_error,
    build_authorization_response,
)
from broker.oidc_rp.refusals import LoginTooOld
from broker.saml_idp.refusals import AnswerTo
from broker.saml_sp.refusals import LoginNotFresh

SERVER_ERROR = 500  # RFC 9110 15.6: from here on the fault is ours or a dependency's


@dataclass(frozen=True, slots=True)
class BuiltAnswer:
    """An answer that may leave once `puts` are kept and `claims` made."""

    answer: Redirect | PostMessage
    puts: tuple[Put, ...] = field(default=(), repr=False)
    claims: tuple[Claim, ...] = field(default=(), repr=False)


class SupplierSide:
    """Builds answers to suppliers."""

    def __init__(
        self,
        *,
        issuer: str,
        saml: SamlAnswers,
        state: SealedState,
        sessions: Sessions,
    ) -> None:
        self._issuer = issuer
        self._saml = saml
        self._state = state
        self._sessions = sessions

    def build(self, prepared: PreparedRelease, *, parties: Parties, now: datetime) -> BuiltAnswer:
        """Return the answer that releases, linted.

        Raises:
            ClaimsBeyondDecision: more was built than decided; a fault of ours.
            SupplierNotOpen: the relying party speaks another protocol by now.
            StoreUnavailable: what was released is more than the store keeps.
            CannotEncrypt, ValueUnwritable: of `saml_idp`.
            AgreementChanged: the relying party wants another kind of name by now.
        """
        request = prepared.request
        if isinstance(request, CheckedAuthorizationRequest):
            return self._build_code(request, prepared, parties, now=now)
        name_id = self._saml.choose_name_id(request, prepared, parties)
        part = self._take_part(prepared, name_id.text, parties, name_format=name_id.format)
        form = self._saml.build(request, prepared, parties, name_id=name_id, part=part, now=now)
        return BuiltAnswer(form, _puts_of(part))

    async def keep(
        self, built: BuiltAnswer, *, claims: Sequence[Claim], puts: Sequence[Put] = ()
    ) -> None:
        """Keep what a code stands for and use up one-shot values, in one trip; none for neither.

        Args:
            puts: what is kept besides.

        Raises:
            AssertionUsed: a one-shot value was used before; nothing was kept.
            RequestUsed: the supplier's request led to another login meanwhile; likewise.
            StoreUnavailable: nobody knows.
        """
        every = (*claims, *built.claims)
        if not (built.puts or puts or every):
            return
        try:
            with store_in_words(known=(ClaimedBefore,)):
                await self._state.put(*built.puts, *puts, claims=every)
        except ClaimedBefore as claimed:
            if claimed.index < len(claims):
                raise AssertionUsed("check_login_step") from None
            raise RequestUsed("check_request_used_once") from None

    def refuse(
        self, request: SupplierRequest, refusal: Refusal, *, parties: Parties, now: datetime
    ) -> Redirect | PostMessage:
        """Return the answer that tells the supplier of a refusal.

        Args:
            refusal: one that `may_redirect`, or any when the request asked for no page.
        """
        told = refusal if refusal.may_redirect else word_without_page(refusal)
        if isinstance(request, CheckedAuthorizationRequest):
            answer = build_authorization_error(request, told, issuer=self._issuer)
            return _bring(answer, request, parties)
        return self.refuse_unchecked(request.answer_to, told, parties=parties, now=now)

    def refuse_at(
        self, address: ReturnAddress, refusal: Refusal, *, parties: Parties
    ) -> Redirect | PostMessage:
        """Return the answer to an OpenID Connect request that failed a check after its redirect
        URI was proven."""
        answer = build_authorization_error(address, refusal, issuer=self._issuer)
        return _bring(answer, address, parties)

    def refuse_unchecked(
        self, answer_to: AnswerTo, refusal: Refusal, *, parties: Parties, now: datetime
    ) -> PostMessage:
        """Return the answer to a SAML request that failed a check after its place was proven."""
        return self._saml.refuse(answer_to, refusal, parties=parties, now=now)

    def _build_code(
        self,
        request: CheckedAuthorizationRequest,
        prepared: PreparedRelease,
        parties: Parties,
        *,
        now: datetime,
    ) -> BuiltAnswer:
        told = told_moment(prepared, now=now) if request.wants_auth_time else None
        part = self._take_part(prepared, prepared.pseudonym or "", parties, told=told)
        grant = build_grant(
            request, prepared, parties, sid=None if part is None else part.sid, told=told, now=now
        )
        between = ReleasedBetween(
            relying_party=request.relying_party,
            supplier=parties.supplier.id,
            school=prepared.decision.school,
            idp=prepared.idp,
            agreement_version=prepared.decision.agreement_version,
            old_keys=any(each.name in OLD_KEYS for each in prepared.decision.released),
            shields=prepared.shields,
        )
        client = known_client_of(parties.relying_party, parties.supplier)
        with store_in_words():  # a school's values may be larger than what the store keeps
            code, puts = keep_grant(
                grant,
                prepared,
                between=between,
                client=client,
                asked_claims=request.asked_claims,
                state=self._state,
                now=now,
            )
            use = use_request(self._state, request, now=now)
        answer = build_authorization_response(request, code=code.text, issuer=self._issuer)
        puts = (*puts, *use.puts, *_puts_of(part))
        return BuiltAnswer(_bring(answer, request, parties), puts, use.claims)

    def _take_part(
        self,
        prepared: PreparedRelease,
        subject: str,
        parties: Parties,
        *,
        name_format: str = "",
        told: datetime | None = None,
    ) -> Part | None:
        """Return the relying party's part in the session of this login, if there is one."""
        if prepared.session is None:
            return None
        with store_in_words():
            return self._sessions.take_part(
                prepared.session,
                login=prepared.login,
                relying_party=parties.relying_party.id,
                supplier=parties.supplier.id,
                subject=subject,
                idp=prepared.idp,
                name_format=name_format,
                told=told,
            )


def word_without_page(refusal: Refusal) -> Refusal:
    """Return what a supplier learns that asked for no page, of a refusal whose place is a page."""
    if isinstance(refusal, LoginNotFresh | LoginTooOld):
        return LoginRequired(refusal.check)
    if refusal.http_status >= SERVER_ERROR:
        return FailedWithoutPage(refusal.check)
    if refusal.oauth_error == "access_denied":
        return NotLoggedIn(refusal.check)
    return InteractionRequired(refusal.check)


def _puts_of(part: Part | None) -> tuple[Put, ...]:
    return () if part is None else part.puts


def _bring(
    answer: AuthorizationAnswer,
    asked: CheckedAuthorizationRequest | ReturnAddress,
    parties: Parties,
) -> Redirect | PostMessage:
    """Return how the browser brings an answer to an OpenID Connect relying party."""
    if not answer.posted:
        return Redirect(answer.url)
    return PostMessage(
        answer.redirect_uri,
        answer.parameters,
        destination_name=parties.supplier.display_name,
        may_be_framed=asked.passive,
    )
