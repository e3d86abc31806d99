"""What a relying party's document may say of its tokens: within what its profile allows."""

from collections.abc import Iterator

from broker.domain.documents import DocumentProblem, RelyingPartyDocument, SupplierDocument
from broker.oidc_op.profiles import PROFILES, Profile

SECONDS_AN_HOUR = 3600


def check_tokens_allowed(
    prefix: str, party: RelyingPartyDocument, _: SupplierDocument
) -> Iterator[DocumentProblem]:
    """Algorithms, the form of access tokens, and how long refresh tokens live."""
    if party.protocol != "oidc":
        return
    profile = PROFILES[party.profile]
    stated = (
        ("id_token_algorithm", party.id_token_algorithm, profile.id_token_algorithms),
        ("userinfo_algorithm", party.userinfo_algorithm, profile.id_token_algorithms),
        ("access_tokens", party.access_tokens, profile.access_token_forms),
    )
    for name, value, allowed in stated:
        if value is not None and value not in allowed:
            yield DocumentProblem(
                prefix + name,
                f"is {value}, which profile {party.profile} does not allow.",
                f"Use {' or '.join(allowed)}.",
            )
    yield from _check_refresh(prefix, party, profile)


def _check_refresh(
    prefix: str, party: RelyingPartyDocument, profile: Profile
) -> Iterator[DocumentProblem]:
    rules, hours, idle = profile.refresh, party.refresh_hours, party.refresh_idle_hours
    longest = 0 if rules is None else rules.ttl_seconds // SECONDS_AN_HOUR
    longest_idle = 0 if rules is None else rules.idle_seconds // SECONDS_AN_HOUR
    if hours > longest:
        yield DocumentProblem(
            f"{prefix}refresh_hours",
            f"is {hours}, more than profile {party.profile} allows.",
            f"State {longest} at most.",
        )
    if idle is not None and idle > min(hours, longest_idle):
        yield DocumentProblem(
            f"{prefix}refresh_idle_hours",
            f"is {idle}, more than refresh_hours or profile {party.profile} allows.",
            f"State {min(hours, longest_idle)} at most, or remove it.",
        )
