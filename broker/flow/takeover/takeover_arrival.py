"""Who of a take-over's pilot came to the supplier: counted, so that a school sees its class arrive.

Only while the state is `pilot`: one look-up more in those logins, and one write for each listed
person, once. It never keeps anybody from logging in.
"""

from datetime import date

from broker.domain.takeover import Takeover, TakeoverState
from broker.domain.takeover_refusals import TakeoversUnavailable
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.persons.person_records import Presented
from broker.flow.persons.register import RegisterKeys
from broker.flow.takeover.takeover_lists import ListKind, ListOf, TakeoverLists, derive_list_tag
from broker.pseudonyms.derivation import PersonRoot


async def note_arrival(
    presented: Presented,
    *,
    account: PersonRoot,
    takeover: Takeover | None,
    lists: TakeoverLists,
    keys: RegisterKeys,
    audit: AuditLog,
    today: date,
) -> None:
    """Count a person of the pilot who comes with the pseudonym for the first time.

    Args:
        account: that the login opens: who is known at the school is listed by it.
    """
    if takeover is None or takeover.state_on(today) is not TakeoverState.PILOT:
        return
    of = ListOf(ListKind.PILOT, takeover.school, takeover.supplier)
    roots = dict.fromkeys((account, *presented.roots))
    tags = [derive_list_tag(keys, of, root) for root in roots]
    try:
        listed = await lists.find(tags)
        new = [tag for tag, arrived in listed.items() if not arrived]
        if new:
            await lists.note_arrived(new)
    except TakeoversUnavailable as refusal:
        audit.record(
            AuditEvent(
                action="pilot-not-counted",
                code=refusal.code,
                check=refusal.check,
                school=takeover.school,
                supplier=takeover.supplier,
            )
        )
