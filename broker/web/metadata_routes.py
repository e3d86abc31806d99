"""Our SAML metadata: at the addresses that are our names, and as answers to metadata queries.

Metadata Query Protocol (draft-young-md-query) and its SAML profile, for our own two entities. All
are documents that were signed before; a request costs a look into memory.
"""

from hashlib import sha1

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.web.own_documents import OwnMetadata
from broker.web.wiring import Web

METADATA_TYPE = "application/samlmetadata+xml"  # SAML metadata 2.0 appendix A
MDQ_PATH = "/saml/mdq"
"""The base URL of queries, below our issuer."""


def metadata_routes(web: Web) -> list[Route]:
    """Return the routes of our metadata."""

    async def idp(request: Request) -> Response:
        return _answer(request, web.documents.saml_idp_metadata(web.clock()))

    async def sp(request: Request) -> Response:
        return _answer(request, web.documents.saml_sp_metadata(web.clock()))

    async def query(request: Request) -> Response:
        now, wanted = web.clock(), request.path_params["identifier"]
        for document in (web.documents.saml_idp_metadata(now), web.documents.saml_sp_metadata(now)):
            if wanted in (document.entity_id, transform_entity_id(document.entity_id)):
                return _answer(request, document)
        return Response(status_code=404)

    return [
        Route("/saml/idp/metadata", idp, methods=["GET"]),
        Route("/saml/sp/metadata", sp, methods=["GET"]),
        Route(MDQ_PATH + "/entities/{identifier:path}", query, methods=["GET"]),
    ]


def transform_entity_id(entity_id: str) -> str:
    """Return the other name by which an entity may be asked for (SAML profile of MDQ 2.2.2).

    >>> transform_entity_id("http://example.org/service")
    '{sha1}11d72e8cf351eb6c75c721e838f469677ab41bdb'
    """
    digest = sha1(entity_id.encode(), usedforsecurity=False)
    return "{sha1}" + digest.hexdigest()


def is_known(request: Request, etag: str) -> bool:
    """Tell whether who asks has this very document (RFC 9110 13.1.2, weak comparison)."""
    stated = ",".join(request.headers.getlist("if-none-match"))
    known = {each.strip().removeprefix("W/") for each in stated.split(",")}
    return not known.isdisjoint({"*", etag.removeprefix("W/")})


def _answer(request: Request, document: OwnMetadata) -> Response:
    headers = {"cache-control": "public, max-age=300", "etag": document.etag}
    if is_known(request, document.etag):
        return Response(status_code=304, headers=headers)
    return Response(document.content, headers=headers, media_type=METADATA_TYPE)
