"""The made-up people of the demo world, with telling values that must never leak.

Attributes carry their names of the Entree convention and are what the school's login states when
nothing is wrong. `daan` and `els` share one number: a pupil and a teacher with the same number
are two persons.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Attributes = Mapping[str, tuple[str, ...]]
"""Entree name -> values."""


@dataclass(frozen=True, slots=True)
class DemoSchool:
    """A school as it describes itself.

    Attributes:
        realm: what its user names and mail addresses end in.
    """

    id: str
    name: str
    place: str
    brin: str
    sector: str

    @property
    def realm(self) -> str:
        return f"{self.id}.example"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can log in at a demo school.

    Attributes:
        id: value of the button on the school's login form.
        attributes: what the school knows, by Entree name.
    """

    id: str
    school: DemoSchool
    attributes: Attributes = field(repr=False)

    @property
    def first_name(self) -> str:
        return self.attributes["givenName"][0]


VUURVOGEL = DemoSchool("vuurvogel", "De Vuurvogel", "Utrecht", "11AA", "po")
KOMPAS = DemoSchool("kompas", "Het Kompas", "Zwolle", "22BB", "vo")
REGENBOOG = DemoSchool("regenboog", "De Regenboog", "Amersfoort", "33CC", "po")
SCHOOLS = (VUURVOGEL, KOMPAS, REGENBOOG)

ECK_ID_PREFIX = "https://ketenid.nl/201703/"
"""Form of a production ECK iD; 128 lower-case hex digits follow."""

SHARED_NUMBER = "1100583"
"""Daan's pupil number and Els's staff number at De Vuurvogel."""


def made_up_eck_id(person: str) -> str:
    """Return an ECK iD of the real form for a made-up person; always the same one.

    >>> len(made_up_eck_id("sanne"))
    154
    """
    return ECK_ID_PREFIX + hashlib.sha512(f"demo person {person}".encode()).hexdigest()


def _person(
    person_id: str,
    *,
    school: DemoSchool,
    given_name: str,
    surname: str,
    user_name: str,
    number: str,
    group: str,
    birth_date: str,
    affiliation: str = "student",
    eck_id: str | None = None,
) -> Person:
    attributes: dict[str, tuple[str, ...]] = {
        "uid": (f"{user_name}@{school.realm}",),
        "employeeNumber": (number,),
        "givenName": (given_name,),
        "sn": (surname,),
        "mail": (f"{person_id}@{school.realm}",),
        "eduPersonAffiliation": (affiliation,),
        "nlEduPersonHomeOrganizationId": (school.brin,),
        "nlEduPersonHomeOrganization": (school.name,),
        "nlEduPersonUnit": (group,),
        "birthDate": (birth_date,),
    }
    if eck_id is not None:
        attributes["eckId"] = (eck_id,)
    return Person(person_id, school, MappingProxyType(attributes))


PEOPLE: tuple[Person, ...] = (
    _person(
        "sanne",
        school=VUURVOGEL,
        given_name="Sanne",
        surname="de Vries",
        user_name="sdevries",
        number="1100417",
        group="groep-7b-vuurvogel",
        birth_date="20150312",
        eck_id=made_up_eck_id("sanne"),
    ),
    _person(
        "daan",
        school=VUURVOGEL,
        given_name="Daan",
        surname="Bakker",
        user_name="dbakker",
        number=SHARED_NUMBER,
        group="groep-6a-vuurvogel",
        birth_date="20160921",
    ),
    _person(
        "els",
        school=VUURVOGEL,
        given_name="Els",
        surname="Jansen",
        user_name="ejansen",
        number=SHARED_NUMBER,
        group="team-bovenbouw-vuurvogel",
        birth_date="19780205",
        affiliation="employee",
    ),
    _person(
        "noor",
        school=KOMPAS,
        given_name="Noor",
        surname="Visser",
        user_name="nvisser",
        number="2200129",
        group="klas-v2c-kompas",
        birth_date="20110730",
        eck_id=made_up_eck_id("noor"),
    ),
    _person(
        "sanne",
        school=REGENBOOG,
        given_name="Sanne",
        surname="de Vries",
        user_name="sannedv",
        number="3300872",
        group="groep-8-regenboog",
        birth_date="20150312",
        eck_id=made_up_eck_id("sanne"),
    ),
)


NOOR_BEFORE = _person(
    "noor",
    school=REGENBOOG,
    given_name="Noor",
    surname="Visser",
    user_name="noorv",
    number="3300129",
    group="groep-8-regenboog",
    birth_date="20110730",
    eck_id=made_up_eck_id("noor in primary school"),
)
"""Noor before she went to Het Kompas: by law another ECK iD, so another person to everybody."""


REKENRIJK_STAFF = DemoSchool("rekenrijk-staff", "RekenRijk", "Utrecht", "91ZZ", "office")
FEDERATION_STAFF = DemoSchool("federation-staff", "De federatie", "Utrecht", "92ZZ", "office")
"""Logins of employees alone: no schools, and nobody learns there."""


def _employee(person_id: str, given_name: str, surname: str, number: str, at: DemoSchool) -> Person:
    return _person(
        person_id,
        school=at,
        given_name=given_name,
        surname=surname,
        user_name=person_id,
        number=number,
        group=f"team-{at.id}",
        birth_date="19800101",
        affiliation="employee",
    )


EMPLOYEES: tuple[Person, ...] = (
    _employee("karin", "Karin", "Mulder", "1100701", VUURVOGEL),
    _employee("bas", "Bas", "Hendriks", "1100702", VUURVOGEL),
    _employee("joost", "Joost", "Smit", "1100703", VUURVOGEL),
    _employee("vera", "Vera", "Dekker", "2200704", KOMPAS),
    _employee("roos", "Roos", "Peters", "9100705", REKENRIJK_STAFF),
    _employee("ines", "Ines", "Bos", "9200706", FEDERATION_STAFF),
)
"""Those who work in the console, beside Els."""


def people_at(school: DemoSchool) -> dict[str, Person]:
    """Return who can log in at `school`, by the value of the form's button."""
    everybody = (*PEOPLE, NOOR_BEFORE, *EMPLOYEES)
    return {each.id: each for each in everybody if each.school is school}
