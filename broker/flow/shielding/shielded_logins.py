"""A login of somebody whom the school may shield: what holds, and whether it still does later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from msgspec.structs import replace

from broker.domain.ids import SchoolId, SupplierId
from broker.domain.shielding import Shield, shields_at
from broker.flow.held_state.framing import NONCE_BYTES, UnreadableRecord
from broker.flow.held_state.records import DecidedRelease
from broker.flow.persons.person_records import Presented, as_root
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.refusals import AgreementChanged
from broker.flow.shielding.held_shields import HeldShields
from broker.flow.shielding.shield_records import (
    ShieldPlace,
    open_shield,
    places_of,
    record_of,
    seal_shield,
)
from broker.flow.shielding.shields import ShieldBook, Shielding, StoredShield


@dataclass(frozen=True, slots=True)
class FoundShields:
    """What shields somebody at one school.

    Attributes:
        places: where it was looked for; none at a school that has no shields.
        by_id: what holds there.
    """

    places: tuple[ShieldPlace, ...] = field(default=(), repr=False)
    by_id: Mapping[str, Shield] = field(default_factory=dict)

    def at(self, supplier: SupplierId) -> tuple[Shield, ...]:
        """Return those that hold at a supplier."""
        return shields_at(self.by_id.values(), supplier)


NO_SHIELDS = FoundShields()


async def find_shields(
    presented: Presented,
    *,
    school: SchoolId,
    old_roots: Mapping[SchoolId, bytes],
    shielding: Shielding,
) -> FoundShields:
    """Return what shields a person at a school; nothing where it has none, at no cost.

    Args:
        old_roots: of the stated number at the schools that this one goes on for: what they decided
            goes on with it.

    Raises:
        RegisterUnavailable: it cannot be read, or does not open under our key.
    """
    book = shielding.book
    asked = [(school, presented)] if book.has_any(school) else []
    for old, root in old_roots.items():
        if book.has_any(old):
            before = Presented(presented.population, eck_id=presented.eck_id, local=as_root(root))
            asked.append((old, before))
    if not asked:
        return NO_SHIELDS
    of_schools = [places_of(who, school=at, keys=shielding.keys) for at, who in asked]
    places = tuple(chain.from_iterable(of_schools))
    rows = await book.find([each.tag for each in places])
    found = _open(rows, places)
    for of_school in of_schools:
        await _spread(of_school, rows, found, shielding=shielding)
    return FoundShields(places, found)


async def _spread(
    places: Sequence[ShieldPlace],
    rows: Sequence[StoredShield],
    found: Mapping[str, Shield],
    *,
    shielding: Shielding,
) -> None:
    """Let what is found by one of a person's roots be found by the others too.

    A school shields by its own number, before it ever stated the ECK iD, say, and a login of two
    schools states the ECK iD alone. One write, at the first login that presents both.

    Raises:
        RegisterUnavailable: nobody knows whether it is stored.
    """
    own = {each.tag for each in places}
    there = {(each.tag, each.id) for each in rows}
    for of in {each.id for each in rows if each.tag in own}:
        missing = [each for each in places if (each.tag, of) not in there]
        if missing:
            record, by = record_of(found[of]), found[of].by
            nonces = [shielding.random(NONCE_BYTES) for _ in missing]
            await shielding.book.add(
                missing[0].school,
                [
                    StoredShield(
                        each.tag, of, by, seal_shield(record, place=each, of=of, nonce=nonce)
                    )
                    for each, nonce in zip(missing, nonces, strict=True)
                ],
            )


def hold_shields(
    decided: DecidedRelease, *, found: FoundShields, supplier: SupplierId
) -> DecidedRelease:
    """Return a decision with what is needed to look again before it goes out."""
    if not found.places:
        return decided
    known = {of: each for of, each in found.by_id.items() if each.holds_at(supplier)}
    return replace(decided, shields=_hold(found.places, tuple(sorted(known))))


def hold_for_later(
    presented: Presented, *, school: SchoolId, held: HeldShields | None, shielding: Shielding
) -> HeldShields:
    """Return what a refresh needs to look again, also where the school has no shields yet."""
    places = places_of(presented, school=school, keys=shielding.keys)
    return _hold(places, ()) if held is None else held


async def find_held(held: HeldShields | None, *, book: ShieldBook) -> Mapping[str, Shield]:
    """Return what shields somebody of whom the places alone are known, by id.

    Raises:
        RegisterUnavailable: it cannot be read, or does not open under our key.
    """
    if held is None:
        return {}
    kept = zip(held.schools, held.tags, held.keys, strict=True)
    places = [ShieldPlace(SchoolId(at), tag, key) for at, tag, key in kept if book.has_any(at)]
    return _open(await book.find([each.tag for each in places]), places) if places else {}


def hold_again(
    held: HeldShields | None, found: Mapping[str, Shield], *, supplier: SupplierId
) -> HeldShields | None:
    """Return what is held, with what holds at a supplier now."""
    now = tuple(sorted(of for of, each in found.items() if each.holds_at(supplier)))
    return None if held is None else replace(held, ids=now)


async def check_not_shielded_since(
    held: HeldShields | None, *, supplier: SupplierId, name: str, book: ShieldBook
) -> None:
    """Refuse what was decided before a shield came that holds at this supplier.

    Args:
        name: of the supplier, to be shown.

    Raises:
        AgreementChanged
        RegisterUnavailable: nobody knows.
    """
    found = await find_held(held, book=book)
    if held is not None and any(
        each.holds_at(supplier) and of not in held.ids for of, each in found.items()
    ):
        raise AgreementChanged("check_not_shielded_since", subject=name)


def _hold(places: Sequence[ShieldPlace], ids: tuple[str, ...]) -> HeldShields:
    return HeldShields(
        schools=tuple(each.school for each in places),
        tags=tuple(each.tag for each in places),
        keys=tuple(each.key for each in places),
        ids=ids,
    )


def _open(rows: Sequence[StoredShield], places: Sequence[ShieldPlace]) -> dict[str, Shield]:
    by_tag = {each.tag: each for each in places}
    try:
        return {
            each.id: open_shield(each.sealed, place=by_tag[each.tag], of=each.id, by=each.by)
            for each in rows
        }
    except UnreadableRecord:
        raise RegisterUnavailable("check_shield_opens") from None
