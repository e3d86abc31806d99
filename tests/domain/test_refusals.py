"""What every refusal is."""

import pytest

from broker.domain.refusals import Refusal, WhoseTask, every_refusal
from broker.domain.release import NoAgreement


class Unnamed(Refusal):
    """A base of some package, without a code of its own."""


class Named(Unnamed):
    code = "E-ZZTEST-1"
    whose_task = WhoseTask.BROKER
    what = "Made up, for {subject}."
    remedy = "None."


class TestRefusal:
    def test_says_which_check_refused_and_the_name_of_what_is_wrong(self) -> None:
        with pytest.raises(Named) as caught:
            raise Named("check_something", subject="givenName")
        assert (caught.value.check, caught.value.subject) == ("check_something", "givenName")
        assert str(caught.value) == "E-ZZTEST-1 check_something givenName"
        assert caught.value.args == ("E-ZZTEST-1", "check_something", "givenName")

    def test_needs_neither(self) -> None:
        assert str(Named()) == "E-ZZTEST-1"

    def test_stays_on_our_page_and_blames_the_request_unless_it_says_so(self) -> None:
        assert not Refusal.may_redirect
        assert not Refusal.may_retry
        assert Refusal.http_status == 400
        assert NoAgreement.http_status == 403


class TestEveryRefusal:
    def test_lists_those_with_a_code_each_once_in_order(self) -> None:
        found = every_refusal()
        assert Named in found
        assert Unnamed not in found
        assert Refusal not in found
        assert len(found) == len(set(found))
        assert [each.code for each in found] == sorted(each.code for each in found)
