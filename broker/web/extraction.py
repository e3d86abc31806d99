"""Finds the English message ids in our Python files, for `make translations`.

Two kinds exist: texts marked by a call such as `N_("...")`, and the class attributes `what` and
`remedy` of refusals, which stay plain so that pure packages need no gettext. Babel calls
`extract_messages` by its name in `babel.cfg`; nothing is imported from Babel, and no module that
is read is executed.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import IO

REFUSAL_TEXTS = frozenset({"what", "remedy"})
"""Class attributes that double as message ids (broker/domain/refusals.py)."""

ExtractedMessage = tuple[int, str | None, str | tuple[str, ...], list[str]]
"""Line, marking function (None for a class attribute), message id or ids, comments."""


class UnreadableMessageError(ValueError):
    """A message id that is put together at run time, so that nobody could translate it."""


def extract_messages(
    source: IO[bytes],
    keywords: Collection[str],
    comment_tags: Collection[str],
    options: Mapping[str, str],
) -> Iterator[ExtractedMessage]:
    """Yield each message id of one Python file, in the shape that Babel expects.

    Args:
        source: the file, opened in binary.
        keywords: names of marking functions, as Babel passes them (`_`, `N_`, `gettext`, ...).
        comment_tags: not used; a message explains itself.
        options: not used.

    Raises:
        UnreadableMessageError: a marked text or a refusal's text is not one literal.

    >>> import io
    >>> refusal = b'class NoRoom(Refusal):\\n    what = "There is " "no room."\\n'
    >>> list(extract_messages(io.BytesIO(refusal), ["_"], [], {}))
    [(2, None, 'There is no room.', [])]
    """
    for node in ast.walk(ast.parse(source.read())):
        if isinstance(node, ast.ClassDef):
            yield from _read_refusal_texts(node)
        elif isinstance(node, ast.Call):
            yield from _read_marked_call(node, keywords)


def _read_refusal_texts(class_def: ast.ClassDef) -> Iterator[ExtractedMessage]:
    for statement in class_def.body:
        if isinstance(statement, ast.Assign):
            names = [each.id for each in statement.targets if isinstance(each, ast.Name)]
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names = [statement.target.id]
        else:
            continue
        if statement.value is None or REFUSAL_TEXTS.isdisjoint(names):
            continue
        text = _read_literal(statement.value)
        if text:  # the empty message id is the header of a translation file
            yield statement.lineno, None, text, []


def _read_marked_call(call: ast.Call, keywords: Collection[str]) -> Iterator[ExtractedMessage]:
    if not isinstance(call.func, ast.Name) or call.func.id not in keywords:
        return
    count = 2 if call.func.id == "ngettext" else 1
    texts = tuple(_read_literal(each) for each in call.args[:count])
    yield call.lineno, call.func.id, texts[0] if count == 1 else texts, []


def _read_literal(value: ast.expr) -> str:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    raise UnreadableMessageError(f"line {value.lineno}: write the message as one literal")
