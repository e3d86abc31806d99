"""A register of plain records for tests of the rules: what a login writes is there at the next."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_records import (
    FoundRecords,
    FreshAccount,
    Login,
    PersonEvent,
    PersonRecord,
    Presented,
    Resolved,
    as_root,
)
from broker.flow.persons.person_rules import resolve_person
from broker.pseudonyms.derivation import PersonRoot

FIRST_DAY = date(2026, 9, 7)
VUURVOGEL, KOMPAS, REGENBOOG = map(SchoolId, ("vuurvogel", "kompas", "regenboog"))


def a_root(name: str) -> PersonRoot:
    """32 bytes that stand for a root: the rules do no arithmetic."""
    return as_root(name.encode().ljust(32, b"."))


def a_tag(root: PersonRoot | None) -> bytes:
    return b"" if root is None else b"tag of " + root


@dataclass
class RegisterWorld:
    """Records by root, and a calendar."""

    records: dict[PersonRoot, PersonRecord] = field(default_factory=dict)
    today: date = FIRST_DAY
    salts: int = 0
    closed: set[PersonRoot] = field(default_factory=set)
    reissued: set[PersonRoot] = field(default_factory=set)

    def login(
        self,
        eck_id: str | None = None,
        local: str | None = None,
        *,
        school: SchoolId = VUURVOGEL,
        population: Population = Population.PUPIL,
        eck_id_required: bool = False,
        confirms: SchoolId | None = None,
    ) -> Resolved:
        """Log in; the local root's name gets the school's, as its derivation does."""
        eck_root = None if eck_id is None else a_root(f"E:{eck_id}")
        local_root = None if local is None else a_root(f"L:{school}:{local}")
        presented = Presented(population, eck_id=eck_root, local=local_root)
        known_local = None if local_root is None else self.records.get(local_root)
        bound = None
        if known_local is not None and known_local.bound_to not in (None, eck_root):
            bound = self.records.get(as_root(known_local.bound_to or b""))
        self.salts += 1
        resolved = resolve_person(
            presented,
            FoundRecords(
                eck_id=None if eck_root is None else self.records.get(eck_root),
                local=known_local,
                bound=bound,
                closed=frozenset(self.closed & (set(presented.roots) - self.records.keys())),
                reissued=local_root in self.reissued and eck_root is None,
            ),
            login=Login(
                school=school,
                eck_id_required=eck_id_required,
                today=self.today,
                local_tag=a_tag(local_root),
                fresh_salt=self.salts.to_bytes(16, "big"),
                fresh_account=self.fresh_account,
                confirms=confirms,
            ),
            rules=JoinRules(),
        )
        self.records.update({change.root: change.record for change in resolved.changes})
        self.closed -= self.records.keys()
        return resolved

    def fresh_account(self, root: PersonRoot) -> FreshAccount:
        account = a_root(f"F{self.salts}:{root.rstrip(b'.').decode()}")
        return FreshAccount(account, a_tag(account))

    def account(self, eck_id: str | None = None, local: str | None = None, **how: object) -> str:
        """Log in and return the name of the account that opened."""
        return self.login(eck_id, local, **how).account.rstrip(b".").decode()  # type: ignore[arg-type]

    def pass_days(self, days: int) -> None:
        self.today += timedelta(days=days)

    def eck(self, name: str) -> PersonRecord:
        return self.records[a_root(f"E:{name}")]

    def local(self, name: str, school: SchoolId = VUURVOGEL) -> PersonRecord:
        return self.records[a_root(f"L:{school}:{name}")]


def roots_written(resolved: Resolved) -> list[str]:
    return [change.root.rstrip(b".").decode() for change in resolved.changes]


__all__ = [
    "FIRST_DAY",
    "KOMPAS",
    "REGENBOOG",
    "VUURVOGEL",
    "PersonEvent",
    "RegisterWorld",
    "a_root",
    "a_tag",
    "roots_written",
]
