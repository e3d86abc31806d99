"""Somebody who looks at what was shared, in a browser of a site; and something that was shared."""

from datetime import datetime

from broker.domain.attributes import Population
from broker.domain.dutch_days import day_of
from broker.domain.ids import RelyingPartyId, SchoolId, SupplierId
from broker.flow.held_state.framing import NONCE_BYTES
from broker.flow.me.me_records import MeSession
from broker.flow.parents.parent_codes import (
    LetterContent,
    NewLetter,
    make_code,
    seal_letter,
    tag_of,
)
from broker.flow.persons.person_suppliers import Visit
from broker.flow.persons.persons import identify_person, present_roots
from broker.flow.persons.register import derive_tag
from broker.flow.receipts.receipts import (
    RECEIPT_NONCE_BYTES,
    ReceiptContent,
    WithheldName,
    derive_receipt_keys,
    seal_receipt,
)
from tests.web.broker_site import Browser, Site

VUURVOGEL = SchoolId("vuurvogel")


def share(
    site: Site,
    number: str,
    *,
    supplier: str = "rekenrijk",
    names: tuple[str, ...] = ("givenName",),
    at: datetime | None = None,
    version: int = 1,
    school: SchoolId = VUURVOGEL,
) -> None:
    """Let a login of a pupil share something with a supplier, as a release does."""
    ports = site.web.me.visits._ports
    now = at or site.web.clock()
    supplier_id = SupplierId(supplier)
    presented = present_roots(
        school, population=Population.PUPIL, number=number, eck_id=None, key=ports.keys.root
    )
    person = site.run(
        identify_person(
            presented,
            register=ports.register,
            keys=ports.keys.register,
            school=school,
            eck_id_required=False,
            today=day_of(now),
            random=site.web.random,
            rules=ports.rules,
            visit=Visit(supplier_id, "a"),
        )
    )
    content = ReceiptContent(
        school=school,
        supplier=supplier_id,
        relying_party=RelyingPartyId(supplier),
        agreement_version=version,
        epoch="a",
        at=int(now.timestamp()),
        released=names,
        withheld=(WithheldName("sn", "not-declared"),),
    )
    keys = derive_receipt_keys(
        ports.keys.receipts, root=person.root, school=school, salt=person.salt
    )
    receipt = seal_receipt(content, keys=keys, nonce=site.web.random(RECEIPT_NONCE_BYTES))
    site.run(ports.receipts.append(receipt))


def visit_as(
    site: Site,
    number: str,
    *,
    school: SchoolId = VUURVOGEL,
    browser: Browser | None = None,
    **changes: object,
) -> Browser:
    """Return a browser in which a pupil with this number logged in to look."""
    browser = browser or site.visit(**{"accept-language": "en"})
    visits = site.web.me.visits
    presented = present_roots(
        school,
        population=Population.PUPIL,
        number=number,
        eck_id=None,
        key=visits._ports.keys.root,
    )
    fields: dict[str, object] = {
        "visitor": "self",
        "school": school,
        "population": Population.PUPIL,
        "eck_root": None,
        "local_root": presented.local,
        "old_roots": {},
        "first_name": "Sanne",
        "began_at": site.web.clock(),
    }
    opened = site.run(visits.open(MeSession(**{**fields, **changes})))  # type: ignore[arg-type]
    browser.cookies.set("__Host-me" if site.web.secure else "me", opened.handle.text)
    return browser


def letter_about(site: Site, number: str, *, once: bool = True) -> str:
    """Return the code of a letter about a pupil of De Vuurvogel."""
    ports = site.web.me.parents._ports
    code, keys = make_code(site.web.random), ports.keys.register
    presented = present_roots(
        VUURVOGEL, population=Population.PUPIL, number=number, eck_id=None, key=ports.keys.root
    )
    assert presented.local is not None
    content = LetterContent(school=VUURVOGEL, local=presented.local, household=1)
    today = day_of(site.web.clock())
    letter = NewLetter(
        tag=tag_of(keys, code),
        person=derive_tag(keys, presented.local),
        sealed=seal_letter(content, code=code, keys=keys, nonce=site.web.random(NONCE_BYTES)),
        school=VUURVOGEL,
        batch="a-batch",
        household=1,
        issued_on=today,
        last_day=today,
        once=once,
    )
    site.run(ports.letters.add([letter]))
    return " ".join(code.groups)
