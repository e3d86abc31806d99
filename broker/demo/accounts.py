"""A demo supplier's accounts: how it links who arrives to what is there, as the README tells.

Accounts of before are keyed on the ECK iD. Every login brings a pseudonym, and an ECK iD beside it
as long as the school's take-over lets it out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

PREVIOUS_SUBJECT = "previous_sub"
ECK_ID_CLAIMS = ("eck_id", "eckId")
"""Of claim profile `standard`, and of `entree` and SAML."""


@dataclass(slots=True, eq=False)
class Account:
    """One account. Its repr shows no value.

    Attributes:
        pseudonyms: all by which it was ever found; none is overwritten by another.
        made: exercises: the work that must stay.
    """

    pseudonyms: set[str] = field(default_factory=set, repr=False)
    eck_id: str | None = field(default=None, repr=False)
    made: int = 0


class Exercises:
    """How many exercises somebody made, in accounts."""

    def __init__(self) -> None:
        self._by_pseudonym: dict[str, Account] = {}
        self._by_eck_id: dict[str, Account] = {}

    @property
    def accounts(self) -> list[Account]:
        """Every account, once."""
        every = (*self._by_eck_id.values(), *self._by_pseudonym.values())
        return list({id(each): each for each in every}.values())

    def keep_before(self, eck_id: str, *, made: int) -> None:
        """Have an account of before, keyed on the ECK iD."""
        self._by_eck_id[eck_id] = Account(eck_id=eck_id, made=made)

    def take_over(self, eck_id: str, pseudonym: str) -> None:
        """Write down which pseudonym belongs to an ECK iD, as the mapping answered."""
        self._link(self._by_eck_id.get(eck_id, Account(eck_id=eck_id)), {pseudonym}, eck_id)

    def forget_all(self) -> None:
        """Have no account any more."""
        self._by_pseudonym.clear()
        self._by_eck_id.clear()

    def forget_eck_ids(self) -> None:
        """Delete every ECK iD; accounts that have no pseudonym by now are lost with it."""
        for each in self._by_eck_id.values():
            each.eck_id = None
        self._by_eck_id.clear()

    def count(self, pseudonym: str) -> int:
        account = self._by_pseudonym.get(pseudonym)
        return 0 if account is None else account.made

    def add(self, pseudonym: str) -> None:
        account = self._by_pseudonym.setdefault(pseudonym, Account({pseudonym}))
        account.made += 1

    def arrive(self, subject: str, claims: Mapping[str, Any]) -> None:
        """Find the account of who logs in; make one only when nothing leads to any.

        1. By the pseudonym, then by one that the broker announces as that of before.
        2. Else by the ECK iD, when one came; the pseudonym is written beside it.
        3. Else a new account.
        4. Whatever leads to another account as well: the work of both is put together.
        """
        pseudonyms = {subject, *_values(claims, PREVIOUS_SUBJECT)}
        (eck_id, *_) = (*_values(claims, *ECK_ID_CLAIMS), None)
        found = [self._by_pseudonym[each] for each in pseudonyms if each in self._by_pseudonym]
        if eck_id is not None and eck_id in self._by_eck_id:
            found.append(self._by_eck_id[eck_id])
        first = found[0] if found else Account()
        for other in found[1:]:
            self._join(first, other)
        self._link(first, pseudonyms, eck_id)

    def _link(self, account: Account, pseudonyms: set[str], eck_id: str | None) -> None:
        account.pseudonyms |= pseudonyms
        self._by_pseudonym |= dict.fromkeys(pseudonyms, account)
        if eck_id is not None:
            account.eck_id = eck_id
            self._by_eck_id[eck_id] = account

    def _join(self, account: Account, other: Account) -> None:
        """Put the work of two accounts in one."""
        if other is account:
            return
        account.made += other.made
        other.made = 0
        self._link(account, other.pseudonyms, other.eck_id)


def _values(claims: Mapping[str, Any], *names: str) -> Iterable[str]:
    """Return the values of claims of any of these names: a text, or a list of them."""
    for name in names:
        stated = claims.get(name)
        yield from [stated] if isinstance(stated, str) else stated or []
