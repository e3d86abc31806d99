"""What a decision shares, of whom, why, and what follows: as data that pages put into words. Pure.

One outline for each audience: pupils, staff, and each group of pupils for whom it is otherwise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from broker.domain.attributes import VOCABULARY, AttributeName, Population
from broker.domain.sheet_documents import AttributeDocument, WordsDocument

LINKING = frozenset(
    {
        *(AttributeName(each) for each in ("sn", "mail")),
        *(name for name, each in VOCABULARY.items() if each.restricted),
    }
)
"""With one of these, two suppliers can see that they know the same person."""


@dataclass(frozen=True, slots=True)
class GroupChoice:
    """What is approved of pupils of some groups, in place of what is of all pupils."""

    groups: frozenset[str]
    approved: frozenset[AttributeName]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is approved, of whom: of an agreement, or of a draft of one."""

    pupils: frozenset[AttributeName]
    staff: frozenset[AttributeName]
    groups: tuple[GroupChoice, ...] = ()


NOTHING = Choice(pupils=frozenset(), staff=frozenset())


@dataclass(frozen=True, slots=True)
class Audience:
    """Of whom something is shared; `groups` is empty but for pupils of named ones."""

    population: Population
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedLine:
    """One attribute that the supplier asks of an audience.

    Attributes:
        required: the service does not work without.
        is_new: asked or required only since a later version of the sheet than was signed: until
            it is decided on, logins go on without it.
        needs_end_day: goes out only under an agreement with an end.
    """

    name: AttributeName
    purpose: WordsDocument
    without: WordsDocument
    required: bool
    approved: bool
    is_new: bool = False
    needs_end_day: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """What a decision means for one audience, in the order of the sheet."""

    audience: Audience
    lines: tuple[AskedLine, ...]

    @property
    def shared(self) -> tuple[AskedLine, ...]:
        """Return what goes out, besides the pseudonym."""
        return tuple(each for each in self.lines if each.approved)

    @property
    def kept(self) -> tuple[AskedLine, ...]:
        """Return what is asked and stays at school."""
        return tuple(each for each in self.lines if not each.approved)

    @property
    def stopping(self) -> tuple[AskedLine, ...]:
        """Return what stops the logins of this audience, since it is required and not approved."""
        return tuple(each for each in self.kept if each.required)

    @property
    def linking(self) -> tuple[AskedLine, ...]:
        """Return by what suppliers could see that they know the same person."""
        return tuple(each for each in self.shared if each.name in LINKING)


def outline(
    asked: Sequence[AttributeDocument], choice: Choice, *, signed_on: int | None = None
) -> tuple[Outline, ...]:
    """Return an outline for pupils, for staff, and for each group with a choice of its own.

    Args:
        asked: attributes of the sheet as it is now.
        choice: what is approved.
        signed_on: version of the sheet on which it was signed; None when it is read now, so that
            nothing is new.
    """
    of_groups = (
        (Audience(Population.PUPIL, tuple(sorted(each.groups))), each.approved)
        for each in choice.groups
    )
    audiences = (
        (Audience(Population.PUPIL), choice.pupils),
        *of_groups,
        (Audience(Population.STAFF), choice.staff),
    )
    return tuple(
        Outline(audience, tuple(_lines(asked, approved, audience.population, signed_on)))
        for audience, approved in audiences
    )


def _lines(
    asked: Iterable[AttributeDocument],
    approved: frozenset[AttributeName],
    population: Population,
    signed_on: int | None,
) -> Iterable[AskedLine]:
    for each in asked:
        if population not in each.populations:
            continue
        name = AttributeName(each.name)
        since = max(each.required_since or 0, each.asked_since.get(population, 0))
        is_new = signed_on is not None and since > signed_on
        yield AskedLine(
            name=name,
            purpose=WordsDocument(nl=each.purpose, en=each.purpose_en or ""),
            without=each.works_without,
            required=each.required,
            approved=name in approved and not is_new,
            is_new=is_new,
            needs_end_day=VOCABULARY[name].restricted if name in VOCABULARY else False,
        )


@dataclass(frozen=True, slots=True)
class ShareChange:
    """What goes out of an audience now and did not before, and the other way round."""

    audience: Audience
    added: tuple[AttributeName, ...]
    taken: tuple[AttributeName, ...]


def compare_choices(before: Choice, after: Choice) -> tuple[ShareChange, ...]:
    """Return what differs, for each audience of either; none when they share the same.

    A group that only one of them names is compared with all pupils of the other.

    >>> name = AttributeName("givenName")
    >>> after = Choice(pupils=frozenset({name}), staff=frozenset())
    >>> compare_choices(NOTHING, after)[0].added
    ('givenName',)
    """
    changes = [
        _change(Audience(Population.PUPIL), before.pupils, after.pupils),
        *(
            _change(
                Audience(Population.PUPIL, tuple(sorted(groups))),
                _approved_of(before, groups),
                _approved_of(after, groups),
            )
            for groups in dict.fromkeys(each.groups for each in (*before.groups, *after.groups))
        ),
        _change(Audience(Population.STAFF), before.staff, after.staff),
    ]
    return tuple(each for each in changes if each.added or each.taken)


def _approved_of(choice: Choice, groups: frozenset[str]) -> frozenset[AttributeName]:
    return next((each.approved for each in choice.groups if each.groups == groups), choice.pupils)


def _change(
    audience: Audience, before: frozenset[AttributeName], after: frozenset[AttributeName]
) -> ShareChange:
    return ShareChange(audience, in_order(after - before), in_order(before - after))


def in_order(names: Iterable[AttributeName]) -> tuple[AttributeName, ...]:
    """Return names in the vocabulary's order, so that pages and documents read alike."""
    places = {name: place for place, name in enumerate(VOCABULARY)}
    return tuple(sorted(names, key=lambda each: (places.get(each, len(places)), each)))
