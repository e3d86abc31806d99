"""Which class is told of a login, and when a request is not met (SAML core 3.3.2.2.1)."""

import pytest

from broker.domain.assurance import HIGH, LOW, MULTI_FACTOR, SUBSTANTIAL
from broker.saml_idp.authn_contexts import Comparison, choose_authn_context, read_authn_contexts
from broker.saml_xml import names as n
from broker.saml_xml.elements import build_element
from tests.builders_saml import an_authn_request, saml, samlp

PASSWORD, PROTECTED, SMARTCARD = (
    n.AUTHN_CLASSES + each for each in ("Password", "PasswordProtectedTransport", "SmartcardPKI")
)
ANY = n.AUTHN_UNSPECIFIED


@pytest.mark.parametrize(
    ("comparison", "wanted", "stated", "level", "told"),
    [
        ("exact", (), "", "", ANY),
        ("exact", (), PASSWORD, LOW, ANY),
        ("exact", (PROTECTED,), "", "", ANY),
        ("exact", (PROTECTED,), PASSWORD, "", ANY),
        ("exact", (PROTECTED,), PROTECTED, "", PROTECTED),
        ("exact", (PROTECTED, PASSWORD), PASSWORD, LOW, PASSWORD),
        ("exact", (SMARTCARD,), SMARTCARD, HIGH, SMARTCARD),
        ("exact", (SMARTCARD,), PROTECTED, "", None),
        ("exact", (SMARTCARD, PROTECTED), PASSWORD, "", ANY),
        ("exact", (SUBSTANTIAL,), "2", SUBSTANTIAL, SUBSTANTIAL),
        ("exact", (SUBSTANTIAL,), "3", HIGH, SUBSTANTIAL),
        ("exact", (MULTI_FACTOR,), "3", HIGH, None),
        ("exact", (HIGH,), LOW, LOW, None),
        ("exact", (HIGH,), "", "", None),
        ("exact", (HIGH,), HIGH, HIGH, HIGH),
        ("exact", (HIGH,), HIGH, LOW, None),  # its document says that its HIGH means less
        ("minimum", (SUBSTANTIAL,), HIGH, LOW, None),
        ("exact", (HIGH, LOW), HIGH, LOW, LOW),
        ("exact", (HIGH, PROTECTED), LOW, LOW, ANY),
        ("minimum", (LOW,), HIGH, HIGH, LOW),
        ("minimum", (PROTECTED,), "", "", ANY),
        ("minimum", (HIGH,), LOW, LOW, None),
        ("better", (LOW,), HIGH, HIGH, HIGH),
        ("better", (LOW,), LOW, LOW, None),
        ("better", (PROTECTED,), "2", SUBSTANTIAL, SUBSTANTIAL),
        ("better", (PROTECTED,), PROTECTED, "", None),
        ("better", (SMARTCARD,), PROTECTED, "", None),
        ("maximum", (PROTECTED,), "", "", ANY),
        ("maximum", (SUBSTANTIAL,), HIGH, HIGH, SUBSTANTIAL),
        ("maximum", (HIGH,), LOW, LOW, ANY),
    ],
)
def test_what_is_told(
    comparison: Comparison, wanted: tuple[str, ...], stated: str, level: str, told: str | None
) -> None:
    assert choose_authn_context(comparison, wanted, stated=stated, level=level) == told


@pytest.mark.parametrize("stated", [None, "exact", "minimum", "maximum", "better"])
def test_how_it_is_asked(stated: str | None) -> None:
    wanted = build_element(saml("AuthnContextClassRef"), text=PASSWORD)
    asked = build_element(samlp("RequestedAuthnContext"), {"Comparison": stated}, wanted)
    assert read_authn_contexts(an_authn_request(asked)) == (stated or "exact", (PASSWORD,))


def test_nothing_asked() -> None:
    assert read_authn_contexts(an_authn_request()) == ("exact", None)
