"""The school's half of a login: send the pupil there, and read what comes back.

SAML and OpenID Connect schools differ here and nowhere else: both give a `SchoolAnswer`.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from broker import oidc_rp
from broker.domain.federation import OidcIdpEndpoints, SchoolIdp
from broker.domain.identity import VerifiedLogin
from broker.domain.ids import SchoolId
from broker.flow.answers import PostMessage, Redirect
from broker.flow.login_store import Claim
from broker.flow.ports import Clock, FlowKeys, Random, SchoolCalls, SchoolUnanswered
from broker.flow.records import PendingLogin, SupplierRequest
from broker.flow.refusals import LoginRequired, SchoolUnreachable
from broker.flow.sealed_state import SealedState
from broker.saml_sp.login import ExpectedResponse
from broker.saml_sp.request import build_authn_request
from broker.saml_sp.response import read_response
from broker.saml_xml.forms import PostForm
from broker.saml_xml.security import XmlSecurity

ASSERTION_ID = "assertion-id"
