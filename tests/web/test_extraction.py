"""What `make translations` finds in Python files."""

import io

import pytest

from broker.web.extraction import ExtractedMessage, UnreadableMessageError, extract_messages

KEYWORDS = ["_", "N_", "ngettext"]


def extract(source: str) -> list[ExtractedMessage]:
    return list(extract_messages(io.BytesIO(source.encode()), KEYWORDS, [], {}))


def found(source: str) -> list[str | tuple[str, ...]]:
    return [message for _, _, message, _ in extract(source)]


def test_finds_the_texts_of_refusals() -> None:
    source = '''
class Full(Refusal):
    """Not a message."""

    code = "E-FULL-1"
    what = "The room is " 'full.'
    remedy: ClassVar[str] = "Wait – a bit."
    http_status = other.status = 503
'''
    assert found(source) == ["The room is full.", "Wait – a bit."]
    assert [line for line, *_ in extract(source)] == [6, 7]


def test_leaves_out_the_empty_text_and_plain_declarations() -> None:
    assert (
        found('class Base:\n    what: ClassVar[str]\n    remedy = ""\n    code = "E-A-1"\n') == []
    )


def test_finds_marked_calls_anywhere() -> None:
    source = 'A = N_("one")\ndef f():\n    return ngettext("a school", "schools", n), other("no")\n'
    assert found(source) == ["one", ("a school", "schools")]
    assert [function for _, function, *_ in extract(source)] == ["N_", "ngettext"]
    assert found('x.N_("no")\n') == []


@pytest.mark.parametrize(
    "source",
    [
        'class Full:\n    what = f"The {room} is full."\n',
        'class Full:\n    remedy = "a" + b\n',
        "N_(text)\n",
        "class Full:\n    what = 7\n",
    ],
)
def test_refuses_a_text_that_nobody_could_translate(source: str) -> None:
    with pytest.raises(UnreadableMessageError, match=r"line [12]"):
        extract(source)
