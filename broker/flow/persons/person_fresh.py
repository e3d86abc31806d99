"""Fresh accounts: who had a number before is erased, and no later owner opens what that person had.

Pseudonyms hang on roots, and the root of a number is the same for whoever has that number. So when
somebody is erased, the broker forgets, but suppliers may keep the work under the pseudonyms that
the number's own root gives. Erasing therefore leaves a row of one byte in place of each row of a
number (`broker.flow.persons.register.CLOSED`): *the account of this number's own root is not to be
opened*. It says nothing else, of nobody; there is nothing to seal, and an erasure by ECK iD knows
the numbers by their keyed tags alone. What the next login makes of it:

| Login | Opens |
|---|---|
| the number alone | a fresh account, `root_anew` of the number and 16 random bytes |
| with an ECK iD | what the ECK iD opens; the number is bound to it, and joins nothing of before |
| parted from the ECK iD later, or a join undone | that fresh account |
| erased once more | the byte again, and then another fresh account |

So who was erased and comes back by the number alone begins anew as well: nobody can tell that
pupil from the next one with the same number, and a fresh account is what erasing asks for. Who
comes back with the ECK iD has the ECK iD's own account: an ECK iD is never issued anew. Only of an
ECK iD that people had parted from something (an objection, a beginning anew, a split), more than
one pupil may have used the account: it leaves the byte too, opens a fresh account everywhere, and
stays apart from numbers that have an account. So does one that was protected: erasing takes the
protection along, and the first school to state it would open what suppliers may have kept.

What rests of an erased person is thus the keyed hash of each number: needed for as long as
suppliers may keep that person's work, and so without an end. A row goes by `PersonRegister.erase`
alone: whatever cleans up must leave the same behind.
"""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.flow.persons.person_arrivals import first_seen
from broker.flow.persons.person_records import (
    Change,
    FoundRecords,
    Login,
    PersonRecord,
    SeenAt,
    as_root,
)
from broker.pseudonyms.derivation import PersonRoot


def first_record(
    root: PersonRoot, population: Population, found: FoundRecords, login: Login
) -> PersonRecord:
    """Return the first record of an identifier that opens an account by itself."""
    fresh = login.fresh_account(root) if root in found.closed else None
    account = root if fresh is None else fresh.root
    seen = first_seen(account, login)
    if fresh is not None:
        seen = replace(seen, aliases=(fresh.tag,))
    return PersonRecord(
        population=population,
        account=account,
        salt=login.fresh_salt,
        seen={login.school: seen},
        school_year=login.school_year,
        own=None if fresh is None else fresh.root,
    )


def own_account(root: PersonRoot, record: PersonRecord) -> PersonRoot:
    """Return the account that an identifier opens when nothing else says."""
    return root if record.own is None else as_root(record.own)


def unused_account(
    before: PersonRoot,
    seen: SeenAt,
    *,
    tag_of: Callable[[PersonRoot], bytes],
    fresh_account: Callable[[PersonRoot], PersonRoot],
) -> PersonRoot:
    """Return an account that an identifier never opened at a school, made from another one.

    What it opened there once, before that was taken back, may be another pupil's.
    """
    account = fresh_account(before)
    while tag_of(account) in seen.aliases:
        account = fresh_account(account)
    return account


def account_row(root: PersonRoot, record: PersonRecord, *, account: PersonRoot) -> Change:
    """Return the row of a fresh account: it leads to the identifier that opens it."""
    return Change(
        account,
        PersonRecord(
            population=record.population,
            account=account,
            salt=record.salt,
            seen={},
            school_year=record.school_year,
            held_by=root,
        ),
    )


def accounts_of(record: PersonRecord) -> Iterator[PersonRoot]:
    """Yield the accounts that a record opens, opened or left behind."""
    yield as_root(record.account)
    for each in record.seen.values():
        yield as_root(each.account)
        if each.before is not None:
            yield as_root(each.before)
    yield from (as_root(each.root) for each in record.former)


def is_closed_to(root: PersonRoot, record: PersonRecord) -> bool:
    """Tell whether the account of an identifier's own root belongs to nobody any more."""
    return record.own is not None and record.own != root
