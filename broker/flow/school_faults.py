"""What a school's login should mend, reported at each login: names that no mapping knows, and what
only an exception of its document lets through."""

from collections.abc import Sequence

from broker.domain.attributes import IGNORE
from broker.domain.federation import SchoolIdp
from broker.domain.identity import StatedLogin, reportable_name
from broker.domain.ids import SchoolId
from broker.domain.tolerances import Tolerance
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.following.trail import current_trail

MAX_UNKNOWN_NAMES = 20
MAX_NAME_CHARACTERS = 64
"""Of attribute names that no mapping knows; a school chooses them, so the log bounds them."""


def note_unknown_names(
    audit: AuditLog, stated: StatedLogin, *, unreadable: Sequence[str], idp: SchoolIdp
) -> None:
    """Report what no mapping knows, and what came in a form that no attribute has."""
    lost = (reportable_name(each) for each in unreadable if idp.attributes.get(each) != IGNORE)
    named = (*stated.unknown, *lost)[:MAX_UNKNOWN_NAMES]
    if named:
        audit.record(
            AuditEvent(
                action="unknown-attributes",
                school=stated.schools[0],
                idp=idp.id,
                names=tuple(each[:MAX_NAME_CHARACTERS] for each in named),
            )
        )


def note_exceptions(
    audit: AuditLog, exceptions: Sequence[Tolerance], *, school: SchoolId, idp: SchoolIdp
) -> None:
    """Report each exception without which this answer would have been refused."""
    if exceptions:
        current_trail().exceptions = tuple(exceptions)
        audit.record(
            AuditEvent(
                action="exception-needed", school=school, idp=idp.id, names=tuple(exceptions)
            )
        )
