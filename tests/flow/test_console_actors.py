"""Every actor at every place: what their role may there, and nothing elsewhere."""

from datetime import UTC, datetime, timedelta

import pytest

from broker.domain.console_roles import MAY, ConsoleUserId, HeldRole, Permission, PlaceKind, Role
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.domain.registry import build_registry
from broker.flow.console.actors import (
    Actor,
    ActorKind,
    boards_of,
    check_may,
    check_may_sign,
    find_school,
    find_supplier,
    may,
    schools_of,
    suppliers_of,
)
from broker.flow.console.console_refusals import LevelNeeded, NotAllowed
from tests.builders import a_school, a_supplier

NOW = datetime(2026, 9, 7, 8, tzinfo=UTC)
HERE, ELSEWHERE = (
    a_school(id=SchoolId("vuurvogel")),
    a_school(id=SchoolId("kompas"), board=BoardId("stichting-kompas")),
)
SISTER = a_school(id=SchoolId("arend"), name="De Arend")
SUPPLIER = a_supplier(id=SupplierId("rekenrijk"))
REGISTRY = build_registry(
    1, schools=[HERE, ELSEWHERE, SISTER], idps=[], suppliers=[SUPPLIER], agreements=[]
)
PLACE_OF = {
    PlaceKind.SCHOOL: HERE.id,
    PlaceKind.BOARD: HERE.board,
    PlaceKind.SUPPLIER: SUPPLIER.id,
    PlaceKind.FEDERATION: "",
}
EVERY_ROLE = [
    HeldRole(role, kind, PLACE_OF[kind])
    for role, kinds in (
        (Role.SCHOOL_ADMIN, [PlaceKind.SCHOOL]),
        (Role.BOARD_ADMIN, [PlaceKind.BOARD]),
        (Role.SIGNER, [PlaceKind.BOARD]),
        (Role.ICT_PARTNER, [PlaceKind.SCHOOL]),
        (Role.PRIVACY_OFFICER, [PlaceKind.SCHOOL, PlaceKind.BOARD]),
        (Role.SUPPLIER_ADMIN, [PlaceKind.SUPPLIER]),
        (Role.OPERATOR, [PlaceKind.FEDERATION]),
        (Role.TEACHER, [PlaceKind.SCHOOL]),
    )
    for kind in kinds
]


def an_actor(*held: HeldRole, **changes: object) -> Actor:
    stated: dict[str, object] = {
        "id": ConsoleUserId("a" * 32),
        "kind": ActorKind.PERSON,
        "held": held,
        "since": NOW,
    }
    return Actor(**(stated | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("held", EVERY_ROLE, ids=lambda held: f"{held.role}-{held.kind}")
@pytest.mark.parametrize("permission", Permission)
def test_a_role_may_at_its_place_what_the_table_says_and_nothing_elsewhere(
    held: HeldRole, permission: Permission
) -> None:
    actor, has = an_actor(held), permission in MAY[held.role]
    of_all = held.kind is PlaceKind.FEDERATION
    of_board, of_school = held.kind is PlaceKind.BOARD, held.kind is PlaceKind.SCHOOL
    assert may(actor, permission, school=HERE, registry=REGISTRY) is (
        has and (of_all or of_board or of_school)
    )
    assert may(actor, permission, school=SISTER, registry=REGISTRY) is (
        has and (of_all or of_board)
    )
    assert may(actor, permission, school=ELSEWHERE, registry=REGISTRY) is (has and of_all)
    assert may(actor, permission, board=HERE.board, registry=REGISTRY) is (
        has and (of_all or of_board)
    )
    assert may(actor, permission, board=ELSEWHERE.board, registry=REGISTRY) is (has and of_all)
    assert may(actor, permission, supplier=SUPPLIER.id, registry=REGISTRY) is (
        has and (of_all or held.kind is PlaceKind.SUPPLIER)
    )
    assert may(actor, permission, registry=REGISTRY) is (has and of_all)


def test_a_school_of_another_registry_is_not_there() -> None:
    gone = a_school(id=SchoolId("gone"))
    admin = an_actor(HeldRole(Role.SCHOOL_ADMIN, PlaceKind.SCHOOL, "gone"))
    with pytest.raises(NotAllowed):
        check_may(admin, Permission.SEE_SCHOOL, school=gone, registry=REGISTRY)


def test_what_a_form_names_is_found_where_it_may_be() -> None:
    actor = an_actor(
        HeldRole(Role.SCHOOL_ADMIN, PlaceKind.SCHOOL, HERE.id),
        HeldRole(Role.SUPPLIER_ADMIN, PlaceKind.SUPPLIER, SUPPLIER.id),
    )

    def school(name: str) -> object:
        see = Permission.SEE_SCHOOL
        return find_school(actor, see, unverified_school=name, registry=REGISTRY)

    def supplier(name: str) -> object:
        see = Permission.SEE_SUPPLIER
        return find_supplier(actor, see, unverified_supplier=name, registry=REGISTRY)

    assert school(HERE.id) == HERE
    assert supplier(SUPPLIER.id) == SUPPLIER
    for find, name in ((school, ELSEWHERE.id), (school, "nobody"), (supplier, "nobody")):
        with pytest.raises(NotAllowed):
            find(name)


def test_the_places_of_an_actor() -> None:
    board = an_actor(HeldRole(Role.BOARD_ADMIN, PlaceKind.BOARD, HERE.board))
    assert schools_of(board, REGISTRY) == tuple(
        sorted((HERE, SISTER), key=lambda each: each.name.casefold())
    )
    assert boards_of(board, Permission.INVITE) == (HERE.board,)
    school = an_actor(HeldRole(Role.SCHOOL_ADMIN, PlaceKind.SCHOOL, HERE.id))
    assert schools_of(school, REGISTRY) == (HERE,)
    assert suppliers_of(school, REGISTRY) == ()
    supplier = an_actor(HeldRole(Role.SUPPLIER_ADMIN, PlaceKind.SUPPLIER, SUPPLIER.id))
    assert suppliers_of(supplier, REGISTRY) == (SUPPLIER,)
    assert schools_of(an_actor(HeldRole(Role.OPERATOR, PlaceKind.FEDERATION)), REGISTRY) == ()


def test_signing_takes_a_sure_and_new_login_of_a_person() -> None:
    until = NOW + timedelta(minutes=15)
    check_may_sign(an_actor(may_sign_until=until), now=until)
    for actor, now in (
        (an_actor(), NOW),
        (an_actor(may_sign_until=until), until + timedelta(seconds=1)),
        (an_actor(may_sign_until=until, kind=ActorKind.PROGRAM), NOW),
        (an_actor(may_sign_until=until, kind=ActorKind.OPERATOR), NOW),
    ):
        with pytest.raises(LevelNeeded):
            check_may_sign(actor, now=now)
