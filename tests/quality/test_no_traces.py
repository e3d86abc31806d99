"""What is published holds no trace of the machine it was made on, and no key."""

import re

import pytest

from tests.quality.sources import tracked_texts

TRACES = {
    "a home or work folder": r"(?<![\w.$}{~/-])/(?:home|root|Users|work)/[\w.]",
    "a temporary folder": r"(?<![\w.$}{~/-])/tmp/[\w.]",
    "a registry or index": r"^\s*--(?:extra-)?(?:index-url|find-links|trusted-host)\b",
    "a registry's host": r"https?://[\w.:@-]*(?:pypi|artifactory|nexus|devpi|jfrog|pythonhosted)",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}",
}


@pytest.mark.parametrize("trace", TRACES)
def test_no_file_holds(trace: str) -> None:
    pattern = re.compile(TRACES[trace], re.M)
    found = [
        f"{path}: {match.group()}"
        for path, text in tracked_texts().items()
        for match in pattern.finditer(text)
    ]
    assert found == []
