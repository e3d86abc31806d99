"""Registers in words of one language."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from broker.domain.attributes import AttributeName
from broker.domain.countries import is_in_eea
from broker.domain.federation import School, Sector
from broker.domain.sheets import ServiceSheet
from broker.flow.insight.registers import (
    WARNED_DAYS,
    EndingSoon,
    LoginShare,
    RegisterLine,
    SectorShare,
    Standing,
)
from broker.web.console.country_words import name_country
from broker.web.console.decision_words import DecisionWords
from broker.web.console.register_tables import (
    KIND_WORDS,
    LazyRows,
    RegisterKind,
    RegisterTable,
)
from broker.web.console.sheet_words import CATEGORY_WORDS, MODEL_WORDS
from broker.web.day_words import FEWEST_SHOWN, write_people
from broker.web.texts import N_

STANDING_WORDS: Mapping[Standing, str] = MappingProxyType(
    {
        Standing.IN_FORCE: N_("in force"),
        Standing.NOT_YET: N_("begins later"),
        Standing.ENDED: N_("ended"),
        Standing.STOPPED: N_("stopped"),
    }
)
SECTOR_WORDS: Mapping[Sector, str] = MappingProxyType(
    {
        Sector.PO: N_("primary education"),
        Sector.VO: N_("secondary education"),
        Sector.MBO: N_("vocational education"),
        Sector.HO: N_("higher education"),
    }
)


@dataclass(frozen=True, slots=True)
class RegisterWords:
    """Makes tables of registers in one language."""

    words: DecisionWords

    def say(self, message: str, **values: str) -> str:
        """Return a message id in this language."""
        return self.words.say(message, **values)

    def processing_of_school(self, school: School, lines: Sequence[RegisterLine]) -> RegisterTable:
        """Return the record of processing activities of a school as controller (GDPR 30(1))."""
        return self._table(
            RegisterKind.PROCESSING,
            school.name,
            [
                self.say(N_("Controller: the board %(board)s.") , board=school.board),
                self.say(N_("Ground: the school's task in education. Every supplier gets a "
                            "pseudonym; the columns say what goes out besides.")),
                self.say(N_("People: pupils and employees who log in. Security: pseudonyms for "
                            "each supplier, receipts, keys kept apart.")),
            ],
            [
                (N_("Supplier"), lambda each: each.supplier.legal_name),
                (N_("Purposes"), self._purposes),
                (N_("Of pupils"), lambda each: self._names(each.pupils)),
                (N_("Of employees"), lambda each: self._names(each.staff)),
                (N_("Sub-processors"), self._sub_processors),
                (N_("Countries"), self._countries),
                (N_("Kept how long"), self._retention),
                (N_("Decision"), self._decision),
                (N_("State"), self._standing),
            ],
            [each for each in lines if each.standing is not Standing.NOT_YET],
        )  # fmt: skip

    def processing_of_supplier(self, name: str, lines: Sequence[RegisterLine]) -> RegisterTable:
        """Return the record of a supplier as processor (GDPR 30(2))."""
        return self._table(
            RegisterKind.PROCESSING,
            name,
            [self.say(N_("On whose behalf this supplier works, and what it gets."))],
            [
                (N_("School"), lambda each: f"{each.school.name} ({each.school.brin})"),
                (N_("Board"), lambda each: str(each.school.board)),
                (N_("Of pupils"), lambda each: self._names(each.pupils)),
                (N_("Of employees"), lambda each: self._names(each.staff)),
                (N_("Decision"), self._decision),
                (N_("State"), self._standing),
            ],
            lines,
        )

    def suppliers_of_school(self, school: School, lines: Sequence[RegisterLine]) -> RegisterTable:
        """Return a school's suppliers, with how their agreements stand."""
        return self._table(
            RegisterKind.SUPPLIERS,
            school.name,
            [],
            [
                (N_("Supplier"), lambda each: each.supplier.legal_name),
                (N_("State"), self._standing),
                (N_("Decision"), self._decision),
                (N_("Processor agreement"), self._processor_agreement),
                (N_("Sub-processors"), self._sub_processors),
                (N_("Countries"), self._countries),
                (N_("Linkable by"), lambda each: self._names(each.linked_by)),
            ],
            lines,
        )

    def dpia_of_school(self, school: School, lines: Sequence[RegisterLine]) -> RegisterTable:
        """Return what a data protection impact assessment asks of each supplier in use."""
        return self._table(
            RegisterKind.DPIA,
            school.name,
            [self.say(N_("Facts for your own assessment: it does not judge."))],
            [
                (N_("Supplier"), lambda each: each.supplier.legal_name),
                (N_("Kind of service"), self._category),
                (N_("Purposes"), self._purposes),
                (N_("Of pupils"), lambda each: self._names(each.pupils)),
                (N_("Needed by the service"), self._required),
                (N_("Linkable by"), lambda each: self._names(each.linked_by)),
                (N_("Outside the EEA"), self._outside),
                (N_("Kept how long"), self._retention),
                (N_("DPIA of the supplier"), self._dpia),
            ],
            [each for each in lines if each.standing is Standing.IN_FORCE],
        )

    def ending_of_school(self, school: School, found: EndingSoon) -> RegisterTable:
        """Return what ends at a school."""
        rows = [
            (
                self.say(N_("Decision")),
                each.supplier.display_name,
                self._day(each.agreement.last_day),
            )
            for each in found.agreements
        ]
        rows += [
            (self.say(N_("Certificate")), each.document, self._day(each.expires_at.date()))
            for each in found.certificates
        ]
        rows += [
            (self.say(N_("Exception of a login")), f"{login.name or login.place}: {name}",
             self._day(last_day))
            for login, name, last_day in found.exceptions
        ]  # fmt: skip
        note = self.say(N_("Within %(days)s days."), days=str(WARNED_DAYS))
        heads = (N_("What"), N_("Of whom"), N_("Last day"))
        return RegisterTable(
            title=self.say(KIND_WORDS[RegisterKind.ENDING]),
            place=school.name,
            notes=(note,),
            heads=tuple(map(self.say, heads)),
            rows=tuple(rows),
        )

    def adoption_of_school(self, share: LoginShare) -> RegisterTable:
        """Return how many of a school's logins stated an ECK iD."""
        return self._shares(share.school.name, [(share.school.name, share)])

    def adoption_of_all(
        self, sectors: Iterable[SectorShare], schools: Iterable[LoginShare]
    ) -> RegisterTable:
        """Return the same by sector, and then by school."""
        rows = [(self.say(SECTOR_WORDS[each.sector]), each) for each in sectors]
        return self._shares(
            "", [*rows, *((f"{each.school.name} ({each.school.brin})", each) for each in schools)]
        )

    def _shares(
        self, place: str, rows: Sequence[tuple[str, LoginShare | SectorShare]]
    ) -> RegisterTable:
        heads = (N_("Who"), N_("Logins of pupils"), N_("With ECK iD"), N_("Share"))
        return RegisterTable(
            title=self.say(KIND_WORDS[RegisterKind.ADOPTION]),
            place=place,
            notes=(self.say(N_("Of the last seven days. Fewer than ten are not told.")),),
            heads=tuple(map(self.say, heads)),
            rows=tuple(
                (
                    name,
                    self._people(each.logins),
                    self._people(each.with_eck_id),
                    tell_share(each.with_eck_id, each.logins),
                )
                for name, each in rows
            ),
        )

    def _table(
        self,
        kind: RegisterKind,
        place: str,
        notes: Sequence[str],
        columns: Sequence[tuple[str, Callable[[RegisterLine], str]]],
        lines: Sequence[RegisterLine],
    ) -> RegisterTable:
        return RegisterTable(
            title=self.say(KIND_WORDS[kind]),
            place=place,
            notes=tuple(notes),
            heads=tuple(self.say(head) for head, _ in columns),
            rows=LazyRows(lines, tuple(tell for _, tell in columns)),
        )

    def _people(self, count: int) -> str:
        return write_people(count, say=self.say)

    def _names(self, names: Sequence[AttributeName]) -> str:
        return self.words.names(names) if names else self.say(N_("nothing"))

    def _day(self, day: date | None) -> str:
        return self.say(N_("no end")) if day is None else self.words.day(day)

    def _standing(self, line: RegisterLine) -> str:
        return self.say(STANDING_WORDS[line.standing])

    def _decision(self, line: RegisterLine) -> str:
        agreement = line.agreement
        signer = N_("by the board") if line.by_board else N_("by the school")
        if line.is_carried:
            signer = N_("of the school before")
        return self.say(
            N_("version %(version)s, %(signer)s, from %(first)s, last day: %(last)s"),
            version=str(agreement.version),
            signer=self.say(signer),
            first=self.words.day(agreement.first_day),
            last=self._day(agreement.last_day),
        )

    def _purposes(self, line: RegisterLine) -> str:
        sheet = line.sheet
        told = [] if sheet is None else [self.words.text(each) for each in sheet.sheet.purpose]
        return "; ".join(each for each in told if each) or self._unknown()

    def _category(self, line: RegisterLine) -> str:
        category = None if line.sheet is None else line.sheet.sheet.category
        return self._unknown() if category is None else self.say(CATEGORY_WORDS[category])

    def _required(self, line: RegisterLine) -> str:
        needed = [each.name for each in line.supplier.attributes if each.required]
        return self._names(needed)

    def _sub_processors(self, line: RegisterLine) -> str:
        if line.sheet is None:
            return self._unknown()
        found = (
            f"{each.name} ({self.say(name_country(each.country))})"
            for each in line.sheet.sheet.sub_processor
        )
        return "; ".join(found) or self.say(N_("none"))

    def _countries(self, line: RegisterLine) -> str:
        countries = () if line.sheet is None else line.sheet.sheet.countries
        return ", ".join(self.say(name_country(each)) for each in countries) or self._unknown()

    def _outside(self, line: RegisterLine) -> str:
        if line.sheet is None:
            return self._unknown()
        outside = [each for each in countries_of(line.sheet) if not is_in_eea(each)]
        if not outside:
            return self.say(N_("no"))
        named = ", ".join(self.say(name_country(each)) for each in outside)
        reason = self.words.text(line.sheet.sheet.outside_eea)
        return f"{named}. {reason}" if reason else named

    def _retention(self, line: RegisterLine) -> str:
        told = "" if line.sheet is None else self.words.text(line.sheet.sheet.retention)
        return told or self._unknown()

    def _processor_agreement(self, line: RegisterLine) -> str:
        found = None if line.sheet is None else line.sheet.sheet.processor_agreement
        if found is None:
            return self._unknown()
        signed = N_("covenant signed") if found.covenant_signed else N_("covenant not signed")
        parts = (self.say(MODEL_WORDS[found.model]), found.version, self.say(signed))
        return ", ".join(filter(None, parts))

    def _dpia(self, line: RegisterLine) -> str:
        found = None if line.sheet is None else line.sheet.sheet.dpia
        return self._unknown() if found is None else found.reference

    def _unknown(self) -> str:
        return self.say(N_("not stated"))


def countries_of(sheet: ServiceSheet) -> tuple[str, ...]:
    """Return the countries of a service and of those to whom it entrusts work, each once."""
    of_others = (each.country for each in sheet.sheet.sub_processor)
    return tuple(dict.fromkeys((*sheet.sheet.countries, *of_others)))


def tell_share(part: int, whole: int) -> str:
    """Return a share in whole percents; "-" where it would tell of fewer than ten people.

    >>> tell_share(150, 200), tell_share(0, 200), tell_share(3, 200), tell_share(198, 200)
    ('75 %', '0 %', '-', '-')
    >>> tell_share(0, 0)
    '-'
    """
    tells_few = any(0 < each < FEWEST_SHOWN for each in (part, whole - part))
    return "-" if tells_few or not whole else f"{100 * part // whole} %"
