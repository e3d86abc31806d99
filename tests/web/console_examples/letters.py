"""Letters to parents."""

from datetime import date

from broker.flow.parents.letters import Letter, LettersNotPossible, LetterStanding, ListedPupil
from broker.flow.parents.parent_codes import LetterBatch, ParentCode
from broker.web.console.letters_pages import (
    DONE_WORDS,
    STANDING_WORDS,
    LetterLine,
    LettersMadePage,
    LettersPage,
    print_letter,
)
from broker.web.console.pupils_pages import PupilsPlace, Trouble
from broker.web.pages import Page

DAY, LAST = date(2026, 11, 3), date(2027, 7, 31)
PLACE = PupilsPlace(url="/console/letters/vuurvogel", school_name="De Vuurvogel")
ADDRESS = "https://broker.example/me/parent"
CODE = ParentCode("badkoflimbadkoflimbadkoflim")


def a_letters_page(**changes: object) -> LettersPage:
    fields: dict[str, object] = {
        "place": PLACE,
        "form": "0" * 32,
        "last_day": "2027-07-31",
        "batches": (),
        "suppliers": (),
        "hidden": (),
        "pupils_see": True,
    }
    return LettersPage(**{**fields, **changes})  # type: ignore[arg-type]


EXAMPLES: dict[str, Page] = {
    "nothing yet": a_letters_page(),
    "with letters": a_letters_page(
        batches=(
            LetterBatch("a", DAY, LAST, 24, 3, 0),
            LetterBatch("b", DAY, LAST, 2, 0, 2),
        ),
        suppliers=(("rekenrijk", "RekenRijk"), ("biosfeer", "Biosfeer")),
        hidden=("biosfeer",),
        pupils_see=False,
        done=DONE_WORDS["rules"],
    ),
    "looked up": a_letters_page(
        found=(
            LetterLine(
                number="1100417",
                letters=(
                    (1, STANDING_WORDS[LetterStanding.USED], 2, DAY),
                    (2, STANDING_WORDS[LetterStanding.NEW], 0, None),
                ),
                is_excluded=False,
            ),
            LetterLine(number="1100418", letters=(), is_excluded=True),
            LetterLine(number="1100419", letters=(), is_excluded=False),
        )
    ),
    "not possible": a_letters_page(
        trouble=Trouble(what=LettersNotPossible.what, remedy=LettersNotPossible.remedy)
    ),
    "to print": LettersMadePage(
        place=PLACE,
        address=ADDRESS,
        letters=(
            print_letter(Letter(ListedPupil("1100417", "7B", "Sanne"), 1, CODE), address=ADDRESS),
            print_letter(Letter(ListedPupil("1100418"), 2, CODE), address=ADDRESS),
        ),
        left_out=1,
        last_day=LAST,
        once=True,
        has_households=True,
    ),
    "to print, for often": LettersMadePage(
        place=PLACE,
        address=ADDRESS,
        letters=(print_letter(Letter(ListedPupil("1100417"), 1, CODE), address=ADDRESS),),
        left_out=0,
        last_day=LAST,
        once=False,
        has_households=False,
    ),
}
