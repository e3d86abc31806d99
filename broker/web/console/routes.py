"""All routes of the console: each area brings its own."""

from starlette.routing import Route

from broker.web.console.audit_routes import audit_routes
from broker.web.console.choose_catalogue import catalogue_routes
from broker.web.console.choose_import_routes import import_routes
from broker.web.console.choose_kept_routes import kept_routes
from broker.web.console.choose_review_routes import review_routes
from broker.web.console.choose_sign_routes import sign_routes
from broker.web.console.home_routes import home_routes
from broker.web.console.insight_routes import insight_routes
from broker.web.console.invitation_routes import invitation_routes
from broker.web.console.letters_routes import letters_routes
from broker.web.console.people_routes import people_routes
from broker.web.console.pupils_pseudonym_routes import pseudonym_routes
from broker.web.console.pupils_request_routes import request_routes
from broker.web.console.pupils_shield_routes import shield_routes
from broker.web.console.reading_routes import reading_routes
from broker.web.console.sheet_routes import sheet_routes
from broker.web.console.sign_in_routes import sign_in_routes
from broker.web.wiring import Web


def console_routes(web: Web) -> list[Route]:
    """Return the routes of the console."""
    return [
        *home_routes(web),
        *sign_in_routes(web),
        *sign_routes(web),  # before the catalogue: its addresses fit a kind and a place too
        *catalogue_routes(web),
        *import_routes(web),
        *kept_routes(web),
        *review_routes(web),
        *sheet_routes(web),
        *shield_routes(web),
        *request_routes(web),
        *pseudonym_routes(web),
        *letters_routes(web),
        *reading_routes(web),
        *insight_routes(web),
        *people_routes(web),
        *invitation_routes(web),
        *audit_routes(web),
    ]
