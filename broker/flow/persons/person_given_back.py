"""What a school that was shut out opens again, once a school of before takes that back.

Shut out is who was objected to, and who waited in vain. Meanwhile the ECK iD opened a fresh account
there, and which suppliers learned of that is kept of the ECK iD, not of the account: so it is left
behind as with a beginning anew. What was made with it stays with the suppliers, and none is told:
somebody else may have used it, and nothing of it is ever opened again.

What opens again is what opened there before, and never an account that the deciding school has no
say in: it opens that account itself, or nobody does but those that it decides about. Else the
school keeps the fresh account, and is shut out no more.
"""

from msgspec.structs import replace

from broker.domain.ids import SchoolId
from broker.flow.persons.person_records import PersonRecord, SeenAt


def waited_in_vain(seen: SeenAt) -> bool:
    """Tell whether days alone shut a protected pupil out, and nobody objected."""
    return seen.objected and seen.in_vain and seen.objected_by is None


def opens_fresh(record: PersonRecord, school: SchoolId) -> bool:
    """Tell whether a school opens a fresh account already, which an objection changes not: it is
    shut out, or its pupil began anew and no other school opens the same."""
    here = record.seen[school]
    return here.objected or (
        here.begun_anew
        and all(each.account != here.account for at, each in record.seen.items() if at != school)
    )


def shut_out(here: SeenAt, before: SeenAt, *, by: SchoolId) -> SeenAt:
    """Return what an ECK iD is where another school objects to it.

    Args:
        here: what it is there with its fresh account.
    """
    return replace(
        here,
        confirmed=False,
        objected=True,
        objected_by=by,
        before=before.before if before.objected else before.account,
    )


def give_back(record: PersonRecord, schools: frozenset[SchoolId], *, by: SchoolId) -> PersonRecord:
    """Return the record with these schools shut out no more, and confirmed by another one."""
    seen = {
        school: replace(
            each,
            account=_account_again(record, school, schools, by=by),
            confirmed=True,
            objected=False,
            before=None,
        )
        if school in schools
        else each
        for school, each in record.seen.items()
    }
    return replace(record, seen=seen)


def _account_again(
    record: PersonRecord, school: SchoolId, schools: frozenset[SchoolId], *, by: SchoolId
) -> bytes:
    here = record.seen[school]
    if here.before is None:
        return here.account
    of_others = {
        at
        for at, each in record.seen.items()
        if at != school and here.before in (each.account, each.before)
    }
    if record.seen[by].account == here.before or of_others <= schools:
        return here.before
    return here.account


def given_back_lines(
    before: PersonRecord, after: PersonRecord, schools: frozenset[SchoolId]
) -> tuple[str, ...]:
    """Return what a plan says of schools that are shut out no more."""
    kept = sum(before.seen[each].account == after.seen[each].account for each in schools)
    lines = []
    if len(schools) > kept:
        lines += [
            f"Schools where it opens again what it opened before: {len(schools) - kept}.",
            "What was made with a fresh account there stays with the suppliers; none is told.",
        ]
    if kept:
        lines.append(f"Schools where it keeps the fresh account, shut out no more: {kept}.")
    return tuple(lines)


def name_schools(count: int, *, own: bool = False) -> str:
    """Return how a plan names schools: it tells nobody which they are."""
    if own:
        return "This school"
    return "1 other school" if count == 1 else f"{count} other schools"
