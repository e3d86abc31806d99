"""What logging out works with, and what it tells the browser, without a word of HTTP."""

from dataclasses import dataclass, field

from broker.domain.refusals import Refusal
from broker.domain.relying_parties import RelyingParty
from broker.flow.audit import AuditLog
from broker.flow.held_state.handles import Handle
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import Clock, FlowKeys, Random, Snapshots
from broker.flow.sessions.logout_courier import LogoutCourier
from broker.flow.sessions.logout_records import LoggedOutRecord
from broker.flow.sessions.saml_logouts import BrowserForm, SamlLogouts
from broker.flow.sessions.saml_peers import SamlPeer
from broker.saml_xml.security import XmlSecurity


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
    saml: SamlLogouts
    keys: FlowKeys
    xml: XmlSecurity
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
class SchoolNow:
    """A school's SAML login that is asked to log out, as it stands now; None: nobody knows yet."""

    peer: SamlPeer
    is_out: bool | None


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """What was ended, as it stands now.

    Attributes:
        asker: who asked by SAML, where it is still registered.
        answer: what the browser brings to it, as it stands now.
    """

    record: LoggedOutRecord = field(repr=False)
    parties: tuple[LeftNow, ...]
    schools: tuple[SchoolNow, ...] = ()
    asker: SamlPeer | None = None
    answer: BrowserForm | None = field(default=None, repr=False)

    @property
    def _outcomes(self) -> list[bool | None]:
        return [*(each.is_out for each in self.parties), *(each.is_out for each in self.schools)]

    @property
    def is_waiting(self) -> bool:
        """Tell whether somebody has not answered yet."""
        return None in self._outcomes

    @property
    def is_everywhere(self) -> bool:
        """Tell whether everybody says that the person is out."""
        return all(self._outcomes)

    @property
    def has_nothing_to_tell(self) -> bool:
        """Tell whether the relying party that asked is the only one that there is."""
        return (
            not self.record.is_elsewhere
            and not self.record.schools
            and all(each.asked and not each.frontchannel_url for each in self.record.parties)
        )

    @property
    def may_answer_at_once(self) -> bool:
        """Tell whether who asked by SAML can have its answer without a page in between."""
        return (
            self.answer is not None
            and self.is_everywhere
            and not self.record.is_elsewhere
            and not any(each.frontchannel_url for each in self.parties)
        )


@dataclass(frozen=True, slots=True)
class AskParty:
    """Let the browser bring our question to a party, which sends it back here.

    Attributes:
        so_far: how it stands without that party.
    """

    peer: SamlPeer
    form: BrowserForm = field(repr=False)
    so_far: LoggedOut


@dataclass(frozen=True, slots=True)
class AnswerTaken:
    """A party's answer came back by the browser; go on with the logout that `name` names.

    Attributes:
        refusal: why it counts for nothing.
    """

    name: str
    refusal: Refusal | None = None
