"""The words by which people know an attribute: "your first name" instead of `givenName`.

Written so that they fit in the middle of a sentence. Names of attributes only; no value of a
person ever comes here.
"""

from collections.abc import Mapping
from types import MappingProxyType

from broker.web.texts import N_

ATTRIBUTE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "givenName": N_("your first name"),
        "sn": N_("your surname"),
        "nlEduPersonTussenvoegsels": N_("the small words in your surname"),
        "initials": N_("your initials"),
        "mail": N_("your e-mail address"),
        "eduPersonAffiliation": N_("your role (pupil or teacher)"),
        "nlEduPersonHomeOrganizationId": N_("your school's code (BRIN)"),
        "nlEduPersonHomeOrganization": N_("your school's name"),
        "nlEduPersonHomeOrganizationBranchId": N_("the code of your school's location"),
        "nlEduPersonUnit": N_("your class"),
        "birthDate": N_("your date of birth"),
        "eckId": N_("your ECK iD"),
        "uid": N_("your user name at school"),
        "employeeNumber": N_("your pupil or staff number"),
        "nlEduPersonProfileId": N_("your profile number at school"),
        "nlEduPersonRealId": N_("your account number at school"),
        "schoolMembership": N_("at which school you are, as what and since when"),
    }
)
"""Message ids by the attribute's canonical name (broker/domain/attributes.py)."""

TELLING_ATTRIBUTES = ("sn", "mail", "birthDate", "employeeNumber")
"""What people fear that a supplier gets; the notice names those that it does not get."""

LINKABLE_ATTRIBUTES = frozenset(
    {"eckId", "uid", "employeeNumber", "sn", "mail", "nlEduPersonProfileId", "nlEduPersonRealId"}
)
"""With these, two suppliers can see that they teach the same pupil; the notice says so."""

PLAIN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "givenName": N_("first name"),
        "sn": N_("surname"),
        "nlEduPersonTussenvoegsels": N_("small words in the surname"),
        "initials": N_("initials"),
        "mail": N_("e-mail address"),
        "eduPersonAffiliation": N_("role (pupil or teacher)"),
        "nlEduPersonHomeOrganizationId": N_("code of the school (BRIN)"),
        "nlEduPersonHomeOrganization": N_("name of the school"),
        "nlEduPersonHomeOrganizationBranchId": N_("code of the location"),
        "nlEduPersonUnit": N_("class or group"),
        "birthDate": N_("date of birth"),
        "eckId": N_("ECK iD"),
        "uid": N_("user name at school"),
        "employeeNumber": N_("pupil or staff number"),
        "nlEduPersonProfileId": N_("profile number at school"),
        "nlEduPersonRealId": N_("account number at school"),
        "schoolMembership": N_("at which school, as what and since when"),
    }
)
"""The same, for who reads of other people: of whom it is stands beside it."""
