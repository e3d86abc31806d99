"""Federation documents that are flawless until a test says what differs, and a store in memory."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from joserfc.jwk import ECKey

from broker.adapters.xml.xml_security import LxmlSecurity
from broker.domain.document_reading import DocumentTable, parse_table
from broker.domain.documents import Kind
from broker.domain.metadata_sources import (
    EntityStanding,
    Origin,
    SourceStanding,
    SourceUpdate,
    apply_update,
)
from broker.flow.federation.change import (
    CheckedChange,
    Compiler,
    CurrentFederation,
    RegistryMoved,
    check_apply,
)
from broker.flow.federation.discovery import FetchFailed
from broker.flow.federation.documents import FederationProblems, Key, StatedDocument
from broker.saml_xml import names as n
from broker.saml_xml.elements import build_element, serialize
from broker.saml_xml.own_metadata import (
    build_entity_descriptor,
    build_key_descriptors,
    build_logout_services,
)
from tests.builders_saml import NOW, SCHOOL_KEY, SUPPLIER_KEY

XML = LxmlSecurity()
JWKS: dict[str, Any] = {
    "keys": [ECKey.generate_key("P-256", {"kid": "made-up"}).as_dict(private=False)]
}
Table = dict[str, Any]


def a_school(**changes: Any) -> Table:
    return {
        "id": "vuurvogel",
        "name": "De Vuurvogel",
        "place": "Utrecht",
        "brin": "11AA",
        "sector": "po",
        "board": "stichting",
        "state": "test",
    } | changes


def a_saml_login(**changes: Any) -> Table:
    return {
        "id": "vuurvogel",
        "schools": ["vuurvogel"],
        "protocol": "saml",
        "state": "test",
        "entity_id": "https://login.vuurvogel.example",
        "metadata": idp_metadata("https://login.vuurvogel.example"),
    } | changes


def an_oidc_login(**changes: Any) -> Table:
    return {
        "id": "vuurvogel",
        "schools": ["vuurvogel"],
        "protocol": "oidc",
        "state": "test",
        "issuer": "https://login.vuurvogel.example",
        "client_id": "schuilnaam",
        "algorithms": ["ES256"],
        "authorization_endpoint": "https://login.vuurvogel.example/authorize",
        "token_endpoint": "https://login.vuurvogel.example/token",
        "jwks": JWKS,
    } | changes


def a_client(**changes: Any) -> Table:
    return {
        "id": "rekenrijk",
        "protocol": "oidc",
        "client_id": "rekenrijk",
        "redirect_uris": ["https://rekenrijk.example/cb"],
        "jwks": JWKS,
    } | changes


def a_service_provider(**changes: Any) -> Table:
    return {
        "id": "taaltuin",
        "protocol": "saml",
        "entity_id": "https://taaltuin.example",
        "metadata": sp_metadata("https://taaltuin.example"),
    } | changes


def a_supplier(*parties: Table, **changes: Any) -> Table:
    return {
        "id": "rekenrijk",
        "legal_name": "RekenRijk B.V.",
        "state": "test",
        "attribute": [{"name": "givenName", "purpose": "We greet you."}],
        "relying_party": list(parties or (a_client(),)),
    } | changes


def an_agreement(**changes: Any) -> Table:
    return {
        "school": "vuurvogel",
        "supplier": "rekenrijk",
        "version": 1,
        "from": date(2024, 8, 1),
        "approved": ["givenName"],
    } | changes


def without(table: Table, *names: str) -> Table:
    return {name: each for name, each in table.items() if name not in names}


def stated(kind: Kind, table: Table, **files: str) -> StatedDocument:
    document = parse_table(DocumentTable(kind, "", table))
    return StatedDocument(kind, document, file=f"{kind}.toml", files=files)


def a_federation(
    *,
    school: Table | None = None,
    login: Table | None = None,
    supplier: Table | None = None,
    agreement: Table | None = None,
    more: Iterable[StatedDocument] = (),
) -> list[StatedDocument]:
    """One of each kind, and what is added."""
    return [
        stated(Kind.SCHOOL, school or a_school()),
        stated(Kind.IDENTITY_PROVIDER, login or an_oidc_login()),
        stated(Kind.SUPPLIER, supplier or a_supplier()),
        stated(Kind.AGREEMENT, agreement or an_agreement()),
        *more,
    ]


def idp_metadata(
    entity_id: str, *, sso: str = "https://login.vuurvogel.example/sso", slo: str | None = None
) -> str:
    role = build_element(
        f"{{{n.MD}}}IDPSSODescriptor",
        {"protocolSupportEnumeration": n.SAMLP},
        *build_key_descriptors([SCHOOL_KEY.certificate], use="signing"),
        *build_logout_services(slo),
        build_element(
            f"{{{n.MD}}}SingleSignOnService", {"Binding": n.BINDING_REDIRECT, "Location": sso}
        ),
    )
    return _metadata(entity_id, role)


def sp_metadata(
    entity_id: str, *, acs: str = "https://taaltuin.example/acs", keys: bool = True
) -> str:
    role = build_element(
        f"{{{n.MD}}}SPSSODescriptor",
        {"protocolSupportEnumeration": n.SAMLP},
        *(
            descriptor
            for use in ("signing", "encryption")
            for descriptor in build_key_descriptors(
                [SUPPLIER_KEY.certificate] if keys else [], use=use
            )
        ),
        build_element(
            f"{{{n.MD}}}AssertionConsumerService",
            {"Binding": n.BINDING_POST, "Location": acs, "index": "0"},
        ),
    )
    return _metadata(entity_id, role)


def _metadata(entity_id: str, role: Any) -> str:
    entity = build_entity_descriptor(entity_id, role, document_id="_md", valid_until=NOW)
    return serialize(entity).decode()


def no_network(url: str) -> str:
    raise FetchFailed("the network is shut")


def a_compiler(**changes: Any) -> Compiler:
    return Compiler(**{"xml": XML, "newest_epoch": "a", "fetch": no_network} | changes)


class MemoryFederation:
    """`FederationStore` that keeps every version in a list."""

    def __init__(self) -> None:
        self.versions: list[Mapping[Key, StatedDocument]] = []
        self.pins: dict[str, str] = {}
        self.records: dict[Key, Any] = {}
        self.sources: dict[str, SourceStanding] = {}
        self.entities: dict[Origin, EntityStanding] = {}

    def current(self) -> CurrentFederation:
        return CurrentFederation(
            len(self.versions),
            self.versions[-1] if self.versions else {},
            dict(self.pins),
            dict(self.sources),
            dict(self.entities),
        )

    def keep(self, update: SourceUpdate) -> None:
        self.sources, self.entities = apply_update(self.sources, self.entities, update)

    def documents_at(self, version: int) -> Mapping[Key, StatedDocument] | None:
        return self.versions[version - 1] if version <= len(self.versions) else None

    def ever_stated(self, keys: Sequence[Key]) -> Iterable[StatedDocument]:
        return [each[key] for each in self.versions for key in keys if key in each]

    def write(self, change: CheckedChange, *, by: str, at: datetime) -> int:
        if change.base != len(self.versions):
            raise RegistryMoved
        after = dict(change.plan.after) | {each.stated.key: each.stated for each in change.put}
        self.versions.append(after)
        self.records |= {each.stated.key: each.record for each in change.put}
        self.pins |= change.new_pins
        for update in change.sources:
            self.keep(update)
        return len(self.versions)


def apply(
    documents: Sequence[StatedDocument],
    store: MemoryFederation | None = None,
    *,
    prune: bool = False,
    **compiler: Any,
) -> MemoryFederation:
    """Check and write; returns the store."""
    store = MemoryFederation() if store is None else store
    change = check_apply(store, documents, prune=prune, compiler=a_compiler(**compiler))
    store.write(change, by="tester", at=NOW)
    return store


def problems_of(
    documents: Sequence[StatedDocument], store: MemoryFederation | None = None, **compiler: Any
) -> list[tuple[str, str, str]]:
    """Return file, key path and problem of everything that is wrong; empty when all is fine."""
    try:
        apply(documents, store, **compiler)
    except FederationProblems as found:
        problems = found.problems
    else:
        problems = ()
    assert all(each.remedy for each in problems)
    return [(each.file, each.path, each.problem) for each in problems]


def discovery(**changes: Any) -> str:
    return msgspec.json.encode(
        {
            "issuer": "https://login.vuurvogel.example",
            "authorization_endpoint": "https://login.vuurvogel.example/found/authorize",
            "token_endpoint": "https://login.vuurvogel.example/found/token",
            "jwks_uri": "https://login.vuurvogel.example/found/keys",
        }
        | changes
    ).decode()
