"""What becomes of a decision when the supplier publishes another version of its sheet."""

import pytest

from broker.console import console_compiler
from broker.domain.documents import Kind
from broker.domain.ids import SupplierId
from broker.domain.sheet_documents import AttributeDocument, SheetDocument
from broker.domain.sheets import ServiceSheet, follow_up, with_sheet
from broker.flow.federation.narrow_change import NarrowPut, change_narrowly
from tests.web.broker_site import Site
from tests.web.test_console_choose import (
    PLACE,
    SERVICE,
    agreed,
    both,
    prepare,
    sign,
)


@pytest.fixture
def site(deciding_site: Site) -> Site:
    return deciding_site


def publish(site: Site, *more: AttributeDocument) -> None:
    """Publish a version of rekenrijk's sheet that asks for these besides what it asked at first."""
    store, key = site.web.console.decisions._store, (Kind.SUPPLIER, "rekenrijk")
    found = store.read_documents([key])[key]
    document = found.stated.document
    asked = tuple(each for each in document.attribute if each.name != "mail")
    draft = ServiceSheet(sheet=SheetDocument(version=1), attributes=(*asked, *more))
    site.run(
        change_narrowly(
            store,
            [NarrowPut(with_sheet(document, follow_up(document, draft)), found.since)],
            schools_of_board=lambda _: (),
            compiler=console_compiler(),
            note="published",
            by="a test",
            at=site.web.clock(),
            entries=[],
        )
    )


def test_a_new_sheet_leaves_what_was_signed_and_asks_for_a_decision(site: Site) -> None:
    seated = both(site)
    sign(seated, prepare(seated, pupil=["givenName"]))
    publish(site, AttributeDocument(name="mail", purpose="Om te mailen.", required=True))
    agreement = agreed(site)
    supplier = site.web.snapshots.registry.suppliers[SupplierId("rekenrijk")]
    (mail,) = (each for each in supplier.attributes if each.name == "mail")
    assert mail.required
    assert not mail.is_required_since(agreement.sheet, None), "logins go on without it"
    assert agreement.approved == {"givenName"}
    assert "New version of the sheet" in seated.get(f"{PLACE}?q=reken").response.text
    page = seated.get(SERVICE)
    assert "The supplier asks for more" in page.response.text
    sign(seated, prepare(seated, pupil=["givenName", "mail"], staff=["mail"]))
    assert agreed(site).approved == {"givenName", "mail"}
    assert "The supplier asks for more" not in seated.get(SERVICE).response.text
    publish(site)
    sign(seated, prepare(seated, pupil=["givenName"], staff=[]))
