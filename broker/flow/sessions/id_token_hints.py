"""Whom a supplier's request is about, by the ID token that it shows."""

from msgspec.structs import replace

from broker.flow.held_state.records import SupplierRequest
from broker.oidc_op.id_token_hint import HintRefused, read_id_token_hint
from broker.oidc_op.jwks import TokenKeys
from broker.oidc_op.request import CheckedAuthorizationRequest
from broker.oidc_op.request_checks import ParameterRefused


class IdTokenHints:
    """Reads hints with our own public keys."""

    def __init__(self, *, issuer: str, keys: TokenKeys) -> None:
        self._issuer = issuer
        self._keys = keys

    def read(self, request: SupplierRequest) -> SupplierRequest:
        """Return the request with the one subject that its hint names.

        Raises:
            ParameterRefused: the hint is no ID token of ours for this client.
        """
        if not isinstance(request, CheckedAuthorizationRequest) or request.id_token_hint is None:
            return request
        try:
            hint = read_id_token_hint(
                request.id_token_hint,
                keys=self._keys,
                issuer=self._issuer,
                client_id=request.client_id,
            )
        except HintRefused:
            raise ParameterRefused("check_id_token_hint_ours", subject="id_token_hint") from None
        others = request.expected_subs
        expected = (hint.subject,) if others is None or hint.subject in others else ()
        return replace(request, expected_subs=expected)
