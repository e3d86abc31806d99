"""An assertion that a pupil gave to another service provider, or in another login, is no use here.

The Response around it is not signed, so the thief writes what suits; the assertion is not theirs
to change.
"""

from typing import Any

import pytest

from broker.domain.refusals import Refusal
from broker.saml_sp import refusals as r
from tests.builders_saml import BROKER_SP, MINUTE, NOW, PUPIL, an_expectation, read

THIEF = "https://game.example/acs"


@pytest.mark.parametrize(
    ("stolen", "refusal"),
    [
        ({"audiences": (("https://game.example",),)}, r.ResponseForSomebodyElse),
        ({"audiences": (("https://game.example",), (BROKER_SP,))}, r.ResponseForSomebodyElse),
        ({"recipient": THIEF}, r.ResponseForSomebodyElse),
        ({"in_response_to": "_of-another-login"}, r.ResponseToAnotherRequest),
        ({"in_response_to": None}, r.ResponseToAnotherRequest),
        ({"confirmed_until": NOW - 10 * MINUTE}, r.ResponseTooLate),
        ({"issue_instant": NOW - 60 * MINUTE}, r.ResponseTooLate),
    ],
)
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_stolen_assertion_is_refused(
    stolen: dict[str, Any], refusal: type[Refusal], encrypted: bool
) -> None:
    with pytest.raises(refusal):
        read(signed="assertion", encrypted=encrypted, **stolen)


def test_an_unsolicited_answer_is_refused() -> None:
    with pytest.raises(r.ResponseToAnotherRequest):
        read(response_in_response_to=None, in_response_to=None)


def test_an_answer_to_another_tab_is_refused_there_and_accepted_here() -> None:
    with pytest.raises(r.ResponseToAnotherRequest):
        read(expected=an_expectation(request_id="_other-tab"))
    assert read().login.attributes == PUPIL
