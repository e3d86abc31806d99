"""Documents of logins of a supplier's or the federation's employees."""

import pytest
from msgspec.structs import replace

from broker.domain.documents import IdentityProviderDocument, Kind, SupplierDocument
from broker.domain.federation import State
from broker.flow.federation.documents import StatedDocument
from broker.flow.federation.employee_logins import check_keys_of_schools, check_whose_login
from broker.flow.federation.link_parts import gather
from broker.flow.federation.links import check_suppliers_of_logins
from broker.flow.federation.login_checks import IDP_CHECKS

OF_SUPPLIER = IdentityProviderDocument(
    id="rekenrijk-staff",
    supplier="rekenrijk",
    protocol="oidc",
    state=State.TEST,
    issuer="https://id.rekenrijk.example",
    client_id="schuilnaam",
    algorithms=("ES256",),
    jwks_uri="https://id.rekenrijk.example/jwks",
)
KINDS = {SupplierDocument: Kind.SUPPLIER, IdentityProviderDocument: Kind.IDENTITY_PROVIDER}
OF_SCHOOL = replace(OF_SUPPLIER, supplier=None, schools=("vuurvogel",))
OF_FEDERATION = replace(OF_SUPPLIER, supplier=None, federation=True)


@pytest.mark.parametrize("document", [OF_SUPPLIER, OF_SCHOOL, OF_FEDERATION])
def test_a_login_of_one_party_is_accepted(document: IdentityProviderDocument) -> None:
    assert [found for check in IDP_CHECKS for found in check(document)] == []


@pytest.mark.parametrize(
    "document",
    [
        replace(OF_SUPPLIER, supplier=None),
        replace(OF_SUPPLIER, federation=True),
        replace(OF_SUPPLIER, schools=("vuurvogel",)),
        replace(OF_FEDERATION, schools=("vuurvogel",)),
    ],
)
def test_a_login_of_nobody_or_of_two_is_not(document: IdentityProviderDocument) -> None:
    assert [found.path for found in check_whose_login(document)] == ["schools"]


def test_keys_of_schools_have_no_meaning_there() -> None:
    stated = replace(OF_SUPPLIER, scopes=("rekenrijk.example",), rehearsal_only=True)
    assert [each.path for each in check_keys_of_schools(stated)] == ["scopes", "rehearsal_only"]
    of_school = replace(OF_SCHOOL, scopes=("vuurvogel.example",))
    assert list(check_keys_of_schools(of_school)) == []


def test_its_supplier_exists_and_is_of_its_state() -> None:
    supplier = SupplierDocument(id="rekenrijk", legal_name="RekenRijk B.V.", state=State.TEST)

    def problems(*documents: IdentityProviderDocument | SupplierDocument) -> list[str]:
        stated = [StatedDocument(KINDS[type(each)], each) for each in documents]
        return [found.problem for _, found in check_suppliers_of_logins(gather(stated))]

    assert problems(OF_SUPPLIER, OF_FEDERATION, supplier) == []
    assert len(problems(OF_SUPPLIER)) == 1
    assert len(problems(replace(OF_SUPPLIER, state=State.PRODUCTION), supplier)) == 1
