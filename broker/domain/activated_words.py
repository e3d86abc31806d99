"""By which words schools' tables of what they share name columns and attributes. Pure.

What goes out by default today is that of the
hub that most schools use: DOMAIN facts of the sector, `uid` left out, since the pseudonym replaces
it.
"""

from collections.abc import Mapping
from types import MappingProxyType

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
from broker.domain.csv_reading import CsvColumn, fold_header

SERVICE = "service"
SCHOOL = "school"
ATTRIBUTES = "attributes"
POPULATION = "population"
UNTIL = "until"

_COLUMNS = (
    CsvColumn(
        SERVICE,
        (
            "dienst",
            "dienstnaam",
            "product",
            "applicatie",
            "leverancier",
            "service name",
            "supplier",
        ),
        required=True,
    ),
    CsvColumn(SCHOOL, ("instelling", "brin", "brincode", "vestiging", "institution")),
    CsvColumn(
        ATTRIBUTES,
        ("kenmerken", "kenmerk", "attributen", "attribuut", "gegevens", "vrijgegeven", "released"),
    ),
    CsvColumn(POPULATION, ("doelgroep", "populatie", "rol van", "wie", "audience")),
    CsvColumn(UNTIL, ("tot", "tot en met", "einddatum", "geldig tot", "end date", "expires")),
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

_ON_THE_WIRE = tuple(
    (word, name)
    for names in (ENTREE_NAMES, OIDC_NAMES)
    for word, name in names.items()
    if name in VOCABULARY
)
_BY_WORDS: Mapping[str, AttributeName] = MappingProxyType(
    {fold_header(word): AttributeName(name) for word, name in _ON_THE_WIRE}
    | {word: AttributeName(name) for name, words in _SPOKEN.items() for word in words.split()}
    | {fold_header(name): name for name in VOCABULARY}
)

COLUMNS = (
    *_COLUMNS,
    *(
        CsvColumn(name, tuple(word for word, of in _BY_WORDS.items() if of == name))
        for name in VOCABULARY
    ),
)
"""What is looked for: the columns above, and one for each attribute."""


def find_attribute(words: str) -> AttributeName | None:
    """Return the attribute that a table means; None when nobody knows.

    >>> find_attribute("Voornaam"), find_attribute("given_name"), find_attribute("BSN")
    ('givenName', 'givenName', None)
    """
    return _BY_WORDS.get(fold_header(words))


DEFAULT_WORDS = frozenset({"standaard", "standaardset", "default", "basis"})
DEFAULT_OF_TODAY = frozenset({GIVEN_NAME, AFFILIATION, HOME_ORGANIZATION_ID, HOME_ORGANIZATION})

PRESENT_WORDS = frozenset({"ja", "j", "yes", "y", "x", "1", "waar", "true", "aan", "on"})
ABSENT_WORDS = frozenset({"", "nee", "n", "no", "0", "onwaar", "false", "uit", "off", "geen"})
