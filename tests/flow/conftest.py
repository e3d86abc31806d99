"""A fresh world for each test of a journey."""

import pytest

from tests.flow.login_answers import Browser
from tests.flow.login_world import LoginWorld


@pytest.fixture
def world(telling_values: frozenset[str]) -> LoginWorld:
    return LoginWorld(telling_values)


@pytest.fixture
def browser() -> Browser:
    return Browser()
