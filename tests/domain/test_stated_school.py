"""Which school a login speaks for: the stated one; and for which it may speak at all."""

from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.attributes import AttributeName
from broker.domain.federation import School, SchoolFrom, SchoolIdp
from broker.domain.identity import (
    Identity,
    StatedLogin,
    identity_at,
    read_identity,
    read_stated,
)
from broker.domain.ids import Brin, SchoolId
from broker.domain.stated_schools import MAX_SCHOOLS_AT_ONCE, SchoolNotAllowed, SchoolNotStated
from tests.builders import a_school, a_school_idp, a_verified_login

VUURVOGEL = a_school()
KOMPAS = a_school(id="kompas", name="Het Kompas", brin="22BB")
WEST = a_school(id="vuurvogel-west", branch="11AA01")
EAST = a_school(id="vuurvogel-east", branch="11AA02")

HOME = "nlEduPersonHomeOrganizationId"
BRANCH = "nlEduPersonHomeOrganizationBranchId"


def of(*schools: School, **changes: Any) -> SchoolIdp:
    return a_school_idp(schools=tuple(each.id for each in schools), **changes)


def find(idp: SchoolIdp, *schools: School, **stated: Any) -> SchoolId:
    login = a_verified_login(idp=idp, **stated)
    return read_identity(login, schools={each.id: each for each in schools}).school


def stated_by(idp: SchoolIdp, *schools: School, **stated: Any) -> StatedLogin:
    login = a_verified_login(idp=idp, **stated)
    return read_stated(login, schools={each.id: each for each in schools})


def find_by_brin(schools: tuple[School, ...], home: Any, branch: Any = ()) -> SchoolId:
    return find(of(*schools), *schools, **{HOME: home, BRANCH: branch})


class TestByAttribute:
    @pytest.mark.parametrize(
        ("schools", "home", "branch", "expected"),
        [
            ((VUURVOGEL,), "11AA", (), "vuurvogel"),
            ((VUURVOGEL,), "11aa", (), "vuurvogel"),
            ((VUURVOGEL,), ("11AA", "11aa"), (), "vuurvogel"),
            ((VUURVOGEL,), "11AA03", (), "vuurvogel"),
            ((VUURVOGEL,), (), "11AA03", "vuurvogel"),
            ((VUURVOGEL,), "11AA", ("11AA03", "11AA04"), "vuurvogel"),
            ((VUURVOGEL, KOMPAS), "22BB", (), "kompas"),
            ((VUURVOGEL, KOMPAS), "11AA", (), "vuurvogel"),
            ((WEST,), "11AA", (), "vuurvogel-west"),
            ((WEST, EAST), "11AA", "11AA02", "vuurvogel-east"),
            ((WEST, EAST), "11AA01", (), "vuurvogel-west"),
            ((VUURVOGEL, WEST), "11AA", "11AA01", "vuurvogel-west"),
            ((VUURVOGEL, WEST), "11AA", "11AA07", "vuurvogel"),
        ],
    )
    def test_the_stated_school_decides(
        self, schools: tuple[School, ...], home: Any, branch: Any, expected: str
    ) -> None:
        assert find_by_brin(schools, home, branch) == expected

    @pytest.mark.parametrize(
        ("schools", "home", "branch"),
        [
            ((VUURVOGEL,), (), ()),
            ((VUURVOGEL, KOMPAS), (), ()),
            ((VUURVOGEL,), "", ()),
            ((WEST, EAST), "11AA", ()),
            ((VUURVOGEL, WEST), "11AA", ()),
        ],
    )
    def test_none_or_several_possible_is_refused(
        self, schools: tuple[School, ...], home: Any, branch: Any
    ) -> None:
        with pytest.raises(SchoolNotStated):
            find_by_brin(schools, home, branch)

    @pytest.mark.parametrize(
        ("home", "branch"),
        [
            (("11AA", "22BB"), ()),
            ("11AA", "22BB01"),
            ("22BB", "11AA"),
            ((), ("11AA01", "11AA02")),
            ("11AA01", "11AA02"),
        ],
    )
    def test_two_schools_at_once_are_no_identity_before_one_is_chosen(
        self, home: Any, branch: Any
    ) -> None:
        with pytest.raises(SchoolNotStated):
            find_by_brin((WEST, EAST, KOMPAS), home, branch)

    @pytest.mark.parametrize(
        ("schools", "home", "branch"),
        [
            ((VUURVOGEL,), "33CC", ()),
            ((VUURVOGEL,), ("11AA", "33CC"), ()),
            ((VUURVOGEL,), "11AA", "33CC01"),
            ((WEST,), "11AA", "11AA02"),
            ((WEST,), "11AA02", ()),
        ],
    )
    def test_a_brin_that_is_not_registered_is_refused(
        self, schools: tuple[School, ...], home: Any, branch: Any
    ) -> None:
        with pytest.raises(SchoolNotAllowed) as caught:
            find_by_brin(schools, home, branch)
        assert caught.value.check == "check_stated_brin_registered"

    @pytest.mark.parametrize(
        "home", ["11AAevil", "11AA1", "11AA 22BB", " 11AA", "11AA\n", "11ſß", "１１AA", " "]
    )
    def test_part_of_a_text_is_no_brin(self, home: str) -> None:
        schools = (VUURVOGEL, a_school(id="lang", brin="11SS"))
        with pytest.raises(SchoolNotAllowed) as caught:
            find_by_brin(schools, home)
        assert caught.value.check == "check_stated_brin_well_formed"

    @given(st.text())
    def test_no_text_is_another_school(self, home: str) -> None:
        try:
            found = find_by_brin((VUURVOGEL, KOMPAS), home)
        except (SchoolNotAllowed, SchoolNotStated):
            return
        assert home.upper()[:4] == {"vuurvogel": "11AA", "kompas": "22BB"}[found]

    def test_a_registered_scope_may_be_stated_besides(self) -> None:
        idp = of(VUURVOGEL, scopes=("44DD", "vuurvogel.example"))
        assert find(idp, VUURVOGEL, **{HOME: ("44dd", "11AA")}) == "vuurvogel"

    def test_and_names_no_school(self) -> None:
        idp = of(VUURVOGEL, scopes=("44DD", "vuurvogel.example"))
        with pytest.raises(SchoolNotStated):
            find(idp, VUURVOGEL, **{HOME: "44DD"})

    def test_a_scope_does_not_join_two_schools(self) -> None:
        idp = of(VUURVOGEL, KOMPAS, scopes=("22BB", "vuurvogel.example"))
        with pytest.raises(SchoolNotStated):
            find(idp, VUURVOGEL, KOMPAS, **{HOME: ("11AA", "22BB")})


class TestSeveralSchools:
    """A pupil of two schools, or a teacher at two: one login that speaks for both."""

    @pytest.mark.parametrize(
        ("schools", "home", "branch", "expected"),
        [
            ((VUURVOGEL, KOMPAS), ("22BB", "11AA"), (), ("vuurvogel", "kompas")),
            ((VUURVOGEL, KOMPAS), ("11AA", "22BB03"), (), ("vuurvogel", "kompas")),
            ((VUURVOGEL, KOMPAS), ("11AA", "22BB"), "22BB01", ("vuurvogel", "kompas")),
            ((VUURVOGEL, KOMPAS), (), ("11AA01", "22BB01"), ("vuurvogel", "kompas")),
            ((WEST, EAST), "11AA", ("11AA01", "11AA02"), ("vuurvogel-west", "vuurvogel-east")),
            ((WEST, EAST), ("11AA01", "11AA02"), (), ("vuurvogel-west", "vuurvogel-east")),
            ((VUURVOGEL, WEST), "11AA", ("11AA01", "11AA07"), ("vuurvogel", "vuurvogel-west")),
            ((WEST, KOMPAS), ("11AA", "22BB"), (), ("vuurvogel-west", "kompas")),
            ((VUURVOGEL, KOMPAS), ("11AA", "44DD"), (), ("vuurvogel",)),
        ],
    )
    def test_are_all_read(
        self, schools: tuple[School, ...], home: Any, branch: Any, expected: tuple[str, ...]
    ) -> None:
        idp = of(*schools, scopes=("44DD", "vuurvogel.example"))
        assert stated_by(idp, *schools, **{HOME: home, BRANCH: branch}).schools == expected

    @pytest.mark.parametrize(
        ("home", "branch"),
        [
            ("11AA01", "22BB01"),
            ("22BB", "11AA01"),
            ("11AA01", "11AA02"),
            (("11AA", "22BB"), ()),
            (("11AA01", "22BB"), "11AA02"),
        ],
    )
    def test_what_contradicts_or_fits_several_locations_is_refused(
        self, home: Any, branch: Any
    ) -> None:
        with pytest.raises(SchoolNotStated):
            stated_by(of(WEST, EAST, KOMPAS), WEST, EAST, KOMPAS, **{HOME: home, BRANCH: branch})

    def test_all_must_be_registered(self) -> None:
        with pytest.raises(SchoolNotAllowed):
            stated_by(of(VUURVOGEL), VUURVOGEL, **{HOME: ("11AA", "22BB")})

    @pytest.mark.parametrize(
        ("count", "may"), [(MAX_SCHOOLS_AT_ONCE, True), (MAX_SCHOOLS_AT_ONCE + 1, False)]
    )
    def test_more_than_fit_on_a_page_are_refused(self, count: int, may: bool) -> None:
        schools = [a_school(id=f"school-{each}", brin=f"{each + 10}AA") for each in range(count)]
        brins = tuple(each.brin for each in schools)
        if may:
            assert len(stated_by(of(*schools), *schools, **{HOME: brins}).schools) == count
            return
        with pytest.raises(SchoolNotStated) as caught:
            stated_by(of(*schools), *schools, **{HOME: brins})
        assert caught.value.check == "check_schools_bounded"

    def test_domains_state_several_too(self) -> None:
        uid = ("sanne@vuurvogel.example", "sanne@kompas.example")
        stated = stated_by(TestByDomain.idp, VUURVOGEL, KOMPAS, **{HOME: "11AA"}, uid=uid)
        assert stated.schools == ("vuurvogel", "kompas")

    def test_nobody_is_at_a_school_that_was_not_stated(self) -> None:
        schools = {each.id: each for each in (VUURVOGEL, KOMPAS)}
        stated = stated_by(of(VUURVOGEL, KOMPAS), VUURVOGEL, KOMPAS, **{HOME: "11AA"})
        assert identity_at(stated, VUURVOGEL.id, schools=schools).school == "vuurvogel"
        with pytest.raises(SchoolNotStated) as caught:
            identity_at(stated, KOMPAS.id, schools=schools)
        assert caught.value.check == "check_school_stated"


class TestOfOneSchool:
    """What a login that states several schools states of the one that was chosen."""

    idp = of(
        VUURVOGEL,
        KOMPAS,
        scopes=("44DD", "shared.example"),
        domains={"vuurvogel.example": "vuurvogel", "kompas.example": "kompas"},
    )
    both: ClassVar[dict[str, Any]] = {
        HOME: ("11AA", "22BB", "44DD"),
        BRANCH: ("11AA01", "22BB01"),
        "nlEduPersonHomeOrganization": ("De Vuurvogel", "Het Kompas"),
        "nlEduPersonUnit": ("groep-7b", "klas-v2c"),
        "mail": ("sanne@kompas.example", "sanne@elsewhere.example"),
        "uid": ("sanne@vuurvogel.example", "sanne@shared.example", "sanne"),
    }

    def at(self, school: str, *, idp: SchoolIdp | None = None, **stated: Any) -> Identity:
        schools = {each.id: each for each in (VUURVOGEL, KOMPAS)}
        login = stated_by(idp or self.idp, *schools.values(), **{**self.both, **stated})
        return identity_at(login, SchoolId(school), schools=schools)

    def test_the_rest_is_kept_back(self) -> None:
        identity = self.at("vuurvogel")
        assert identity.attributes[HOME] == ("11AA",)
        assert identity.attributes[BRANCH] == ("11AA01",)
        assert identity.attributes["nlEduPersonHomeOrganization"] == ("De Vuurvogel",)
        assert identity.attributes["mail"] == ("sanne@elsewhere.example",)
        assert identity.attributes["uid"] == self.both["uid"]
        assert set(identity.elsewhere) == {"nlEduPersonUnit"}

    def test_the_other_one_gets_the_other_values(self) -> None:
        identity = self.at("kompas", uid="sanne@vuurvogel.example")
        assert identity.attributes[HOME] == ("22BB",)
        assert identity.attributes["mail"] == self.both["mail"]
        assert set(identity.elsewhere) == {"nlEduPersonUnit", "uid"}

    def test_a_domain_within_a_school_s_is_that_school_s(self) -> None:
        mail = ("sanne@leerling.kompas.example", "sanne@notkompas.example")
        assert self.at("vuurvogel", mail=mail).attributes["mail"] == mail[1:]
        assert self.at("kompas", mail=mail).attributes["mail"] == mail

    def test_what_is_the_persons_stays(self) -> None:
        for name in ("givenName", "eckId", "eduPersonAffiliation", "employeeNumber"):
            assert self.at("kompas").attributes[name] == self.at("vuurvogel").attributes[name]

    @pytest.mark.parametrize("role", ["student", "employee"])
    def test_a_number_alone_may_be_somebody_elses_there(self, role: str) -> None:
        stated = {"eckId": None, "eduPersonAffiliation": role}
        with pytest.raises(SchoolNotStated) as refusal:
            self.at("kompas", **stated)
        assert refusal.value.check == "check_number_shared_by_schools"
        shared = msgspec.structs.replace(self.idp, shared_numbers=True)
        identity = self.at("kompas", idp=shared, **stated)
        assert identity.identifier == identity.attributes["employeeNumber"][0]

    def test_a_number_beside_an_eck_id_does_not_count(self) -> None:
        shared = msgspec.structs.replace(self.idp, shared_numbers=True)
        for idp in (self.idp, shared):
            identity = self.at("kompas", idp=idp)
            assert identity.eck_id is not None
            assert identity.identifier is None

    def test_a_list_may_say_whose_login_it_is(self) -> None:
        listed = msgspec.structs.replace(self.idp, login_identifier="uid")
        identity = self.at("kompas", idp=listed, eckId=None, uid="sanne")
        assert identity.identifier is None
        assert identity.login_identifier == "sanne"

    def test_one_stated_school_loses_nothing(self) -> None:
        identity = self.at("vuurvogel", **{HOME: "11AA", BRANCH: "11AA01"}, uid="sanne")
        assert identity.attributes["nlEduPersonUnit"] == ("groep-7b", "klas-v2c")
        assert identity.elsewhere == ()

    def test_a_location_keeps_its_institution(self) -> None:
        schools = {each.id: each for each in (VUURVOGEL, WEST)}
        login = stated_by(
            of(VUURVOGEL, WEST), VUURVOGEL, WEST, **{HOME: "11aa", BRANCH: ("11AA01", "11AA07")}
        )
        identity = identity_at(login, WEST.id, schools=schools)
        assert (identity.attributes[HOME], identity.attributes[BRANCH]) == (("11aa",), ("11AA01",))


class TestFixed:
    def test_is_the_one_school(self) -> None:
        idp = of(VUURVOGEL, school_from=SchoolFrom.FIXED)
        assert find(idp, VUURVOGEL, **{HOME: None}) == "vuurvogel"
        assert find(idp, VUURVOGEL) == "vuurvogel"

    def test_several_are_refused(self) -> None:
        with pytest.raises(SchoolNotStated):
            find(of(VUURVOGEL, KOMPAS, school_from=SchoolFrom.FIXED), VUURVOGEL, KOMPAS)

    @pytest.mark.parametrize("home", ["22BB", "33CC", ("11AA", "22BB"), "11AAevil"])
    def test_may_not_state_another(self, home: Any) -> None:
        with pytest.raises(SchoolNotAllowed):
            find(of(VUURVOGEL, school_from=SchoolFrom.FIXED), VUURVOGEL, **{HOME: home})

    def test_may_state_a_registered_scope(self) -> None:
        idp = of(VUURVOGEL, school_from=SchoolFrom.FIXED, scopes=("44DD", "vuurvogel.example"))
        assert find(idp, VUURVOGEL, **{HOME: "44DD"}) == "vuurvogel"


class TestByDomain:
    idp = of(
        VUURVOGEL,
        KOMPAS,
        school_from=SchoolFrom.DOMAIN,
        scopes=(),
        domains={
            "vuurvogel.example": "vuurvogel",
            "Kompas.example": "kompas",
            "other.example": "regenboog",
        },
    )

    def find(self, **stated: Any) -> SchoolId:
        return find(self.idp, VUURVOGEL, KOMPAS, **({HOME: None} | stated))

    @pytest.mark.parametrize(
        ("stated", "expected"),
        [
            ({"uid": "sanne@vuurvogel.example"}, "vuurvogel"),
            ({"uid": "sanne@VUURVOGEL.example"}, "vuurvogel"),
            ({"uid": "sanne@kompas.example", "mail": "sanne@vuurvogel.example"}, "kompas"),
            ({"uid": "sanne@kompas.example", "mail": "sanne@elsewhere.example"}, "kompas"),
            ({"uid": None, "mail": "sanne@kompas.example"}, "kompas"),
            ({"uid": "sanne", "mail": "sanne@kompas.example"}, "kompas"),
            ({"uid": "odd@name@kompas.example"}, "kompas"),
        ],
    )
    def test_the_domain_decides(self, stated: dict[str, Any], expected: str) -> None:
        assert self.find(**stated) == expected

    @pytest.mark.parametrize(
        "stated",
        [
            {"uid": None, "mail": None},
            {"uid": "sanne", "mail": ()},
            {"uid": ("sanne@vuurvogel.example", "sanne@kompas.example")},
        ],
    )
    def test_none_or_two_are_refused(self, stated: dict[str, Any]) -> None:
        with pytest.raises(SchoolNotStated):
            self.find(**stated)

    @pytest.mark.parametrize(
        "uid",
        [
            "sanne@elsewhere.example",
            "sanne@",
            "sanne@sub.vuurvogel.example",
            "sanne@vuurvogel.example.",
            "sanne@other.example",  # led by the document to a school that is not this provider's
            "sanne@\u212aompas.example",  # the Kelvin sign is no k
            ("sanne@vuurvogel.example", "sanne@elsewhere.example"),
        ],
    )
    def test_a_domain_that_is_not_registered_is_refused(self, uid: Any) -> None:
        with pytest.raises(SchoolNotAllowed):
            self.find(uid=uid)

    def test_a_brin_may_not_contradict_it(self) -> None:
        assert self.find(**{HOME: "11AA"}) == "vuurvogel"
        with pytest.raises(SchoolNotAllowed):
            self.find(**{HOME: "22BB"})


class TestRealms:
    @pytest.mark.parametrize(
        "uid",
        ["s@vuurvogel.example", "s@Vuurvogel.EXAMPLE", "sanne", ("a@vuurvogel.example", "sanne")],
    )
    def test_a_registered_one_may_be_stated(self, uid: Any) -> None:
        assert find(of(VUURVOGEL), VUURVOGEL, uid=uid) == "vuurvogel"

    @pytest.mark.parametrize(
        "uid",
        [
            "s@kompas.example",
            "s@vuurvogel.example@kompas.example",
            ("s@vuurvogel.example", "s@kompas.example"),
            "s@vuurvogel.example\n",
            "s@",
        ],
    )
    def test_another_is_refused(self, uid: Any) -> None:
        with pytest.raises(SchoolNotAllowed) as caught:
            find(of(VUURVOGEL), VUURVOGEL, uid=uid)
        assert caught.value.check == "check_stated_realm_registered"

    @pytest.mark.parametrize(
        ("value", "may"), [("s7@VuurVogel.example", True), ("s7@kompas.example", False)]
    )
    def test_a_subject_id_that_is_mapped_to_it_is_one_of_its_own_realm(
        self, value: str, may: bool
    ) -> None:
        """Subject-id profile 2.1, saml2int SDP-SP16: a scope belongs to one provider."""
        name = "urn:oasis:names:tc:SAML:attribute:subject-id"
        idp = of(VUURVOGEL, attributes=a_school_idp().attributes | {name: "uid"})
        stated: dict[str, Any] = {name: value, "uid": None}
        if may:
            assert find(idp, VUURVOGEL, **stated) == "vuurvogel"
            return
        with pytest.raises(SchoolNotAllowed) as caught:
            find(idp, VUURVOGEL, **stated)
        assert caught.value.check == "check_stated_realm_registered"

    def test_nothing_registered_is_nothing_accepted(self) -> None:
        with pytest.raises(SchoolNotAllowed):
            find(of(VUURVOGEL, scopes=()), VUURVOGEL)

    def test_a_mail_address_may_be_anybodys(self) -> None:
        assert find(of(VUURVOGEL), VUURVOGEL, mail="sanne@elsewhere.example") == "vuurvogel"


class TestBrinsOfBefore:
    """A relation lets a school's login state the BRIN that the school had before."""

    NEW = a_school(id="samenklank", brin="55EE")
    FORMER: ClassVar = {SchoolId("samenklank"): frozenset({Brin("11AA"), Brin("33CC01")})}

    def find(self, *schools: School, home: Any, **changes: Any) -> SchoolId:
        login = a_verified_login(idp=of(*schools, **changes), **{HOME: home, BRANCH: ()})
        by_id = {each.id: each for each in schools}
        return read_identity(login, schools=by_id, former=self.FORMER).school

    @pytest.mark.parametrize("home", ["55EE", "11AA", "11AA03", "33CC01", ("55EE", "11AA")])
    @pytest.mark.parametrize("school_from", [SchoolFrom.ATTRIBUTE, SchoolFrom.FIXED])
    def test_it_means_the_school_that_goes_on(self, home: Any, school_from: SchoolFrom) -> None:
        assert self.find(self.NEW, home=home, school_from=school_from) == "samenklank"

    @pytest.mark.parametrize("home", ["33CC", "33CC02", "22BB", ("11AA", "22BB")])
    @pytest.mark.parametrize("school_from", [SchoolFrom.ATTRIBUTE, SchoolFrom.FIXED])
    def test_another_one_does_not(self, home: Any, school_from: SchoolFrom) -> None:
        with pytest.raises(SchoolNotAllowed):
            self.find(self.NEW, home=home, school_from=school_from)

    def test_as_long_as_the_old_school_is_there_it_means_that_one(self) -> None:
        assert self.find(VUURVOGEL, self.NEW, home="11AA") == "vuurvogel"
        assert self.find(VUURVOGEL, self.NEW, home="55EE") == "samenklank"

    def test_two_schools_that_had_it_are_told_apart_by_nothing(self) -> None:
        twin = a_school(id="eenklank", brin="66FF")
        former = {**self.FORMER, twin.id: frozenset({Brin("11AA")})}
        login = a_verified_login(idp=of(self.NEW, twin), **{HOME: "11AA", BRANCH: ()})
        with pytest.raises(SchoolNotStated):
            read_identity(
                login, schools={each.id: each for each in (self.NEW, twin)}, former=former
            )

    def test_what_else_is_stated_tells_two_schools_apart(self) -> None:
        twin = a_school(id="eenklank", brin="66FF", branch="66FF02")
        former = {**self.FORMER, twin.id: frozenset({Brin("11AA")})}
        login = a_verified_login(idp=of(self.NEW, twin), **{HOME: "11AA", BRANCH: "66FF02"})
        schools = {each.id: each for each in (self.NEW, twin)}
        assert read_identity(login, schools=schools, former=former).school == "eenklank"

    def test_it_goes_out_as_it_was_stated(self) -> None:
        login = a_verified_login(idp=of(self.NEW), **{HOME: "11AA"})
        identity = read_identity(login, schools={self.NEW.id: self.NEW}, former=self.FORMER)
        assert identity.attributes[AttributeName(HOME)] == ("11AA",)

    def test_what_is_no_brin_stays_refused(self) -> None:
        with pytest.raises(SchoolNotAllowed):
            self.find(self.NEW, home="11A")
