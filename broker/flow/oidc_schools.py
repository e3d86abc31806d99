"""Logins of schools by OpenID Connect: the request to their provider, and what comes back."""

from collections.abc import Sequence

from broker.domain.federation import OidcIdpEndpoints, School, SchoolIdp
from broker.flow.answers import Redirect
from broker.flow.at_school import (
    Asked,
    AtSchool,
    SchoolAddresses,
    SchoolAnswer,
    Sent,
)
from broker.flow.hints_out import find_hint
from broker.flow.ports import Clock, FlowKeys, Random, SchoolCalls, SchoolUnanswered
from broker.flow.random_texts import make_text, make_xml_id
from broker.flow.refusals import SchoolNotOpen, SchoolUnreachable
from broker.flow.wanted_level import find_level_words
from broker.jose.keys import KeySet, KeySetUnusable, parse_key_set
from broker.oidc_op.jwks import choose_signing_key
from broker.oidc_op.token import derive_code_challenge
from broker.oidc_rp.callback import check_callback
from broker.oidc_rp.id_token import VerifiedIdToken, check_token_response
from broker.oidc_rp.login import find_unreadable_claims, to_verified_login
from broker.oidc_rp.refusals import UnknownKey
from broker.oidc_rp.request import build_authorization_request, build_token_request
from broker.oidc_rp.userinfo import VerifiedUserinfo, check_userinfo

VERIFIER_BYTES = 32  # 43 characters, RFC 7636 4.1
NONCE_BYTES = 16


class OidcSchools:
    """Sends browsers to schools' OpenID Providers and reads their answers. Keeps nothing."""

    def __init__(
        self,
        *,
        addresses: SchoolAddresses,
        calls: SchoolCalls,
        keys: FlowKeys,
        clock: Clock,
        random: Random,
    ) -> None:
        self._addresses = addresses
        self._calls = calls
        self._keys = keys
        self._clock = clock
        self._random = random

    def send(
        self,
        request: Asked,
        endpoints: OidcIdpEndpoints,
        *,
        school: School | None,
        idp: SchoolIdp,
        state: str,
        ask_again: bool,
        other_account: bool,
    ) -> tuple[Sent, Redirect]:
        """Return how the browser goes to a school's provider; see `SchoolSide.dispatch`."""
        # One that cannot ask for a new login can still let the pupil take another account.
        force_login = request.force_login or (ask_again and endpoints.can_reauthenticate)
        sent = Sent(
            request_id=state,
            nonce=make_text(self._random, NONCE_BYTES),
            code_verifier=make_text(self._random, VERIFIER_BYTES),
            sent_at=self._clock(),
            force_login=force_login,
        )
        url = build_authorization_request(
            endpoints,
            redirect_uri=self._addresses.redirect_uri,
            state=state,
            nonce=sent.nonce,
            code_challenge=derive_code_challenge(sent.code_verifier),
            force_login=force_login,
            choose_account=other_account,
            max_age_seconds=request.max_age_seconds,
            passive=request.passive,
            acr_values=find_level_words(request, idp).reaching,
            school_hint=find_hint(school, idp),
        )
        return sent, Redirect(url)

    async def read(
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
            level_asked=bool(find_level_words(pending.request, idp).reaching),
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
            jti=make_xml_id(self._random),
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
