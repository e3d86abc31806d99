"""What the journeys need from outside, as ports; `app.py` wires the adapters in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from broker.domain.federation import ApiClient, OidcIdpEndpoints
from broker.domain.ids import SchoolIdpId
from broker.domain.registry import Registry
from broker.domain.relying_parties import OidcClient
from broker.domain.school_search import SchoolIndex
from broker.flow.enrolment.enrolment_records import EnrolmentKeys
from broker.flow.persons.register import RegisterKeys
from broker.flow.shielding.shield_records import ShieldKeys
from broker.jose.keys import KeySet
from broker.oidc_op.jwks import TokenKeys
from broker.pseudonyms.derivation import RootKey
from broker.pseudonyms.epochs import PairwiseKeys
from broker.saml_xml.keys import DecryptionKey, SigningKey

Clock = Callable[[], datetime]
"""The time now, aware, UTC."""

Random = Callable[[int], bytes]
"""That many unpredictable bytes."""


class SchoolUnanswered(Exception):  # noqa: N818 -- an answer of the port, which the flow words
    """A school's endpoint did not answer, answered with an error, or too late or too large."""


class Snapshots(Protocol):
    """The registry in force; each read gives one whole version."""

    @property
    def registry(self) -> Registry:
        """The version in force."""
        ...

    @property
    def index(self) -> SchoolIndex:
        """The search over that version's schools."""
        ...


class SchoolCalls(Protocol):
    """Calls to the endpoints of a school's OpenID Provider, bounded in time and size."""

    async def post_form(
        self, url: str, *, headers: Mapping[str, str], form: Mapping[str, str]
    ) -> bytes:
        """Return the body of a answer by 200 or 204, else raise `SchoolUnanswered`."""
        ...

    async def get(self, url: str, *, headers: Mapping[str, str]) -> bytes:
        """Return the body of a answer by 200 or 204, else raise `SchoolUnanswered`."""
        ...

    def client_secret(self, idp: SchoolIdpId) -> str | None:
        """Return our secret at this provider, for `client_secret_basic`; None when it has none."""
        ...

    async def fetch_keys(self, endpoints: OidcIdpEndpoints, *, refresh: bool) -> str:
        """Return the provider's JSON Web Key Set in JSON; kept until `refresh` asks anew."""
        ...


class ClientKeys(Protocol):
    """The public keys of suppliers' clients, and of schools' programs."""

    async def find(self, client: OidcClient | ApiClient, *, refresh: bool = False) -> KeySet:
        """Return the registered keys, or those of its `jwks_uri`: cached, bounded, last good.

        Args:
            refresh: a key was not found in what is kept: ask anew, if that is not too soon.
        """
        ...


class RequestObjectPlaces(Protocol):
    """The registered addresses at which relying parties' signed requests stand."""

    async def fetch(self, request_uri: str) -> str:
        """Return what stands there, at most a minute old, else raise `SchoolUnanswered`."""
        ...


@dataclass(frozen=True, slots=True)
class FlowKeys:
    """The keys with which the journeys work; none of them shows in a repr.

    Attributes:
        saml_more_certificates: DER, of the keys that will sign or did, beside the one in use.
        saml_decryption: the one that our metadata names first, then those still accepted.
    """

    root: RootKey = field(repr=False)
    register: RegisterKeys = field(repr=False)
    enrolment: EnrolmentKeys = field(repr=False)
    shields: ShieldKeys = field(repr=False)
    token: TokenKeys = field(repr=False)
    pairwise: PairwiseKeys = field(repr=False)
    receipts: bytes = field(repr=False)
    saml_signing: SigningKey = field(repr=False)
    saml_decryption: tuple[DecryptionKey, ...] = field(repr=False)
    saml_more_certificates: tuple[bytes, ...] = field(default=(), repr=False)
