"""What a worker says to its supervisor: as much of it as one packet holds."""

import pytest

from broker.adapters.serving.worker_tie import Message, Refused, SupervisorTie, make_tie, receive
from broker.flow.federation.documents import Problem


def heard(message: Message) -> Message | None:
    """Return what the supervisor hears of a message."""
    ours, theirs = make_tie()
    with ours:
        tie = SupervisorTie(theirs.detach())
        tie.say(message)
        said = receive(ours)
        tie._end.close()
    return said


def a_problem(number: int) -> Problem:
    return Problem(f"keys/token/{number}.pem", "-", "can be read by others.", "chmod 600 it.")


@pytest.mark.parametrize("count", [1, 300])
def test_every_problem_is_heard(count: int) -> None:
    refused = Refused(tuple(map(a_problem, range(count))))
    assert heard(refused) == refused


@pytest.mark.parametrize("count", [1000, 20_000])
def test_of_more_than_fits_the_first_are_heard(count: int) -> None:
    said = heard(Refused(tuple(map(a_problem, range(count)))))
    assert isinstance(said, Refused)
    assert said.problems == tuple(map(a_problem, range(len(said.problems))))
    assert len(said.problems) > 100


def test_a_problem_that_fits_no_packet_is_a_refusal_all_the_same() -> None:
    endless = Problem("broker.toml", "-", "x" * 100_000, "-")
    assert heard(Refused((endless,))) == Refused(())
