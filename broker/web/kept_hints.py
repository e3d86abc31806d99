"""What a browser keeps of a link or an announcement, as its cookies write it down.

Each part is only what the browser says: it is looked up before it counts.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

_START = re.compile(
    r"(?P<relying_party>[a-z0-9-]{1,64})\.(?P<school>[a-z0-9-]{0,64})\.(?P<target>[A-Za-z0-9_-]*)\Z"
)
_ANNOUNCED = re.compile(r"(?P<idp>[a-z0-9-]{1,64})\.(?P<school>[a-z0-9-]{1,64})\Z")


@dataclass(frozen=True, slots=True)
class KeptStart:
    """The link that this browser opened.

    Attributes:
        school: its id, until a login used it; then "".
        target: page inside the material, or "".
    """

    relying_party: str
    school: str
    target: str = field(repr=False)

    def write(self) -> str:
        """Return the cookie's value.

        >>> read_kept_start(KeptStart("rekenrijk", "kompas", "https://a.example/").write()).target
        'https://a.example/'
        """
        target = urlsafe_b64encode(self.target.encode("ascii")).decode().rstrip("=")
        return f"{self.relying_party}.{self.school}.{target}"


NO_START = KeptStart("", "", "")


def read_kept_start(value: str) -> KeptStart:
    """Return what a cookie says, or nothing when it is none that we set."""
    match = _START.match(value)
    if match is None:
        return NO_START
    try:
        target = urlsafe_b64decode(match["target"] + "==").decode("ascii")
    except ValueError:
        return NO_START
    return KeptStart(match["relying_party"], match["school"], target)


@dataclass(frozen=True, slots=True)
class KeptAnnouncement:
    """The school that an ELO announced, and the login by which we know that ELO."""

    idp: str
    school: str

    def write(self) -> str:
        """Return the cookie's value.

        >>> KeptAnnouncement("kompas-elo", "kompas").write()
        'kompas-elo.kompas'
        """
        return f"{self.idp}.{self.school}"


NOTHING_ANNOUNCED = KeptAnnouncement("", "")


def read_kept_announcement(value: str) -> KeptAnnouncement:
    """Return what a cookie says, or nothing when it is none that we set."""
    match = _ANNOUNCED.match(value)
    return NOTHING_ANNOUNCED if match is None else KeptAnnouncement(match["idp"], match["school"])


def count_again(value: str, now_seconds: int, within_seconds: int) -> tuple[int, str]:
    """Return how many there were within such a time with this one, and what to keep of it."""
    match = re.fullmatch(r"([0-9]{1,12})-([0-9]{1,4})", value)
    first, before = now_seconds, 0
    if match is not None and 0 <= now_seconds - int(match[1]) < within_seconds:
        first, before = int(match[1]), int(match[2])
    return before + 1, f"{first}-{before + 1}"
