"""The purposes whose keys rotate, and the times that this takes, each with its reason.

The other keys last: root, pairwise, register and receipts keys are what pupils and receipts are
known by. Purposes never share a key.
"""

from collections.abc import Mapping
from datetime import timedelta

from broker.flow.held_state.every_kind import EVERY_KIND
from broker.flow.key_plans.key_schedule import RotatingPurpose
from broker.oidc_op.claims import ID_TOKEN_TTL_SECONDS

STORAGE, COOKIE, TOKEN = "storage", "cookie", "token"
SAML_SIGNING, SAML_DECRYPTION = "saml-signing", "saml-decryption"

WORKERS_FOLLOW = timedelta(minutes=1)
"""A worker takes new keys in within 2 seconds; copies for other brokers may come later."""

JWKS_CACHE = timedelta(minutes=5)
"""How long our key set may be kept. Short: a key that leaked must be gone from everywhere soon."""

JWKS_LEAD = timedelta(hours=1)
"""Libraries that keep a key set longer than they are told keep it five minutes to an hour."""

METADATA_LIFE = timedelta(days=7)
"""After it peers must have asked again; until then they may work with what they have."""

LONGEST_CLAIM = timedelta(minutes=62)
"""How long a one-shot value is remembered at most: a client's assertion with its clock's skew
(`oidc_op.client_assertions`)."""

CLOCKS_DIFFER = timedelta(minutes=5)
"""Between brokers on one login store; kept clocks differ by less than a second."""

FORM_DAY = timedelta(days=1)
"""How long the cookie `form` binds forms (`web.cookies`); a login's own cookies live shorter."""

_LONGEST_RECORD = timedelta(
    seconds=max(each.ttl_seconds + each.tombstone_ttl_seconds for each in EVERY_KIND)
)

ROTATING: Mapping[str, RotatingPurpose] = {
    each.name: each
    for each in (
        RotatingPurpose(
            TOKEN,
            lead=JWKS_LEAD,
            lead_why="every supplier and school reads our key set anew",
            overlap=timedelta(seconds=ID_TOKEN_TTL_SECONDS) + JWKS_LEAD + CLOCKS_DIFFER,
            loss="tokens of the last minutes are not believed any more, and suppliers and schools "
            "that keep our key set refuse logins until they read it anew (5 minutes to an hour)",
        ),
        RotatingPurpose(
            SAML_SIGNING,
            lead=METADATA_LIFE,
            lead_why="every SAML partner reads our metadata anew",
            overlap=timedelta(days=1),
            loss="SAML suppliers, and schools that check our requests, refuse logins until they "
            "read our metadata anew: call them",
        ),
        RotatingPurpose(
            SAML_DECRYPTION,
            lead=WORKERS_FOLLOW,
            lead_why="every worker can open what schools encrypt to it; then our metadata names it",
            overlap=2 * METADATA_LIFE,
            loss="logins at schools that encrypt fail until they read our metadata anew: call them",
        ),
        RotatingPurpose(
            STORAGE,
            lead=WORKERS_FOLLOW,
            lead_why="every worker knows it",
            overlap=max(LONGEST_CLAIM, _LONGEST_RECORD) + CLOCKS_DIFFER,
            loss="logins under way start anew, codes and access tokens of the last minutes end, "
            "and a client's assertion of before may be shown once more, beside a code of now",
        ),
        RotatingPurpose(
            COOKIE,
            lead=WORKERS_FOLLOW,
            lead_why="every worker knows it",
            overlap=FORM_DAY + CLOCKS_DIFFER,
            loss="pages that are open now refuse their button once; going back mends it",
        ),
    )
}
