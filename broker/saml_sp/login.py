"""What we expect of a school's answer, and what an answer that passed every check gives.

`ExpectedResponse` comes from the pending login, which the flow finds by RelayState and binds to
the browser before an answer is read; `SamlLogin` is the only way from an answer to an identity.
"""

from dataclasses import dataclass, field
from datetime import datetime

from broker.domain.federation import SchoolIdp
from broker.domain.identity import VerifiedLogin
from broker.domain.tolerances import Tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedResponse:
    """What the pending login says the answer must be.

    Attributes:
        idp: to which the pupil was sent; the answer must come from it and from nobody else.
        request_id: ID of our AuthnRequest.
        acs_url: where the answer must arrive: Destination and Recipient.
        entity_id: ours, as the audience.
        force_authn_since: when we asked for a new login; None when we did not.
        max_age_seconds: how old a login may be; None is any age.
        authn_contexts: of which the login must have one; () where it may have any.
        level_asked: whether we asked for classes, though it may have any.
    """

    idp: SchoolIdp
    request_id: str
    acs_url: str
    entity_id: str
    force_authn_since: datetime | None = None
    max_age_seconds: int | None = None
    authn_contexts: tuple[str, ...] = ()
    level_asked: bool = False


@dataclass(frozen=True, slots=True)
class SamlNameId:
    """How the school names the person in this session; needed to log out there, no identifier.

    A transient one is another at every login. Who the person is follows from attributes alone
    (`broker.domain.identity`), so that no NameID ever becomes a person root.
    """

    value: str = field(repr=False)
    format: str = ""
    name_qualifier: str | None = field(default=None, repr=False)
    sp_name_qualifier: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlLogin:
    """A login as a school stated it, after every rule of `broker.saml_sp.response` but 8 and 10.

    Attributes:
        login: input of `broker.domain.identity.read_identity`; its `authenticated_at` is the
            AuthnInstant and its `acr` the AuthnContextClassRef.
        assertion_id: to be consumed once (rule 8) ...
        assertion_not_on_or_after: ... and remembered until then: the first moment at which the
            checks refuse the assertion by themselves, cap and clock skew included.
        session_index: of the session at school; None when it keeps none.
        name_id: None where an exception tolerates that there is none.
        exceptions: those without which the answer would have been refused.
    """

    login: VerifiedLogin
    assertion_id: str = field(repr=False)
    assertion_not_on_or_after: datetime
    session_index: str | None = field(default=None, repr=False)
    name_id: SamlNameId | None
    exceptions: tuple[Tolerance, ...] = ()
