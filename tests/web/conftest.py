"""The broker over HTTP: one on plain loopback and one on https, set up once."""

from collections.abc import Iterator

import pytest

from tests.web.broker_site import Browser, Site, running_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site") / "world") as running:
        yield running


@pytest.fixture(scope="session")
def secure_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("secure-site") / "world"
    with running_site(folder, issuer="https://broker.example") as running:
        yield running


@pytest.fixture(scope="session")
def deciding_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of its own: what is signed there is in force for who comes after."""
    with running_site(tmp_path_factory.mktemp("deciding") / "world") as running:
        yield running


@pytest.fixture
def browser(site: Site) -> Browser:
    return site.visit()
