"""What the school and the supplier say, made beforehand so that their work is not counted."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from urllib.parse import urlencode

from broker.adapters.xml_security import LxmlSecurity
from broker.demo.people import made_up_eck_id
from broker.jose.tokens import sign_token
from broker.oidc_op.client_auth import ASSERTION_TYPE
from broker.oidc_op.token import derive_code_challenge
from broker.saml_xml.bindings import encode_post
from broker.saml_xml.elements import serialize
from tests.bench.world import BRIN, CLIENT_ID, REDIRECT_URI, SCHOOL, SCHOOL_URL, BenchWorld
from tests.builders_saml import MINUTE, a_response, saml

ASSERTION_SECONDS = 60
_XML = LxmlSecurity()


@dataclass(frozen=True, slots=True)
class PlannedLogin:
    """What the supplier chooses for one login of one pupil."""

    pupil: int
    state: str
    nonce: str
    verifier: str = field(repr=False)

    @property
    def path(self) -> str:
        """Return where the supplier sends the browser; the hint spares the chooser."""
        query = {
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": "openid profile",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": derive_code_challenge(self.verifier),
            "code_challenge_method": "S256",
            "idp_hint": SCHOOL,
        }
        return f"/oidc/authorize?{urlencode(query)}"


def plan_login(pupil: int) -> PlannedLogin:
    """Return a fresh login of a pupil."""
    return PlannedLogin(pupil, token_urlsafe(16), token_urlsafe(16), token_urlsafe(32))


def first_name_of(pupil: int) -> str:
    """Return a made-up first name, another for each pupil."""
    return f"Naam{pupil}"


def build_response(world: BenchWorld, *, pupil: int, request_id: str, now: datetime) -> bytes:
    """Return a school's Response with one assertion, signed and then encrypted."""
    addresses = world.addresses
    entity_id = f"{SCHOOL_URL}/saml/metadata"
    response = a_response(
        response_issuer=entity_id,
        issuer=entity_id,
        destination=addresses.acs_url,
        recipient=addresses.acs_url,
        response_in_response_to=request_id,
        in_response_to=request_id,
        issue_instant=now,
        authn_instant=now - timedelta(seconds=2),
        not_before=now - MINUTE,
        not_on_or_after=now + 5 * MINUTE,
        confirmed_until=now + 5 * MINUTE,
        audiences=((addresses.sp_entity_id,),),
        name_id=f"leerling{pupil}@meetlat.example",
        session_index=f"_{token_urlsafe(16)}",
        attributes=entree_attributes(pupil),
        key=world.school_key,
        edit_assertion=lambda element: element.set("ID", f"_{token_urlsafe(20)}"),
        edit_response=lambda element: element.set("ID", f"_{token_urlsafe(20)}"),
    )
    assertion = response[-1]
    if assertion.tag != saml("Assertion"):
        raise ValueError("the assertion stands last")
    response.replace(
        assertion, _XML.encrypt(assertion, recipient=world.broker_decryption.encryption)
    )
    return serialize(response)


def entree_attributes(pupil: int) -> dict[str, tuple[str, ...]]:
    """Return what a school of the Entree convention states of a made-up pupil."""
    return {
        "uid": (f"leerling{pupil}@meetlat.example",),
        "employeeNumber": (f"{700_000 + pupil}",),
        "givenName": (first_name_of(pupil),),
        "nlEduPersonTussenvoegsels": ("van der",),
        "sn": ("Meer",),
        "mail": (f"leerling{pupil}@meetlat.example",),
        "eduPersonAffiliation": ("student",),
        "nlEduPersonHomeOrganizationId": (BRIN,),
        "nlEduPersonHomeOrganization": ("De Meetlat",),
        "nlEduPersonUnit": ("2c",),
        "eckId": (made_up_eck_id(f"bench {pupil}"),),
    }


def acs_form(response: bytes, *, relay_state: str) -> bytes:
    """Return what the browser posts for the school."""
    return urlencode({"SAMLResponse": encode_post(response), "RelayState": relay_state}).encode()


def token_form(world: BenchWorld, plan: PlannedLogin) -> bytes:
    """Return what the supplier posts for its tokens, but for the code."""
    now = int(datetime.now(UTC).timestamp())
    assertion = sign_token(
        {
            "iss": CLIENT_ID,
            "sub": CLIENT_ID,
            "aud": world.addresses.issuer,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": token_urlsafe(16),
        },
        key=world.client_key,
    )
    return urlencode(
        {
            "grant_type": "authorization_code",
            "redirect_uri": REDIRECT_URI,
            "code_verifier": plan.verifier,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
    ).encode()
