"""Who calls our endpoints for machines, wired: clients, their proofs and certificates."""

from dataclasses import dataclass

from broker.flow.client_login import ClientLogin
from broker.flow.dpop_nonces import DpopNonces
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import ClientKeys, Snapshots
from broker.flow.sender_proofs import SenderProofs
from broker.keys_in_force import KeysInForce
from broker.oidc_op.discovery import CertificateSupport, Endpoints
from broker.setting_tables import Certificates
from broker.settings import Settings
from broker.web.certificate_hop import CertificateHop, read_networks


@dataclass(frozen=True, slots=True)
class Callers:
    """What tells who calls, and by which key."""

    clients: ClientLogin
    senders: SenderProofs


def wire_callers(
    settings: Settings,
    keys: KeysInForce,
    *,
    snapshots: Snapshots,
    state: SealedState,
    client_keys: ClientKeys,
) -> Callers:
    """Return what the endpoints for machines ask."""
    own_names = tuple(filter(None, (settings.issuer, settings.certificates.url)))
    return Callers(
        clients=ClientLogin(
            issuer=settings.issuer,
            token_endpoint=Endpoints(settings.issuer).token,
            snapshots=snapshots,
            state=state,
            client_keys=client_keys,
        ),
        senders=SenderProofs(
            endpoints=tuple(map(Endpoints, own_names)), state=state, nonces=DpopNonces(keys.storage)
        ),
    )


def certificate_hop_of(settings: Certificates) -> CertificateHop | None:
    """Return who may state a client's certificate; None when nobody may."""
    if not settings.hops:
        return None
    return CertificateHop(
        read_networks(settings.hops), settings.header.lower(), settings.verified_header.lower()
    )


def certificate_support_of(settings: Certificates) -> CertificateSupport | None:
    """Return what discovery tells of certificates; None when nobody can show one."""
    return CertificateSupport(settings.url) if settings.hops else None
