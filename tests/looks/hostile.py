"""What others may write, put into every text of a page's record.

A text without which the page cannot be made is a code of ours (the kind of a tag, the verdict of a
check): it stays. So does a message id, which is a text of ours.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from broker.web.texts import Language, load_texts

MARK = "strangers-text"
"""By which a page is searched: as an element it must not be there."""

HOSTILE = (
    f"</title></textarea></script><{MARK}></{MARK}><script>window.ran = 1</script>"
    "<img src=x onerror='window.ran = 1'><svg onload='window.ran = 1'></svg>"
    '" onfocus="window.ran = 1" autofocus x="\' onmouseover=\'window.ran = 1\' {{ 7 * 7 }}'
    "\u202edesrever\u2066 javascript:window.ran=1//"
    + "Rechtsbijstandsverzekeringsmaatschappijen"
    * 6
)

_CODES = (Enum, bytes)
_OURS = frozenset(load_texts()[Language.NL]._catalog)  # type: ignore[attr-defined]
"""Message ids."""

_ADDRESSES = {"frames"}
"""Registered with us and loaded as they are; the page's policy names each."""

Path = tuple[str | int, ...]


def fill(page: Any, *, can_render: Callable[[Any], bool]) -> tuple[Any, int]:
    """Return the page with `HOSTILE` in every text that may be another one, and in how many."""
    filled = 0
    for path in list(find_texts(page)):
        tried = put(page, path, HOSTILE)
        if can_render(tried):
            page = tried
            filled += 1
    return page, filled


def find_texts(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield where the texts of a record are."""
    if isinstance(value, str) and not isinstance(value, _CODES):
        if value not in _OURS:
            yield path
    elif is_dataclass(value):
        for each in fields(value):
            if each.init and each.name not in _ADDRESSES:
                yield from find_texts(getattr(value, each.name), (*path, each.name))
    elif isinstance(value, tuple | list):
        for index, each in enumerate(value):
            yield from find_texts(each, (*path, index))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from find_texts(each, (*path, key))


def put(value: Any, path: Path, text: str) -> Any:
    """Return the record with another text at one place."""
    if not path:
        return text
    first, *rest = path
    if is_dataclass(value):
        name = str(first)
        return replace(value, **{name: put(getattr(value, name), tuple(rest), text)})  # type: ignore[type-var]
    if isinstance(value, Mapping):
        return {**value, first: put(value[first], tuple(rest), text)}
    index = int(first)
    changed = put(value[index], tuple(rest), text)
    return type(value)([*value[:index], changed, *value[index + 1 :]])
