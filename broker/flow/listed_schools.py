"""A SAML request that names the only schools it wants (IDPList, core 3.4.1.3).

With one of them known, its login is gone to, as by any hint. With none, nobody is shown a chooser
whose answer the supplier would not want: it is told which of the two it is (core 3.2.2.2).
"""

from datetime import date

from broker.domain.federation import School, SchoolIdp, State
from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.registry import Registry
from broker.domain.school_search import SchoolIndex, find_hinted_school
from broker.flow.held_state.records import SupplierRequest
from broker.flow.refusals import NotLoggedIn
from broker.flow.school_logins import LoginWish
from broker.saml_idp.request import CheckedAuthnRequest


class ListedSchoolUnknown(Refusal):
    """None of the schools that the request names is one of ours."""

    code = "E-SAML-72"
    whose_task = WhoseTask.SUPPLIER
    what = "The material's website asks for a school that we do not know."
    remedy = "The maker of the material can fix this. Please tell them, with this code."
    may_redirect = True
    saml_status = "NoSupportedIDP"


class ListedSchoolNotOpen(Refusal):
    """The request names schools of ours, and nobody can log in at any of them."""

    code = "E-SAML-73"
    whose_task = WhoseTask.SCHOOL
    what = "Nobody can log in at your school now: its login is switched off here."
    remedy = "Please ask your school."
    may_redirect = True
    saml_status = "NoAvailableIDP"


def find_asked_school(
    index: SchoolIndex, request: SupplierRequest, wish: LoginWish, *, state: State, today: date
) -> tuple[School, SchoolIdp | None] | None:
    """Return the school that a request or link names, and the login if it names one; else None.

    Args:
        state: of the supplier.
        today: in the Netherlands.

    Raises:
        ListedSchoolUnknown, ListedSchoolNotOpen, NotLoggedIn: the request wants none but schools to
            which nobody can go.
    """
    found = find_hinted_school(index, wish.hints_for(request), state=state, today=today)
    if found is None:
        check_listed_schools(request, registry=index.registry, state=state)
    return found


def check_listed_schools(request: SupplierRequest, *, registry: Registry, state: State) -> None:
    """Refuse a request that wants only schools to which nobody can go.

    Args:
        state: of the supplier; a school of the other state is none of ours here.

    Raises:
        ListedSchoolUnknown, ListedSchoolNotOpen
        NotLoggedIn: no page may be shown, and then nobody is told why (`NoPassive`).
    """
    if not isinstance(request, CheckedAuthnRequest) or not request.schools_listed:
        return
    if request.passive:
        raise NotLoggedIn("check_school_known_when_passive")
    meant = [_schools_meant(each.strip(), registry, state) for each in request.hints]
    if any(len(each) > 1 for each in meant):
        return  # a name that fits several is for people to choose by
    if any(meant):
        raise ListedSchoolNotOpen("check_listed_school_open")
    raise ListedSchoolUnknown("check_listed_school_known")


def _schools_meant(hint: str, registry: Registry, state: State) -> list[School]:
    idp = registry.by_idp_entity_id.get(hint) or registry.by_idp_issuer.get(hint)
    named = registry.by_hint.get(hint.rpartition("@")[2].lower(), ())
    found = named if idp is None else idp.schools[:1]
    return [registry.schools[each] for each in found if registry.schools[each].state is state]
