"""A federation whose SAML parties come from a source, and what refreshing it does."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from broker.domain.documents import Kind
from broker.domain.federation import SamlIdpEndpoints
from broker.domain.metadata_sources import Origin, build_validity
from broker.domain.relying_parties import SamlServiceProvider
from broker.flow.federation.documents import StatedDocument
from broker.flow.federation.refresh import Refresh, check_refresh
from tests.builders_metadata_sources import (
    FEDERATION_URL,
    Publisher,
    a_source,
    an_aggregate,
)
from tests.builders_saml import NOW, SCHOOL_ENTITY, SUPPLIER_ENTITY
from tests.builders_saml_metadata import an_idp, an_sp
from tests.flow.federation_builders import (
    MemoryFederation,
    a_compiler,
    a_federation,
    a_saml_login,
    a_service_provider,
    a_supplier,
    apply,
    stated,
    without,
)

LOGIN = Kind.IDENTITY_PROVIDER, "vuurvogel"
SUPPLIER = Kind.SUPPLIER, "rekenrijk"
SCHOOL = Origin("federation", SCHOOL_ENTITY)
SERVICE = Origin("federation", SUPPLIER_ENTITY)


def documents(
    *,
    source: dict[str, Any] | None = None,
    login: dict[str, Any] | None = None,
    party: dict[str, Any] | None = None,
    more: tuple[StatedDocument, ...] = (),
) -> list[StatedDocument]:
    """Return a school's login and a supplier's system whose metadata come from a source."""
    stated_login = {"entity_id": SCHOOL_ENTITY, "metadata_source": "federation"} | (login or {})
    stated_party = {"entity_id": SUPPLIER_ENTITY, "metadata_source": "federation"} | (party or {})
    return a_federation(
        login=without(a_saml_login(**stated_login), "metadata"),
        supplier=a_supplier(without(a_service_provider(**stated_party), "metadata")),
        more=(stated(Kind.METADATA_SOURCE, source or a_source()), *more),
    )


@dataclass
class Sourced:
    """A registry and the publisher of its source."""

    store: MemoryFederation = field(default_factory=MemoryFederation)
    publisher: Publisher = field(default_factory=Publisher)

    def publish(self, *entities: str, **changes: Any) -> None:
        self.publisher.places[FEDERATION_URL] = an_aggregate(*entities, **changes)

    def apply(self, found: list[StatedDocument], *, now: datetime = NOW) -> None:
        apply(found, self.store, sources=self.publisher.access(now))

    def check(self, *, now: datetime = NOW, source: str = "federation", **options: bool) -> Refresh:
        return check_refresh(
            self.store.current(),
            self.store.records,
            source_id=source,
            access=self.publisher.access(now),
            compiler=a_compiler(),
            **options,
        )

    def refresh(self, *, now: datetime = NOW, **options: bool) -> Refresh:
        """Look, and keep what was found."""
        found = self.check(now=now, **options)
        if found.adds_version:
            self.store.write(found.change, by="tester", at=now)
        else:
            for update in found.change.sources:
                self.store.keep(update)
        return found

    def until(self, origin: Origin) -> datetime | None:
        return build_validity(self.store.sources, self.store.entities).until(origin)

    @property
    def login(self) -> SamlIdpEndpoints:
        found = self.store.records[LOGIN].endpoints
        assert isinstance(found, SamlIdpEndpoints)
        return found

    @property
    def service(self) -> SamlServiceProvider:
        found = self.store.records[SUPPLIER].relying_parties[0].protocol
        assert isinstance(found, SamlServiceProvider)
        return found


def a_sourced(**changes: Any) -> Sourced:
    """Return a registry in which a login and a system from a source are in force."""
    found = Sourced()
    found.publish(an_idp(), an_sp())
    found.apply(documents(**changes))
    return found
