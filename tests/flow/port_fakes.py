"""In-memory fakes of every port of a login. One `Faults` counts all their calls and fails one."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from broker.domain.federation import ApiClient, OidcIdpEndpoints
from broker.domain.ids import SchoolIdpId
from broker.domain.registry import Registry
from broker.domain.relying_parties import OidcClient
from broker.domain.school_search import SchoolIndex, build_school_index
from broker.flow.audit import AuditEvent
from broker.flow.held_state.login_store import Claim, Locator, LoginStore, Put, StoreUnsure
from broker.flow.persons.register import RegisterUnavailable, RowWrite, StoredRow
from broker.flow.persons.school_counts import Count
from broker.flow.ports import SchoolUnanswered
from broker.flow.receipts.receipts import ReceiptsUnavailable, SealedReceipt
from broker.jose.keys import KeySet, parse_key_set
from broker.oidc_op.token import derive_code_challenge
from tests.builders_oidc import SCHOOL_ISSUER, SCHOOL_KEY, a_token_response, jwks_of
from tests.flow.fakes import Lost
from tests.flow.memory_register import MemoryRegister


class Faults:
    """Counts the calls of all ports in turn, and fails the n-th.

    Attributes:
        fails_at: which call, counted from 1; 0 is none, a negative one is all.
        lost: "request": the port never saw it; "answer": it carried it out.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fails_at = 0
        self.lost: Lost = "request"

    def start(self, *, fails_at: int = 0, lost: Lost = "request") -> None:
        """Count anew."""
        self.calls, self.fails_at, self.lost = [], fails_at, lost

    @property
    def counted(self) -> Counter[str]:
        """Number of calls of each port."""
        return Counter(each.partition(".")[0] for each in self.calls)

    def before(self, call: str, error: type[Exception]) -> None:
        """Count a call, and raise when it is the one whose request gets lost."""
        self.calls.append(call)
        if self._fails and self.lost == "request":
            raise error

    def after(self, error: type[Exception]) -> None:
        """Raise when the call just counted is the one whose answer gets lost."""
        if self._fails and self.lost == "answer":
            raise error

    @property
    def _fails(self) -> bool:
        return self.fails_at < 0 or len(self.calls) == self.fails_at


class FaultyStore:
    """A login store whose calls count and fail."""

    def __init__(self, inner: LoginStore, faults: Faults) -> None:
        self._inner, self._faults = inner, faults
        self.at_rest: list[bytes] = []

    async def put(self, puts: Sequence[Put], *, claims: Sequence[Claim] = ()) -> None:
        self._faults.before("store.put", StoreUnsure)
        self.at_rest += [part for put in puts for part in (put.locator, put.sealed)]
        self.at_rest += [claim.locator for claim in claims]
        await self._inner.put(puts, claims=claims)
        self._faults.after(StoreUnsure)

    async def take(
        self, locator: Locator, *, tombstone_ttl_seconds: int, claims: Sequence[Claim] = ()
    ) -> bytes:
        self._faults.before("store.take", StoreUnsure)
        sealed = await self._inner.take(
            locator, tombstone_ttl_seconds=tombstone_ttl_seconds, claims=claims
        )
        self._faults.after(StoreUnsure)
        return sealed

    async def get(self, locator: Locator) -> bytes:
        self._faults.before("store.get", StoreUnsure)
        return await self._inner.get(locator)

    async def get_all(self, locators: Sequence[Locator]) -> list[bytes | None]:
        self._faults.before("store.get_all", StoreUnsure)
        return await self._inner.get_all(locators)

    async def delete(self, locators: Sequence[Locator], *, tombstone_ttl_seconds: int) -> None:
        self._faults.before("store.delete", StoreUnsure)
        await self._inner.delete(locators, tombstone_ttl_seconds=tombstone_ttl_seconds)


class FaultyRegister(MemoryRegister):
    """A person register whose calls count and fail."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults

    async def find(self, tags: Sequence[bytes]) -> Mapping[bytes, StoredRow]:
        self._faults.before("register.find", RegisterUnavailable)
        return await super().find(tags)

    async def apply(self, writes: Sequence[RowWrite], counts: Sequence[Count] = ()) -> bool:
        self._faults.before("register.apply", RegisterUnavailable)
        done = await super().apply(writes, counts)
        self._faults.after(RegisterUnavailable)
        return done


class MemoryReceipts:
    """A `ReceiptLog` over a list."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.healthy = True
        self.kept: list[SealedReceipt] = []

    async def append(self, receipt: SealedReceipt) -> None:
        self._faults.before("receipts.append", ReceiptsUnavailable)
        self.kept.append(receipt)
        self._faults.after(ReceiptsUnavailable)

    async def find(self, locators: Sequence[bytes]) -> list[SealedReceipt]:
        return [each for each in self.kept if each.locator in locators]


class SwappedSnapshots:
    """A registry that a test changes between two steps, or during a call."""

    def __init__(self, registry: Registry) -> None:
        self.swap(registry)

    def swap(self, registry: Registry) -> None:
        self.registry: Registry = registry
        self.index: SchoolIndex = build_school_index(registry)


@dataclass
class ListAudit:
    """An audit that fails the test when an event shows a value of a person."""

    telling: frozenset[str]
    events: list[AuditEvent] = field(default_factory=list)

    def record(self, event: AuditEvent) -> None:
        shown = [value for value in self.telling if value in repr(event)]
        if shown:
            raise AssertionError(f"an audit event shows {len(shown)} telling values")
        self.events.append(event)

    def actions(self) -> list[str]:
        return [each.action for each in self.events]

    @property
    def last(self) -> AuditEvent:
        return self.events[-1]


@dataclass(frozen=True)
class Issued:
    """What the school's provider remembers of a code of its own."""

    nonce: str
    code_challenge: str
    claims: Mapping[str, object]


class OidcSchool:
    """`SchoolCalls` to one provider that answers for the codes it gave.

    Attributes:
        userinfo: body of its userinfo endpoint.
        jwks: what it publishes, in order of the questions; the last one stays.
        meanwhile: called before each answer: what happens while we wait.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.codes: dict[str, Issued] = {}
        self.secrets: dict[str, str] = {}
        self.userinfo: Mapping[str, object] = {}
        self.jwks = [jwks_of(SCHOOL_KEY)]
        self.asked_again: list[bool] = []
        self.forms: list[Mapping[str, str]] = []
        self.meanwhile: Callable[[], object] = lambda: None

    async def post_form(
        self, url: str, *, headers: Mapping[str, str], form: Mapping[str, str]
    ) -> bytes:
        self._faults.before("school.token", SchoolUnanswered)
        self.meanwhile()
        self.forms.append({**form, **headers})
        issued = self.codes.pop(form["code"], None)
        if issued is None or derive_code_challenge(form["code_verifier"]) != issued.code_challenge:
            raise SchoolUnanswered  # 400, which is no 200
        if url != f"{SCHOOL_ISSUER}/token":
            raise SchoolUnanswered
        return a_token_response(**{"nonce": issued.nonce, **issued.claims})

    async def get(self, url: str, *, headers: Mapping[str, str]) -> bytes:
        self._faults.before("school.userinfo", SchoolUnanswered)
        return json.dumps(self.userinfo).encode()

    def client_secret(self, idp: SchoolIdpId) -> str | None:
        return self.secrets.get(idp)

    async def fetch_keys(self, endpoints: OidcIdpEndpoints, *, refresh: bool) -> str:
        self._faults.before("school.keys", SchoolUnanswered)
        self.asked_again.append(refresh)
        return self.jwks.pop(0) if len(self.jwks) > 1 else self.jwks[0]


class RegisteredKeys:
    """`ClientKeys` from the clients' documents; an unreachable address is an empty set."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.meanwhile: Callable[[], object] = lambda: None
        self.asked_again: list[bool] = []
        self.published: list[str] = []
        """What stands at any `jwks_uri`, one answer after the other; the last for ever."""

    async def find(self, client: OidcClient | ApiClient, *, refresh: bool = False) -> KeySet:
        self.meanwhile()
        self.asked_again.append(refresh)
        try:
            self._faults.before("client.keys", SchoolUnanswered)
        except SchoolUnanswered:
            return KeySet()
        if client.jwks_uri is not None:
            if refresh and len(self.published) > 1:
                self.published.pop(0)
            return parse_key_set(self.published[0])
        return parse_key_set(client.jwks) if client.jwks else KeySet()


class RequestPlaces:
    """`RequestObjectPlaces`: what a test put at an address."""

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}
        self.asked: list[str] = []

    async def fetch(self, request_uri: str) -> str:
        self.asked.append(request_uri)
        if request_uri not in self.objects:
            raise SchoolUnanswered
        return self.objects[request_uri]
