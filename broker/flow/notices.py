"""The notice of what is shared, remembered once its person has seen it."""

from broker.domain.ids import SupplierId
from broker.domain.relations import notice_signer
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.held_state.records import PreparedRelease
from broker.flow.persons.person_records import Presented, as_root
from broker.flow.persons.persons import note_notice_seen
from broker.flow.persons.register import PersonRegister, RegisterKeys, RegisterUnavailable
from broker.flow.ports import Random


async def note_notice(
    prepared: PreparedRelease,
    *,
    supplier: SupplierId,
    register: PersonRegister,
    keys: RegisterKeys,
    audit: AuditLog,
    random: Random,
) -> None:
    """Remember that this person saw this version of the notice; at worst it shows again.

    Comes after the release and refuses nothing: the answer is out of our hands by then.
    """
    if not prepared.notice:
        return
    decision = prepared.decision
    try:
        await note_notice_seen(
            Presented(
                prepared.population,
                eck_id=None if prepared.eck_root is None else as_root(prepared.eck_root),
                local=None if prepared.local_root is None else as_root(prepared.local_root),
            ),
            school=notice_signer(decision.carried_from, decision.school),
            supplier=supplier,
            version=decision.agreement_version,
            register=register,
            keys=keys,
            random=random,
        )
    except RegisterUnavailable as refusal:
        audit.record(
            AuditEvent(
                action="notice-not-noted",
                code=refusal.code,
                check=refusal.check,
                school=decision.school,
            )
        )
