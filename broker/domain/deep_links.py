"""Pages inside learning material to which a link may lead, and nowhere else.

A supplier registers places that its pages are below; each ends with a slash, so that it holds
scheme and host whole and no other host can begin with it.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

MAX_TARGET_CHARS = 1000
_VISIBLE = re.compile(r"[\x21-\x7e]+\Z")
_SEPARATORS = re.compile(r"[/\\]")


def is_below(target: str, places: Iterable[str]) -> bool:
    r"""Tell whether a URL is a page below one of these places.

    Whatever a browser would read as going up or elsewhere is not: dots alone between slashes, also
    escaped, once or twice; backslashes; characters outside visible ASCII.

    >>> is_below("https://supplier.example/les/3?step=2#end", ["https://supplier.example/les/"])
    True
    >>> is_below("https://supplier.example/les/../pay", ["https://supplier.example/les/"])
    False
    >>> is_below("https://supplier.example.evil.example/", ["https://supplier.example/"])
    False
    """
    if len(target) > MAX_TARGET_CHARS or not _VISIBLE.match(target) or "\\" in target:
        return False
    path = re.split(r"[?#]", target, maxsplit=1)[0]
    if not {".", ".."}.isdisjoint(_SEPARATORS.split(unquote(unquote(path)))):
        return False
    return any(path.startswith(each) for each in places)
