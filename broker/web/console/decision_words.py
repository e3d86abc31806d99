"""A decision in plain sentences, Dutch or English: what is shared of whom, why, what happens
without, what changed, and whether suppliers could recognise a pupil between them.

Pages and the signed document read the same sentences. The texts of sheets are the supplier's own;
they come in as they are and are escaped by whoever shows them.
"""

import gettext
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from broker.domain.attributes import AttributeName, Population
from broker.domain.decision_outline import (
    AskedLine,
    Audience,
    Choice,
    Outline,
    ShareChange,
    compare_choices,
    in_order,
)
from broker.domain.sheet_documents import AttributeDocument, WordsDocument
from broker.web.attribute_words import PLAIN_WORDS
from broker.web.texts import N_, Language

MONTHS = (
    *(N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"), N_("July")),
    *(N_("August"), N_("September"), N_("October"), N_("November"), N_("December")),
)


@dataclass(frozen=True, slots=True)
class SharedLine:
    """One attribute in words.

    Attributes:
        name: canonical, for a form.
        words: what it is.
        why: the supplier's reason.
        without: what happens without it, in one sentence.
    """

    name: str
    words: str
    why: str
    without: str
    required: bool
    approved: bool
    is_new: bool
    needs_end_day: bool


@dataclass(frozen=True, slots=True)
class SharedOf:
    """What is shared of one audience, in words.

    Attributes:
        of_whom: a short heading.
        lead: one sentence that says it all.
        stops: one sentence on logins that will not work; "" where all of them do.
        links: one sentence on suppliers that could recognise a person; never empty.
    """

    audience: Audience
    of_whom: str
    lead: str
    lines: tuple[SharedLine, ...]
    stops: str
    links: str
    is_linkable: bool


@dataclass(frozen=True, slots=True)
class DecisionWords:
    """Puts decisions into words of one language."""

    language: Language
    translations: gettext.NullTranslations

    def say(self, message: str, **values: str) -> str:
        """Return a message id in this language, with values in it."""
        return self.translations.gettext(message) % values

    def name(self, attribute: str) -> str:
        """Return what an attribute is; a name of nobody's vocabulary as it is."""
        words = PLAIN_WORDS.get(attribute)
        return attribute if words is None else self.say(words)

    def names(self, attributes: Iterable[AttributeName]) -> str:
        """Return attributes as a list in a sentence."""
        return self.join([self.name(each) for each in in_order(attributes)])

    def join(self, parts: Sequence[str]) -> str:
        """Return parts as people list them: "one, two and three"."""
        if len(parts) < 2:
            return "".join(parts)
        return self.say(N_("%(first)s and %(last)s"), first=", ".join(parts[:-1]), last=parts[-1])

    def day(self, day: date) -> str:
        """Return a day as people write it."""
        return f"{day.day} {self.say(MONTHS[day.month - 1])} {day.year}"

    def text(self, words: WordsDocument) -> str:
        """Return a text of a sheet in this language, else in the other one."""
        if self.language is Language.NL:
            return words.nl or words.en
        return words.en or words.nl

    def of_whom(self, audience: Audience) -> str:
        """Return of whom it is, as a heading."""
        if audience.population is Population.STAFF:
            return self.say(N_("Staff"))
        if audience.groups:
            return self.say(N_("Pupils of %(groups)s"), groups=self.join(audience.groups))
        return self.say(N_("Pupils"))

    def shared_of(self, each: Outline, *, supplier: str) -> SharedOf:
        """Return one outline in words."""
        return SharedOf(
            audience=each.audience,
            of_whom=self.of_whom(each.audience),
            lead=self._lead(each, supplier),
            lines=tuple(self._line(line) for line in each.lines),
            stops=self._stops(each, supplier),
            links=self._links(each),
            is_linkable=bool(each.linking),
        )

    def changes(self, before: Choice, after: Choice) -> tuple[str, ...]:
        """Return a sentence for each thing that is added or taken away; none when nothing is."""
        return tuple(
            sentence
            for change in compare_choices(before, after)
            for sentence in self._changes(change)
        )

    def period(self, first_day: date, last_day: date | None) -> str:
        """Return from when until when a decision holds."""
        if last_day is None:
            return self.say(N_("From %(first)s, without an end."), first=self.day(first_day))
        return self.say(
            N_("From %(first)s up to and including %(last)s."),
            first=self.day(first_day),
            last=self.day(last_day),
        )

    def why(self, asked: AttributeDocument) -> str:
        """Return the supplier's reason."""
        return self.text(WordsDocument(nl=asked.purpose, en=asked.purpose_en or ""))

    def without(self, asked: AttributeDocument) -> str:
        """Return what happens without it: the supplier's own words, else ours."""
        return self.text(asked.works_without) or self._without(is_required=asked.required)

    def _lead(self, each: Outline, supplier: str) -> str:
        values = {"supplier": supplier, "what": self.names(line.name for line in each.shared)}
        if each.audience.population is Population.STAFF:
            if each.shared:
                return self.say(
                    N_("Of an employee, %(supplier)s gets a pseudonym and: %(what)s."), **values
                )
            return self.say(
                N_("Of an employee, %(supplier)s gets a pseudonym and nothing else."), **values
            )
        if each.shared:
            return self.say(
                N_("Of a pupil, %(supplier)s gets a pseudonym and: %(what)s."), **values
            )
        return self.say(N_("Of a pupil, %(supplier)s gets a pseudonym and nothing else."), **values)

    def _stops(self, each: Outline, supplier: str) -> str:
        if not each.stopping:
            return ""
        values = {"supplier": supplier, "what": self.names(line.name for line in each.stopping)}
        if each.audience.population is Population.STAFF:
            return self.say(
                N_("Staff cannot use %(supplier)s: it does not work without %(what)s."), **values
            )
        return self.say(
            N_("These pupils cannot use %(supplier)s: it does not work without %(what)s."), **values
        )

    def _links(self, each: Outline) -> str:
        if not each.linking:
            return self.say(N_("Two suppliers cannot see by this that they know the same person."))
        return self.say(
            N_("Suppliers that get the same can see that they know the same person, by: %(what)s."),
            what=self.names(line.name for line in each.linking),
        )

    def _line(self, each: AskedLine) -> SharedLine:
        return SharedLine(
            name=each.name,
            words=self.name(each.name),
            why=self.text(each.purpose),
            without=self.text(each.without) or self._without(is_required=each.required),
            required=each.required,
            approved=each.approved,
            is_new=each.is_new,
            needs_end_day=each.needs_end_day,
        )

    def _without(self, *, is_required: bool) -> str:
        if is_required:
            return self.say(N_("Without this, nobody of them can log in."))
        return self.say(N_("Without this, it works too."))

    def _changes(self, change: ShareChange) -> Iterable[str]:
        of_whom = self.of_whom(change.audience)
        if change.added:
            yield self.say(
                N_("%(of_whom)s: from now on %(what)s is shared too."),
                of_whom=of_whom,
                what=self.names(change.added),
            )
        if change.taken:
            yield self.say(
                N_("%(of_whom)s: %(what)s is not shared any more."),
                of_whom=of_whom,
                what=self.names(change.taken),
            )
