"""Which of a school's logins a pupil goes to: named, chosen, remembered, or the only one."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from broker.domain.dutch_days import day_of
from broker.domain.federation import School, SchoolIdp
from broker.domain.identity import StatedLogin
from broker.domain.ids import SchoolIdpId
from broker.domain.registry import Registry
from broker.domain.switches import SentAt, find_other_login
from broker.flow.held_state.records import PendingLogin, SupplierRequest
from broker.flow.refusals import InteractionRequired, SchoolNotOpen
from broker.flow.school_side import wants_other_account


@dataclass(frozen=True, slots=True)
class LoginWish:
    """What a browser says of the login that its pupil wants; each is looked up, neither trusted.

    Attributes:
        unverified_clicked: id of the login whose button was pressed, or "".
        unverified_remembered: id of the one chosen last time in this browser, or "".
        unverified_session: handle of its session, or "".
        own_school_again: somebody of several schools wishes to say anew for which one this is.
        unverified_started_at, unverified_start_school: what the link said by which it came here:
            relying party, and school or "".
        unverified_announced_school, unverified_announced_login: which school an ELO announced to
            it, and the login by which that ELO is known; or "".
    """

    unverified_clicked: str = ""
    unverified_remembered: str = ""
    unverified_session: str = field(default="", repr=False)
    own_school_again: bool = False
    unverified_started_at: str = ""
    unverified_start_school: str = ""
    unverified_announced_school: str = ""
    unverified_announced_login: str = ""

    def hints_for(self, request: SupplierRequest) -> tuple[str, ...]:
        """Return what says at which school this will be: the request itself, or else the link by
        which the browser came to this relying party, or else what was announced to it, unless
        people choose anew."""
        if request.hints or request.passive or wants_other_account(request):
            return tuple(request.hints)
        is_for = self.unverified_started_at == request.relying_party
        linked = self.unverified_start_school if is_for else ""
        return tuple(filter(None, (linked, self.unverified_announced_school)))


NO_WISH = LoginWish()


def wish_for(request: SupplierRequest, wish: LoginWish) -> LoginWish:
    """Return what counts of a wish: a supplier that lets people choose anew has nothing remembered
    (`prompt=select_account`)."""
    if not wants_other_account(request):
        return wish
    return replace(wish, unverified_remembered="", unverified_announced_login="")


def choose_login(
    registry: Registry,
    school: School,
    *,
    named: SchoolIdp | None = None,
    wish: LoginWish = NO_WISH,
    may_ask: bool,
    today: date,
) -> SchoolIdp | None:
    """Return the login to go to; None when the pupil must choose one.

    Args:
        named: by a hint, or by the login that goes on. It may serve several schools, so it counts
            while any of them offers it; the school that it will state decides.
        may_ask: whether a page may be shown; else the first one that is offered.
        today: in the Netherlands.

    Raises:
        SchoolNotOpen: the school offers no login.
    """
    if named is not None and _is_offered(registry, named, today=today):
        return named
    offered = registry.offered_logins(school.id, today=today)
    if not offered:
        raise SchoolNotOpen("check_school_has_login")
    wishes = (
        *(wish.unverified_clicked, wish.unverified_announced_login),
        wish.unverified_remembered,
    )
    wished = _first_of(offered, wishes)
    if wished is None and may_ask and len(offered) > 1:
        return None
    return wished or offered[0]


def _is_offered(registry: Registry, idp: SchoolIdp, *, today: date) -> bool:
    return any(
        each.id == idp.id
        for school in idp.schools
        for each in registry.offered_logins(school, today=today)
    )


def _first_of(offered: tuple[SchoolIdp, ...], wishes: Iterable[str]) -> SchoolIdp | None:
    by_id = {each.id: each for each in offered}
    found = (by_id.get(SchoolIdpId(each)) for each in wishes)
    return next((each for each in found if each is not None), None)


def find_login_to_go_on_at(
    stated: StatedLogin,
    idp: SchoolIdp,
    *,
    classes: Collection[str],
    registry: Registry,
    pending: PendingLogin,
    today: date,
) -> SchoolIdp | None:
    """Return the login that this pupil should have used; None: the one that was used is fine.

    Who is at several schools stays where they are:
    of which of them this is, nobody has said yet, and the account is the same by both logins.

    Args:
        classes: by `find_classes`.

    Raises:
        InteractionRequired: this one is not offered any more, and no page may say so.
    """
    if len(stated.schools) > 1:
        return None
    (school,) = stated.schools
    offered = registry.offered_logins(school, today=today)
    other = find_other_login(
        idp,
        offered=offered,
        step=registry.step_in_force(school, today=today),
        classes=classes,
        sent=SentAt(pending.sent_at, day_of(pending.sent_at)),
    )
    if other is None or not pending.request.passive:
        return other
    if all(each.id != idp.id for each in offered):
        raise InteractionRequired("check_login_offered_when_passive")
    return None  # without a page the old one does: the account is the same by both
