"""What answers suppliers, wired."""

from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import FlowKeys, Random
from broker.flow.saml_answers import SamlAnswers
from broker.flow.sessions.sessions import Sessions
from broker.flow.supplier_side import SupplierSide
from broker.saml_xml.security import XmlSecurity
from broker.settings import Settings
from broker.web.own_documents import OwnAddresses


def wire_suppliers(
    settings: Settings,
    state: SealedState,
    sessions: Sessions,
    *,
    keys: FlowKeys,
    xml: XmlSecurity,
    random: Random,
) -> SupplierSide:
    """Return what builds answers to suppliers."""
    saml = SamlAnswers(
        entity_id=OwnAddresses(settings.issuer).idp_entity_id,
        pairwise_scope=settings.pairwise_scope_in_force,
        keys=keys,
        xml=xml,
        random=random,
    )
    return SupplierSide(issuer=settings.issuer, saml=saml, state=state, sessions=sessions)
