"""What was shared of a pupil, for the privacy officer."""

from broker.flow.me.school_reading import ReadingNotPossible
from broker.web.console.pupils_pages import PupilsPlace, Trouble
from broker.web.console.reading_pages import ReadingPage
from broker.web.pages import Page
from tests.web.console_examples.me import a_me_page

PLACE = PupilsPlace(url="/console/receipts/vuurvogel", school_name="De Vuurvogel")

EXAMPLES: dict[str, Page] = {
    "asked for": ReadingPage(place=PLACE),
    "found": ReadingPage(place=PLACE, found=a_me_page(unreadable=1)),
    "nothing found": ReadingPage(place=PLACE, found=a_me_page(cards=())),
    "not possible": ReadingPage(
        place=PLACE,
        trouble=Trouble(what=ReadingNotPossible.what, remedy=ReadingNotPossible.remedy),
    ),
}
