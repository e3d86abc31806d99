"""Random values as text: names of steps, ids of messages and tokens."""

from base64 import urlsafe_b64encode

from broker.flow.ports import Random

STATE_BYTES = 16  # 22 characters; OIDC's `state` and RelayState, unguessable (RFC 6749 10.12)
JTI_BYTES = 16  # 128 bits; NL GOV asks for at least that
XML_ID_BYTES = 20  # 160 bits: SAML core 1.3.4 asks for 128 to 160


def make_state(random: Random) -> str:
    """Return a fresh name for a step of a browser."""
    return make_text(random, STATE_BYTES)


def make_jti(random: Random) -> str:
    """Return a fresh id for a token."""
    return make_text(random, JTI_BYTES)


def make_xml_id(random: Random) -> str:
    """Return a random NCName; an id of XML may not begin with a digit."""
    return "_" + make_text(random, XML_ID_BYTES)


def make_text(random: Random, count: int) -> str:
    """Return random bytes as base64url without padding."""
    return urlsafe_b64encode(random(count)).rstrip(b"=").decode()
