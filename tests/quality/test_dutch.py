"""Every text of ours is there in Dutch, and speaks to its reader in one way."""

import re

from babel.messages.pofile import read_po

from broker.web.texts import DOMAIN, LOCALES_FOLDER

CATALOGUE = LOCALES_FOLDER / "nl/LC_MESSAGES" / f"{DOMAIN}.po"
FORMAL = re.compile(r"\b(?:u|uw|uzelf)\b", re.IGNORECASE)


def read_texts() -> dict[str, str]:
    """Return the Dutch text of every message id; forms of a plural in one text."""
    with CATALOGUE.open("rb") as file:
        read = read_po(file, locale="nl")
    joined = {
        str(each.id): each.string if isinstance(each.string, str) else " | ".join(each.string or ())
        for each in read
        if each.id
    }
    assert len(joined) > 400
    return joined


def test_every_text_has_its_dutch() -> None:
    assert [english for english, dutch in read_texts().items() if not dutch.strip(" |")] == []


def test_nobody_is_spoken_to_as_u() -> None:
    """The pages say je, to pupils and to those who work here (config/CONSOLE.md, "Words")."""
    assert [dutch for dutch in read_texts().values() if FORMAL.search(dutch)] == []
