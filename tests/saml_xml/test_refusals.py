import pytest

from broker.domain.refusals import WhoseTask, every_refusal
from broker.saml_xml import metadata, refusals
from broker.saml_xml.refusals import MessageUnreadable, XmlRefusal, sent_by_supplier

MODULES = {metadata.__name__, refusals.__name__}
OURS = [
    each for each in every_refusal() if issubclass(each, XmlRefusal) and each.__module__ in MODULES
]
OF_SCHOOLS = [each for each in OURS if each.whose_task is WhoseTask.SCHOOL]


def test_each_cause_has_a_class_for_schools_and_one_for_suppliers() -> None:
    assert len(OURS) == 14
    assert len(OF_SCHOOLS) == 7
    for school in OF_SCHOOLS:
        supplier = school.of_supplier
        assert issubclass(supplier, school)
        assert supplier.whose_task is WhoseTask.SUPPLIER
        assert supplier.of_supplier is supplier
        assert supplier.code == f"E-XML-1{school.code.removeprefix('E-XML-')}"
        assert "school" not in supplier.what


@pytest.mark.parametrize("school", OF_SCHOOLS)
def test_what_a_supplier_sent_is_the_suppliers_task(school: type[XmlRefusal]) -> None:
    with pytest.raises(school) as refused, sent_by_supplier():
        raise school("check", subject="Issuer")
    assert type(refused.value) is school.of_supplier
    assert (refused.value.check, refused.value.subject) == ("check", "Issuer")


def test_other_mistakes_pass_and_success_is_untouched() -> None:
    with pytest.raises(ValueError, match="ours"), sent_by_supplier():
        raise ValueError("ours")

    @sent_by_supplier()
    def read() -> str:
        return "read"

    assert read() == read() == "read"


def test_outside_the_block_it_is_the_schools_task() -> None:
    assert MessageUnreadable("check").whose_task is WhoseTask.SCHOOL
