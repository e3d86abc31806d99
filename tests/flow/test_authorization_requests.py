"""From received parameters to a checked request: where it stands, and where a refusal goes."""

import pytest

from broker.domain.refusals import Refusal
from broker.flow.authorization_requests import RefusedRequest
from broker.oidc_op.clients import ClientUnknown
from broker.oidc_op.request import CheckedAuthorizationRequest
from broker.oidc_op.request_checks import RedirectUriNotRegistered, ScopeRefused
from tests import builders_oidc as oidc
from tests.flow.login_world import LoginWorld


class TestPlain:
    async def test_is_checked(self, world: LoginWorld) -> None:
        asked = await world.authorization.read(oidc.an_authorization_request())
        assert isinstance(asked, CheckedAuthorizationRequest)
        assert (asked.client_id, asked.pushed, asked.object_id) == (oidc.CLIENT_ID, "", "")

    async def test_what_the_supplier_must_learn_comes_with_its_address(
        self, world: LoginWorld
    ) -> None:
        asked = await world.authorization.read(oidc.an_authorization_request(scope="profile"))
        assert isinstance(asked, RefusedRequest)
        assert isinstance(asked.refusal, ScopeRefused)
        assert asked.address.redirect_uri == oidc.REDIRECT_URI

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"client_id": "nobody"}, ClientUnknown),
            ({"redirect_uri": "https://evil.example/"}, RedirectUriNotRegistered),
        ],
    )
    async def test_without_a_proven_address_it_is_our_page(
        self, world: LoginWorld, changes: dict[str, str], refusal: type[Refusal]
    ) -> None:
        with pytest.raises(refusal):
            await world.authorization.read(oidc.an_authorization_request(**changes))
