"""The journeys of the back channel, put together over one set of ports."""

from dataclasses import dataclass, field

from broker.flow.audit import AuditLog
from broker.flow.client_login import ClientLogin
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.persons.register import PersonRegister
from broker.flow.ports import Clock, FlowKeys, Random, Snapshots
from broker.flow.receipts.receipts import ReceiptLog
from broker.flow.sender_proofs import SenderProofs
from broker.flow.shielding.shields import ShieldBook
from broker.flow.token import TokenFlow
from broker.flow.tokens.access import AccessTokens
from broker.flow.tokens.id_tokens import IdTokens
from broker.flow.tokens.refresh_families import RefreshFamilies
from broker.flow.tokens.refreshing import Refresher, RefreshPorts
from broker.flow.tokens.status import StatusPorts, TokenStatus
from broker.oidc_op.discovery import Endpoints


@dataclass(frozen=True, slots=True)
class BackChannelPorts:
    """What the back channel works with."""

    issuer: str
    snapshots: Snapshots
    state: SealedState = field(repr=False)
    clients: ClientLogin
    senders: SenderProofs
    register: PersonRegister
    shields: ShieldBook
    receipts: ReceiptLog
    keys: FlowKeys = field(repr=False)
    audit: AuditLog
    clock: Clock
    random: Random


@dataclass(frozen=True, slots=True)
class BackChannel:
    """What suppliers' systems call without a browser."""

    tokens: TokenFlow
    status: TokenStatus


def open_back_channel(ports: BackChannelPorts) -> BackChannel:
    """Return the journeys over these ports."""
    userinfo = Endpoints(ports.issuer).userinfo
    access = AccessTokens(
        issuer=ports.issuer,
        userinfo=userinfo,
        snapshots=ports.snapshots,
        state=ports.state,
        shields=ports.shields,
        keys=ports.keys,
    )
    families = RefreshFamilies(ports.state)
    id_tokens = IdTokens(issuer=ports.issuer, keys=ports.keys, random=ports.random)
    refresher = Refresher(
        RefreshPorts(
            snapshots=ports.snapshots,
            state=ports.state,
            families=families,
            access=access,
            register=ports.register,
            shields=ports.shields,
            receipts=ports.receipts,
            id_tokens=id_tokens,
            audit=ports.audit,
            clock=ports.clock,
            random=ports.random,
        )
    )
    return BackChannel(
        tokens=TokenFlow(
            issuer=ports.issuer,
            snapshots=ports.snapshots,
            state=ports.state,
            clients=ports.clients,
            senders=ports.senders,
            access=access,
            families=families,
            refresher=refresher,
            id_tokens=id_tokens,
            keys=ports.keys,
            audit=ports.audit,
            clock=ports.clock,
        ),
        status=TokenStatus(
            StatusPorts(
                issuer=ports.issuer,
                userinfo=userinfo,
                state=ports.state,
                clients=ports.clients,
                access=access,
                families=families,
                audit=ports.audit,
                clock=ports.clock,
            )
        ),
    )
