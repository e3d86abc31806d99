"""May a browser's session answer this request, or must the school be asked? A table of rules.

They are about the session alone. What a supplier may get, and whether a page must say something
first, is decided anew by the steps that every login takes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from broker.domain.assurance import covers, read_level
from broker.domain.federation import School, SingleSignOn
from broker.domain.registry import Registry
from broker.flow.held_state.records import SupplierRequest
from broker.flow.school_side import wants_other_account
from broker.flow.sessions.session_records import SessionRecord
from broker.oidc_op.request import CheckedAuthorizationRequest
from broker.saml_idp.authn_contexts import ORDINARY, choose_authn_context


@dataclass(frozen=True, slots=True)
class Offer:
    """A session before a request.

    Attributes:
        hinted: the school that the request names.
    """

    session: SessionRecord
    request: SupplierRequest
    hinted: School | None
    registry: Registry
    now: datetime


def asks_new_login(request: SupplierRequest) -> bool:
    """Tell whether a request wants no session: a new login, or a choice of accounts."""
    return request.force_login or wants_other_account(request)


def is_young_enough(offer: Offer) -> bool:
    """OIDC Core 3.1.2.1: `max_age` counts from the login at school."""
    longest = offer.request.max_age_seconds
    age = (offer.now - offer.session.authenticated_at).total_seconds()
    return longest is None or age <= longest


def has_wanted_level(offer: Offer) -> bool:
    """A level that this login did not state is for the school to reach; without a page none is."""
    request, stated = offer.request, offer.session.acr
    if request.passive:
        return True
    level = read_level(stated, meanings=offer.registry.idps[offer.session.idp].acr)
    if not isinstance(request, CheckedAuthorizationRequest):
        named = request.requested_authn_contexts
        told = choose_authn_context(request.authn_comparison, named, stated=stated, level=level)
        return told is not None and (told in named or ORDINARY.issuperset(named))
    wanted = request.acr
    if wanted is None or not wanted.levels:
        return True
    return any(covers(level, each) for each in wanted.levels)


def is_of_hinted_school(offer: Offer) -> bool:
    """Who is sent to another school leaves this session."""
    return offer.hinted is None or offer.hinted.id in offer.session.schools


def goes_on(session: SessionRecord, registry: Registry) -> bool:
    """Tell whether it may answer anybody at all.

    The login that stated it may have been switched off since, and each of its schools may have
    ended sessions since, or begun to share devices.
    """
    idp = registry.idps.get(session.idp)
    schools = [registry.schools.get(each) for each in session.schools]
    return (
        idp is not None
        and idp.enabled
        and all(
            each is not None and each.single_sign_on is not SingleSignOn.OFF for each in schools
        )
    )


def is_still_going_on(offer: Offer) -> bool:
    """What `goes_on` says, whoever asks."""
    return goes_on(offer.session, offer.registry)


SESSION_RULES: tuple[Callable[[Offer], bool], ...] = (
    is_still_going_on,
    is_young_enough,
    has_wanted_level,
    is_of_hinted_school,
)
