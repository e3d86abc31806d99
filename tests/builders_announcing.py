"""What an ELO makes to announce a school: by joserfc, which reads nothing of ours."""

from typing import Any

from joserfc import jwe
from joserfc.jwk import OctKey

from broker.oidc_op.client_secrets import hash_client_secret

TYPE = "school-announcement+jwt"
KEY = "a2V5LW9mLTMyLW9jdGV0cy1mb3ItYW5ub3VuY2luZyE"
NEXT_KEY = "YW5vdGhlci1rZXktb2YtMzItb2N0ZXRzLWZvci10aGk"
KEY_HASH, NEXT_KEY_HASH = hash_client_secret(KEY), hash_client_secret(NEXT_KEY)
_REGISTRY = jwe.JWERegistry(algorithms=["dir", "A256GCM", "DEF"])


def seal(octets: bytes, *, key: str = KEY, **header: Any) -> str:
    """Return a compact token; `header` changes its header, None leaves a member out."""
    stated = {"alg": "dir", "enc": "A256GCM", "typ": TYPE} | header
    protected = {name: value for name, value in stated.items() if value is not None}
    made = OctKey.import_key({"kty": "oct", "k": key})
    return jwe.encrypt_compact(protected, octets, made, registry=_REGISTRY)
