"""From received parameters to a checked request: where it stands, and where a refusal goes."""

from typing import Any

import pytest

from broker.domain.refusals import Refusal
from broker.flow.authorization_requests import RefusedRequest
from broker.flow.refusals import StoreUnavailable
from broker.oidc_op.clients import ClientUnknown
from broker.oidc_op.pushed import RequestUriInvalid
from broker.oidc_op.request import CheckedAuthorizationRequest
from broker.oidc_op.request_checks import (
    RedirectUriNotRegistered,
    RequestObjectRefused,
    RequestUriRefused,
    ScopeRefused,
)
from broker.oidc_op.request_objects import RequestObjectInvalid
from tests import builders_oidc as oidc
from tests.flow import pushing
from tests.flow.login_answers import read_redirect
from tests.flow.login_world import LoginWorld

OBJECT_AT = "https://rekenrijk.example/object.jwt"
NEW_KEY = oidc.make_key()
JWKS_URI = "https://rekenrijk.example/keys"


async def accepted(world: LoginWorld, parameters: Any) -> CheckedAuthorizationRequest:
    asked = await pushing.read(world, parameters)
    assert isinstance(asked, CheckedAuthorizationRequest), asked
    return asked


async def refuses(world: LoginWorld, parameters: Any, refusal: type[Refusal], check: str) -> Any:
    """Tell that the supplier learns of a refusal at its proven address."""
    asked = await pushing.read(world, parameters)
    assert isinstance(asked, RefusedRequest), asked
    assert (type(asked.refusal), asked.refusal.check) == (refusal, check)
    assert asked.address.redirect_uri == oidc.REDIRECT_URI
    return asked


class TestPlain:
    async def test_is_checked(self, world: LoginWorld) -> None:
        asked = await accepted(world, oidc.an_authorization_request())
        assert (asked.client_id, asked.pushed, asked.object_id) == (oidc.CLIENT_ID, "", "")

    async def test_what_the_supplier_must_learn_comes_with_its_address(
        self, world: LoginWorld
    ) -> None:
        asked = oidc.an_authorization_request(scope="profile")
        await refuses(world, asked, ScopeRefused, "check_scope_has_openid")

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
            await pushing.read(world, oidc.an_authorization_request(**changes))


class TestByValue:
    async def test_the_object_is_the_request(self, world: LoginWorld) -> None:
        token = pushing.an_object(world, prompt="login", jti="o-1")
        asked = await accepted(world, pushing.by_value(token, state="evil", prompt="none"))
        assert asked.state == pushing.SUPPLIER_STATE
        assert (asked.force_login, asked.passive, asked.object_id) == (True, False, "o-1")

    async def test_what_is_wrong_inside_goes_to_the_address_inside(self, world: LoginWorld) -> None:
        token = pushing.an_object(world, scope="profile")
        asked = await refuses(
            world,
            pushing.by_value(token, redirect_uri="https://evil.example/"),
            ScopeRefused,
            "check_scope_has_openid",
        )
        assert asked.address.state == pushing.SUPPLIER_STATE

    async def test_an_address_inside_must_be_registered_too(self, world: LoginWorld) -> None:
        token = pushing.an_object(world, redirect_uri="https://evil.example/")
        with pytest.raises(RedirectUriNotRegistered):
            await pushing.read(world, pushing.by_value(token, redirect_uri=oidc.REDIRECT_URI))

    async def test_a_broken_object_is_told_where_that_is_proven(self, world: LoginWorld) -> None:
        broken = pushing.an_object(world, key=NEW_KEY)
        outside = pushing.by_value(broken, redirect_uri=oidc.REDIRECT_URI, state="s")
        asked = await refuses(world, outside, RequestObjectInvalid, "check_token_key_known")
        assert asked.address.state == "s"
        for unproven in (None, "https://evil.example/"):
            with pytest.raises(RequestObjectInvalid):
                await pushing.read(world, pushing.by_value(broken, redirect_uri=unproven))

    async def test_both_at_once_are_refused(self, world: LoginWorld) -> None:
        pushing.change_client(world, request_uris=(OBJECT_AT,))
        both = pushing.by_value(
            pushing.an_object(world), request_uri=OBJECT_AT, redirect_uri=oidc.REDIRECT_URI
        )
        await refuses(world, both, RequestObjectInvalid, "check_one_request")
        assert world.places.asked == []

    async def test_response_type_outside_is_the_one_inside(self, world: LoginWorld) -> None:
        token = pushing.an_object(world)
        outside = pushing.by_value(token, response_type="token", redirect_uri=oidc.REDIRECT_URI)
        await refuses(world, outside, RequestObjectInvalid, "check_object_response_type")
        assert await accepted(world, pushing.by_value(token, response_type="code"))

    async def test_a_profile_without_objects(self, world: LoginWorld) -> None:
        pushing.change_client(world, profile="native")
        outside = pushing.by_value(pushing.an_object(world), redirect_uri=oidc.REDIRECT_URI)
        await refuses(world, outside, RequestObjectRefused, "check_objects_allowed")

    async def test_an_unsure_store_is_no_answer(self, world: LoginWorld) -> None:
        asked = pushing.by_value(pushing.an_object(world))
        world.faults.start(fails_at=2)
        with pytest.raises(StoreUnavailable):
            await pushing.read(world, asked)


class TestByReference:
    async def test_the_object_is_fetched_from_its_registered_place(self, world: LoginWorld) -> None:
        pushing.change_client(world, request_uris=(OBJECT_AT,))
        world.places.objects[OBJECT_AT] = pushing.an_object(world, jti="same")
        for _ in range(2):  # it is good for as long as it stands there
            arrived = await pushing.arrive_with(world, pushing.by_reference(OBJECT_AT))
            assert read_redirect(await pushing.finish(world, arrived)).code
        asked = await accepted(world, pushing.by_reference(OBJECT_AT))
        assert (asked.object_id, asked.made_after) == ("", None)

    @pytest.mark.parametrize(
        "other",
        [
            OBJECT_AT + "?a=b", OBJECT_AT + "#a", OBJECT_AT.upper(), "http://169.254.169.254/",
            "https://rekenrijk.example:443/object.jwt", "file:///etc/passwd", "urn:x",
            "urn:ietf:params:oauth:request_uri", "x",
        ],
    )  # fmt: skip
    async def test_no_other_place_is_asked(self, world: LoginWorld, other: str) -> None:
        asked = pushing.by_reference(other, redirect_uri=oidc.REDIRECT_URI)
        check = "check_request_uri_registered"
        await refuses(world, asked, RequestUriRefused, check)
        assert RequestUriRefused.oauth_error == "request_uri_not_supported"
        pushing.change_client(world, request_uris=(OBJECT_AT,))
        await refuses(world, asked, RequestUriInvalid, check)
        assert world.places.asked == []

    async def test_a_place_that_does_not_answer(self, world: LoginWorld) -> None:
        pushing.change_client(world, request_uris=(OBJECT_AT,))
        asked = pushing.by_reference(OBJECT_AT, redirect_uri=oidc.REDIRECT_URI)
        await refuses(world, asked, RequestUriInvalid, "check_request_uri_answers")

    async def test_what_stands_there_is_checked_like_any_object(self, world: LoginWorld) -> None:
        pushing.change_client(world, request_uris=(OBJECT_AT,))
        asked = pushing.by_reference(OBJECT_AT, redirect_uri=oidc.REDIRECT_URI)
        world.places.objects[OBJECT_AT] = pushing.an_object(world, key=NEW_KEY)
        await refuses(world, asked, RequestObjectInvalid, "check_token_key_known")
        world.places.objects[OBJECT_AT] = "<html>"
        await refuses(world, asked, RequestObjectInvalid, "check_token_size")


class TestNewKeys:
    """A client whose keys stand at an address of its own (OIDC Core 10.1.1)."""

    async def test_an_unknown_key_is_asked_for_once(self, world: LoginWorld) -> None:
        pushing.change_client(world, jwks="", jwks_uri=JWKS_URI)
        old, new = oidc.jwks_of(oidc.CLIENT_KEY), oidc.jwks_of(NEW_KEY)
        world.client_keys.published = [old, new]
        asked = pushing.by_value(pushing.an_object(world, key=NEW_KEY))
        assert await accepted(world, asked)
        assert world.client_keys.asked_again == [False, True]

    async def test_one_that_stays_unknown_is_refused(self, world: LoginWorld) -> None:
        pushing.change_client(world, jwks="", jwks_uri=JWKS_URI)
        world.client_keys.published = [oidc.jwks_of(oidc.CLIENT_KEY)]
        asked = pushing.by_value(
            pushing.an_object(world, key=NEW_KEY), redirect_uri=oidc.REDIRECT_URI
        )
        await refuses(world, asked, RequestObjectInvalid, "check_token_key_known")

    async def test_keys_in_the_document_are_all_there_are(self, world: LoginWorld) -> None:
        asked = pushing.by_value(
            pushing.an_object(world, key=NEW_KEY), redirect_uri=oidc.REDIRECT_URI
        )
        await refuses(world, asked, RequestObjectInvalid, "check_token_key_known")
        assert world.client_keys.asked_again == [False]

    async def test_the_same_holds_for_its_assertions(self, world: LoginWorld) -> None:
        pushing.change_client(world, jwks="", jwks_uri=JWKS_URI)
        world.client_keys.published = [oidc.jwks_of(oidc.CLIENT_KEY), oidc.jwks_of(NEW_KEY)]
        assert await pushing.push(world, key=NEW_KEY)


class TestAge:
    """A request whose use may be forgotten leads to no login any more."""

    @pytest.mark.parametrize(("minutes", "told"), [(6, False), (7, True)])
    async def test_an_old_request_gets_no_code(
        self, world: LoginWorld, minutes: int, told: bool
    ) -> None:
        now = int(world.now.timestamp())
        token = pushing.an_object(world, exp=now + 3600)
        world.wait(minutes=55)
        arrived = await pushing.arrive_with(world, pushing.by_value(token))
        world.wait(minutes=minutes)
        found = read_redirect(await pushing.finish(world, arrived))
        assert (found.error == "invalid_request_uri") is told
        assert bool(found.code) is not told
