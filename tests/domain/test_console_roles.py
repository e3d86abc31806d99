"""Who may do what in the console: the whole table, said once more by people."""

from datetime import date

import pytest

from broker.domain.console_roles import (
    INVITES,
    MAY,
    PLACES,
    HeldRole,
    Permission,
    PlaceKind,
    Role,
)

TABLE = """
                  school-admin board-admin signer ict-partner privacy-officer supplier-admin operator teacher
see-school             x           x         x         x             x              -           x        -
prepare-decision       x           x         -         x             -              -           -        -
sign-decision          -           -         x         -             -              -           -        -
stop-decision          x           x         x         -             -              -           -        -
invite                 x           x         -         -             -              x           x        -
see-people             x           x         -         -             x              x           x        -
protect-pupil          x           x         -         -             -              -           -        -
see-protected          x           x         -         -             x              -           -        -
see-requests           x           x         -         -             x              -           -        -
decide-request         -           -         -         -             x              -           -        -
find-pseudonyms        x           x         -         -             -              -           -        x
issue-codes            x           x         -         -             -              -           -        -
see-registers          x           x         x         x             x              x           x        -
simulate               x           x         -         x             x              -           -        -
configure-school       x           x         -         -             -              -           -        -
see-supplier           -           -         -         -             -              x           x        -
edit-sheet             -           -         -         -             -              x           -        -
publish-sheet          -           -         -         -             -              x           -        -
see-audit              x           x         x         -             x              x           x        -
operate                -           -         -         -             -              -           x        -
"""  # noqa: E501 -- a table is read as one


def told() -> dict[Role, set[Permission]]:
    head, *lines = (each.split() for each in TABLE.strip().splitlines())
    return {
        Role(role): {Permission(line[0]) for line in lines if line[column + 1] == "x"}
        for column, role in enumerate(head)
    }


def test_the_table_is_what_the_roles_may() -> None:
    assert told() == {role: set(may) for role, may in MAY.items()}
    assert {line.split()[0] for line in TABLE.strip().splitlines()[1:]} == set(Permission)


def test_every_role_has_its_place() -> None:
    assert PLACES.keys() == MAY.keys() == set(Role)


def test_an_ict_partner_never_signs_and_a_privacy_officer_changes_nothing_else() -> None:
    assert Permission.SIGN_DECISION not in MAY[Role.ICT_PARTNER]
    changes = {
        *(Permission.PREPARE_DECISION, Permission.SIGN_DECISION, Permission.STOP_DECISION),
        *(Permission.INVITE, Permission.PROTECT_PUPIL, Permission.CONFIGURE_SCHOOL),
    }
    assert not changes & MAY[Role.PRIVACY_OFFICER]
    assert Permission.DECIDE_REQUEST in MAY[Role.PRIVACY_OFFICER]


def test_who_invites_may_invite_at_all_and_nobody_gives_a_teacher() -> None:
    for role, given in INVITES.items():
        assert Permission.INVITE in MAY[role]
        assert Role.TEACHER not in given


@pytest.mark.parametrize(
    ("kind", "place"),
    [(PlaceKind.SUPPLIER, "rekenrijk"), (PlaceKind.BOARD, "x"), (PlaceKind.SCHOOL, "")],
)
def test_a_role_is_held_at_a_place_of_its_kind(kind: PlaceKind, place: str) -> None:
    with pytest.raises(ValueError, match=r"is not held at|has no id"):
        HeldRole(Role.SCHOOL_ADMIN, kind, place)
    assert HeldRole(Role.SCHOOL_ADMIN, PlaceKind.SCHOOL, "vuurvogel").place == "vuurvogel"


def test_a_role_ends_after_its_last_day() -> None:
    held = HeldRole(Role.ICT_PARTNER, PlaceKind.SCHOOL, "vuurvogel", date(2026, 12, 31))
    assert held.is_in_force(date(2026, 12, 31))
    assert not held.is_in_force(date(2027, 1, 1))
