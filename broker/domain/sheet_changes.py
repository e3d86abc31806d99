"""What a new version of a service sheet changes, as data: what a school must read again.

Nothing here words anything: each change names its kind, the part of the sheet, whom or what it is
about, and the text of before and after in both languages.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeVar

from broker.domain.sheet_documents import AttributeDocument, SheetDocument, WordsDocument
from broker.domain.sheets import ServiceSheet

Item = TypeVar("Item")
ItemKey = TypeVar("ItemKey", bound=Hashable)


class SheetPart(StrEnum):
    """A part of a sheet."""

    CATEGORY = "category"
    LANGUAGES = "languages"
    PURPOSES = "purposes"
    WORKS_WITHOUT = "works-without"
    ATTRIBUTE = "attribute"
    ATTRIBUTE_PURPOSE = "attribute-purpose"
    ATTRIBUTE_WITHOUT = "attribute-without"
    PROCESSOR_AGREEMENT = "processor-agreement"
    SUB_PROCESSOR = "sub-processor"
    COUNTRIES = "countries"
    OUTSIDE_EEA = "outside-eea"
    RETENTION = "retention"
    DPIA = "dpia"
    CONTACT = "contact"


class ChangeKind(StrEnum):
    """What happened with it."""

    ADDED = "added"
    GONE = "gone"
    NOW_REQUIRED = "now-required"
    NO_LONGER_REQUIRED = "no-longer-required"
    ASKED_OF_MORE = "asked-of-more"
    ASKED_OF_FEWER = "asked-of-fewer"
    CHANGED = "changed"


NO_WORDS = WordsDocument()


@dataclass(frozen=True, slots=True)
class SheetChange:
    """One change.

    Attributes:
        subject: name of the attribute, company, country or contact; "" when the part says it all.
        before, after: its text; a fact reads the same in both languages. Empty: there was none.
    """

    kind: ChangeKind
    part: SheetPart
    subject: str = ""
    before: WordsDocument = NO_WORDS
    after: WordsDocument = NO_WORDS

    @property
    def asks_more(self) -> bool:
        """Tell whether the supplier wants more of somebody than before."""
        return self.part is SheetPart.ATTRIBUTE and self.kind in _ASKS_MORE


_ASKS_MORE = frozenset({ChangeKind.ADDED, ChangeKind.NOW_REQUIRED, ChangeKind.ASKED_OF_MORE})
_AT_EASE = frozenset({ChangeKind.GONE, ChangeKind.NO_LONGER_REQUIRED, ChangeKind.ASKED_OF_FEWER})


@dataclass(frozen=True, slots=True)
class SheetChanges:
    """All changes from one version to a later one, in the order of the sheet.

    Attributes:
        from_version: 0: there was none.
    """

    from_version: int
    to_version: int
    changes: tuple[SheetChange, ...]

    @property
    def asks_more(self) -> tuple[SheetChange, ...]:
        """Return what waits until a school decides on it."""
        return tuple(each for each in self.changes if each.asks_more)

    @property
    def asks_less(self) -> tuple[SheetChange, ...]:
        """Return what needs nobody's decision: less is asked."""
        return tuple(
            each
            for each in self.changes
            if each.part is SheetPart.ATTRIBUTE and each.kind in _AT_EASE
        )

    @property
    def to_read(self) -> tuple[SheetChange, ...]:
        """Return the texts and facts that a school should read again."""
        return tuple(each for each in self.changes if each.part is not SheetPart.ATTRIBUTE)


def compare_sheets(before: ServiceSheet | None, after: ServiceSheet) -> SheetChanges:
    """Return what differs; of a first version all of it is added."""
    old = before or ServiceSheet(sheet=SheetDocument(version=1))
    found = (
        *_compare_attributes(old.attributes, after.attributes),
        *(change for compare in COMPARISONS for change in compare(old.sheet, after.sheet)),
    )
    return SheetChanges(0 if before is None else before.version, after.version, found)


def _compare_attributes(
    before: Iterable[AttributeDocument], after: Iterable[AttributeDocument]
) -> Iterator[SheetChange]:
    def name_of(each: AttributeDocument) -> str:
        return each.name

    for name, old, new in _pairs(before, after, key=name_of):
        if old is None or new is None:
            kind = ChangeKind.ADDED if old is None else ChangeKind.GONE
            yield SheetChange(kind, SheetPart.ATTRIBUTE, name, _purpose(old), _purpose(new))
            if new is not None and new.required:
                yield SheetChange(ChangeKind.NOW_REQUIRED, SheetPart.ATTRIBUTE, name)
            continue
        yield from _compare_asking(old, new)
        yield from _text(SheetPart.ATTRIBUTE_PURPOSE, name, _purpose(old), _purpose(new))
        without = old.works_without, new.works_without
        yield from _text(SheetPart.ATTRIBUTE_WITHOUT, name, *without)


def _compare_asking(old: AttributeDocument, new: AttributeDocument) -> Iterator[SheetChange]:
    if old.required != new.required:
        kind = ChangeKind.NOW_REQUIRED if new.required else ChangeKind.NO_LONGER_REQUIRED
        yield SheetChange(kind, SheetPart.ATTRIBUTE, new.name)
    who = _fact(sorted(old.populations)), _fact(sorted(new.populations))
    if set(new.populations) - set(old.populations):
        yield SheetChange(ChangeKind.ASKED_OF_MORE, SheetPart.ATTRIBUTE, new.name, *who)
    if set(old.populations) - set(new.populations):
        yield SheetChange(ChangeKind.ASKED_OF_FEWER, SheetPart.ATTRIBUTE, new.name, *who)


def _purpose(attribute: AttributeDocument | None) -> WordsDocument:
    if attribute is None:
        return NO_WORDS
    return WordsDocument(nl=attribute.purpose, en=attribute.purpose_en or "")


def _compare_category(old: SheetDocument, new: SheetDocument) -> Iterator[SheetChange]:
    was, is_ = _fact([old.category or ""]), _fact([new.category or ""])
    yield from _text(SheetPart.CATEGORY, "", was, is_)


def _compare_languages(old: SheetDocument, new: SheetDocument) -> Iterator[SheetChange]:
    yield from _text(SheetPart.LANGUAGES, "", _fact(old.languages), _fact(new.languages))


def _compare_purposes(old: SheetDocument, new: SheetDocument) -> Iterator[SheetChange]:
    for index in range(max(len(old.purpose), len(new.purpose))):
        was = old.purpose[index] if index < len(old.purpose) else NO_WORDS
        is_ = new.purpose[index] if index < len(new.purpose) else NO_WORDS
        yield from _text(SheetPart.PURPOSES, "", was, is_)


def _compare_without(old: SheetDocument, new: SheetDocument) -> Iterator[SheetChange]:
    yield from _text(SheetPart.WORKS_WITHOUT, "", old.works_without, new.works_without)


def _compare_agreements(old: SheetDocument, new: SheetDocument) -> Iterator[SheetChange]:
    def facts(sheet: SheetDocument) -> WordsDocument:
        stated = sheet.processor_agreement
        if stated is None:
            return NO_WORDS
        signed = "covenant" if stated.covenant_signed else ""
        return _fact([stated.model, stated.version, signed, stated.url or ""])

    yield from _text(SheetPart.PROCESSOR_AGREEMENT, "", facts(old), facts(new))


def _compare_sub_processors(old: SheetDocument, new: SheetDocument) -> Iterator[SheetChange]:
    pairs = _pairs(old.sub_processor, new.sub_processor, key=lambda each: each.name)
    for name, was, is_ in pairs:
        before = NO_WORDS if was is None else _with(was.country, was.purpose)
        after = NO_WORDS if is_ is None else _with(is_.country, is_.purpose)
        yield from _text(SheetPart.SUB_PROCESSOR, name, before, after)


def _compare_countries(old: SheetDocument, new: SheetDocument) -> Iterator[SheetChange]:
    for country in sorted({*old.countries} ^ {*new.countries}):
        kind = ChangeKind.ADDED if country in new.countries else ChangeKind.GONE
        yield SheetChange(kind, SheetPart.COUNTRIES, country)


def _compare_grounds(old: SheetDocument, new: SheetDocument) -> Iterator[SheetChange]:
    yield from _text(SheetPart.OUTSIDE_EEA, "", old.outside_eea, new.outside_eea)


def _compare_retention(old: SheetDocument, new: SheetDocument) -> Iterator[SheetChange]:
    yield from _text(SheetPart.RETENTION, "", old.retention, new.retention)


def _compare_dpia(old: SheetDocument, new: SheetDocument) -> Iterator[SheetChange]:
    def facts(sheet: SheetDocument) -> WordsDocument:
        if sheet.dpia is None:
            return NO_WORDS
        day = sheet.dpia.on.isoformat() if sheet.dpia.on is not None else ""
        return _fact([sheet.dpia.reference, day, sheet.dpia.url or ""])

    yield from _text(SheetPart.DPIA, "", facts(old), facts(new))


def _compare_contacts(old: SheetDocument, new: SheetDocument) -> Iterator[SheetChange]:
    def facts(sheet: SheetDocument) -> Mapping[str, WordsDocument]:
        return {
            each.function.value: _fact([each.mail or "", each.phone or "", each.url or ""])
            for each in sheet.contact
        }

    was, is_ = facts(old), facts(new)
    for function in (*was, *(each for each in is_ if each not in was)):
        before, after = was.get(function, NO_WORDS), is_.get(function, NO_WORDS)
        yield from _text(SheetPart.CONTACT, function, before, after)


Comparison: TypeAlias = Callable[[SheetDocument, SheetDocument], Iterator[SheetChange]]

COMPARISONS: tuple[Comparison, ...] = (
    _compare_category,
    _compare_languages,
    _compare_purposes,
    _compare_without,
    _compare_agreements,
    _compare_sub_processors,
    _compare_countries,
    _compare_grounds,
    _compare_retention,
    _compare_dpia,
    _compare_contacts,
)
"""One for each part of a sheet but its attributes; a test holds that no key is forgotten."""


def _text(
    part: SheetPart, subject: str, before: WordsDocument, after: WordsDocument
) -> Iterator[SheetChange]:
    if before != after:
        kind = (
            ChangeKind.ADDED
            if before == NO_WORDS
            else ChangeKind.GONE
            if after == NO_WORDS
            else ChangeKind.CHANGED
        )
        yield SheetChange(kind, part, subject, before, after)


def _fact(values: Iterable[str]) -> WordsDocument:
    text = ", ".join(filter(None, values))
    return WordsDocument(nl=text, en=text)


def _with(fact: str, words: WordsDocument) -> WordsDocument:
    nl, en = (f"{fact}: {each}" if each else fact for each in (words.nl, words.en))
    return WordsDocument(nl=nl, en=en)


def _pairs(
    before: Iterable[Item], after: Iterable[Item], *, key: Callable[[Item], ItemKey]
) -> Iterator[tuple[ItemKey, Item | None, Item | None]]:
    old, new = {key(each): each for each in before}, {key(each): each for each in after}
    for name in (*old, *(each for each in new if each not in old)):
        yield name, old.get(name), new.get(name)
