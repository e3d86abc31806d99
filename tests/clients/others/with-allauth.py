"""django-allauth's OpenID Connect provider, with its defaults."""

import json
import os
import sys
from urllib.parse import urlencode, urlsplit

import django
from django.conf import settings
from django.contrib.auth import logout
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import include, path

ISSUER, SELF = os.environ["ISSUER"], os.environ["SELF"]

settings.configure(
    SECRET_KEY=os.urandom(32).hex(),
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["localhost"],
    USE_TZ=True,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "allauth",
        "allauth.account",
        "allauth.socialaccount",
        "allauth.socialaccount.providers.openid_connect",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ],
    AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}},
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    SESSION_COOKIE_NAME="example-others",
    LOGIN_REDIRECT_URL="/",
    SOCIALACCOUNT_LOGIN_ON_GET=True,
    SOCIALACCOUNT_PROVIDERS={
        "openid_connect": {
            "SCOPE": ["openid"],
            "APPS": [
                {
                    "provider_id": "broker",
                    "name": "Schuilnaam",
                    "client_id": "example-others-post",
                    "secret": "only-for-the-demo",
                    "settings": {"server_url": ISSUER},
                }
            ],
        }
    },
)
sys.modules[__name__] = sys.modules["__main__"]
django.setup()

from allauth.socialaccount.models import SocialAccount  # noqa: E402 -- needs settings


def home(request: HttpRequest) -> HttpResponse:
    accounts = SocialAccount.objects.filter(user_id=request.user.pk)
    return HttpResponse(json.dumps([each.extra_data for each in accounts]))


def leave(request: HttpRequest) -> HttpResponse:
    """Log out at both: allauth keeps no ID token, so the broker asks the pupil first."""
    logout(request)
    asked = {"client_id": "example-others-post", "post_logout_redirect_uri": f"{SELF}/"}
    return HttpResponseRedirect(f"{ISSUER}/oidc/end-session?{urlencode(asked)}")


urlpatterns = [path("", home), path("leave", leave), path("accounts/", include("allauth.urls"))]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    call_command("runserver", f"127.0.0.1:{urlsplit(SELF).port}", use_reloader=False)
