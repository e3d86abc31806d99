"""A supplier's keys roll over under running logins: those of a SAML system and of a client.

Pupils wait wherever a login can wait while a key is published, used alone and taken away, and then
go on; nobody fails.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import pytest

from broker.domain.documents import Kind
from broker.domain.relying_parties import SamlServiceProvider
from broker.flow.answers import ChooseSchool, PostMessage
from broker.jose.keys import SigningKey, key_set_of
from broker.jose.tokens import verify_token
from broker.oidc_op.client_refusals import ClientNotAuthenticated
from broker.saml_idp.request import CheckedAuthnRequest, check_authn_request
from broker.saml_xml.bindings import decode_post
from broker.saml_xml.instants import format_instant
from broker.saml_xml.refusals import DecryptionRefused, SignatureRefused
from tests import builders_oidc as oidc
from tests import builders_saml as saml
from tests.builders_saml import SUPPLIER_ENCRYPTION, SUPPLIER_ENTITY, SUPPLIER_KEY
from tests.builders_saml_metadata import a_key, an_idp, an_sp
from tests.flow import pushing
from tests.flow.federation_builders import (
    MemoryFederation,
    a_client,
    a_service_provider,
    a_supplier,
    apply,
    stated,
    without,
)
from tests.flow.login_answers import AtSchool, Browser, read_at_school, read_redirect, welcomed
from tests.flow.login_parties import REKENRIJK, TAALTUIN, with_party
from tests.flow.login_world import SANNE, LoginWorld
from tests.flow.sourced_federation import SUPPLIER, Sourced, documents
from tests.saml_xml.corpus.keys import PartyKey, rsa_key

SIGNED_REQUESTS = 'AuthnRequestsSigned="true"'
JWKS_URI = "https://rekenrijk.example/keys"
WAITS = ("chooser", "school", "page")
"""Where a login waits for a person."""

BINDINGS: tuple[Callable[..., Any], ...] = (saml.as_query, saml.as_form)


@dataclass(frozen=True)
class Keys:
    """What a service provider signs by, and to what is encrypted for it."""

    signing: PartyKey
    encryption: PartyKey


OLD, NEW = (
    Keys(SUPPLIER_KEY, SUPPLIER_ENCRYPTION),
    Keys(rsa_key("supplier, next"), rsa_key("supplier encryption, next")),
)

Publish = Callable[[str], SamlServiceProvider]
"""Puts metadata in force, and returns what was registered of them."""


def metadata_of(*keys: Keys) -> str:
    described = (
        *(a_key(each.signing.certificate) for each in keys),
        *(a_key(each.encryption.certificate, use="encryption") for each in keys),
    )
    return an_sp(keys=described, attributes=SIGNED_REQUESTS)


def by_apply() -> Publish:
    """Publish by a file beside the document, and `broker apply`."""
    store = MemoryFederation()

    def publish(metadata: str) -> SamlServiceProvider:
        party = a_service_provider(
            entity_id=SUPPLIER_ENTITY, metadata=metadata, encrypt_assertions=True
        )
        apply([stated(Kind.SUPPLIER, a_supplier(party))], store)
        return provider_in(store)

    return publish


def by_refresh() -> Publish:
    """Publish at a source of metadata that is asked anew."""
    sourced = Sourced()

    def publish(metadata: str) -> SamlServiceProvider:
        sourced.publish(an_idp(), metadata)
        if sourced.store.versions:
            sourced.refresh()
        else:
            sourced.apply(documents(party={"encrypt_assertions": True}))
        return provider_in(sourced.store)

    return publish


def provider_in(store: MemoryFederation) -> SamlServiceProvider:
    protocol = store.records[SUPPLIER].relying_parties[0].protocol
    assert isinstance(protocol, SamlServiceProvider)
    return protocol


class Taaltuin:
    """A service provider that signs what it asks and opens what it gets, by the keys it has now."""

    def __init__(self, world: LoginWorld, publish: Publish) -> None:
        self._world, self._publish = world, publish
        self._bindings = cycle(BINDINGS)
        self._away: list[tuple[Browser, str, Any]] = []
        self.subjects: list[str] = []
        world.change("vuurvogel", shared_devices=True)  # so that a page stands before the release

    def publish(self, *keys: Keys) -> None:
        """Put its metadata with these keys in force."""
        provider = self._publish(metadata_of(*keys))
        assert provider.require_signed_requests
        signing = tuple(each.signing.certificate for each in keys)
        assert provider.signing_certificates == signing
        changed = with_party(self._world.records["taaltuin"], TAALTUIN, protocol=provider)
        self._world.put("taaltuin", changed)

    def ask(self, signed_by: Keys) -> CheckedAuthnRequest:
        request = saml.an_authn_request(IssueInstant=format_instant(self._world.now))
        return check_authn_request(
            next(self._bindings)(request, key=signed_by.signing),
            registry=self._world.snapshots.registry,
            xml=saml.XML,
            sso_url=saml.BROKER_SSO,
            now=self._world.now,
        )

    async def leave(self, signed_by: Sequence[Keys]) -> None:
        """Let a pupil go as far as each place, by a request that each of these keys signed."""
        for keys in signed_by:
            for place in WAITS:
                browser = Browser()
                begun = await self._world.flow.begin(self.ask(keys), wish=browser.wish)
                waits: Any = browser.follow(begun)
                assert isinstance(waits, ChooseSchool), waits
                for reached in WAITS[1 : WAITS.index(place) + 1]:
                    waits = await self._go_on(browser, reached, waits)
                self._away.append((browser, place, waits))

    async def _go_on(self, browser: Browser, place: str, waits: Any) -> Any:
        if place == "school":
            return read_at_school(await self._world.choose(browser, waits.login, "vuurvogel"))
        if place == "page":
            return welcomed(await self._world.come_back(browser, waits, SANNE))
        return await self._world.press(browser, "go_on", waits.login)

    async def return_all(self, opened_by: Sequence[Keys]) -> None:
        """Let everybody go on from where they wait, and read what comes by these keys alone."""
        away, self._away = self._away, []
        for browser, place, waits in away:
            answer = waits
            for reached in (*WAITS[WAITS.index(place) + 1 :], "answer"):
                answer = await self._go_on(browser, reached, answer)
            self.subjects.append(read_sealed(answer, opened_by))


def read_sealed(answer: Any, opened_by: Sequence[Keys]) -> str:
    """Return the subject, as a service provider with these keys alone finds it."""
    assert isinstance(answer, PostMessage), answer
    root = saml.XML.parse(decode_post(dict(answer.fields)["SAMLResponse"])).root
    ours = [saml.BROKER_KEY.verification]
    response = saml.XML.verify(root, keys=ours)
    (sealed,) = response.root.iter(saml.saml("EncryptedAssertion"))
    keys = [each.encryption.decryption for each in opened_by]
    opened = saml.XML.decrypt_signed(response, sealed, keys=keys).root
    return next(saml.XML.verify(opened, keys=ours).root.iter(saml.saml("NameID"))).text or ""


EVERY_PUBLISHER = pytest.mark.parametrize("publisher", [by_apply, by_refresh])


@EVERY_PUBLISHER
async def test_a_saml_supplier_s_keys_roll_over_without_one_failure(
    world: LoginWorld, publisher: Callable[[], Publish]
) -> None:
    taaltuin = Taaltuin(world, publisher())
    taaltuin.publish(OLD)
    for signed_by, then_published, opened_by in (
        ([OLD], [OLD, NEW], [OLD, NEW]),  # whoever publishes a key holds it
        ([OLD, NEW], [NEW, OLD], [OLD, NEW]),  # its machines change one by one
        ([NEW], [NEW, OLD], [NEW]),  # the new alone, both published still
        ([NEW], [NEW], [NEW]),
        ([NEW], [NEW], [NEW]),
    ):
        await taaltuin.leave(signed_by)
        taaltuin.publish(*then_published)
        await taaltuin.return_all(opened_by)
    assert len(taaltuin.subjects) == 6 * len(WAITS)
    assert len(set(taaltuin.subjects)) == 1
    assert "" not in taaltuin.subjects
    assert not [each for each in world.audit.events if each.action == "refused"]


@EVERY_PUBLISHER
async def test_answers_are_encrypted_to_the_first_key_that_is_published(
    world: LoginWorld, publisher: Callable[[], Publish]
) -> None:
    """So a supplier that can hold one key alone lists that one first."""
    taaltuin = Taaltuin(world, publisher())
    for published, opens, does_not in (([OLD, NEW], OLD, NEW), ([NEW, OLD], NEW, OLD)):
        taaltuin.publish(*published)
        for keys in (does_not, opens):
            await taaltuin.leave([OLD])
            if keys == opens:
                await taaltuin.return_all([keys])
            else:
                with pytest.raises(DecryptionRefused):
                    await taaltuin.return_all([keys])
    assert len(taaltuin.subjects) == 2 * len(WAITS)


@pytest.mark.parametrize(("published", "taken_away"), [(OLD, NEW), (NEW, OLD)])
async def test_only_a_key_that_its_metadata_name_signs_a_request(
    world: LoginWorld, published: Keys, taken_away: Keys
) -> None:
    taaltuin = Taaltuin(world, by_apply())
    taaltuin.publish(published)
    for _ in BINDINGS:
        with pytest.raises(SignatureRefused):
            taaltuin.ask(taken_away)
    await taaltuin.leave([published])
    await taaltuin.return_all([published])
    assert len(taaltuin.subjects) == len(WAITS)


class Rekenrijk:
    """A client that signs its requests and its calls, by the key it has now."""

    def __init__(self, world: LoginWorld, *, at_address: bool) -> None:
        self._world, self._at_address = world, at_address
        self._store = MemoryFederation()
        self._away: list[tuple[Browser, AtSchool]] = []
        self._codes: list[str] = []
        self.subjects: list[str] = []

    def publish(self, *keys: SigningKey) -> None:
        """Publish at its address, or in its document and by `broker apply`."""
        jwks, client_keys = oidc.jwks_of(*keys), self._world.client_keys
        client_keys.published = [*client_keys.published[:1], jwks]  # as last asked; as it is now
        where = {"jwks_uri": JWKS_URI} if self._at_address else {"jwks": json.loads(jwks)}
        party = without(
            a_client(client_id=oidc.CLIENT_ID, redirect_uris=[oidc.REDIRECT_URI]), "jwks"
        )
        apply([stated(Kind.SUPPLIER, a_supplier(party | where))], self._store)
        protocol = self._store.records[SUPPLIER].relying_parties[0].protocol
        changed = with_party(self._world.records["rekenrijk"], REKENRIJK, protocol=protocol)
        self._world.put("rekenrijk", changed)

    async def leave(self, signed_by: Sequence[SigningKey]) -> None:
        """Let pupils go as far as their school, and as far as a code that nobody redeemed yet."""
        for key in signed_by:
            for returns in (False, True):
                signed = pushing.by_value(pushing.an_object(self._world, key=key))
                away = await pushing.arrive_with(self._world, signed)
                if returns:
                    await self._return(away)
                else:
                    self._away.append(away)

    async def _return(self, away: tuple[Browser, AtSchool]) -> None:
        answer = await pushing.finish(self._world, away)
        self._codes.append(read_redirect(answer).code)

    async def return_all(self, signed_by: Sequence[SigningKey]) -> None:
        """Bring everybody back, and redeem every code at once, by each key in turn."""
        away, self._away = self._away, []
        for each in away:
            await self._return(each)
        codes, self._codes = self._codes, []
        tokens = await asyncio.gather(
            *(
                self._world.redeem(code, REKENRIJK, key=key)
                for code, key in zip(codes, cycle(signed_by), strict=False)
            )
        )
        ours = key_set_of([oidc.BROKER_KEY])
        for token in tokens:
            verified = verify_token(token.id_token, keys=ours, algorithms=("ES256",))
            self.subjects.append(str(verified.claims["sub"]))


@pytest.mark.parametrize("at_address", [False, True])
async def test_an_openid_connect_supplier_s_key_rolls_over_without_one_failure(
    world: LoginWorld, at_address: bool
) -> None:
    old, new = oidc.CLIENT_KEY, oidc.make_key()
    rekenrijk = Rekenrijk(world, at_address=at_address)
    rekenrijk.publish(old)
    for signed_by, then_published, redeemed_by in (
        ([old], [old, new], [old]),
        ([old], [old, new], [old, new]),  # its machines change one by one
        ([new, old], [new, old], [new, old]),
        ([new], [new], [new]),
        ([new], [new], [new]),
    ):
        await rekenrijk.leave(signed_by)
        rekenrijk.publish(*then_published)
        await rekenrijk.return_all(redeemed_by)
    assert len(rekenrijk.subjects) == 6 * 2
    assert len(set(rekenrijk.subjects)) == 1
    assert not [each for each in world.audit.events if each.action == "refused"]


@pytest.mark.parametrize("at_address", [False, True])
async def test_a_client_key_that_was_taken_away_redeems_nothing(
    world: LoginWorld, at_address: bool
) -> None:
    old, new = oidc.CLIENT_KEY, oidc.make_key()
    rekenrijk = Rekenrijk(world, at_address=at_address)
    rekenrijk.publish(new)
    await rekenrijk.leave([new])
    with pytest.raises(ClientNotAuthenticated):
        await rekenrijk.return_all([old])
    await rekenrijk.leave([new])
    await rekenrijk.return_all([new])
    assert len(rekenrijk.subjects) == 2
