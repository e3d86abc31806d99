"""What each profile of relying parties may do. A profile is data; checks ask it, never its name.

`nlgov`, `native` and `fapi2` become further rows of `PROFILES` with fields of their own (loopback
ports, sender-constrained tokens); until then a document that names them is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from broker.domain.refusals import Refusal, WhoseTask


class ProfileUnknown(Refusal):
    """A compiled document names a profile that is not built: `broker apply` should have refused."""

    code = "E-OIDC-3"
    whose_task = WhoseTask.BROKER
    what = "This learning material is not set up correctly on our side."
    remedy = "We have been told. Please try again later."
    http_status = 500
    oauth_error = "server_error"


@dataclass(frozen=True, slots=True)
class Profile:
    """Rules that differ between relying parties.

    Attributes:
        pkce_required: without a code challenge the request is refused (RFC 9700 2.1.1).
        authentication_methods: a client is registered with exactly one of these.
        token_endpoint_as_audience: whether a client assertion may name the token endpoint instead
            of the issuer, as RFC 7523 had it before its revision.
        client_credentials: whether a relying party may call our API for its supplier.
    """

    pkce_required: bool
    authentication_methods: tuple[str, ...]
    token_endpoint_as_audience: bool
    client_credentials: bool


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "strict": Profile(
            pkce_required=True,
            authentication_methods=("private_key_jwt",),
            token_endpoint_as_audience=False,
            client_credentials=True,
        ),
        "compat": Profile(
            pkce_required=False,
            authentication_methods=("private_key_jwt", "client_secret_basic"),
            token_endpoint_as_audience=True,
            client_credentials=False,
        ),
    }
)


def find_profile(name: str) -> Profile:
    """Return the rules of a profile.

    Raises:
        ProfileUnknown: there is none of that name.

    >>> find_profile("strict").pkce_required
    True
    """
    if name not in PROFILES:
        raise ProfileUnknown("check_profile_known", subject=name)
    return PROFILES[name]
