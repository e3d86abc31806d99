"""The step of a login that a request is about: this browser holds it, or nothing is done."""

from collections.abc import Sequence
from dataclasses import replace

from starlette.requests import Request

from broker.domain.ids import RelyingPartyId
from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.parties import Parties, find_parties
from broker.flow.refusals import LoginStepAbsent, SupplierNotOpen
from broker.flow.school_logins import LoginWish
from broker.flow.start_links import StartLink
from broker.web.headers import Header
from broker.web.wiring import Web

_BEGUN_AT = "schuilnaam.begun_at"
"""Where a request keeps at which relying party its login began, for the page of a refusal."""


def find_held_step(web: Web, request: Request, state: str) -> BrowserStep:
    """Return the step of a state with the handle that this browser holds for it.

    Raises:
        LoginStepAbsent: it holds none.
    """
    held = web.cookies.read_login(request, state)
    if held is None:
        raise LoginStepAbsent("check_browser_binding")
    request.scope[_BEGUN_AT] = held.unverified_relying_party
    return BrowserStep(state, held.handle)


def find_way_back(web: Web, request: Request) -> Parties | None:
    """Return where the held login began, so that a page can lead back there when it is lost.

    The cookie only says whom to look up: what is shown is what the registry says of an enabled
    relying party, and nobody learns or may do anything by it.
    """
    begun_at = request.scope.get(_BEGUN_AT)
    if begun_at is None:
        return None
    try:
        return find_parties(web.snapshots.registry, RelyingPartyId(begun_at))
    except SupplierNotOpen:
        return None


def note_begun_by(web: Web, request: Request, *, client_id: str) -> None:
    """Let the page of a refusal lead back to a relying party that the address names; unproven."""
    found = web.snapshots.registry.by_client_id.get(client_id)
    if found is not None:
        request.scope[_BEGUN_AT] = found.id


def note_begun_at(request: Request, relying_party: str) -> None:
    """Let the page of a refusal lead back to a relying party that a link names."""
    request.scope[_BEGUN_AT] = relying_party


def use_start(web: Web, request: Request, relying_party: RelyingPartyId) -> Sequence[Header]:
    """Return cookies to set now that a login begins to which a link led.

    Its school counts for one login: a pupil may wish to choose another one the next time. Its page
    stays, for the way back of a login that fails.
    """
    kept = web.cookies.read_start(request)
    if kept.relying_party != relying_party or not kept.school:
        return ()
    return (web.cookies.keep_start(replace(kept, school="")),)


def find_start_again(web: Web, request: Request, way_back: str) -> str:
    """Return the link that leads to the page for which this browser came, or the way back as it is.

    Only for the relying party to which that way leads; what the link says is checked anew.
    """
    kept = web.cookies.read_start(request)
    begun = web.snapshots.registry.relying_parties.get(RelyingPartyId(kept.relying_party))
    if begun is None or begun.start_url != way_back or not kept.target:
        return way_back
    return f"/start?{StartLink(relying_party=begun.id, target=kept.target).build_query()}"


def read_wish(web: Web, request: Request, *, clicked: str = "") -> LoginWish:
    """Return what this browser says of the login that its pupil wants."""
    started = web.cookies.read_start(request)
    announced = web.cookies.read_announced(request)
    return LoginWish(
        unverified_clicked=clicked,
        unverified_remembered=web.cookies.read(request, "idp"),
        unverified_session=web.cookies.read_session(request),
        own_school_again=web.cookies.read(request, "again") == "1",
        unverified_started_at=started.relying_party,
        unverified_start_school=started.school,
        unverified_announced_school=announced.school,
        unverified_announced_login=announced.idp,
    )
