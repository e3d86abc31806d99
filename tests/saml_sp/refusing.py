"""Reading an answer that must be refused."""

from typing import Any

import pytest

from broker.domain.refusals import Refusal
from tests.builders_saml import read


def refused(expected_refusal: type[Refusal], check: str, /, **arguments: Any) -> Refusal:
    """Read, and return the refusal of that class and check."""
    with pytest.raises(expected_refusal) as caught:
        read(**arguments)
    assert type(caught.value) is expected_refusal
    assert caught.value.check == check
    return caught.value
