"""Log in and out with mozilla-django-oidc: a whole Django site in one file."""

import json
import os
import sys
from urllib.parse import urlencode, urlsplit

import django
from django.conf import settings
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import include, path
from django.utils.html import escape

ISSUER = os.environ.get("ISSUER", "http://localhost:8000")
SELF = os.environ.get("SELF", "http://localhost:5004")

settings.configure(
    SECRET_KEY=os.urandom(32).hex(),
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["localhost"],
    USE_TZ=True,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "mozilla_django_oidc",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}},
    SESSION_COOKIE_NAME="example-mozilla-django-oidc",
    AUTHENTICATION_BACKENDS=[f"{__name__}.Pupils"],
    LOGIN_REDIRECT_URL="/",
    LOGOUT_REDIRECT_URL="/",
    OIDC_RP_CLIENT_ID="example-mozilla-django-oidc",
    OIDC_RP_CLIENT_SECRET="only-for-the-demo",
    OIDC_RP_SCOPES="openid",
    OIDC_RP_SIGN_ALGO="ES256",
    OIDC_USE_PKCE=True,
    OIDC_OP_AUTHORIZATION_ENDPOINT=f"{ISSUER}/oidc/authorize",
    OIDC_OP_TOKEN_ENDPOINT=f"{ISSUER}/oidc/token",
    OIDC_OP_USER_ENDPOINT=f"{ISSUER}/oidc/userinfo",
    OIDC_OP_JWKS_ENDPOINT=f"{ISSUER}/oidc/jwks",
    OIDC_STORE_ID_TOKEN=True,
    OIDC_OP_LOGOUT_URL_METHOD=f"{__name__}.logout_at_broker",
)
sys.modules[__name__] = sys.modules["__main__"]
django.setup()

from mozilla_django_oidc.auth import OIDCAuthenticationBackend  # noqa: E402 -- needs settings


class Pupils(OIDCAuthenticationBackend):
    """Knows pupils by their pseudonym; the library would go by mail addresses."""

    def verify_claims(self, claims):
        return bool(claims.get("sub"))

    def filter_users_by_claims(self, claims):
        return self.UserModel.objects.filter(username=claims["sub"])

    def create_user(self, claims):
        return self.update_user(self.UserModel(username=claims["sub"]), claims)

    def update_user(self, user, claims):
        user.first_name = claims.get("given_name", "")
        user.save()
        return user


def logout_at_broker(request: HttpRequest) -> str:
    asked = {
        "id_token_hint": request.session.get("oidc_id_token", ""),
        "post_logout_redirect_uri": f"{SELF}/",
    }
    return f"{ISSUER}/oidc/end-session?{urlencode(asked)}"


def home(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return HttpResponse('nobody is logged in: <a href="/oidc/authenticate/">log in</a>')
    pupil = {"sub": request.user.username, "given_name": request.user.first_name}
    return HttpResponse(
        f"<p>{escape(json.dumps(pupil))}</p>"
        '<form method="post" action="/oidc/logout/"><button name="logout">log out</button>'
        f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}"></form>'
    )


urlpatterns = [path("", home), path("oidc/", include("mozilla_django_oidc.urls"))]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    call_command("runserver", f"127.0.0.1:{urlsplit(SELF).port}", use_reloader=False)
