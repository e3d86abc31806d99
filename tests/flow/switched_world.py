"""A school that changes its login: De Vuurvogel goes from its SAML login to an OpenID Provider."""

from dataclasses import replace

from broker.domain.attributes import AttributeName
from broker.domain.dutch_days import day_of
from broker.domain.federation import SchoolFrom
from broker.domain.switches import LoginSwitch, SwitchStage, gather_switches
from broker.flow.answers import Answer, OtherLogin
from broker.flow.school_logins import LoginWish
from tests.flow.login_answers import AtSchool, Browser, read_at_school
from tests.flow.login_parties import OIDC_IDP, OIDC_SCHOOL, SAML_IDP, SAML_SCHOOL, registry_of
from tests.flow.login_world import SANNE, LoginWorld

CLASS = AttributeName("nlEduPersonUnit")
SANNES_CLASS = SANNE.attributes[CLASS][0]


class SwitchedWorld(LoginWorld):
    """Both logins may speak for De Vuurvogel; the new one is for rehearsal only."""

    def __init__(self, telling: frozenset[str] = frozenset()) -> None:
        super().__init__(telling)
        self.steps: list[LoginSwitch] = []
        self.change(
            OIDC_IDP,
            schools=(SAML_SCHOOL, OIDC_SCHOOL),
            school_from=SchoolFrom.ATTRIBUTE,
            scopes=("kompas.example", "vuurvogel.example"),
            rehearsal_only=True,
            name="Het nieuwe leerplein",
        )

    def put(self, key: str, record: object) -> None:
        """As of any world; the steps stay."""
        super().put(key, record)
        self._swap()

    def take_step(self, stage: SwitchStage, *classes: str, **changes: object) -> None:
        """Put a step in force at once."""
        step = LoginSwitch(
            **{
                "school": SAML_SCHOOL,
                "from_idp": SAML_IDP,
                "to_idp": OIDC_IDP,
                "stage": stage,
                "classes": classes,
                "first_day": day_of(self.now),
                "since": self.now,
            }
            | changes
        )
        self.steps.append(step)
        self._swap()

    def _swap(self) -> None:
        registry = registry_of(self.records)
        steps = gather_switches(getattr(self, "steps", []))
        self.snapshots.swap(replace(registry, switches=steps))

    async def press_other(self, browser: Browser, page: Answer) -> AtSchool:
        """Press the one button of the page that leads to the other login."""
        assert isinstance(page, OtherLogin), page
        step = await self.flow.choose(
            browser.step(page.login),
            unverified_school=page.school.id,
            wish=LoginWish(unverified_clicked=page.idp.id),
        )
        return read_at_school(browser.follow(step))
