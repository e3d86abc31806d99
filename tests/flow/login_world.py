"""A broker of journeys over fakes, with the browsers, schools and suppliers around it. No HTTP.

Protocol code, XML security and keys are real; ports are `port_fakes`. A test begins a login in a
`Browser`, lets a person log in at school, and looks at what the supplier got.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from broker.adapters.login_store.memory import MemoryLoginStore
from broker.demo.people import PEOPLE, Person
from broker.flow.answers import Answer, ChooseSchool, PostMessage
from broker.flow.at_school import SchoolAddresses
from broker.flow.authorization_requests import AuthorizationRequests
from broker.flow.client_login import ClientLogin
from broker.flow.dpop_nonces import DpopNonces
from broker.flow.enrolment.enrolment_records import derive_enrolment_keys
from broker.flow.enrolment.enrolments import EnrolmentRules, SchoolLists
from broker.flow.held_state.browser_steps import BrowserSteps
from broker.flow.held_state.handles import StorageKey
from broker.flow.held_state.login_store import LoginStore
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.login import LoginFlow
from broker.flow.persons.arrival_budgets import ArrivalRules
from broker.flow.persons.login_tally import LoginTally
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.register import derive_register_keys
from broker.flow.ports import Clock, FlowKeys
from broker.flow.programs.api_access import ApiAccess
from broker.flow.pushed_requests import PushBudget, PushedRequests
from broker.flow.receipts.receipts import ReceiptLog
from broker.flow.release import ReleaseDesk, ReleasePorts
from broker.flow.saml_answers import SamlAnswers
from broker.flow.school_side import SchoolSide
from broker.flow.sender_proofs import SenderProofs
from broker.flow.sessions.id_token_hints import IdTokenHints
from broker.flow.sessions.sessions import Sessions, SessionTimes
from broker.flow.shielding.shield_records import derive_shield_keys
from broker.flow.shielding.shields import Shielding
from broker.flow.supplier_side import SupplierSide
from broker.flow.token import TokenFlow
from broker.flow.tokens.back_channel import BackChannelPorts, open_back_channel
from broker.flow.tokens.status import TokenStatus
from broker.jose.keys import key_set_of
from broker.jose.tokens import verify_token
from broker.oidc_op.caller_proof import NO_PROOF, CallerProof
from broker.oidc_op.discovery import Endpoints
from broker.oidc_op.jwks import TokenKeys
from broker.oidc_op.request import check_authorization_request, parse_authorization_request
from broker.oidc_op.token import TokenResponse
from broker.pseudonyms.derivation import load_root_key
from broker.pseudonyms.epochs import load_pairwise_keys
from broker.saml_idp.request import check_authn_request
from broker.saml_xml.elements import Element, build_element
from broker.saml_xml.instants import format_instant
from tests import builders_oidc as oidc
from tests import builders_saml as saml
from tests.flow.login_answers import (
    AtSchool,
    Browser,
    Received,
    read_at_school,
    read_redirect,
    read_response,
)
from tests.flow.login_parties import (
    BIOSFEER_ACS,
    BIOSFEER_ENTITY,
    BIOSFEER_OIDC,
    BIOSFEER_REDIRECT,
    BIOSFEER_SAML,
    REKENRIJK,
    every_party,
    registry_of,
)
from tests.flow.memory_enrolments import MemoryEnrolments
from tests.flow.memory_shields import MemoryShields
from tests.flow.port_fakes import (
    Faults,
    FaultyRegister,
    FaultyStore,
    Issued,
    ListAudit,
    MemoryReceipts,
    OidcSchool,
    RegisteredKeys,
    RequestPlaces,
    SwappedSnapshots,
)
from tests.flow.sealed_builders import CountingRandom
from tests.flow.takeover_fakes import MemoryLists

SANNE, DAAN, ELS, NOOR, SANNE_ELSEWHERE = PEOPLE
CALLBACK = f"{oidc.ISSUER}/oidc/callback"
OIDC_CLIENTS = {REKENRIJK: oidc.CLIENT_ID, BIOSFEER_OIDC: "biosfeer"}
PUSHES_A_MINUTE = 20
SUPPLIER_STATE = "lesson-3-page-12"
"""The supplier's deep link, as its `state` or RelayState."""


@dataclass(frozen=True)
class Worker:
    """One process of the broker."""

    state: SealedState
    suppliers: SupplierSide
    schools: SchoolSide
    authorization: AuthorizationRequests
    pushed: PushedRequests
    flow: LoginFlow
    token: TokenFlow
    status: TokenStatus
    api: ApiAccess


class LoginWorld:
    """Everything around one broker."""

    def __init__(self, telling: frozenset[str] = frozenset()) -> None:
        self.now = saml.NOW
        self.telling = telling
        self.records = every_party()
        self.faults = Faults()
        self.tally = LoginTally()
        self.random = CountingRandom()
        self.audit = ListAudit(telling)
        self.snapshots = SwappedSnapshots(registry_of(self.records))
        self.store = FaultyStore(MemoryLoginStore(monotonic=self._seconds), self.faults)
        self.register = FaultyRegister(self.faults)
        self.enrolments = MemoryEnrolments(self.faults)
        self.shields = MemoryShields(self.faults)
        self.receipts = MemoryReceipts(self.faults)
        self.takeover_lists = MemoryLists()
        self.arrival_rules = ArrivalRules()
        self.school = OidcSchool(self.faults)
        self.client_keys = RegisteredKeys(self.faults)
        self.places = RequestPlaces()
        self.keys = FlowKeys(
            root=load_root_key(bytes(range(32))),
            register=derive_register_keys(bytes(range(1, 33))),
            enrolment=derive_enrolment_keys(bytes(range(1, 33))),
            shields=derive_shield_keys(bytes(range(1, 33))),
            token=TokenKeys(active=(oidc.BROKER_KEY, oidc.BROKER_RSA_KEY)),
            pairwise=load_pairwise_keys({"a": bytes(range(2, 34)), "b": bytes(range(5, 37))}),
            receipts=bytes(range(3, 35)),
            saml_signing=saml.BROKER_KEY.signing,
            saml_decryption=(saml.BROKER_ENCRYPTION.decryption,),
        )
        self.use(self.make_worker(self.store))
        self._assertions = 0

    def make_worker(
        self, store: LoginStore, *, clock: Clock | None = None, receipts: ReceiptLog | None = None
    ) -> Worker:
        """Return one process of the broker, over the ports that all of them share."""
        clock = clock or self.clock
        state = SealedState(
            store,
            storage_keys=(StorageKey(bytes(32)),),
            issuer=oidc.ISSUER,
            random=self.random,
        )
        self.sessions = sessions = Sessions(state, times=SessionTimes())
        suppliers = SupplierSide(
            issuer=oidc.ISSUER,
            saml=SamlAnswers(
                entity_id=saml.BROKER_IDP,
                pairwise_scope="broker.example",
                keys=self.keys,
                xml=saml.XML,
                random=self.random,
            ),
            state=state,
            sessions=sessions,
        )
        schools = SchoolSide(
            addresses=SchoolAddresses(saml.BROKER_SP, saml.BROKER_ACS, CALLBACK),
            state=state,
            calls=self.school,
            keys=self.keys,
            xml=saml.XML,
            clock=clock,
            random=self.random,
        )
        desk = ReleaseDesk(
            ReleasePorts(
                register=self.register,
                receipts=receipts or self.receipts,
                keys=self.keys,
                join_rules=JoinRules(),
                arrival_rules=self.arrival_rules,
                tally=self.tally,
                lists=SchoolLists(self.enrolments, self.keys.enrolment, EnrolmentRules()),
                shielding=Shielding(self.shields, self.keys.shields, self.random),
                suppliers=suppliers,
                takeover_lists=self.takeover_lists,
                audit=self.audit,
                random=self.random,
            )
        )
        flow = LoginFlow(
            snapshots=self.snapshots,
            steps=BrowserSteps(state, random=self.random),
            sessions=sessions,
            hints=IdTokenHints(issuer=oidc.ISSUER, keys=self.keys.token),
            schools=schools,
            suppliers=suppliers,
            desk=desk,
            audit=self.audit,
            clock=clock,
            random=self.random,
        )
        clients = ClientLogin(
            issuer=oidc.ISSUER,
            token_endpoint=oidc.TOKEN_ENDPOINT,
            snapshots=self.snapshots,
            state=state,
            client_keys=self.client_keys,
        )
        senders = SenderProofs(
            endpoints=(Endpoints(oidc.ISSUER),),
            state=state,
            nonces=DpopNonces((StorageKey(bytes(32)),)),
        )
        back_channel = open_back_channel(
            BackChannelPorts(
                issuer=oidc.ISSUER,
                snapshots=self.snapshots,
                state=state,
                clients=clients,
                senders=senders,
                register=self.register,
                shields=self.shields,
                receipts=receipts or self.receipts,
                keys=self.keys,
                audit=self.audit,
                clock=clock,
                random=self.random,
            )
        )
        api = ApiAccess(
            snapshots=self.snapshots,
            state=state,
            clients=clients,
            senders=senders,
            audit=self.audit,
            clock=clock,
        )
        authorization = AuthorizationRequests(
            issuer=oidc.ISSUER,
            snapshots=self.snapshots,
            state=state,
            client_keys=self.client_keys,
            places=self.places,
            clock=clock,
        )
        pushed = PushedRequests(
            requests=authorization,
            clients=clients,
            senders=senders,
            state=state,
            budget=PushBudget(PUSHES_A_MINUTE),
            clock=clock,
        )
        token, status = back_channel.tokens, back_channel.status
        return Worker(state, suppliers, schools, authorization, pushed, flow, token, status, api)

    def use(self, worker: Worker) -> None:
        """Let a worker answer from here on."""
        self.state, self.suppliers, self.schools = worker.state, worker.suppliers, worker.schools
        self.flow, self.token, self.api = worker.flow, worker.token, worker.api
        self.authorization, self.pushed = worker.authorization, worker.pushed
        self.status = worker.status

    def clock(self) -> datetime:
        return self.now

    def _seconds(self) -> float:
        return self.now.timestamp()

    def wait(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def put(self, key: str, record: Any) -> None:
        """Change one party or agreement, in force at once; None removes it."""
        self.records[key] = record
        self.snapshots.swap(registry_of(self.records))

    def change(self, key: str, **changes: Any) -> None:
        """Change fields of one party or agreement, in force at once."""
        self.put(key, msgspec.structs.replace(self.records[key], **changes))

    # The supplier's request -----------------------------------------------------------------

    def ask(self, party: str = REKENRIJK, *children: Element, **changes: Any) -> Any:
        """Return a relying party's checked request; `changes` are of its parameters."""
        if party in OIDC_CLIENTS:
            fields = {"client_id": OIDC_CLIENTS[party], "state": SUPPLIER_STATE}  # type: ignore[index]
            if party == BIOSFEER_OIDC:
                fields["redirect_uri"] = BIOSFEER_REDIRECT
            parameters = oidc.an_authorization_request(**{**fields, **changes})
            return check_authorization_request(
                parse_authorization_request(parameters), registry=self.snapshots.registry
            )
        attributes = {"IssueInstant": format_instant(self.now), **changes}
        issuer = saml.SUPPLIER_ENTITY
        if party == BIOSFEER_SAML:
            issuer = BIOSFEER_ENTITY
            attributes["AssertionConsumerServiceURL"] = BIOSFEER_ACS
        message = saml.an_authn_request(*children, issuer=issuer, **attributes)
        return check_authn_request(
            saml.as_query(message, relay_state=SUPPLIER_STATE),
            registry=self.snapshots.registry,
            xml=saml.XML,
            sso_url=saml.BROKER_SSO,
            now=self.now,
        )

    async def begin(
        self, browser: Browser, party: str = REKENRIJK, *, hint: str = "", **changes: Any
    ) -> Answer:
        """Begin a login, with a hint that names the school when there is one."""
        asked = self.ask_hinting(party, hint, **changes) if hint else self.ask(party, **changes)
        return browser.follow(await self.flow.begin(asked, wish=browser.wish))

    def ask_hinting(self, party: str, school: str, **changes: Any) -> Any:
        """Return a checked request that names the school."""
        if party in OIDC_CLIENTS:
            return self.ask(party, idp_hint=school, **changes)
        entry = build_element(saml.samlp("IDPEntry"), {"ProviderID": school})
        listed = build_element(saml.samlp("IDPList"), None, entry)
        return self.ask(party, build_element(saml.samlp("Scoping"), None, listed), **changes)

    async def go_to_school(
        self, browser: Browser, party: str = REKENRIJK, school: str = "vuurvogel", **changes: Any
    ) -> AtSchool:
        """Begin a login without a hint, choose the school, and arrive at its login."""
        chooser = await self.begin(browser, party, **changes)
        assert isinstance(chooser, ChooseSchool), chooser
        return read_at_school(await self.choose(browser, chooser.login, school))

    async def choose(self, browser: Browser, login: str, school: str) -> Answer:
        step = await self.flow.choose(browser.step(login), unverified_school=school)
        return browser.follow(step)

    # The school's answer --------------------------------------------------------------------

    async def come_back(
        self, browser: Browser, at_school: AtSchool, person: Person = SANNE, **changes: Any
    ) -> Answer:
        """Let a person log in, and bring the school's answer back.

        Args:
            changes: of the SAML answer (`builders_saml.Answer`) or of the ID token's claims;
                `stated` replaces or, by None, leaves out attributes.
        """
        step = browser.step(at_school.state)
        if at_school.nonce:
            parameters = self.oidc_answer(at_school, person, **changes)
            return browser.follow(await self.flow.finish_oidc(step, parameters=parameters))
        form = self.saml_answer(at_school, person, **changes)
        return browser.follow(await self.flow.finish_saml(step, form=form))

    def saml_answer(
        self,
        at_school: AtSchool,
        person: Person = SANNE,
        *,
        stated: Mapping[str, tuple[str, ...] | None] | None = None,
        **changes: Any,
    ) -> Any:
        """Return what the school's login lets the browser post."""
        self._assertions += 1
        own_id = f"_assertion-{self._assertions}"
        fields = {
            "response_in_response_to": at_school.request_id,
            "in_response_to": at_school.request_id,
            "issue_instant": self.now,
            "authn_instant": self.now,
            "not_before": self.now,
            "not_on_or_after": self.now + 5 * saml.MINUTE,
            "confirmed_until": self.now + 5 * saml.MINUTE,
            "edit_assertion": lambda assertion: assertion.set("ID", own_id),
            "attributes": attributes_of(person, stated),
        }
        return saml.a_response_form(**{**fields, **changes})

    def oidc_answer(
        self,
        at_school: AtSchool,
        person: Person = NOOR,
        *,
        stated: Mapping[str, tuple[str, ...] | None] | None = None,
        **changes: Any,
    ) -> list[tuple[str, str]]:
        """Return what the school's provider brings back, and let it remember its code."""
        seconds = int(self.now.timestamp())
        claims: dict[str, Any] = {
            name: values[0] if len(values) == 1 else list(values)
            for name, values in attributes_of(person, stated).items()
        }
        claims |= {"sub": person.id, "iat": seconds, "exp": seconds + 300, "auth_time": seconds}
        code = f"school-code-{len(self.school.forms)}-{at_school.state}"
        self.school.codes[code] = Issued(
            at_school.nonce, at_school.code_challenge, {**claims, **changes}
        )
        return [("code", code), ("state", at_school.state), ("iss", oidc.SCHOOL_ISSUER)]

    async def arrive(
        self,
        browser: Browser,
        person: Person = SANNE,
        *,
        party: str = REKENRIJK,
        **changes: Any,
    ) -> Answer:
        """Go to a person's school, log in there and come back."""
        at_school = await self.go_to_school(browser, party, person.school.id)
        return await self.come_back(browser, at_school, person, **changes)

    async def press(self, browser: Browser, button: str, login: str) -> Answer:
        """Press `go_on` or `not_me` on the page before the release."""
        return browser.follow(await getattr(self.flow, button)(browser.step(login)))

    async def log_in(
        self,
        party: str = REKENRIJK,
        person: Person = SANNE,
        *,
        school: str = "",
        browser: Browser | None = None,
        **changes: Any,
    ) -> Received:
        """Run one whole login without pages, and return what the supplier got."""
        browser = browser or Browser()
        at_school = await self.go_to_school(browser, party, school or person.school.id)
        answer = await self.come_back(browser, at_school, person, **changes)
        return await self.receive(answer, party)

    # What the supplier gets -----------------------------------------------------------------

    async def receive(self, answer: Answer, party: str = REKENRIJK) -> Received:
        """Take an answer as the supplier does: redeem the code, or read the Response."""
        if isinstance(answer, PostMessage):
            return read_response(answer)
        found = read_redirect(answer)
        if not found.code:
            return found
        tokens = await self.redeem(found.code, party)
        id_token = verify_token(
            tokens.id_token, keys=key_set_of([oidc.BROKER_KEY]), algorithms=("ES256",)
        ).claims
        claims = await self.token.userinfo([], CallerProof(f"Bearer {tokens.access_token}"))
        subject = claims.pop("sub")
        assert subject == id_token["sub"]
        return replace(found, subject=str(subject), claims=claims, protocol_values=id_token)

    async def redeem(self, code: str, party: str = REKENRIJK, **changes: Any) -> TokenResponse:
        """Redeem a code with a fresh client assertion."""
        form = self.token_form(code, party, **changes)
        return await self.token.redeem(form, NO_PROOF)

    def token_form(self, code: str, party: str = REKENRIJK, **changes: Any) -> Any:
        """Return a client's token request; `jti`, `by` and `key` change its assertion."""
        client = changes.pop("by", OIDC_CLIENTS.get(party, ""))  # type: ignore[call-overload]
        seconds = int(self.now.timestamp())
        assertion = oidc.an_assertion(
            key=changes.pop("key", oidc.CLIENT_KEY),
            iss=client,
            sub=client,
            iat=seconds,
            exp=seconds + 60,
            jti=changes.pop("jti", f"jti-{self.random(8).hex()}"),
        )
        fields: dict[str, Any] = {"code": code}
        if party == BIOSFEER_OIDC:
            fields["redirect_uri"] = BIOSFEER_REDIRECT
        request = oidc.a_token_request(**{**fields, **changes})
        return request + oidc.assertion_form(assertion)


def attributes_of(
    person: Person, stated: Mapping[str, tuple[str, ...] | None] | None = None
) -> dict[str, tuple[str, ...]]:
    """Return what the school states of a person, with changes; None leaves one out."""
    merged = {**person.attributes, **(stated or {})}
    return {name: values for name, values in merged.items() if values is not None}
