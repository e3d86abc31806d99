"""What is written down about each step: names and verdicts, never a pupil's value.

One event per release and per refusal. `AuditEvent` has no field that could hold a value; the
reference is the only thing that a person at a desk and the event share.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from broker.domain.attributes import VOCABULARY
from broker.domain.ids import RelyingPartyId, SchoolId, SchoolIdpId, SupplierId
from broker.domain.refusals import Refusal
from broker.flow.following.trail import Outcome, current_trail

_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aeio"
REFERENCE_LENGTH = 8
"""Characters; consonant and vowel in turn, so that it can be read out over a telephone: 24 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One verdict.

    Attributes:
        action: `released`, `refused`, `school-answered`, `unknown-attributes`, ...
        check: name of the check that refused.
        names: names of attributes, never values.
        withheld: names of what the login stated and that stays, each with its reason.
        missing: names of what was approved and the login did not state.
        subject: the name of the attribute that a refusal is about.
        counts: numbers of what was done, each by its name.
        source: id of a source of metadata.
        operators: who prepared, and who confirmed, what needs two persons.

    The login's own id comes from the request in hand (`broker.flow.following.trail`) when it is
    written.
    """

    action: str
    code: str = ""
    check: str = ""
    reference: str = ""
    school: SchoolId | None = None
    idp: SchoolIdpId | None = None
    supplier: SupplierId | None = None
    relying_party: RelyingPartyId | None = None
    names: tuple[str, ...] = ()
    withheld: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    subject: str = ""
    operators: tuple[str, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    source: str = ""


class AuditLog(Protocol):
    """Where events go. Must not fail a login: what a backend cannot write it counts."""

    def record(self, event: AuditEvent) -> None:
        """Write one event down."""


def make_reference(random: Callable[[int], bytes]) -> str:
    """Return a reference of 8 speakable characters.

    >>> make_reference(lambda count: bytes(range(count)))
    'befoheko'
    """
    drawn = random(REFERENCE_LENGTH)
    letters = (
        (_VOWELS if position % 2 else _CONSONANTS)[byte % (4 if position % 2 else 16)]
        for position, byte in enumerate(drawn)
    )
    return "".join(letters)


def note_refusal(
    audit: AuditLog,
    refusal: Refusal,
    *,
    reference: str,
    school: SchoolId | None = None,
    idp: SchoolIdpId | None = None,
    supplier: SupplierId | None = None,
    relying_party: RelyingPartyId | None = None,
    operators: tuple[str, ...] = (),
) -> None:
    """Write down one refusal, by the name of its check.

    Of what it is about only an attribute's name is repeated: a parameter's is the caller's choice.
    """
    trail = current_trail()
    trail.outcome, trail.reference = Outcome.REFUSED, reference
    trail.code, trail.check = refusal.code, refusal.check
    audit.record(
        AuditEvent(
            action="refused",
            code=refusal.code,
            check=refusal.check,
            reference=reference,
            school=school,
            idp=idp,
            supplier=supplier,
            relying_party=relying_party,
            subject=refusal.subject if refusal.subject in VOCABULARY else "",
            operators=operators,
        )
    )
