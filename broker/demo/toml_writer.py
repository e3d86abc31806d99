"""Write the few forms of TOML that the demo's federation documents need.

Python reads TOML but does not write it; a library for one demo would be one more to watch.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Union

Value = Union[str, bool, int, date, Sequence["Value"], Mapping[str, "Value"]]  # noqa: UP007 -- recursive
Table = Mapping[str, Value]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")


def write_toml(table: Table, *, comment: str) -> str:
    """Return a document: a comment, plain keys, then `[table]` and `[[table]]` one level deep.

    >>> print(write_toml({"id": "x", "approved": ["sn"], "part": [{"n": 1}]}, comment="Hi"), end="")
    # Hi
    id = "x"
    approved = ["sn"]
    <BLANKLINE>
    [[part]]
    n = 1
    """
    lines = [f"# {comment}"]
    lines += [
        f"{_key(name)} = {_inline(each)}" for name, each in table.items() if not _sections(each)
    ]
    for name, value in table.items():
        heading = f"[{_key(name)}]" if isinstance(value, Mapping) else f"[[{_key(name)}]]"
        for section in _sections(value):
            lines += ["", heading]
            lines += [f"{_key(key)} = {_inline(each)}" for key, each in section.items()]
    return "\n".join(lines) + "\n"


def _sections(value: Value) -> list[Mapping[str, Value]]:
    """Return the tables that `value` is made of; none for a plain value."""
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [each for each in value if isinstance(each, Mapping)]


def _key(name: str) -> str:
    return name if _BARE_KEY.match(name) else _quoted(name)


def _quoted(text: str) -> str:
    """A TOML string is a JSON string in which DEL is escaped too (TOML 1.0, String)."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _inline(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(n)} = {_inline(v)}" for n, v in value.items()) + " }"
    return "[" + ", ".join(_inline(each) for each in value) + "]"
