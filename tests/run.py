"""Every test, as `make test` runs them: `python -m tests.run [PYTEST ARGUMENT...]`.

One pytest run on two workers. The journeys, with their servers and browser, share one of them
(`conftest.py`). In the packages that decide about people and messages every branch must have been
tested, else the run fails though each test passed. The last line is pytest's own: how many ran.
"""

import io
import os
import sys
from pathlib import Path

import coverage
import pytest

ROOT = Path(__file__).parents[1]
WORKERS = 2

COMPLETE = (
    "domain",
    "pseudonyms",
    "jose",
    "saml_xml",
    "oidc_op",
    "oidc_rp",
    "saml_idp",
    "saml_sp",
    "flow",
)
"""Packages in which every branch is tested."""


class CompleteCoverage:
    """Fails a run that left a branch of `COMPLETE` untested, and says which."""

    def __init__(self) -> None:
        self.untested: str | None = None  # not looked at

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.exitstatus != pytest.ExitCode.OK:
            return  # what failed comes first
        self.untested = find_untested()
        if self.untested:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.untested:
            terminalreporter.section("branches that no test takes")
            terminalreporter.write_line(self.untested)
        elif self.untested is not None:
            terminalreporter.write_line(f"Every branch is tested in: {', '.join(COMPLETE)}.")


def find_untested() -> str:
    """Return coverage's report of the incomplete files of `COMPLETE`, empty when there is none."""
    measured = coverage.Coverage(data_file=str(ROOT / ".coverage"))
    measured.load()
    report = io.StringIO()
    total = measured.report(
        include=[f"broker/{each}/*" for each in COMPLETE],
        show_missing=True,
        skip_covered=True,
        file=report,
    )
    return "" if total == 100 else report.getvalue()


def main(arguments: list[str]) -> int:
    """Run, and return pytest's exit status."""
    os.chdir(ROOT)
    chosen = arguments or ["--cov=broker", "--cov-branch", "--cov-report="]
    spread = ["-n", str(WORKERS), "--dist=loadscope"]
    shown = ["--verbosity=0", "--tb=short", "--durations=10"]
    plugins = [] if arguments else [CompleteCoverage()]  # a part of the tests covers a part
    return int(pytest.main([*spread, *shown, *chosen], plugins=plugins))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
