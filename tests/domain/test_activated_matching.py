"""Which services and schools a table of today means."""

from broker.domain.activated_file import read_activated
from broker.domain.activated_matching import MatchedFile, match_rows
from broker.domain.decision_outline import Choice
from broker.domain.federation import School, Supplier
from tests.builders import a_school, a_supplier

VUURVOGEL = a_school(id="vuurvogel", name="De Vuurvogel", brin="11AA")
KOMPAS = a_school(id="kompas", name="Het Kompas", brin="22BB")
REKENRIJK = a_supplier(id="rekenrijk", display_name="RekenRijk", legal_name="RekenRijk B.V.")
TAALTUIN = a_supplier(
    id="taaltuin", display_name="Taaltuin", legal_name="RekenRijk B.V.", relying_parties=()
)


def match(table: str, *schools: School, suppliers: tuple[Supplier, ...] = ()) -> MatchedFile:
    return match_rows(
        read_activated(table.encode()).rows,
        schools=schools,
        suppliers=suppliers or (REKENRIJK, TAALTUIN),
    )


def test_services_and_schools_go_by_any_of_their_names() -> None:
    for service in ("rekenrijk", "Rekenrijk", REKENRIJK.relying_parties[0].id):
        for school in ("vuurvogel", "De Vuurvogel", "11aa"):
            found = match(f"school;dienst;voornaam\n{school};{service};ja\n", VUURVOGEL, KOMPAS)
            (one,) = found.services
            assert (one.school, one.supplier) == ("vuurvogel", "rekenrijk")
            assert found.unmatched == ()


def test_a_table_of_one_school_need_not_name_it_and_one_of_two_must() -> None:
    assert match("dienst\nTaaltuin\n", KOMPAS).services[0].school == "kompas"
    (unmatched,) = match("dienst\nTaaltuin\n", KOMPAS, VUURVOGEL).unmatched
    assert (unmatched.line, unmatched.words, unmatched.is_school) == (2, "", True)


def test_what_nobody_knows_or_two_share_is_told_with_its_line() -> None:
    found = match("dienst;school\nBestaat niet;\nRekenRijk B.V.;\nTaaltuin;Elders\n", KOMPAS)
    assert [(each.line, each.words) for each in found.unmatched] == [
        (2, "Bestaat niet"),
        (3, "RekenRijk B.V."),
        (4, "Elders"),
    ]
    assert found.services == ()


def test_rows_of_one_service_add_up_for_pupils_and_staff() -> None:
    table = "dienst;kenmerken;doelgroep\nTaaltuin;voornaam;leerlingen\nTaaltuin;mail;medewerkers\n"
    (one,) = match(table, KOMPAS).services
    assert one.shared == Choice(pupils=frozenset({"givenName"}), staff=frozenset({"mail"}))
