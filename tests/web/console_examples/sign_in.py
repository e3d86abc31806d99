"""Logging in to the console, once more for signing, and out."""

from broker.web.console.home_pages import ShownRole
from broker.web.console.sign_in_pages import (
    SignedOutPage,
    SignInLogin,
    SignInPage,
    SignInPlace,
    StepUpPage,
    WhoAmIPage,
)
from broker.web.pages import Page

_PLACES = (
    SignInPlace(name="RekenRijk", logins=(SignInLogin(value="supplier/rekenrijk/rekenrijk"),)),
    SignInPlace(name="", logins=(SignInLogin(value="federation//federation"),)),
    SignInPlace(
        name="De Vuurvogel",
        where="Utrecht",
        logins=(
            SignInLogin(value="school/vuurvogel/vuurvogel", name="Vuurvogel"),
            SignInLogin(value="school/vuurvogel/leerplein", name="Leerplein"),
        ),
    ),
)

EXAMPLES: dict[str, Page] = {
    "sign in": SignInPage(csrf="t", back="/console", places=_PLACES, found_count=30),
    "sign in among many": SignInPage(csrf="t", back="/console", found_count=7021),
    "sign in, nothing found": SignInPage(csrf="t", back="/console", query="zzz"),
    "step up": StepUpPage(csrf="t", back="/console", place_name="De Vuurvogel", minutes=15),
    "step up that failed": StepUpPage(
        csrf="t",
        back="/console",
        place_name="De Vuurvogel",
        minutes=15,
        has_failed=True,
        can_be_asked=False,
    ),
    "step up by a link": StepUpPage(
        csrf="t", back="/console", place_name="De Vuurvogel", minutes=15, by_link=True
    ),
    "who am I": WhoAmIPage(
        csrf="t",
        code="babefihi",
        place_name="De Vuurvogel",
        since="27-11-2026 14:05",
        may_sign=True,
        by_link=True,
        roles=(ShownRole(words="ICT partner", place_name="Het Kompas", last_day="2026-12-31"),),
    ),
    "signed out": SignedOutPage(),
}
