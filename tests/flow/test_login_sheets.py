"""A new version of a sheet under whole logins: what was approved goes on, and what is new waits.

A sheet is published as a supplier's people do; the logins go by what the document compiles to.
"""

import pytest

from broker.domain.attributes import AttributeName, Population
from broker.domain.documents import Kind, SupplierDocument
from broker.domain.release import RequiredAttributeNotApproved
from broker.domain.sheet_documents import AttributeDocument
from broker.domain.sheets import follow_up, with_sheet
from broker.flow.federation.documents import StatedDocument
from broker.flow.federation.suppliers import compile_supplier
from tests.builders_saml import XML
from tests.flow.login_answers import Browser, refused
from tests.flow.login_parties import FIRST_NAME, REKENRIJK, ROLE
from tests.flow.login_world import ELS, NOOR, SANNE, LoginWorld
from tests.flow.sheet_builders import a_sheet, a_supplier_document, an_attribute

CLASS = AttributeName("nlEduPersonUnit")
ASKED_FIRST = (an_attribute(FIRST_NAME), an_attribute(ROLE, required=True))
WITH_CLASS = (*ASKED_FIRST, an_attribute(CLASS, required=True))


class SheetedWorld:
    """RekenRijk and its published sheets, in a world of logins."""

    def __init__(self, world: LoginWorld) -> None:
        self.world = world
        self.document: SupplierDocument = a_supplier_document()
        self.publish(*ASKED_FIRST)
        self.sign(1, FIRST_NAME, ROLE)

    def publish(self, *asked: AttributeDocument) -> None:
        """Put the next version in force, in which all of the first one is asked since ever."""
        document = self.document
        first = document.sheet is None
        after = a_sheet(*asked) if first else follow_up(document, a_sheet(*asked))
        self.document = with_sheet(document, after)
        compiled = compile_supplier(
            self.document, StatedDocument(Kind.SUPPLIER, self.document), epoch="a", xml=XML
        )
        self.world.change(
            "rekenrijk", attributes=compiled.attributes, sheet_version=compiled.sheet_version
        )

    def sign(self, sheet: int, *approved: AttributeName) -> None:
        """Let De Vuurvogel sign what it read on a version of the sheet."""
        self.world.change(
            "vuurvogel/rekenrijk", sheet=sheet, approved=frozenset(approved), version=sheet
        )

    async def lacking(self) -> str:
        """Return for want of what Sanne is refused."""
        answer = await self.world.arrive(Browser(), SANNE)
        refusal = refused(answer).refusal
        assert isinstance(refusal, RequiredAttributeNotApproved)
        return refusal.subject


@pytest.fixture
def sheeted(world: LoginWorld) -> SheetedWorld:
    return SheetedWorld(world)


async def test_a_login_goes_on_without_what_a_later_sheet_requires(sheeted: SheetedWorld) -> None:
    before = await sheeted.world.log_in(REKENRIJK, SANNE)
    sheeted.publish(*WITH_CLASS)
    after = await sheeted.world.log_in(REKENRIJK, SANNE)
    assert after.claims == before.claims
    assert after.subject == before.subject
    assert "given_name" in after.claims
    assert "nleduperson_unit" not in after.claims


async def test_a_school_that_signed_the_later_sheet_and_withholds_it_is_refused(
    sheeted: SheetedWorld,
) -> None:
    sheeted.publish(*WITH_CLASS)
    sheeted.sign(2, FIRST_NAME, ROLE)
    assert await sheeted.lacking() == CLASS
    sheeted.sign(2, FIRST_NAME, ROLE, CLASS)
    found = await sheeted.world.log_in(REKENRIJK, SANNE)
    assert found.claims["nleduperson_unit"] == list(SANNE.attributes[CLASS])


async def test_another_school_of_the_same_supplier_goes_on_meanwhile(
    sheeted: SheetedWorld,
) -> None:
    sheeted.world.change("kompas/rekenrijk", sheet=1)
    sheeted.publish(*WITH_CLASS)
    sheeted.sign(2, FIRST_NAME, ROLE)
    found = await sheeted.world.log_in(REKENRIJK, NOOR)
    assert "given_name" in found.claims


async def test_an_optional_attribute_that_becomes_required_waits_too(
    sheeted: SheetedWorld,
) -> None:
    sheeted.sign(1, ROLE)
    sheeted.publish(an_attribute(FIRST_NAME, required=True), ASKED_FIRST[1])
    found = await sheeted.world.log_in(REKENRIJK, SANNE)
    assert "given_name" not in found.claims
    sheeted.sign(2, ROLE)
    assert await sheeted.lacking() == FIRST_NAME


async def test_what_was_required_on_the_signed_sheet_is_required_still(
    sheeted: SheetedWorld,
) -> None:
    sheeted.publish(*WITH_CLASS)
    sheeted.sign(1, FIRST_NAME)
    assert await sheeted.lacking() == ROLE


async def test_asking_it_of_pupils_too_does_not_widen_what_was_approved_of_staff(
    sheeted: SheetedWorld,
) -> None:
    of_staff = an_attribute(CLASS, populations=(Population.STAFF,))
    sheeted.publish(*ASKED_FIRST, of_staff)
    sheeted.sign(2, FIRST_NAME, ROLE, CLASS)
    sheeted.publish(*ASKED_FIRST, an_attribute(CLASS))
    assert "nleduperson_unit" not in (await sheeted.world.log_in(REKENRIJK, SANNE)).claims
    assert "nleduperson_unit" in (await sheeted.world.log_in(REKENRIJK, ELS)).claims
    sheeted.sign(3, FIRST_NAME, ROLE, CLASS)
    assert "nleduperson_unit" in (await sheeted.world.log_in(REKENRIJK, SANNE)).claims


async def test_what_was_given_up_and_is_asked_again_waits(sheeted: SheetedWorld) -> None:
    sheeted.publish(ASKED_FIRST[1])
    assert "given_name" not in (await sheeted.world.log_in(REKENRIJK, SANNE)).claims
    sheeted.publish(*ASKED_FIRST)
    assert "given_name" not in (await sheeted.world.log_in(REKENRIJK, SANNE)).claims
    sheeted.sign(3, FIRST_NAME, ROLE)
    assert "given_name" in (await sheeted.world.log_in(REKENRIJK, SANNE)).claims


async def test_an_agreement_without_a_sheet_is_older_than_every_sheet(
    sheeted: SheetedWorld,
) -> None:
    sheeted.sign(0, FIRST_NAME, ROLE, CLASS)
    sheeted.publish(*WITH_CLASS)
    found = await sheeted.world.log_in(REKENRIJK, SANNE)
    assert "given_name" in found.claims
    assert "nleduperson_unit" not in found.claims
