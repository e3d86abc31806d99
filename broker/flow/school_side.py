"""The school's half of a login: send the pupil there, and read what comes back.

SAML and OpenID Connect schools differ here and nowhere else: both give a `SchoolAnswer`. The
supplier's name, hints and client never travel to the school.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from broker.domain.federation import OidcIdpEndpoints, School, SchoolIdp
from broker.domain.identity import VerifiedLogin
from broker.flow.answers import PostMessage, Redirect
from broker.flow.at_school import Asked, AtSchool, Sent
from broker.flow.held_state.login_store import Claim
from broker.flow.held_state.records import ChoosingLogin, PendingLogin, SupplierRequest
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import Clock, FlowKeys, Random, SchoolCalls, SchoolUnanswered
from broker.flow.refusals import SchoolNotOpen, SchoolUnreachable
from broker.jose.keys import KeySet, KeySetUnusable, parse_key_set
from broker.oidc_op.jwks import choose_signing_key
from broker.oidc_op.request import CheckedAuthorizationRequest
from broker.oidc_op.token import derive_code_challenge
from broker.oidc_rp.callback import check_callback
from broker.oidc_rp.id_token import VerifiedIdToken, check_token_response
from broker.oidc_rp.login import find_unreadable_claims, to_verified_login
from broker.oidc_rp.refusals import UnknownKey
from broker.oidc_rp.request import (
    build_authorization_request,
    build_token_request,
)
from broker.oidc_rp.userinfo import VerifiedUserinfo, check_userinfo
from broker.saml_sp.login import ExpectedResponse
from broker.saml_sp.request import build_authn_request
from broker.saml_sp.response import read_response
from broker.saml_xml.forms import PostForm
from broker.saml_xml.security import XmlSecurity

ASSERTION_ID = "assertion-id"
"""Kind of one-shot value: the ID of a school's assertion."""

VERIFIER_BYTES = 32  # 43 characters, RFC 7636 4.1
NONCE_BYTES = 16
ID_BYTES = 20  # 160 bits: SAML core 1.3.4 asks for 128 to 160


@dataclass(frozen=True, slots=True)
class SchoolAnswer:
    """What a school stated, verified.

    Attributes:
        unreadable: names of what it stated in a form that no attribute has; counted like unknown.
        claims: one-shot values that must be used up with the next write.
    """

    login: VerifiedLogin
    claims: tuple[Claim, ...] = field(default=(), repr=False)
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SchoolAddresses:
    """Where schools find us: our names and the places of our own that receive their answers."""

    saml_entity_id: str
    acs_url: str
    redirect_uri: str


class SchoolSide:
    """Sends pupils to schools and reads schools' answers."""

    def __init__(
        self,
        *,
        addresses: SchoolAddresses,
        state: SealedState,
        calls: SchoolCalls,
        keys: FlowKeys,
        xml: XmlSecurity,
        clock: Clock,
        random: Random,
    ) -> None:
        self._addresses = addresses
        self._state = state
        self._calls = calls
        self._keys = keys
        self._xml = xml
        self._clock = clock
        self._random = random

    def send(
        self, login: ChoosingLogin, *, school: School, idp: SchoolIdp, state: str
    ) -> tuple[PendingLogin, Redirect | PostMessage]:
        """Return what to keep and how the browser goes to the school's login.

        Args:
            state: name of the pending login; the only thing of ours that travels.
            ask_again: "that is not me": the school must ask again, with a choice of accounts.

        Raises:
            ReauthenticationUnavailable: the supplier asked for a new login, and the school's
                login cannot do that.
            SchoolLoginRequired: a new login is asked, and no page may be shown.
            ProviderUnreachable: it has no endpoint that we can use.
        """
        request, ask_again = login.request, login.ask_again
        sent, answer = self.dispatch(
            request,
            school=school,
            idp=idp,
            state=state,
            ask_again=ask_again,
            other_account=ask_again or wants_other_account(request),
        )
        pending = PendingLogin(
            login=login.login,
            request=request,
            idp=idp.id,
            school=school.id,
            request_id=sent.request_id,
            nonce=sent.nonce,
            code_verifier=sent.code_verifier,
            sent_at=sent.sent_at,
            force_login=sent.force_login,
            ask_again=ask_again,
            choose_again=login.choose_again,
            confirms_arrival=login.confirms_arrival,
        )
        return pending, answer

    def dispatch(
        self,
        request: Asked,
        *,
        school: School,
        idp: SchoolIdp,
        state: str,
        ask_again: bool,
        other_account: bool,
    ) -> tuple[Sent, Redirect | PostMessage]:
        """Return how the browser goes to the school's login, and what its answer must fit.

        Raises: as `send`.
        """
        endpoints = idp.endpoints
        if isinstance(endpoints, OidcIdpEndpoints):
            # One that cannot ask for a new login can still let the pupil take another account.
            force_login = request.force_login or (ask_again and endpoints.can_reauthenticate)
            pending = Sent(
                request_id=state,
                nonce=self._make_text(NONCE_BYTES),
                code_verifier=self._make_text(VERIFIER_BYTES),
                sent_at=self._clock(),
                force_login=force_login,
            )
            url = build_authorization_request(
                endpoints,
                redirect_uri=self._addresses.redirect_uri,
                state=state,
                nonce=pending.nonce,
                code_challenge=derive_code_challenge(pending.code_verifier),
                force_login=force_login,
                choose_account=other_account,
                max_age_seconds=request.max_age_seconds,
                passive=request.passive,
            )
            return pending, Redirect(url)
        pending = Sent(
            request_id=self._make_id(),
            sent_at=self._clock(),
            # SAML knows neither a choice of accounts nor a maximum age: each means a new login.
            force_login=(
                request.force_login or other_account or request.max_age_seconds is not None
            ),
        )
        message = build_authn_request(
            endpoints,
            request_id=pending.request_id,
            entity_id=self._addresses.saml_entity_id,
            acs_url=self._addresses.acs_url,
            relay_state=state,
            now=pending.sent_at,
            force_authn=pending.force_login,
            is_passive=request.passive,
            school_hint=school.brin if len(idp.schools) > 1 else None,
            signing_key=self._keys.saml_signing,
            xml=self._xml,
        )
        if isinstance(message, PostForm):
            return pending, PostMessage(message.action, message.fields, school.name)
        return pending, Redirect(message.url)

    def read_saml(
        self, pending: AtSchool, idp: SchoolIdp, *, form: Sequence[tuple[str, str]]
    ) -> SchoolAnswer:
        """Return what a posted SAML response states, after every check."""
        now = self._clock()
        login = read_response(
            form,
            xml=self._xml,
            expected=ExpectedResponse(
                idp=idp,
                request_id=pending.request_id,
                acs_url=self._addresses.acs_url,
                entity_id=self._addresses.saml_entity_id,
                force_authn_since=pending.sent_at if pending.force_login else None,
                max_age_seconds=pending.request.max_age_seconds,
            ),
            decryption_keys=self._keys.saml_decryption,
            now=now,
        )
        claims = self._state.claims_for(
            ASSERTION_ID,
            issuer=idp.id,
            value=login.assertion_id,
            ttl_seconds=_seconds_until(login.assertion_not_on_or_after, now=now),
            # It answers our request, so nobody made it before we sent that.
            made_within=now - pending.sent_at,
        )
        return SchoolAnswer(login.login, claims)

    async def read_oidc(
        self,
        pending: AtSchool,
        idp: SchoolIdp,
        *,
        parameters: Sequence[tuple[str, str]],
    ) -> SchoolAnswer:
        """Return what a school's OpenID Provider states, after every check.

        Raises:
            SchoolUnreachable: its token endpoint, userinfo or keys did not answer.
            Refusal: of `oidc_rp`.
        """
        endpoints = idp.endpoints
        if not isinstance(endpoints, OidcIdpEndpoints):
            raise SchoolNotOpen("check_protocol_unchanged")
        code = check_callback(
            parameters,
            endpoints=endpoints,
            expected_state=pending.request_id,
            iss_required=endpoints.states_issuer,
        )
        request = build_token_request(
            endpoints,
            code=code,
            code_verifier=pending.code_verifier,
            redirect_uri=self._addresses.redirect_uri,
            key=choose_signing_key(self._keys.token, algorithm="ES256"),
            client_secret=(
                self._calls.client_secret(idp.id)
                if endpoints.authentication == "client_secret_basic"
                else None  # spares each login a look at the disk
            ),
            now=self._clock(),
            jti=self._make_id(),
        )
        try:
            body = await self._calls.post_form(
                request.url, headers=request.headers, form=request.form
            )
            id_token = await self._check_token(body, endpoints=endpoints, pending=pending)
            userinfo = await self._ask_userinfo(endpoints, id_token)
        except SchoolUnanswered:
            raise SchoolUnreachable("check_school_answers") from None
        return SchoolAnswer(
            to_verified_login(idp, id_token, userinfo),
            unreadable=find_unreadable_claims(id_token, userinfo),
        )

    async def _check_token(
        self, body: bytes, *, endpoints: OidcIdpEndpoints, pending: AtSchool
    ) -> VerifiedIdToken:
        """Check the token response; a key that is not known yet is fetched once."""

        def check(keys: KeySet) -> VerifiedIdToken:
            return check_token_response(
                body,
                endpoints=endpoints,
                keys=keys,
                expected_nonce=pending.nonce,
                now=self._clock(),
                max_age_seconds=pending.request.max_age_seconds,
                login_forced_at=pending.sent_at if pending.force_login else None,
            )

        try:
            return check(await self._fetch_keys(endpoints, refresh=False))
        except UnknownKey:
            return check(await self._fetch_keys(endpoints, refresh=True))

    async def _fetch_keys(self, endpoints: OidcIdpEndpoints, *, refresh: bool) -> KeySet:
        jwks = endpoints.jwks or await self._calls.fetch_keys(endpoints, refresh=refresh)
        try:
            return parse_key_set(jwks)
        except KeySetUnusable:
            raise SchoolUnreachable("check_school_keys_usable") from None

    async def _ask_userinfo(
        self, endpoints: OidcIdpEndpoints, id_token: VerifiedIdToken
    ) -> VerifiedUserinfo | None:
        if endpoints.userinfo_endpoint is None:
            return None
        body = await self._calls.get(
            endpoints.userinfo_endpoint,
            headers={"Authorization": f"Bearer {id_token.access_token}"},
        )
        return check_userinfo(body, id_token=id_token)

    def _make_id(self) -> str:
        """Return a random NCName; an id of XML may not begin with a digit."""
        return "_" + self._make_text(ID_BYTES)

    def _make_text(self, count: int) -> str:
        return urlsafe_b64encode(self._random(count)).rstrip(b"=").decode()


def wants_other_account(request: SupplierRequest) -> bool:
    """Tell whether the supplier asks for a choice of accounts (`prompt=select_account`)."""
    return isinstance(request, CheckedAuthorizationRequest) and request.choose_school_again


def _seconds_until(end: datetime, *, now: datetime) -> int:
    """Return whole seconds, rounded up, at least one: a claim must outlast what it guards."""
    return max(1, int((end - now).total_seconds()) + 1)
