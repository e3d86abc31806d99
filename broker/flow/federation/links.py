"""What must hold between documents: every party exists, stands once, and test never meets
production. Looks at the whole federation as it would be, however few documents change."""

from collections.abc import Callable, Hashable, Iterable

from broker.domain.documents import (
    DocumentProblem,
)
from broker.flow.federation.agreements import approved_paths
from broker.flow.federation.attribute_names import is_restricted
from broker.flow.federation.documents import Problem, StatedDocument
from broker.flow.federation.link_parts import Federation, Found, gather, other_state, unknown
from broker.flow.federation.metadata_origin import origins_of
from broker.flow.federation.relation_links import RELATION_LINK_CHECKS


def check_schools_of_logins(federation: Federation) -> Found:
    for stated, idp in federation.idps.values():
        for index, school in enumerate(idp.schools):
            path = f"schools[{index}]"
            if school not in federation.schools:
                yield stated, unknown(path, "school", school)
            elif (state := federation.schools[school][1].state) is not idp.state:
                yield stated, other_state(path, idp.state, f"the school {school}", state)


def check_suppliers_of_logins(federation: Federation) -> Found:
    for stated, idp in federation.idps.values():
        if idp.supplier is None:
            continue
        if (found := federation.suppliers.get(idp.supplier)) is None:
            yield stated, unknown("supplier", "supplier", idp.supplier)
        elif (state := found[1].state) is not idp.state:
            yield stated, other_state("supplier", idp.state, f"the supplier {idp.supplier}", state)


def check_parties_of_agreements(federation: Federation) -> Found:
    for stated, agreement in federation.agreements.values():
        known = federation.suppliers.get(agreement.supplier)
        if known is None:
            yield stated, unknown("supplier", "supplier", agreement.supplier)
        if agreement.school is not None:
            school = federation.schools.get(agreement.school)
            if school is None:
                yield stated, unknown("school", "school", agreement.school)
            elif known is not None and known[1].state is not school[1].state:
                yield (
                    stated,
                    other_state(
                        "supplier", school[1].state, f"the supplier {known[1].id}", known[1].state
                    ),
                )
        if agreement.board is not None:
            states = federation.boards.get(agreement.board)
            if states is None:
                yield stated, unknown("board", "school of the board", agreement.board)
            elif known is not None and known[1].state not in states:
                yield (
                    stated,
                    other_state(
                        "supplier", min(states), f"the supplier {known[1].id}", known[1].state
                    ),
                )


def check_approved_where_entitled(federation: Federation) -> Found:
    """What identifies across suppliers goes only where the federation allows it at all."""
    for stated, agreement in federation.agreements.values():
        supplier = federation.suppliers.get(agreement.supplier)
        if supplier is None or supplier[1].eck_id_entitled:
            continue
        for path, name in approved_paths(agreement):
            if is_restricted(name):
                yield (
                    stated,
                    DocumentProblem(
                        path,
                        f"approves {name}, for which {agreement.supplier} is not entitled.",
                        "Remove it, or have the federation state eck_id_entitled.",
                    ),
                )


def check_sheet_of_agreements(federation: Federation) -> Found:
    """A school signs what it could read; a sheet to come would make everything required at once."""
    for stated, agreement in federation.agreements.values():
        supplier = federation.suppliers.get(agreement.supplier)
        if supplier is None or agreement.sheet is None:
            continue
        sheet = supplier[1].sheet
        newest = 0 if sheet is None else sheet.version
        if agreement.sheet > newest:
            yield (
                stated,
                DocumentProblem(
                    "sheet",
                    f"is {agreement.sheet}, but the sheet of {agreement.supplier} has version"
                    f" {newest}.",
                    "Write the version that was read.",
                ),
            )


def check_brins_once(federation: Federation) -> Found:
    """A BRIN that two schools claim would let one be taken for the other; a test school may stand
    in for a production school."""
    yield from _stated_once(
        (
            stated,
            "branch" if school.branch else "brin",
            (school.state, school.branch or school.brin),
        )
        for stated, school in federation.schools.values()
    )


def check_logins_once(federation: Federation) -> Found:
    """An answer is attributed by entity id or issuer, so each stands for one login."""
    yield from _stated_once(
        (stated, "entity_id" if idp.entity_id else "issuer", idp.entity_id or idp.issuer)
        for stated, idp in federation.idps.values()
    )


def check_relying_party_ids_once(federation: Federation) -> Found:
    yield from _stated_once(
        (stated, f"{prefix}id", party.id) for stated, prefix, party in federation.parties
    )


def check_client_ids_once(federation: Federation) -> Found:
    """A program of a school and a system of a supplier prove who they are at one place."""
    yield from _stated_once(
        (
            *(
                (stated, f"{prefix}client_id", party.client_id)
                for stated, prefix, party in federation.parties
            ),
            *(
                (stated, f"api_client[{index}].id", client.id)
                for stated, school in federation.schools.values()
                for index, client in enumerate(school.api_client)
            ),
        )
    )


def check_service_providers_once(federation: Federation) -> Found:
    yield from _stated_once(
        (stated, f"{prefix}entity_id", party.entity_id)
        for stated, prefix, party in federation.parties
    )


def check_resources_once(federation: Federation) -> Found:
    """A token for an API names it by its resource, and shows its supplier's pseudonym there."""
    yield from _stated_once(
        (stated, f"api[{index}].resource", api.resource)
        for stated, supplier in federation.suppliers.values()
        for index, api in enumerate(supplier.api)
    )


def check_systems_behind(federation: Federation) -> Found:
    """A portal speaks for systems that exist: behind a slip in an id a RequesterID would be passed
    over, and the portal get what the system that it asks for may not have."""
    states = {
        party.id: federation.suppliers[stated.document.id][1].state
        for stated, _, party in federation.parties
    }
    for stated, prefix, party in federation.parties:
        own = states[party.id]
        for index, name in enumerate(party.proxies_for):
            path = f"{prefix}proxies_for[{index}]"
            if name not in states:
                yield stated, unknown(path, "system", name)
            elif states[name] is not own:
                yield stated, other_state(path, own, f"the system {name}", states[name])


def check_sources_of_parties(federation: Federation) -> Found:
    parties = (
        *((stated, idp.state) for stated, idp in federation.idps.values()),
        *((stated, supplier.state) for stated, supplier in federation.suppliers.values()),
    )
    for stated, state in parties:
        for path, origin in origins_of(stated.document):
            source = federation.sources.get(origin.source)
            if source is None:
                yield stated, unknown(path, "metadata source", origin.source)
            elif source[1].state is not state:
                yield (
                    stated,
                    other_state(path, state, f"the source {origin.source}", source[1].state),
                )


AGREEMENT_LINK_CHECKS: tuple[Callable[[Federation], Found], ...] = (
    check_parties_of_agreements,
    check_approved_where_entitled,
    check_sheet_of_agreements,
)
"""Those that an agreement can fail: they look at its parties, and at nothing else."""

LINK_CHECKS: tuple[Callable[[Federation], Found], ...] = (
    check_schools_of_logins,
    check_suppliers_of_logins,
    *AGREEMENT_LINK_CHECKS,
    check_brins_once,
    check_logins_once,
    check_relying_party_ids_once,
    check_client_ids_once,
    check_service_providers_once,
    check_resources_once,
    check_systems_behind,
    check_sources_of_parties,
)


def find_broken_links(documents: Iterable[StatedDocument]) -> list[Problem]:
    """Return everything that does not hold between documents."""
    federation = gather(documents)
    checks = (*LINK_CHECKS, *RELATION_LINK_CHECKS)
    return [stated.problem(found) for check in checks for stated, found in check(federation)]


def _stated_once(stated: Iterable[tuple[StatedDocument, str, Hashable | None]]) -> Found:
    first: dict[Hashable, StatedDocument] = {}
    for each, path, value in stated:
        if value is None:
            continue
        if value in first:
            other = first[value]
            named = value[1] if isinstance(value, tuple) else value
            yield (
                each,
                DocumentProblem(
                    path,
                    f"is {named}, as in {other.kind}/{other.document.id}.",
                    "It belongs to one of the two.",
                ),
            )
        first.setdefault(value, each)
