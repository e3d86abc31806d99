"""Who reads which part of the console's audit: each place its own, the federation all of it."""

from broker.domain.console_roles import Permission, PlaceKind
from broker.flow.console.actors import Actor
from broker.flow.console.console_audit import AuditPage, ConsoleAudit
from broker.flow.console.places import Place, check_at, whose_matter
from broker.flow.ports import Snapshots

ENTRIES_A_PAGE = 50


class AuditReading:
    """Shows entries of the audit. Keeps nothing."""

    def __init__(self, audit: ConsoleAudit, snapshots: Snapshots) -> None:
        self._audit = audit
        self._snapshots = snapshots

    def look(self, actor: Actor, place: Place, *, action: str = "", page: int = 1) -> AuditPage:
        """Return a page of what was done at a place, the newest first; of a board its schools too.

        Args:
            action: those whose action begins so.
            page: counts from 1.

        Raises:
            NotAllowed, RegistryUnreadable
        """
        registry = self._snapshots.registry
        check_at(actor, Permission.SEE_AUDIT, place, registry=registry)
        whose = whose_matter(place)
        schools = None if whose.school is None else [whose.school]
        if place.kind is PlaceKind.BOARD:
            schools = [each.id for each in registry.schools.values() if each.board == whose.board]
        return self._audit.look(
            schools=schools,
            board=whose.board,
            supplier=whose.supplier,
            action=action,
            first=(page - 1) * ENTRIES_A_PAGE,
            count=ENTRIES_A_PAGE,
        )
