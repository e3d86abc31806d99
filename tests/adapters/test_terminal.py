"""What people see at a terminal: a table; in a pipe, one line for each problem."""

from io import StringIO

import pytest
from rich.console import Console

from broker.adapters.terminal import show_problems
from broker.flow.federation.documents import Problem

PROBLEM = Problem("a.toml", "relying_party[0].id", "is [bold]wrong.", "Correct it.")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_problem_shows_file_key_problem_and_remedy(*, terminal: bool) -> None:
    out = StringIO()
    show_problems([PROBLEM], console=Console(file=out, force_terminal=terminal, width=120))
    for part in ("a.toml", "relying_party[0].id", "[bold]wrong.", "Correct it."):
        assert part in out.getvalue()


def test_in_a_pipe_a_problem_is_one_line() -> None:
    out = StringIO()
    show_problems([PROBLEM], console=Console(file=out, width=20))
    assert out.getvalue() == "a.toml: relying_party[0].id: is [bold]wrong. Correct it.\n"
