"""How a supplier links who arrives to the accounts that it has: one pupil, one account."""

import pytest

from broker.demo.accounts import Exercises

WITH = {"eck_id": "e"}
STEPS = {"prepare": WITH, "on": {}, "back": {"eckId": ["e"]}}


def test_an_account_of_before_gets_its_pseudonym_at_a_login() -> None:
    work = Exercises()
    work.keep_before("e", made=5)
    work.arrive("p", WITH)
    work.add("p")
    work.arrive("p", {})
    assert (work.count("p"), len(work.accounts)) == (6, 1)


@pytest.mark.parametrize("way", ["prepare on back on", "on back on", "on on back", "back on back"])
def test_whatever_the_order_of_states_one_account_with_all_work(way: str) -> None:
    work = Exercises()
    work.keep_before("e", made=5)
    for state in way.split():
        work.arrive("p", STEPS[state])
        work.add("p")
    assert (work.count("p"), len(work.accounts)) == (5 + len(way.split()), 1)


def test_a_mapping_links_without_a_login() -> None:
    work = Exercises()
    work.keep_before("e", made=5)
    work.take_over("e", "p")
    work.take_over("new", "q")
    work.forget_eck_ids()
    work.arrive("p", {})
    assert (work.count("p"), len(work.accounts)) == (5, 2)


def test_two_pupils_stay_two() -> None:
    work = Exercises()
    work.keep_before("e", made=5)
    work.keep_before("f", made=7)
    work.arrive("p", {"eck_id": "e"})
    work.arrive("q", {"eck_id": "f"})
    work.arrive("r", {})
    assert [work.count(each) for each in "pqr"] == [5, 7, 0]
    assert len(work.accounts) == 3


def test_a_pseudonym_is_not_overwritten_by_another() -> None:
    work = Exercises()
    work.arrive("p", WITH)
    work.add("p")
    work.arrive("q", WITH)
    work.add("q")
    assert work.count("p") == work.count("q") == 2
