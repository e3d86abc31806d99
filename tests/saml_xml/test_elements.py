import pytest
from lxml import etree

from broker.saml_xml.elements import (
    build_element,
    children_of,
    only_child,
    optional_child,
    required_attribute,
    serialize,
    text_of,
)
from broker.saml_xml.refusals import MessageUnreadable, ValueUnwritable

TREE = etree.fromstring('<a x="1"><b>een</b><b>twee</b><c> d&amp;rie </c><e/></a>')


def test_text_is_returned_exactly() -> None:
    assert text_of(TREE[2]) == " d&rie "
    assert text_of(TREE[3]) == ""


@pytest.mark.parametrize(
    "markup", ["<a>x<!-- -->y</a>", "<a>x<?p?>y</a>", "<a>x<b/>y</a>", "<a><!-- -->x</a>"]
)
def test_text_with_something_in_it_is_refused_rather_than_cut(markup: str) -> None:
    with pytest.raises(MessageUnreadable, match="plain-text"):
        text_of(etree.fromstring(markup))


def test_children_are_found_among_the_direct_ones_only() -> None:
    assert [text_of(each) for each in children_of(TREE, "b")] == ["een", "twee"]
    assert children_of(etree.fromstring("<a><b><c/></b></a>"), "c") == []


def test_one_child_is_one() -> None:
    assert only_child(TREE, "c") is TREE[2]
    assert optional_child(TREE, "c") is TREE[2]
    assert optional_child(TREE, "absent") is None
    with pytest.raises(MessageUnreadable, match="one-child absent"):
        only_child(TREE, "{urn:x}absent")
    with pytest.raises(MessageUnreadable, match="one-child b"):
        only_child(TREE, "b")
    with pytest.raises(MessageUnreadable, match="one-child b"):
        optional_child(TREE, "b")


def test_a_required_attribute_is_there_or_refused() -> None:
    assert required_attribute(TREE, "x") == "1"
    with pytest.raises(MessageUnreadable, match="attribute y"):
        required_attribute(TREE, "y")


def test_values_are_escaped_by_construction() -> None:
    value = "</b><c x='\"&"
    element = build_element(
        "{urn:x}a", {"v": value, "none": None}, text=value, nsmap={"p": "urn:x"}
    )
    read = etree.fromstring(serialize(element))
    assert (read.get("v"), read.text, read.keys()) == (value, value, ["v"])


def test_children_are_placed_and_a_tail_is_not_sent() -> None:
    child = build_element("b", text="x")
    parent = build_element("a", {}, child, text="front")
    child.tail = "behind"
    assert serialize(parent) == b"<a>front<b>x</b>behind</a>"
    assert serialize(child) == b"<b>x</b>"


@pytest.mark.parametrize("value", ["a\x00b", "a\x0bb", "\ud800"])
def test_a_value_that_xml_cannot_carry_is_refused_by_name_only(value: str) -> None:
    with pytest.raises(ValueUnwritable) as refused:
        build_element("{urn:x}AttributeValue", text=value)
    assert refused.value.subject == "AttributeValue"
    with pytest.raises(ValueUnwritable) as refused:
        build_element("a", {"Name": value})
    assert refused.value.subject == "Name"
    assert value not in repr(refused.value)
