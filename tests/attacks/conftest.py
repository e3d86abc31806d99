"""The broker over HTTP, for attacks that need the whole of it."""

from tests.web.conftest import browser, secure_site, site

__all__ = ["browser", "secure_site", "site"]
