"""AES-CBC under an exception: whoever is not the school cannot make us try a ciphertext.

The attack on CBC in XML (Jager and Somorovsky, 2011) changes ciphertexts and watches the answers.
Here nothing is tried that the school's signature does not cover, so there is nothing to watch.
"""

from base64 import b64decode, b64encode
from typing import Any

import pytest

from broker.domain.refusals import Refusal
from broker.domain.tolerances import Tolerance
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element
from tests.attacks.test_decryption_answers import _Untouchable
from tests.builders_encrypted import BLOCK, encrypt_in_place, xenc
from tests.builders_saml import PUPIL, STRANGER_KEY, read
from tests.saml_sp.test_exceptions import excepted

EXPECTED = excepted(Tolerance.AES_CBC)


def sealed(response: Element) -> None:
    encrypt_in_place(response[-1], "EncryptedAssertion", content=n.ALG_AES128_CBC)


def with_byte_changed(block: int) -> Any:
    """Return a change of the content's ciphertext, as a padding oracle is asked."""

    def change(response: Element) -> None:
        value = list(response.iter(xenc("CipherValue")))[-1]
        octets = bytearray(b64decode(value.text or ""))
        octets[block * BLOCK] ^= 1
        value.text = b64encode(octets).decode()

    return change


def without_signature(response: Element) -> None:
    (signature,) = response.findall(f"{{{n.DS}}}Signature")
    response.remove(signature)


FORGED: dict[str, tuple[dict[str, Any], str]] = {
    "first-block": ({"tamper": with_byte_changed(0)}, "digest"),
    "last-block": ({"tamper": with_byte_changed(-1)}, "digest"),
    "signature-taken-away": ({"tamper": without_signature}, "encryption-method"),
    "never-signed": ({"signed": "nothing"}, "encryption-method"),
    "signed-by-a-stranger": ({"key": STRANGER_KEY}, "signature-value"),
}


@pytest.mark.parametrize("name", FORGED)
def test_nothing_is_opened_that_the_school_did_not_sign(name: str) -> None:
    changes, check = FORGED[name]
    with pytest.raises(Refusal) as refused:
        read(
            expected=EXPECTED,
            decryption_keys=[_Untouchable()],  # type: ignore[list-item]
            **{"signed": "response", "edit_response": sealed, **changes},
        )
    assert refused.value.check == check


def test_the_twin_logs_in() -> None:
    login = read(expected=EXPECTED, signed="response", edit_response=sealed)
    assert login.login.attributes == PUPIL
