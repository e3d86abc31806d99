"""The journeys of suppliers' programs, wired: their back channel, and what `/api/` does."""

from dataclasses import dataclass

from broker.adapters.databases.sql_school_counts import SqliteSchoolCounts
from broker.callers import Callers
from broker.flow.audit import AuditLog
from broker.flow.enrolment.enrolment_feed import EnrolmentDesk
from broker.flow.enrolment.enrolments import EnrolmentRules
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.persons.listed_moves import ListedMoves
from broker.flow.ports import Clock, FlowKeys, Random
from broker.flow.programs.api_access import ApiAccess
from broker.flow.programs.transfer_notices import TransferNotices
from broker.flow.receipts.receipts import ReceiptLog
from broker.flow.rotation.supplier_conversion import (
    ConversionPorts,
    ConversionQuota,
    SupplierConversion,
)
from broker.flow.takeover.takeover_mapping import MappingPorts, TakeoverMapping
from broker.flow.tokens.back_channel import BackChannel, BackChannelPorts, open_back_channel
from broker.person_settings import arrival_rules_of
from broker.resources import Resources
from broker.settings import LoadedSettings, Settings
from broker.web.api_lists import ApiLists


@dataclass(frozen=True, slots=True)
class ProgramTools:
    """What every journey of a program works with."""

    audit: AuditLog
    clock: Clock
    random: Random


def wire_mapping(
    settings: Settings, resources: Resources, keys: FlowKeys, tools: ProgramTools
) -> TakeoverMapping:
    """Return what answers which pseudonyms belong to ECK iDs."""
    return TakeoverMapping(
        ports=MappingPorts(
            register=resources.register,
            lists=resources.takeover_lists,
            keys=keys.register,
            root=keys.root,
            pairwise=keys.pairwise,
            settled_after_days=settings.transfers.settled_days,
            random=tools.random,
        ),
        store=resources.takeovers,
        asked_per_school=settings.takeover.asked_per_school,
        audit=tools.audit,
        clock=tools.clock,
    )


def wire_back_channel(
    settings: Settings,
    resources: Resources,
    keys: FlowKeys,
    tools: ProgramTools,
    callers: Callers,
    *,
    state: SealedState,
    receipts: ReceiptLog,
) -> BackChannel:
    """Return what suppliers' systems call without a browser: tokens, and questions about them."""
    return open_back_channel(
        BackChannelPorts(
            issuer=settings.issuer,
            snapshots=resources.snapshots,
            state=state,
            clients=callers.clients,
            senders=callers.senders,
            register=resources.register,
            shields=resources.shields,
            receipts=receipts,
            keys=keys,
            audit=tools.audit,
            clock=tools.clock,
            random=tools.random,
        )
    )


def wire_api_access(
    resources: Resources, tools: ProgramTools, callers: Callers, *, state: SealedState
) -> ApiAccess:
    """Return what gives programs tokens for our API, and tells who shows one."""
    return ApiAccess(
        snapshots=resources.snapshots,
        state=state,
        clients=callers.clients,
        senders=callers.senders,
        audit=tools.audit,
        clock=tools.clock,
    )


def wire_conversion(
    settings: Settings, resources: Resources, keys: FlowKeys, tools: ProgramTools
) -> SupplierConversion:
    """Return what converts pseudonyms while a supplier's window is open."""
    return SupplierConversion(
        ConversionPorts(
            rotations=resources.rotations,
            counts=resources.supplier_counts,
            quotas=resources.quotas,
            open_rows=resources.open_rows,
            audit=tools.audit,
            keys=keys.register,
            pairwise=keys.pairwise,
        ),
        quota=ConversionQuota(
            percent=settings.conversion.quota_percent, least=settings.conversion.quota_least
        ),
    )


def wire_notices(loaded: LoadedSettings) -> TransferNotices:
    """Return what tells schools of pupils who change school."""
    return TransferNotices(
        read=SqliteSchoolCounts(loaded.data_folder / "register.db").read_or_refuse,
        rules=arrival_rules_of(loaded.settings),
    )


def wire_lists(
    settings: Settings,
    resources: Resources,
    keys: FlowKeys,
    tools: ProgramTools,
    *,
    rules: EnrolmentRules,
) -> ApiLists:
    """Return what takes in schools' lists of who is there."""
    arrivals = arrival_rules_of(settings)
    return ApiLists(
        desk=EnrolmentDesk(
            book=resources.enrolments,
            root=keys.root,
            keys=keys.enrolment,
            rules=rules,
            audit=tools.audit,
            random=tools.random,
            moves=ListedMoves(resources.register, keys.register, arrivals, tools.random, keys.root),
        ),
        quotas=resources.quotas,
        lists_a_day=settings.enrolment.lists_a_day,
    )
