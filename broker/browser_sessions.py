"""Browsers' sessions and their end, and what other sites say or ask of a browser, wired."""

from functools import partial

from broker.adapters.keys.school_secrets import read_announcement_keys
from broker.flow.first_party.announced_schools import SchoolAnnouncements
from broker.flow.first_party.session_questions import SessionQuestions
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import FlowKeys, Snapshots
from broker.flow.sessions.logout import LogoutFlow
from broker.flow.sessions.logout_answers import LogoutPorts, LogoutRules
from broker.flow.sessions.logout_courier import LogoutCourier
from broker.flow.sessions.saml_logouts import SamlLogouts
from broker.flow.sessions.sessions import Sessions, SessionTimes
from broker.programs import ProgramTools
from broker.saml_xml.security import XmlSecurity
from broker.settings import LoadedSettings, Settings
from broker.web.own_documents import OwnAddresses


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


def wire_questions(
    settings: Settings, sessions: Sessions, snapshots: Snapshots, tools: ProgramTools
) -> SessionQuestions:
    """Return what answers suppliers that ask whether somebody is logged in."""
    return SessionQuestions(
        issuer=settings.issuer,
        snapshots=snapshots,
        sessions=sessions,
        audit=tools.audit,
        clock=tools.clock,
    )


def wire_announcements(
    loaded: LoadedSettings, snapshots: Snapshots, state: SealedState, tools: ProgramTools
) -> SchoolAnnouncements:
    """Return what reads announcements."""
    return SchoolAnnouncements(
        issuer=loaded.settings.issuer,
        snapshots=snapshots,
        state=state,
        read_keys=partial(read_announcement_keys, loaded.keys_folder),
        audit=tools.audit,
        clock=tools.clock,
    )
