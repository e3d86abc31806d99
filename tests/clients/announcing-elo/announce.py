"""Tell the broker which school this pupil is at, and come back: where to send the browser."""

import json
import secrets
import time
from urllib.parse import urlencode

from joserfc import jwe
from joserfc.jwk import OctKey


def announce(issuer: str, *, key: str, login: str, school: str, return_to: str) -> str:
    """Return an address that is good once, for a minute. Make it when it is needed, not before."""
    now = int(time.time())
    claims = {
        "iss": login,
        "aud": issuer,
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_urlsafe(16),
        "school": school,
        "return_to": return_to,
    }
    token = jwe.encrypt_compact(
        {"alg": "dir", "enc": "A256GCM", "typ": "school-announcement+jwt"},
        json.dumps(claims),
        OctKey.import_key({"kty": "oct", "k": key}),
        algorithms=["dir", "A256GCM"],
    )
    return f"{issuer}/schools/announce?{urlencode({'by': login, 'announcement': token})}"
