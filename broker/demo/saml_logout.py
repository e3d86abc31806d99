"""Single logout of the demo's SAML parties, by pysaml2: what they ask us, and what they answer us.

A supplier's service provider and a school's identity provider do the same here: pysaml2 checks
every signature against our metadata and builds every message. It speaks to xmlsec1, so all of this
runs in a thread.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from broker.demo.pysaml2 import (
    BINDING_HTTP_POST,
    BINDING_HTTP_REDIRECT,
    BINDING_SOAP,
    xmldsig,
)

SIGNED: Mapping[str, Any] = {
    "sign": True,
    "sign_alg": xmldsig.SIG_RSA_SHA256,
    "digest_alg": xmldsig.DIGEST_SHA256,
}
SOAP_TYPE = "text/xml"

Entity = Any
"""pysaml2's client or server; it has no types."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Whom a LogoutRequest means.

    Attributes:
        name_id: as we know the person at this party; text.
        session_indexes: none for every session.
    """

    name_id: str
    session_indexes: tuple[str, ...]


EndSessions = Callable[[Ended], None]


def logout_endpoints(base_url: str, *, soap: bool) -> list[tuple[str, str]]:
    """Return where a party takes messages, as pysaml2's configuration has it."""
    by_browser = [
        (f"{base_url}/saml/slo", BINDING_HTTP_REDIRECT),
        (f"{base_url}/saml/slo", BINDING_HTTP_POST),
    ]
    return [*([(f"{base_url}/saml/slo/soap", BINDING_SOAP)] if soap else []), *by_browser]


async def ask_to_log_out(
    entity: Entity, *, name_id: Any, session_index: str, relay_state: str
) -> str:
    """Return where the browser goes to log out at the broker too, with a signed LogoutRequest."""

    def build() -> str:
        broker, place = _find_broker(entity)
        _, message = entity.create_logout_request(
            place, broker, name_id=name_id, session_indexes=[session_index], sign=False
        )
        return _redirect(entity, str(message), place, relay_state, response=False)

    return await anyio.to_thread.run_sync(build)


async def take_by_browser(
    entity: Entity, request: Request, *, end: EndSessions, left: str
) -> Response:
    """Take the broker's LogoutRequest and answer it, or its LogoutResponse and go to `left`."""
    is_post = request.method == "POST"
    fields: Mapping[str, Any] = await request.form() if is_post else request.query_params
    binding = BINDING_HTTP_POST if is_post else BINDING_HTTP_REDIRECT
    if "SAMLResponse" in fields:
        await anyio.to_thread.run_sync(
            entity.parse_logout_request_response, fields["SAMLResponse"], binding
        )
        return RedirectResponse(left, status_code=303)

    def answer() -> str:
        asked = entity.parse_logout_request(
            fields["SAMLRequest"],
            binding,
            relay_state=fields.get("RelayState"),
            sigalg=fields.get("SigAlg"),
            signature=fields.get("Signature"),
        )
        end(_meant(asked.message))
        _, place = _find_broker(entity)
        response = entity.create_logout_response(asked.message, [BINDING_HTTP_REDIRECT], sign=False)
        return _redirect(entity, str(response), place, fields.get("RelayState", ""), response=True)

    return RedirectResponse(await anyio.to_thread.run_sync(answer), status_code=303)


async def take_by_soap(entity: Entity, request: Request, *, end: EndSessions) -> Response:
    """Answer the broker's LogoutRequest on the connection on which it came."""
    body = (await request.body()).decode()

    def answer() -> str:
        asked = entity.parse_logout_request(body, BINDING_SOAP)
        end(_meant(asked.message))
        response = entity.create_logout_response(asked.message, [BINDING_SOAP], **SIGNED)
        return str(entity.apply_binding(BINDING_SOAP, str(response), response=True)["data"])

    return Response(await anyio.to_thread.run_sync(answer), media_type=SOAP_TYPE)


def _meant(message: Any) -> Ended:
    return Ended(message.name_id.text, tuple(each.text for each in message.session_index))


def _find_broker(entity: Entity) -> tuple[str, str]:
    """Return the broker's entity id and its place for logging out by redirect."""
    is_school = entity.entity_type == "idp"
    kind = "spsso" if is_school else "idpsso"
    (broker,) = entity.metadata.keys()
    services = entity.metadata.single_logout_service(broker, BINDING_HTTP_REDIRECT, kind)
    return broker, str(services[0]["location"])


def _redirect(entity: Entity, message: str, place: str, relay_state: str, *, response: bool) -> str:
    http = entity.apply_binding(
        BINDING_HTTP_REDIRECT,
        message,
        place,
        relay_state,
        response=response,
        sign=True,
        sigalg=xmldsig.SIG_RSA_SHA256,
    )
    return str(dict(http["headers"])["Location"])
