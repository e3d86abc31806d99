"""People of the console, invitations, links, and the log."""

from broker.web.console.audit_pages import AuditLogPage, AuditRow
from broker.web.console.people_pages import (
    InvitationPage,
    InvitationRow,
    InvitedPage,
    InvitePage,
    LinkPage,
    PeoplePage,
    PersonRow,
    PlaceChoice,
    WithdrawPage,
)
from broker.web.pages import Page

_PLACES = (
    PlaceChoice(value="board/stichting-vuurvogel", name="stichting-vuurvogel"),
    PlaceChoice(value="school/vuurvogel", name="De Vuurvogel", is_here=True),
)
_EMPTY = PeoplePage(
    csrf="t",
    place="school/vuurvogel",
    place_name="De Vuurvogel",
    places=(),
    people=(),
    invitations=(),
    may_invite=False,
)

EXAMPLES: dict[str, Page] = {
    "people": PeoplePage(
        csrf="t",
        place="school/vuurvogel",
        place_name="De Vuurvogel",
        places=_PLACES,
        people=(
            PersonRow(
                spoken="babefihi",
                role="school administrator",
                login_name="De Vuurvogel",
                since="2026-11-27",
                number=1,
                is_me=True,
            ),
            PersonRow(
                spoken="dobefiho",
                role="ICT partner",
                login_name="RekenRijk",
                since="2026-11-27",
                last_day="2027-01-31",
                number=2,
            ),
        ),
        invitations=(
            InvitationRow(
                number=3,
                role="privacy officer",
                places=("De Vuurvogel",),
                expires="2026-12-11",
                may_take_back=True,
            ),
        ),
        may_invite=True,
        said="The invitation is taken back. Its link does not work any more.",
    ),
    "nobody yet": _EMPTY,
    "invite": InvitePage(
        csrf="t",
        place="school/vuurvogel",
        place_name="De Vuurvogel",
        roles=(("ict-partner", "ICT partner"), ("privacy-officer", "privacy officer")),
        schools=(("regenboog", "De Regenboog"),),
        suppliers=(("rekenrijk", "RekenRijk"),),
        earliest="2026-11-27",
        errors=(("last_day", "Fill in a last day that is to come"),),
        role="ict-partner",
    ),
    "invited": InvitedPage(
        link="https://broker.example/console/invitation?code=abc",
        role="ICT partner",
        place="school/vuurvogel",
        expires="2026-12-11",
    ),
    "an invitation": InvitationPage(
        csrf="t",
        invitation="abc",
        role="ICT partner",
        places=("De Vuurvogel", "De Regenboog"),
        login_name="De Vuurvogel",
        logins=(("vuurvogel/vuurvogel", "De Vuurvogel"),),
        last_day="2027-01-31",
    ),
    "an invitation where nobody logs in": InvitationPage(
        csrf="t",
        invitation="abc",
        role="operator of the federation",
        places=("",),
        login_name="",
        logins=(),
    ),
    "a link": LinkPage(csrf="t", link="abc"),
    "withdraw": WithdrawPage(
        csrf="t",
        action="/console/people/withdraw",
        number=1,
        spoken="babefihi",
        role="school administrator",
        place="school/vuurvogel",
        place_name="De Vuurvogel",
        is_me=True,
    ),
    "log": AuditLogPage(
        place="school/vuurvogel",
        place_name="De Vuurvogel",
        places=_PLACES,
        rows=(
            AuditRow(
                number=2,
                at="2026-11-27 14:05",
                who="babefihi",
                role="school administrator",
                action="invited",
                where="De Vuurvogel",
                after='{"role":"ict-partner"}',
                document="ab" * 32,
            ),
        ),
        query="inv",
        first=1,
        last=1,
        total=120,
        previous_url="/console/audit?page=1",
        next_url="/console/audit?page=3",
    ),
    "an empty log": AuditLogPage(place="federation/", place_name="", places=(), rows=()),
}
