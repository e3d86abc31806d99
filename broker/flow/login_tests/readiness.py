"""The go-live list of a school: each line done, or whose task it is and what to do.

It judges and changes nothing: documents state whether a school is in production, and `broker apply`
warns of one that is brought there with lines left.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

from broker.domain.agreements import Agreement, approved_for
from broker.domain.attributes import VOCABULARY
from broker.domain.declared_attributes import DeclaredAttribute
from broker.domain.federation import SamlIdpEndpoints, School, SchoolIdp, Supplier
from broker.domain.ids import SchoolIdpId
from broker.domain.refusals import WhoseTask
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement
from broker.flow.federation.refresh_times import Ending
from broker.flow.key_plans.key_facts import CertificateFacts, KeyFacts
from broker.flow.login_tests.login_tests import LoginTestOutcome

TESTED_WITHIN_DAYS = 30
ENDS_WITHIN_DAYS = 30
"""What ends sooner is renewed before a school goes live, not just after."""

LastTests: TypeAlias = Mapping[tuple[SchoolIdpId, LoginTestOutcome], date]
"""Of each login and outcome, the last day."""


@dataclass(frozen=True, slots=True)
class ReadyLine:
    """One line of the list.

    Attributes:
        told: how it stands.
        whose_task: None when nothing is left to do.
        remedy: "" when nothing is left to do.
    """

    item: str
    told: str
    whose_task: WhoseTask | None = None
    remedy: str = ""

    @property
    def is_ready(self) -> bool:
        """Tell whether nothing is left to do."""
        return self.whose_task is None


@dataclass(frozen=True, slots=True)
class SchoolFacts:
    """What the list is made of.

    Attributes:
        last_tests: of this school's logins.
        ending_certificates: partners' only ones that end soon, of all documents.
        ending_metadata: of sources and their parties, what ends soon or ended.
        ending_keys: our own certificates that end soon.
        today: the day in the Netherlands.
    """

    school: School
    registry: Registry
    last_tests: LastTests
    ending_certificates: Sequence[CertificateFacts]
    ending_metadata: Sequence[Ending]
    ending_keys: Sequence[KeyFacts]
    today: date

    @property
    def logins(self) -> tuple[SchoolIdp, ...]:
        """Return the logins that pupils are offered."""
        return self.registry.idps_of_school.get(self.school.id, ())

    def agreements(self) -> list[tuple[Supplier, Agreement]]:
        """Return the agreements in force, with their suppliers."""
        found = (
            (each, find_agreement(self.registry, self.school, each.id, self.today))
            for each in self.registry.suppliers.values()
        )
        return [
            (supplier, of.agreement)
            for supplier, of in found
            if of is not None and of.agreement.is_in_force(self.today)
        ]


Check: TypeAlias = Callable[[SchoolFacts], ReadyLine]


def check_documents(facts: SchoolFacts) -> ReadyLine:
    """The school and a login that pupils are offered are described, and switched on."""
    if not facts.school.enabled:
        return _left("documents", "the school is switched off.", "Switch it on in its document.")
    if not facts.logins:
        told = "no login of this school is switched on and offered to pupils."
        remedy = "Apply a document of its login, without rehearsal_only."
        return _left("documents", told, remedy)
    return ReadyLine("documents", f"{len(facts.logins)} logins are offered.")


def check_metadata(facts: SchoolFacts) -> ReadyLine:
    """Neither metadata nor a certificate by which we know a login of this school ends soon."""
    documents = {f"identity_providers/{each.id}" for each in facts.logins}
    for each in facts.ending_certificates:
        if each.document in documents:
            told = f"the only certificate of {each.document} ends on {each.expires_at:%Y-%m-%d}."
            remedy = "Give us metadata with the next certificate."
            return _left("metadata", told, remedy, WhoseTask.SCHOOL)
    names = {
        each.endpoints.entity_id
        for each in facts.logins
        if isinstance(each.endpoints, SamlIdpEndpoints)
    }
    for ending in facts.ending_metadata:
        if ending.party in names:
            told = f"the metadata of {ending.party} are valid until {ending.ends_at:%Y-%m-%d}."
            return _left("metadata", told, "Run `broker metadata refresh`.")
    return ReadyLine("metadata", "neither metadata nor a certificate of its logins ends soon.")


def check_keys(facts: SchoolFacts) -> ReadyLine:
    """Our own certificates do not end soon: the school would have to take the next one at once."""
    if facts.ending_keys:
        told = f"our own key {facts.ending_keys[0].file} has a certificate that ends soon."
        return _left("keys", told, "Rotate it first: `broker keys rotate`.")
    return ReadyLine("keys", "no certificate of ours ends soon.")


def check_exceptions(facts: SchoolFacts) -> ReadyLine:
    """What is tolerated of its logins goes on being tolerated for a while."""
    tolerated = [(idp, each) for idp in facts.logins for each in idp.exceptions]
    for idp, each in tolerated:
        if each.last_day <= _soon(facts):
            told = f"{each.name} of {idp.id} is tolerated until {each.last_day} only."
            remedy = "Correct the login, and let the exception be removed."
            return _left("exceptions", told, remedy, WhoseTask.SCHOOL)
    return ReadyLine("exceptions", f"{len(tolerated)} are tolerated, none of them ends soon.")


def check_tested(facts: SchoolFacts) -> ReadyLine:
    """Each of its logins was tested on the test page not long ago, and the last one was fine."""
    since = facts.today - timedelta(days=TESTED_WITHIN_DAYS)
    for each in facts.logins:
        fine = facts.last_tests.get((each.id, LoginTestOutcome.FINE), date.min)
        incomplete = facts.last_tests.get((each.id, LoginTestOutcome.INCOMPLETE), date.min)
        if fine < since:
            told = f"no test of {each.id} was fine in the last {TESTED_WITHIN_DAYS} days."
            remedy = f"Log in at /saml/sp/test?school={facts.school.id}, and mend what it says."
            return _left("tested", told, remedy, WhoseTask.SCHOOL)
        if incomplete > fine:
            told = f"the last test of {each.id} lacked an attribute that is needed."
            remedy = "See which at /saml/sp/test, and let the login send it."
            return _left("tested", told, remedy, WhoseTask.SCHOOL)
    return ReadyLine("tested", "each login was tested and fine.")


def check_attributes(facts: SchoolFacts) -> ReadyLine:
    """Each agreement approves what its supplier's material does not work without."""
    for supplier, agreement in facts.agreements():
        for declared in supplier.attributes:
            if is_lacking(declared, agreement):
                told = f"{supplier.id} does not work without {declared.name}: not approved."
                remedy = "Approve it in the agreement, or choose other material."
                return _left("attributes", told, remedy, WhoseTask.SCHOOL)
            if (
                declared.name in agreement.approved_of_anybody
                and VOCABULARY[declared.name].restricted
                and agreement.last_day is None
            ):
                told = f"{declared.name} stays here: the agreement with {supplier.id} has no end."
                return _left("attributes", told, "Give it an end date.", WhoseTask.SCHOOL)
    return ReadyLine("attributes", "each agreement approves what its supplier needs.")


def is_lacking(declared: DeclaredAttribute, agreement: Agreement) -> bool:
    """Tell whether somebody of whom an agreement lets nothing required out goes nowhere."""
    return any(
        declared.is_required_since(agreement.sheet, each)
        and declared.name not in approved_for(agreement, each, ())
        for each in declared.populations
    )


def check_head_count(facts: SchoolFacts) -> ReadyLine:
    """The head count is stated: budgets of newcomers are made of it."""
    if facts.school.pupils is None:
        return _left("head count", "is not stated.", "Write the published head count as `pupils`.")
    return ReadyLine("head count", f"{facts.school.pupils} pupils.")


def check_processor_agreement(facts: SchoolFacts) -> ReadyLine:
    """The board signed the processor agreement with the federation itself."""
    day = facts.school.processor_agreement
    if day is None:
        told = "the board has not signed the processor agreement with us."
        remedy = "Let it sign, and write the day as `processor_agreement`."
        return _left("processor agreement", told, remedy, WhoseTask.SCHOOL)
    return ReadyLine("processor agreement", f"signed on {day}.")


def check_agreements(facts: SchoolFacts) -> ReadyLine:
    """Some supplier may get its pupils."""
    found = facts.agreements()
    if not found:
        told = "no agreement is in force: its pupils can go nowhere."
        return _left("agreements", told, "Sign one with a supplier.", WhoseTask.SCHOOL)
    return ReadyLine("agreements", f"{len(found)} are in force.")


def check_end_dates(facts: SchoolFacts) -> ReadyLine:
    """No agreement ends just after the school went live."""
    for supplier, agreement in facts.agreements():
        if agreement.last_day is not None and agreement.last_day <= _soon(facts):
            told = f"the agreement with {supplier.id} ends on {agreement.last_day}."
            return _left("end dates", told, "Renew it.", WhoseTask.SCHOOL)
    return ReadyLine("end dates", "no agreement ends soon.")


READY_CHECKS: tuple[Check, ...] = (
    check_documents,
    check_metadata,
    check_keys,
    check_exceptions,
    check_tested,
    check_attributes,
    check_head_count,
    check_processor_agreement,
    check_agreements,
    check_end_dates,
)


def list_lines(facts: SchoolFacts) -> tuple[ReadyLine, ...]:
    """Return every line of a school's list."""
    return tuple(check(facts) for check in READY_CHECKS)


def _soon(facts: SchoolFacts) -> date:
    return facts.today + timedelta(days=ENDS_WITHIN_DAYS)


def _left(item: str, told: str, remedy: str, whose_task: WhoseTask = WhoseTask.BROKER) -> ReadyLine:
    return ReadyLine(item, told, whose_task, remedy)
