"""A broker of two workers over real databases, with honest schools around it and one that lies.

The flows, protocols and signatures are real; register, registry, lists and take-overs rest in
SQLite in a folder of their own. Each worker has its own view of the registry, as two processes do.
Who is around it stands in `continuity_parties`.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import msgspec
from sqlalchemy import bindparam, insert, update

from broker.adapters.databases.packed_agreements import pack_agreement
from broker.adapters.databases.registry_versions import add_version, read_version
from broker.adapters.databases.sql import open_sqlite, prepare, transaction
from broker.adapters.databases.sql_enrolments import SqliteEnrolments
from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_takeover_lists import SqliteTakeoverLists
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.adapters.databases.tables_registry import documents, pins
from broker.demo.people import Person
from broker.domain.agreements import Agreement
from broker.domain.documents import Kind
from broker.domain.federation import Relation, School, SchoolIdp, Supplier
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.refusals import Refusal
from broker.flow.answers import (
    Answer,
    ChooseLogin,
    ChooseSchool,
    OtherLogin,
    PostMessage,
    Redirect,
    Refused,
)
from broker.flow.school_logins import LoginWish
from broker.pseudonyms.conversion import find_root, make_conversion
from broker.pseudonyms.derivation import (
    PersonRoot,
    parse_eckid,
    root_apart,
    root_from_eckid,
    root_from_local,
    root_from_local_staff,
)
from broker.pseudonyms.epochs import select_key
from tests import builders_saml as saml
from tests.flow.continuity_parties import LIAR, LIAR_ENTITY, NEW_IDP, RULES, parties
from tests.flow.login_answers import AtSchool, Browser, Received, read_at_school
from tests.flow.login_parties import (
    SAML_IDP,
)
from tests.flow.login_world import LoginWorld, Worker
from tests.flow.port_fakes import SwappedSnapshots

WORKERS = 2

AnyT = TypeVar("AnyT")

_END = prepare(
    update(documents)
    .where(
        documents.c.kind == bindparam("of_kind"),
        documents.c.id == bindparam("of_id"),
        documents.c.last_version.is_(None),
    )
    .values(last_version=bindparam("before"))
)
_ADD = prepare(insert(documents))
_PIN = prepare(insert(pins))


@cache
def _templates() -> "TemporaryDirectory[str]":
    """Return a folder with the databases at the beginning; they are copied for each world."""
    folder = TemporaryDirectory(prefix="continuity-")
    upgrade_database(Path(folder.name) / "registry.db", "registry")
    upgrade_database(Path(folder.name) / "register.db", "register")
    put_records(Path(folder.name) / "registry.db", parties())
    return folder


def put_records(path: Path, records: Mapping[str, Any]) -> None:
    """Put records in force in a registry as an apply does; None removes what is under that key."""
    with closing(open_sqlite(path)) as connection, transaction(connection):
        before = read_version(connection)
        version = add_version(connection, note="apply", by="tester", at=saml.NOW)
        for key, record in records.items():
            kind, id_, compiled = _row_of(key, record)
            connection.execute(_END, {"of_kind": kind, "of_id": id_, "before": before})
            if compiled:
                row = {"kind": kind, "id": id_, "compiled": compiled, "stated": "{}"}
                connection.execute(
                    _ADD, {**row, "first_version": version, "number": None, "last_version": None}
                )
            if isinstance(record, Supplier) and before == 0:
                pin = {"supplier": record.id, "epoch": record.epoch, "version": version}
                connection.execute(_PIN, pin)


_KINDS: Mapping[type, Kind] = {
    School: Kind.SCHOOL,
    SchoolIdp: Kind.IDENTITY_PROVIDER,
    Supplier: Kind.SUPPLIER,
    Relation: Kind.RELATION,
}


def _row_of(key: str, record: Any) -> tuple[str, str, bytes]:
    if record is None:
        return Kind.RELATION.value, key, b""
    if isinstance(record, Agreement):
        return Kind.AGREEMENT.value, f"school/{key}", pack_agreement(record)
    return _KINDS[type(record)].value, key, msgspec.msgpack.encode(record)


@dataclass(frozen=True)
class Arrived:
    """What came of one login.

    Attributes:
        received: what the supplier got; None when it got nothing.
        refusal: why not.
        shown: all that the browser, and so the school behind it, was shown of it.
    """

    received: Received | None = None
    refusal: Refusal | None = None
    shown: tuple[Answer, ...] = field(default=(), repr=False)


class ContinuityWorld(LoginWorld):
    """Two workers over one folder, that are restarted, and everybody around them."""

    def __init__(self) -> None:
        super().__init__()
        self.arrival_rules, self.records = RULES, parties()
        self._folder = TemporaryDirectory(prefix="continuity-")
        self.folder = Path(self._folder.name)
        for name in ("registry.db", "register.db"):
            shutil.copy(Path(_templates().name) / name, self.folder / name)
        self.runner = asyncio.Runner()
        self.start()

    # Workers ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Open what rests, by workers that share nothing else but the login store."""
        path = self.folder / "register.db"
        self.register = SqlitePersonRegister(path)  # type: ignore[assignment]
        self.enrolments = SqliteEnrolments(path)  # type: ignore[assignment]
        self.takeover_lists = SqliteTakeoverLists(path)  # type: ignore[assignment]
        self.registry = SqliteRegistry(self.folder / "registry.db")
        loaded = self.registry.load()
        self.sights = [SwappedSnapshots(loaded) for _ in range(WORKERS)]
        self.workers: list[Worker] = []
        for sight in self.sights:
            self.snapshots = sight
            self.workers.append(self.make_worker(self.store))

    def stop(self) -> None:
        async def close() -> None:
            for each in (self.register, self.enrolments, self.takeover_lists):
                await each.close()  # type: ignore[attr-defined]

        self.run(close())

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        self.stop()
        self.runner.close()
        self._folder.cleanup()

    def run(self, step: Awaitable[AnyT]) -> AnyT:
        async def carry_out() -> AnyT:
            return await step

        return self.runner.run(carry_out())

    def work(self, number: int) -> None:
        """Let one of the workers answer from here on."""
        self.use(self.workers[number % WORKERS])
        self.snapshots = self.sights[number % WORKERS]

    def look(self) -> None:
        """Let the workers look whether the registry moved, as they do twice a second."""
        version = self.registry.version()
        if any(each.registry.version != version for each in self.sights):
            loaded = self.registry.load()
            for each in self.sights:
                each.swap(loaded)

    def apply(self, **records: Any) -> None:
        """Put records in force, as `broker apply` does."""
        put_records(
            self.folder / "registry.db", {k.replace("__", "/"): v for k, v in records.items()}
        )
        self.look()

    # Logins ----------------------------------------------------------------------------------

    async def log_in_at(
        self,
        school: SchoolId,
        person: Person,
        *,
        party: str,
        first: int = 0,
        second: int = 1,
        **changes: Any,
    ) -> Arrived:
        """Run one login: the first worker sends to school, the second takes the answer in."""
        browser, shown = Browser(), []
        self.work(first)
        chooser = await self.begin(browser, party)
        assert isinstance(chooser, ChooseSchool), chooser
        answer = await self.choose(browser, chooser.login, school)
        shown.append(answer)
        if isinstance(answer, ChooseLogin):
            step = await self.flow.choose(
                browser.step(answer.login),
                unverified_school=school,
                wish=LoginWish(unverified_clicked=NEW_IDP if second % WORKERS else SAML_IDP),
            )
            answer = browser.follow(step)
            shown.append(answer)
        if not isinstance(answer, Redirect) or _is_supplier_s(answer):
            return await self._end(answer, party, shown)
        at_school = read_at_school(answer)
        self.work(second)
        answer = await self.come_back(
            browser, at_school, person, **self._own_words(school, at_school, person, changes)
        )
        shown.append(answer)
        if isinstance(answer, OtherLogin):
            step = await self.flow.choose(
                browser.step(answer.login),
                unverified_school=answer.school.id,
                wish=LoginWish(unverified_clicked=answer.idp.id),
            )
            at_school = read_at_school(browser.follow(step))
            changes = self._own_words(school, at_school, person, changes)
            answer = await self.come_back(browser, at_school, person, **changes)
            shown.append(answer)
        return await self._end(answer, party, shown)

    async def log_in_at_once(
        self, school: SchoolId, persons: Sequence[Person], *, party: str
    ) -> list[Arrived]:
        """Run several logins whose answers of the school reach the workers in the same moment."""
        browsers, finishing = [], []
        for number, person in enumerate(persons):
            browser = Browser()
            self.work(number)
            chooser = await self.begin(browser, party)
            assert isinstance(chooser, ChooseSchool), chooser
            at_school = read_at_school(await self.choose(browser, chooser.login, school))
            words = self._own_words(school, at_school, person, {})
            step = browser.step(at_school.state)
            if at_school.nonce:
                parameters = self.oidc_answer(at_school, person, **words)
                finishing.append(self.flow.finish_oidc(step, parameters=parameters))
            else:
                form = self.saml_answer(at_school, person, **words)
                finishing.append(self.flow.finish_saml(step, form=form))
            browsers.append(browser)
        steps = await asyncio.gather(*finishing)
        answers = [each.follow(step) for each, step in zip(browsers, steps, strict=True)]
        return [await self._end(each, party, [each]) for each in answers]

    def _own_words(
        self, school: SchoolId, at_school: AtSchool, person: Person, changes: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return how the login of a school says it."""
        if school != LIAR or at_school.nonce:
            return dict(changes)
        own = {"issuer": LIAR_ENTITY, "response_issuer": LIAR_ENTITY, "key": saml.STRANGER_KEY}
        return {**own, **changes}

    async def _end(self, answer: Answer, party: str, shown: list[Answer]) -> Arrived:
        if isinstance(answer, Refused):
            return Arrived(refusal=answer.refusal, shown=tuple(shown))
        assert isinstance(answer, Redirect | PostMessage), answer
        received = await self.receive(answer, party)
        return Arrived(received=received, shown=tuple(shown))

    # Names of accounts -----------------------------------------------------------------------

    def account_of(self, pseudonym: str, supplier: SupplierId) -> PersonRoot:
        """Return the account that a supplier's pseudonym stands for, by our keys."""
        return _account_of(self, pseudonym, supplier)

    def by_eck_id(self, eck_id: str) -> PersonRoot:
        return root_from_eckid(parse_eckid(eck_id), key=self.keys.root)

    def by_number(self, school: SchoolId, number: str) -> PersonRoot:
        return root_from_local(school, number, key=self.keys.root)

    def of_staff(self, school: SchoolId, number: str) -> PersonRoot:
        return root_from_local_staff(school, number, key=self.keys.root)

    def apart(self, eck_id: str, school: SchoolId) -> PersonRoot:
        return root_apart(self.by_eck_id(eck_id), school, key=self.keys.root)


def _account_of(world: ContinuityWorld, pseudonym: str, supplier: SupplierId) -> PersonRoot:
    key = select_key(world.keys.pairwise, pinned=pseudonym[0])
    return find_root(pseudonym, conversion=make_conversion(supplier, left=key, entered=key))


def _is_supplier_s(answer: Redirect) -> bool:
    return "iss=" in answer.url
