"""Who logged in, as far as a refresh must know: enough for a receipt, and whether it was erased.

A refresh knows neither the identity nor the person root. The receipt's keys are derived from that
root when the person logs in, for this school alone, and kept sealed with the refresh tokens, so
that each refresh leaves its receipt where the pupil's others are. The register's tags tell whether
the rows of what the login presented are still there: once the person is erased they are gone, and
with them what the tokens were good for. Somebody who is erased and logs in again before the next
refresh has such rows once more, but with another salt, and so with another mark beside them
(`register.derive_life`); so has a number that was bound to an ECK iD meanwhile. The old tokens end
then: their receipts would lie where nobody looks for them.
"""

from broker.domain.federation import School
from broker.domain.relying_parties import OidcClient
from broker.flow.held_state.records import HeldPerson, SupplierRequest
from broker.flow.parties import Parties
from broker.flow.persons.persons import KnownPerson
from broker.flow.persons.register import PersonRegister, derive_life, derive_tag
from broker.flow.ports import FlowKeys
from broker.flow.receipts.receipts import ReceiptKeys, derive_receipt_keys
from broker.oidc_op.clients import OFFLINE_ACCESS
from broker.oidc_op.request import CheckedAuthorizationRequest


def wants_refresh(request: SupplierRequest, *, school: School, parties: Parties) -> bool:
    """Tell whether a login gives a refresh token.

    An app without a secret of its own gets none where pupils share devices: it would go on as who
    sat there before.
    """
    if not isinstance(request, CheckedAuthorizationRequest):
        return False
    client = parties.relying_party.protocol
    is_public = isinstance(client, OidcClient) and client.is_public
    return OFFLINE_ACCESS in request.scopes and not (is_public and school.shared_devices)


def hold_for_refresh(
    request: SupplierRequest,
    person: KnownPerson,
    school: School,
    parties: Parties,
    keys: FlowKeys,
) -> HeldPerson | None:
    """Return what a refresh will need of the person who logs in; None when there will be none."""
    if not wants_refresh(request, school=school, parties=parties):
        return None
    receipts = derive_receipt_keys(
        keys.receipts, root=person.root, school=school.id, salt=person.salt
    )
    return HeldPerson(
        receipt_seal=receipts.seal,
        receipt_locate=receipts.locate,
        rows=tuple(derive_tag(keys.register, root) for root in person.salts),
        lives=tuple(
            derive_life(keys.register, root, salt=salt) for root, salt in person.salts.items()
        ),
    )


def receipt_keys_of(person: HeldPerson) -> ReceiptKeys:
    """Return what seals and finds this person's receipts at the school of the login."""
    return ReceiptKeys(seal=person.receipt_seal, locate=person.receipt_locate)


async def is_still_known(person: HeldPerson, *, register: PersonRegister) -> bool:
    """Tell whether everything that the login presented is still in the register.

    What an erasure left in place of a row (`register.CLOSED`) stands for nobody. A row without a
    mark was not written since before marks were kept, so it is the one of the login.

    Raises:
        RegisterUnavailable: it cannot be read.
    """
    found = await register.find(person.rows)
    return all(
        tag in found and not found[tag].is_closed and found[tag].life in (b"", life)
        for tag, life in zip(person.rows, person.lives, strict=True)
    )
