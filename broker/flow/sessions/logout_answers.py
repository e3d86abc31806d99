"""What logging out works with, and what it tells the browser, without a word of HTTP."""

from dataclasses import dataclass, field

from broker.domain.relying_parties import RelyingParty
from broker.flow.audit import AuditLog
from broker.flow.held_state.handles import Handle
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import Clock, FlowKeys, Random, Snapshots
from broker.flow.sessions.logout_courier import LogoutCourier
from broker.flow.sessions.logout_records import LoggedOutRecord


@dataclass(frozen=True, slots=True)
class LogoutRules:
    """Settings of logging out.

    Attributes:
        longest_wait_seconds: a message to a relying party waits at random up to this.
        front_channel: whether relying parties' own pages are shown in frames.
    """

    longest_wait_seconds: float = 20
    front_channel: bool = False


@dataclass(frozen=True, slots=True)
class LogoutPorts:
    """What logging out works with."""

    issuer: str
    snapshots: Snapshots
    state: SealedState = field(repr=False)
    courier: LogoutCourier
    keys: FlowKeys
    rules: LogoutRules
    audit: AuditLog
    clock: Clock
    random: Random


@dataclass(frozen=True, slots=True)
class LogoutBegun:
    """A logout that waits for this browser: `name` travels, `handle` stays in its cookie."""

    name: str
    handle: Handle = field(repr=False)


@dataclass(frozen=True, slots=True)
class AskLogout:
    """Show one button that logs out.

    Attributes:
        name: of the relying party that asks; "" when none is known.
    """

    relying_party: RelyingParty | None


@dataclass(frozen=True, slots=True)
class LeftNow:
    """A relying party of an ended session, as it stands now.

    Attributes:
        is_out: None while nobody knows yet.
        frontchannel_url: "" when none is shown.
    """

    relying_party: RelyingParty
    is_out: bool | None
    frontchannel_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """What was ended, as it stands now."""

    record: LoggedOutRecord = field(repr=False)
    parties: tuple[LeftNow, ...]

    @property
    def is_waiting(self) -> bool:
        """Tell whether somebody has not answered yet."""
        return any(each.is_out is None for each in self.parties)

    @property
    def has_nothing_to_tell(self) -> bool:
        """Tell whether the relying party that asked is the only one that there is."""
        return not self.record.is_elsewhere and all(
            each.asked and not each.frontchannel_url for each in self.record.parties
        )
