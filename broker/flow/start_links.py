"""Where `/start` leads: one address for portals, tiles and posters, whatever a supplier speaks.

An OpenID Connect system is asked to begin (OIDC Core 4: `iss`, `login_hint`, `target_link_uri`), a
SAML system likewise (Service Provider Request Initiation 2.2: `entityID`, `target`), where its
document says at which address. Any other one is opened where people begin, or at the page that the
link names: it asks for a login itself when it needs one. Nothing is answered unasked, but to a SAML
system whose document says that it takes that (`unsolicited`, profiles 4.1.5): a login begins here
then, and the page of the link goes along as RelayState.

A school that is named only skips the chooser, and is looked at before anybody goes there: without
an agreement the login would end at the page that this shows at once. The supplier hears of it only
when the school lets it know which school it is; the browser keeps it for us in any case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode

from broker.domain.agreements import Agreement
from broker.domain.attributes import (
    BRANCH_ID,
    HOME_ORGANIZATION,
    HOME_ORGANIZATION_ID,
    MEMBERSHIP,
)
from broker.domain.deep_links import is_below
from broker.domain.federation import School, Supplier
from broker.domain.ids import RelyingPartyId
from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.relations import find_agreement
from broker.domain.release import AgreementNotInForce, NoAgreement, is_declared_for
from broker.domain.relying_parties import OidcClient, SamlServiceProvider
from broker.domain.school_search import SchoolIndex, find_hinted_school
from broker.domain.stopped_agreements import check_not_stopped
from broker.flow.parties import Parties, find_parties
from broker.flow.refusals import SupplierNotOpen
from broker.saml_idp.request import CheckedAuthnRequest, begin_unasked

NAMES_SCHOOL = frozenset({HOME_ORGANIZATION_ID, HOME_ORGANIZATION, BRANCH_ID, MEMBERSHIP})
"""Attributes that say at which school somebody is."""


class StartUnknown(Refusal):
    """The link names a system that is not registered, or switched off; it leads nowhere."""

    code = "E-START-1"
    whose_task = WhoseTask.SUPPLIER
    what = "This link leads to learning material that we do not know, or that is switched off."
    remedy = "Open your learning material where you always do. Who made the link can mend it."
    http_status = 404


class StartTargetForeign(Refusal):
    """The page is below none of `start_targets`: we are no way to anywhere (RFC 9700 4.11)."""

    code = "E-START-2"
    whose_task = WhoseTask.SUPPLIER
    what = "This link wants to lead to a page that the learning material did not register."
    remedy = "Open your learning material and go to the page from there."


class StartHasNoPlace(Refusal):
    """An app on a device: it has no address that a browser could open."""

    code = "E-START-3"
    whose_task = WhoseTask.SUPPLIER
    what = "This learning material is an app, and cannot be opened by a link."
    remedy = "Open the app itself and log in there."


@dataclass(frozen=True, slots=True, kw_only=True)
class StartLink:
    """What a link says; nothing of it is proven.

    Attributes:
        relying_party: id of one registered system.
        school: as any hint: id, BRIN, realm, entity id or issuer; "" for the chooser.
        target: URL of a page inside the material, or "".
    """

    relying_party: str
    school: str = field(default="", repr=False)
    target: str = field(default="", repr=False)

    def build_query(self) -> str:
        """Return the link's query, without what is empty.

        >>> StartLink(relying_party="rekenrijk", school="11AA").build_query()
        'rp=rekenrijk&school=11AA'
        """
        stated = {"rp": self.relying_party, "school": self.school, "target": self.target}
        return urlencode({name: value for name, value in stated.items() if value})


@dataclass(frozen=True, slots=True)
class Start:
    """Where a browser goes, and what it keeps meanwhile.

    Attributes:
        url: for a login that begins here, where people begin otherwise.
        school: that the link names and that is one of ours; None leaves it to the chooser.
        login: the one to begin at once, for a SAML system that takes answers it did not ask for.
    """

    url: str = field(repr=False)
    parties: Parties
    school: School | None
    login: CheckedAuthnRequest | None = field(default=None, repr=False)


def find_start(
    link: StartLink, *, index: SchoolIndex, issuer: str, idp_entity_id: str, today: date
) -> Start:
    """Return where a link leads.

    Args:
        issuer, idp_entity_id: our names towards suppliers.
        today: in the Netherlands.

    Raises:
        StartUnknown, StartTargetForeign, StartHasNoPlace
        NoAgreement, AgreementNotInForce, AgreementStopped: between the school of the link and
            this supplier.
    """
    try:
        parties = find_parties(index.registry, RelyingPartyId(link.relying_party))
    except SupplierNotOpen:
        raise StartUnknown("check_start_known") from None
    check_target_registered(link.target, parties)
    school = _find_school(link, parties, index=index, today=today)
    hint = ""
    if school is not None:
        agreement = check_start_agreed(school, parties, index=index, today=today)
        hint = school.id if tells_school(agreement, parties.supplier) else ""
    url = _place(link, parties, hint, issuer=issuer, idp_entity_id=idp_entity_id)
    if not url:
        raise StartHasNoPlace("check_start_place")
    return Start(url, parties, school, _begin_unasked(link, parties, school))


def check_target_registered(target: str, parties: Parties) -> None:
    """Refuse a page below none of the registered places.

    Raises:
        StartTargetForeign
    """
    if target and not is_below(target, parties.relying_party.start_targets):
        raise StartTargetForeign("check_target_registered")


def check_start_agreed(
    school: School, parties: Parties, *, index: SchoolIndex, today: date
) -> Agreement:
    """Return what a school agreed to; refuse one that would release nothing, before its login.

    Raises:
        NoAgreement, AgreementNotInForce, AgreementStopped
    """
    name = parties.supplier.display_name
    found = find_agreement(index.registry, school, parties.supplier.id, today)
    if found is None:
        raise NoAgreement("check_start_agreed", subject=name)
    check_not_stopped(found.agreement, name=name, today=today)
    if not found.agreement.is_in_force(today):
        raise AgreementNotInForce("check_start_agreed", subject=name)
    return found.agreement


def tells_school(agreement: Agreement, supplier: Supplier) -> bool:
    """Tell whether each login there, whoever logs in, tells this supplier which school it is."""
    asked = {each.name for each in supplier.attributes if is_declared_for(each, None)}
    return not NAMES_SCHOOL.isdisjoint(asked & agreement.approved_of_everybody)


def _find_school(
    link: StartLink, parties: Parties, *, index: SchoolIndex, today: date
) -> School | None:
    hints = [link.school] if link.school else []
    found = find_hinted_school(index, hints, state=parties.supplier.state, today=today)
    return None if found is None else found[0]


def _begin_unasked(
    link: StartLink, parties: Parties, school: School | None
) -> CheckedAuthnRequest | None:
    party = parties.relying_party
    provider = party.protocol
    if not isinstance(provider, SamlServiceProvider) or not provider.answers.unsolicited:
        return None
    if party.initiate_login_uri:
        return None
    hints = () if school is None else (school.id,)
    return begin_unasked(party.id, provider, hints=hints, relay_state=link.target or None)


def _place(link: StartLink, parties: Parties, hint: str, *, issuer: str, idp_entity_id: str) -> str:
    begins_at = parties.relying_party.initiate_login_uri
    if not begins_at:
        return link.target or parties.relying_party.start_url
    if isinstance(parties.relying_party.protocol, OidcClient):
        asked: Mapping[str, str] = {
            "iss": issuer,
            "login_hint": hint,
            "target_link_uri": link.target,
        }
    else:
        asked = {"entityID": idp_entity_id, "target": link.target}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{begins_at}{'&' if '?' in begins_at else '?'}{query}"
