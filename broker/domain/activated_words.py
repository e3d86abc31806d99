"""By which words schools' tables name columns and attributes. Pure.

Folded: lower case, without accents, spaces and signs. What goes out by default today is that of the
hub that most schools use: DOMAIN facts of the sector, `uid` left out, since the pseudonym replaces
it.
"""

import re
from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from unicodedata import combining, normalize

from broker.domain.attributes import (
    AFFILIATION,
    ENTREE_NAMES,
    GIVEN_NAME,
    HOME_ORGANIZATION,
    HOME_ORGANIZATION_ID,
    OIDC_NAMES,
    VOCABULARY,
    AttributeName,
)


class ActivatedColumn(Enum):
    """What a column holds that is no attribute's own."""

    SERVICE = auto()
    SCHOOL = auto()
    ATTRIBUTES = auto()
    POPULATION = auto()
    UNTIL = auto()
    OTHER = auto()


def fold_words(text: str) -> str:
    """Return `text` as it is compared: letters and digits, lower case, without accents.

    >>> fold_words("E-mail Adres ")
    'emailadres'
    """
    plain = "".join(each for each in normalize("NFKD", text) if not combining(each))
    return re.sub(r"[^0-9a-z]", "", plain.lower())


_COLUMNS: tuple[tuple[ActivatedColumn, str], ...] = (
    (
        ActivatedColumn.SERVICE,
        "dienst dienstnaam product applicatie leverancier service servicename supplier application",
    ),
    (ActivatedColumn.SCHOOL, "school instelling brin brincode vestiging institution schoolnaam"),
    (
        ActivatedColumn.ATTRIBUTES,
        "kenmerken kenmerk attributen attribuut gegevens attributes attribute vrijgegeven released",
    ),
    (ActivatedColumn.POPULATION, "doelgroep populatie rolvan wie population audience"),
    (ActivatedColumn.UNTIL, "tot totenmet einddatum geldigtot until enddate expires"),
)

COLUMN_WORDS: Mapping[str, ActivatedColumn] = MappingProxyType(
    {word: column for column, words in _COLUMNS for word in words.split()}
)

_SPOKEN: Mapping[str, str] = MappingProxyType(
    {
        "givenName": "voornaam roepnaam firstname",
        "sn": "achternaam familienaam surname lastname",
        "nlEduPersonTussenvoegsels": "tussenvoegsel tussenvoegsels prefix",
        "initials": "voorletters initialen",
        "mail": "mail email emailadres mailadres emailaddress",
        "eduPersonAffiliation": "rol role affiliation functie",
        "nlEduPersonHomeOrganizationId": "brinnummer schoolcode organisationid",
        "nlEduPersonHomeOrganization": "schoolnaam naamschool organisatie organisation",
        "nlEduPersonHomeOrganizationBranchId": "locatiecode vestigingscode brin6",
        "nlEduPersonUnit": "klas groep klasofgroep class group unit",
        "birthDate": "geboortedatum dateofbirth",
        "eckId": "eckid ketenid",
        "uid": "uid gebruikersnaam username",
        "employeeNumber": "leerlingnummer personeelsnummer stamnummer pupilnumber staffnumber",
        "nlEduPersonProfileId": "profielid profielnummer",
        "nlEduPersonRealId": "realid accountnummer",
        "schoolMembership": "schoollidmaatschap lidmaatschap",
    }
)

_BY_WORDS: Mapping[str, AttributeName] = MappingProxyType(
    {
        fold_words(word): AttributeName(name)
        for names in (ENTREE_NAMES, OIDC_NAMES)
        for word, name in names.items()
        if name in VOCABULARY
    }
    | {word: AttributeName(name) for name, words in _SPOKEN.items() for word in words.split()}
    | {fold_words(name): name for name in VOCABULARY}
)


def find_attribute(words: str) -> AttributeName | None:
    """Return the attribute that a table means; None when nobody knows.

    >>> find_attribute("Voornaam"), find_attribute("given_name"), find_attribute("BSN")
    ('givenName', 'givenName', None)
    """
    return _BY_WORDS.get(fold_words(words))


DEFAULT_WORDS = frozenset({"standaard", "standaardset", "default", "basis"})
DEFAULT_OF_TODAY = frozenset({GIVEN_NAME, AFFILIATION, HOME_ORGANIZATION_ID, HOME_ORGANIZATION})

PRESENT_WORDS = frozenset({"ja", "j", "yes", "y", "x", "1", "waar", "true", "aan", "on"})
ABSENT_WORDS = frozenset({"", "nee", "n", "no", "0", "onwaar", "false", "uit", "off", "geen"})
