"""The school's half of a login: send the pupil there, and read what comes back.

SAML and OpenID Connect schools differ here and nowhere else: both give a `SchoolAnswer`. The
supplier's name, hints and client never travel to the school.
"""

from collections.abc import Sequence

from broker.domain.federation import OidcIdpEndpoints, School, SchoolIdp
from broker.flow.answers import PostMessage, Redirect
from broker.flow.at_school import Asked, AtSchool, SchoolAddresses, SchoolAnswer, Sent
from broker.flow.held_state.records import ChoosingLogin, PendingLogin, SupplierRequest
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.oidc_schools import OidcSchools
from broker.flow.ports import Clock, FlowKeys, Random, SchoolCalls
from broker.flow.saml_schools import SamlSchools
from broker.oidc_op.request import CheckedAuthorizationRequest
from broker.saml_xml.security import XmlSecurity


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
        self._saml = SamlSchools(
            addresses=addresses, state=state, keys=keys, xml=xml, clock=clock, random=random
        )
        self._oidc = OidcSchools(
            addresses=addresses, calls=calls, keys=keys, clock=clock, random=random
        )

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
        school: School | None,
        idp: SchoolIdp,
        state: str,
        ask_again: bool,
        other_account: bool,
    ) -> tuple[Sent, Redirect | PostMessage]:
        """Return how the browser goes to the school's login, and what its answer must fit.

        Args:
            school: None for the login of a supplier or the federation.

        Raises: as `send`.
        """
        endpoints = idp.endpoints
        if isinstance(endpoints, OidcIdpEndpoints):
            return self._oidc.send(
                request,
                endpoints,
                school=school,
                idp=idp,
                state=state,
                ask_again=ask_again,
                other_account=other_account,
            )
        return self._saml.send(
            request,
            endpoints,
            school=school,
            idp=idp,
            state=state,
            other_account=other_account,
        )

    def read_saml(
        self, pending: AtSchool, idp: SchoolIdp, *, form: Sequence[tuple[str, str]]
    ) -> SchoolAnswer:
        """Return what a posted SAML response states, after every check.

        Raises:
            Refusal: of `saml_sp`.
        """
        return self._saml.read(pending, idp, form=form)

    async def read_oidc(
        self, pending: AtSchool, idp: SchoolIdp, *, parameters: Sequence[tuple[str, str]]
    ) -> SchoolAnswer:
        """Return what a school's OpenID Provider states, after every check.

        Raises:
            SchoolUnreachable: its token endpoint, userinfo or keys did not answer.
            Refusal: of `oidc_rp`.
        """
        return await self._oidc.read(pending, idp, parameters=parameters)


def wants_other_account(request: SupplierRequest) -> bool:
    """Tell whether the supplier asks for a choice of accounts (`prompt=select_account`)."""
    return isinstance(request, CheckedAuthorizationRequest) and request.choose_school_again
