"""Keys roll over under running logins: a school's signing key, and our own decryption key.

Three browsers are at school at each moment of change, and come back after it; nobody fails.
"""

from collections.abc import Sequence
from dataclasses import replace as with_fields
from typing import Any

import pytest
from msgspec.structs import replace

from broker.flow.federation.logins import with_built_in_names
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element, serialize
from broker.saml_xml.own_metadata import build_entity_descriptor, build_key_descriptors
from broker.saml_xml.refusals import DecryptionRefused, SignatureRefused
from tests.builders_encrypted import encrypt_in_place
from tests.builders_saml import (
    BROKER_ENCRYPTION,
    NOW,
    SCHOOL_ENTITY,
    SCHOOL_KEY,
    SCHOOL_SSO,
)
from tests.flow.federation_builders import a_saml_login
from tests.flow.login_answers import AtSchool, Browser, refused
from tests.flow.login_parties import SAML_IDP
from tests.flow.login_world import LoginWorld
from tests.flow.test_federation_schools import compiled_login
from tests.saml_xml.corpus.keys import PartyKey, rsa_key

NEXT_KEY = rsa_key("school, next")
OUR_NEXT_KEY = rsa_key("broker encryption, next")
AT_ONCE = 3


def apply_keys(world: LoginWorld, *keys: PartyKey) -> None:
    """Put the school's metadata with these signing keys in force, as `broker apply` does."""
    role = build_element(
        f"{{{n.MD}}}IDPSSODescriptor",
        {"protocolSupportEnumeration": n.SAMLP},
        *build_key_descriptors([each.certificate for each in keys], use="signing"),
        build_element(
            f"{{{n.MD}}}SingleSignOnService",
            {"Binding": n.BINDING_REDIRECT, "Location": SCHOOL_SSO},
        ),
    )
    entity = build_entity_descriptor(SCHOOL_ENTITY, role, document_id="_md", valid_until=NOW)
    compiled = compiled_login(
        a_saml_login(
            entity_id=SCHOOL_ENTITY,
            metadata=serialize(entity).decode(),
            scopes=["vuurvogel.example"],
        )
    )
    (whole,) = with_built_in_names([compiled])
    world.put(SAML_IDP, replace(whole, id=SAML_IDP))


def use_keys(world: LoginWorld, *keys: PartyKey) -> None:
    """Let a worker with these decryption keys take over, over the same stores."""
    world.keys = with_fields(world.keys, saml_decryption=tuple(each.decryption for each in keys))
    world.use(world.make_worker(world.store))


class Class:
    """Pupils who are at school while something changes."""

    def __init__(self, world: LoginWorld) -> None:
        self._world = world
        self._away: list[tuple[Browser, AtSchool]] = []
        self.subjects: list[str] = []

    async def leave(self) -> None:
        for _ in range(AT_ONCE):
            browser = Browser()
            self._away.append((browser, await self._world.go_to_school(browser)))

    async def return_with(self, answers: Sequence[dict[str, Any]]) -> None:
        """Come back, with each kind of answer in turn."""
        away, self._away = self._away, []
        for index, (browser, at_school) in enumerate(away):
            changes = answers[index % len(answers)]
            answer = await self._world.come_back(browser, at_school, **changes)
            self.subjects.append((await self._world.receive(answer)).subject)


async def test_a_school_s_signing_key_rolls_over_without_one_failure(world: LoginWorld) -> None:
    pupils, old, new = Class(world), {"key": SCHOOL_KEY}, {"key": NEXT_KEY}
    apply_keys(world, SCHOOL_KEY)
    for keys, signed_by in (
        ((SCHOOL_KEY, NEXT_KEY), [old]),  # published, and not used yet
        ((SCHOOL_KEY, NEXT_KEY), [old, new]),  # its machines change one by one
        ((NEXT_KEY, SCHOOL_KEY), [new, old]),  # the order says nothing
        ((NEXT_KEY,), [new]),
        ((NEXT_KEY,), [new]),
    ):
        await pupils.leave()
        apply_keys(world, *keys)
        await pupils.return_with(signed_by)
    assert len(pupils.subjects) == 5 * AT_ONCE
    assert len(set(pupils.subjects)) == 1
    assert "" not in pupils.subjects
    assert not [each for each in world.audit.events if each.action == "refused"]


@pytest.mark.parametrize(
    ("registered", "signed_by"), [(SCHOOL_KEY, NEXT_KEY), (NEXT_KEY, SCHOOL_KEY)]
)
async def test_only_a_key_that_stands_in_the_metadata_counts(
    world: LoginWorld, browser: Browser, registered: PartyKey, signed_by: PartyKey
) -> None:
    apply_keys(world, registered)
    page = refused(await world.arrive(browser, key=signed_by))
    assert isinstance(page.refusal, SignatureRefused)
    assert (await world.log_in(key=registered)).subject


def encrypted_to(key: PartyKey) -> dict[str, Any]:
    def edit(response: Element) -> None:
        encrypt_in_place(response[-1], "EncryptedAssertion", to=key)

    return {"edit_response": edit}


async def test_our_own_decryption_key_rolls_over_without_one_failure(world: LoginWorld) -> None:
    pupils, old, new = Class(world), encrypted_to(BROKER_ENCRYPTION), encrypted_to(OUR_NEXT_KEY)
    for keys, encrypted_by in (
        ((BROKER_ENCRYPTION, OUR_NEXT_KEY), [old]),  # every worker knows it first
        ((OUR_NEXT_KEY, BROKER_ENCRYPTION), [old, new]),  # schools read our metadata one by one
        ((OUR_NEXT_KEY,), [new]),
    ):
        await pupils.leave()
        use_keys(world, *keys)
        await pupils.return_with(encrypted_by)
    assert len(pupils.subjects) == 3 * AT_ONCE
    assert len(set(pupils.subjects)) == 1
    assert "" not in pupils.subjects


async def test_a_key_of_ours_that_is_gone_opens_nothing(
    world: LoginWorld, browser: Browser
) -> None:
    use_keys(world, OUR_NEXT_KEY)
    page = refused(await world.arrive(browser, **encrypted_to(BROKER_ENCRYPTION)))
    assert isinstance(page.refusal, DecryptionRefused)
    assert (await world.log_in(**encrypted_to(OUR_NEXT_KEY))).subject
