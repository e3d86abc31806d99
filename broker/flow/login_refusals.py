"""What becomes of a login that is refused: a page with a way on, or word to the supplier."""

from msgspec.structs import replace

from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.flow.answers import LoginCookie, Refused, Step
from broker.flow.audit import AuditLog, make_reference, note_refusal
from broker.flow.following.trail import Outcome, current_trail
from broker.flow.held_state.browser_steps import BrowserSteps
from broker.flow.held_state.records import CHOOSING, ChoosingLogin
from broker.flow.parties import Parties
from broker.flow.persons.arrival_budgets import ArrivalWaits
from broker.flow.ports import Clock, Random
from broker.flow.supplier_side import SupplierSide


class LoginRefusals:
    """The one place where a refusal becomes an answer. Keeps nothing between steps."""

    def __init__(
        self,
        *,
        steps: BrowserSteps,
        suppliers: SupplierSide,
        audit: AuditLog,
        clock: Clock,
        random: Random,
    ) -> None:
        self._steps = steps
        self._suppliers = suppliers
        self._audit = audit
        self._clock = clock
        self._random = random

    async def answer(
        self,
        refusal: Refusal,
        login: ChoosingLogin,
        parties: Parties,
        *,
        closed: str = "",
        clicked: SchoolId | None = None,
    ) -> Step:
        """Turn a refusal into an answer to the supplier, or a page of ours with a way on.

        The supplier is told what it must know, and everything when it asked for no page at all.
        """
        reference, request = make_reference(self._random), login.request
        note_refusal(
            self._audit,
            refusal,
            reference=reference,
            school=clicked,
            supplier=parties.supplier.id,
            relying_party=parties.relying_party.id,
        )
        if refusal.may_redirect or request.passive:
            answer = self._suppliers.refuse(request, refusal, parties=parties, now=self._clock())
            current_trail().outcome = Outcome.TOLD
            return Step(answer, closed=closed)
        elsewhere = isinstance(refusal, ArrivalWaits)
        if isinstance(refusal, ArrivalWaits):
            login = replace(login, confirms_arrival=refusal.school)
        retry = await self._offer_retry(refusal, login)
        page = Refused(
            refusal=refusal,
            reference=reference,
            way_back=parties.relying_party.start_url,
            way_back_name=parties.supplier.display_name,
            retry=retry,
            retry_school="" if elsewhere else clicked or "",
        )
        return Step(page, opened=retry, closed=closed)

    async def _offer_retry(self, refusal: Refusal, login: ChoosingLogin) -> LoginCookie | None:
        """Keep the supplier's request, and with it the deep link, for another try."""
        if not refusal.may_retry:
            return None
        try:
            return await self._steps.open(CHOOSING, login)
        except Refusal:  # the store is unsure: then the page has its way back only
            return None
