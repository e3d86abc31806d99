"""From the parameters of a supplier's authorization request to a request that passed every check.

What a supplier sends may stand in the query or form as it is, or elsewhere; this file finds it, and
everything after it sees one checked request. A refusal that the supplier must learn comes back with
the address where an answer may go; any other is raised and becomes a page of ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from broker.domain.refusals import Refusal
from broker.flow.ports import Snapshots
from broker.oidc_op.received import AuthorizationRequest, parse_authorization_request
from broker.oidc_op.request import (
    CheckedAuthorizationRequest,
    ReturnAddress,
    check_authorization_request,
    prove_return_address,
)


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A request that failed a check after its return address was proven."""

    refusal: Refusal
    address: ReturnAddress


class AuthorizationRequests:
    """Finds and checks what suppliers ask, over its ports. Keeps nothing between calls."""

    def __init__(self, *, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    async def read(
        self, parameters: Sequence[tuple[str, str]]
    ) -> CheckedAuthorizationRequest | RefusedRequest:
        """Return what the query of a GET or the form of a POST asks, checked.

        Raises:
            Refusal: one that may not go to the supplier.
        """
        received = parse_authorization_request(parameters)
        try:
            return self._check(received)
        except Refusal as refusal:
            if not refusal.may_redirect:
                raise
            registry = self._snapshots.registry
            return RefusedRequest(refusal, prove_return_address(received, registry=registry))

    def _check(self, request: AuthorizationRequest) -> CheckedAuthorizationRequest:
        return check_authorization_request(request, registry=self._snapshots.registry)
