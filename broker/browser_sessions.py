"""Browsers' sessions and their end, wired."""

from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import FlowKeys, Snapshots
from broker.flow.sessions.logout import LogoutFlow
from broker.flow.sessions.logout_answers import LogoutPorts, LogoutRules
from broker.flow.sessions.logout_courier import LogoutCourier
from broker.flow.sessions.saml_logouts import SamlLogouts
from broker.flow.sessions.sessions import Sessions, SessionTimes
from broker.programs import ProgramTools
from broker.saml_xml.security import XmlSecurity
from broker.settings import Settings
from broker.web.documents import OwnAddresses


def wire_sessions(settings: Settings, state: SealedState) -> Sessions:
    """Return what begins and finds sessions."""
    return Sessions(
        state,
        times=SessionTimes(
            seconds=settings.sessions.minutes * 60,
            logout_seconds=settings.sessions.logout_minutes * 60,
        ),
    )


def wire_logout(
    settings: Settings,
    state: SealedState,
    keys: FlowKeys,
    xml: XmlSecurity,
    *,
    snapshots: Snapshots,
    courier: LogoutCourier,
    tools: ProgramTools,
) -> LogoutFlow:
    """Return what ends sessions and tells relying parties so."""
    return LogoutFlow(
        LogoutPorts(
            issuer=settings.issuer,
            snapshots=snapshots,
            state=state,
            courier=courier,
            saml=SamlLogouts(
                names=OwnAddresses(settings.issuer).logout_names,
                snapshots=snapshots,
                state=state,
                keys=keys,
                xml=xml,
                clock=tools.clock,
                random=tools.random,
            ),
            keys=keys,
            xml=xml,
            rules=LogoutRules(
                longest_wait_seconds=settings.sessions.logout_wait_seconds,
                front_channel=settings.sessions.front_channel_logout,
            ),
            audit=tools.audit,
            clock=tools.clock,
            random=tools.random,
        )
    )
